"""The lines that the platform adds to a function's log: INIT_START, START, END, REPORT and their kin."""

import hashlib
import math
import platform
import sys
from dataclasses import dataclass

# docs/notes/functions.md, "Log".


def init_start(region: str) -> str:
    """The first line of an execution environment. The ARN is this interpreter's: AWS has none for it."""
    major, minor, patch = sys.version_info[:3]
    own = hashlib.sha256(platform.python_build()[0].encode() + sys.version.encode()).hexdigest()
    return (
        f"INIT_START Runtime Version: python:{major}.{minor}.v{patch}\t"
        f"Runtime Version ARN: arn:aws:lambda:{region}::runtime:{own}\n"
    )


def init_report(milliseconds: float, status: str, kind: str) -> str:
    """An initialization that failed."""
    what = f"\tStatus: {status}" + (f"\tError Type: {kind}" if kind else "")
    return f"INIT_REPORT Init Duration: {milliseconds:.2f} ms\tPhase: init{what}\n"


def start(request_id: str, version: str) -> str:
    """An invocation begins."""
    return f"START RequestId: {request_id} Version: {version}\n"


def end(request_id: str) -> str:
    """An invocation is over."""
    return f"END RequestId: {request_id}\n"


@dataclass(frozen=True)
class Report:
    """What an invocation took: times in milliseconds, memory in megabytes.

    `init` is the initialization that came before it, if one did; `status` is "timeout" or "error" if
    the function did not come to its end.
    """

    request_id: str
    duration: float
    memory_size: int
    memory_used: int
    init: float | None = None
    status: str = ""
    kind: str = ""

    @property
    def line(self) -> str:
        """The REPORT line."""
        billed = math.ceil(self.duration + (self.init or 0.0))
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration:.2f} ms",
            f"Billed Duration: {billed} ms",
            f"Memory Size: {self.memory_size} MB",
            f"Max Memory Used: {self.memory_used} MB",
        ]
        if self.init is not None:
            parts.append(f"Init Duration: {self.init:.2f} ms")
        if self.status:
            parts.append(f"Status: {self.status}")
        if self.kind:
            parts.append(f"Error Type: {self.kind}")
        return "\t".join(parts) + "\t\n"
