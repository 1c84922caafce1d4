"""What tests ask of the machine's processes, and how they wait for the end of one."""

import os
import select
import sys
from pathlib import Path

PATIENCE = 60.0


def wait_until_gone(pid: int) -> None:
    """Return when no process `pid` exists any more, a dead one that nobody waited for included."""
    assert sys.platform == "linux", "other systems have other ways to wait for a stranger's end"
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        assert poll.poll(PATIENCE * 1000), f"process {pid} is still there: {describe(pid)}"
        # It is dead; its parent is about to hear of it.
        while (seen := state(pid)) is not None:
            assert seen in ("Z", "X")
            os.sched_yield()
    finally:
        os.close(handle)


def state(pid: int) -> str | None:
    """R, S, Z, ...; None if there is no such process."""
    fields = _stat(pid)
    return fields[0] if fields else None


def parent(pid: int) -> int:
    """The parent of a process."""
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def describe(pid: int) -> str:
    """State and command line, for messages."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        line = "gone"
    return f"{state(pid)} {line}"


def children(pid: int) -> list[int]:
    """The children of a process."""
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []


def marked(mark: str) -> list[int]:
    """The processes that were executed with `mark` in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def open_descriptors() -> set[str]:
    """The open descriptors of this process."""
    return {entry.name for entry in Path("/dev/fd").iterdir()}


def threads(pid: int) -> int:
    """How many threads a process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
