"""The program of an execution environment: AWS's runtime client, set up as a managed runtime has it.

It runs in the function's own process, from the folder that stands for /var/runtime, and sees
nothing of this project. Arguments: the folder that stands for /opt, and the handler.
"""

import os
import site
import sys
import time
from typing import Any

MARK = b"\xa5\x5a\x00\xff"
"""Begins a frame of the log that is no message but a point that the runtime has reached."""
READY, ANSWERED = b"ready", b"answered"


def main(arguments: list[str]) -> None:
    """Run the handler until the end."""
    opt, handler = arguments
    # This process runs without `site`, which would let it see what is installed here.
    site.setquit()
    site.sethelper()
    log = os.dup(1)
    client = _client(log)
    from awslambdaric import bootstrap

    os.environ["_LAMBDA_TELEMETRY_LOG_FD"] = str(log)
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # docs/notes/functions.md, "Search path".
    sys.path[:0] = [
        os.environ["LAMBDA_TASK_ROOT"],
        os.path.join(opt, "python", "lib", python, "site-packages"),  # noqa: PTH118 - a cold start counts
        os.path.join(opt, "python"),  # noqa: PTH118
    ]
    sys.argv[1:] = []
    bootstrap.run(handler, client)


def _client(log: int) -> Any:
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    def mark(point: bytes) -> None:
        """Write a mark behind what was printed so far: the log is read by another way than the answer."""
        stamp = (time.time_ns() // 1000).to_bytes(8, "big")
        os.write(log, MARK + len(point).to_bytes(4, "big") + stamp + point)

    class MarkingClient(LambdaRuntimeClient):  # type: ignore[misc]
        def wait_next_invocation(self) -> Any:
            mark(READY)
            return super().wait_next_invocation()

        def post_invocation_result(self, *arguments: Any) -> None:
            mark(ANSWERED)
            super().post_invocation_result(*arguments)

        def post_invocation_error(self, *arguments: Any) -> None:
            mark(ANSWERED)
            super().post_invocation_error(*arguments)

    return MarkingClient(os.environ["AWS_LAMBDA_RUNTIME_API"])


if __name__ == "__main__":
    main(sys.argv[1:])
