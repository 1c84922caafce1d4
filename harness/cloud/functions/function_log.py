"""The log stream of one execution environment: what its process prints, between the platform's lines."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from harness.cloud.functions import reports
from harness.cloud.functions.output import Mark
from harness.containers.spec import LogLine

_log = logging.getLogger(__name__)

_SLACK = 64 * 1024
Put = Callable[[Sequence[LogLine]], None]


class FunctionLog:
    """Puts lines in order and keeps the tail of the current invocation. Any thread may call it.

    `put` may take its time, and so may every method but `begin`, `abandon` and `tail`: those are for the
    event loop.
    """

    def __init__(self, put: Put, tail_bytes: int) -> None:
        self._put = put
        self._tail_bytes = tail_bytes
        self._writing = threading.Lock()
        """Held while lines are put, so that they stay in order."""
        self._lock = threading.Lock()
        """Held for a moment only."""
        self._pending: list[LogLine] = []
        self._latest = 0
        self._tail = bytearray()
        self._request_id: str | None = None
        self._began = 0.0
        self._init: float | None = None

    def add(self, *messages: str) -> None:
        """Write lines of the platform's."""
        self._write([LogLine(_now(), message) for message in messages])

    def begin(self, request_id: str, version: str, init: float | None) -> None:
        """An invocation begins, after an initialization of `init` milliseconds, or none."""
        with self._lock:
            self._request_id = request_id
            self._init = init
            self._began = time.perf_counter()
            self._tail.clear()
            self._pending.append(LogLine(_now(), reports.start(request_id, version)))

    def take(self, lines: Sequence[LogLine], reached: Callable[[Mark], Callable[[], None]]) -> None:
        """Write what the process printed.

        `reached` is called for each mark among it, when all before it is in order. It may complete
        the invocation; what it returns is called when the log is written.
        """
        waiting: list[LogLine] = []
        for line in lines:
            if not isinstance(line.message, Mark):
                waiting.append(line)
                continue
            if waiting:
                self._write(waiting)
            waiting = []
            reached(line.message)()
        if waiting:
            self._write(waiting)

    def complete(
        self,
        memory_size: int,
        memory_used: int,
        *notes: str,
        status: str = "",
        kind: str = "",
        duration: float | None = None,
    ) -> None:
        """The current invocation is over, if it was not before; `duration` in milliseconds, if it is known."""
        with self._lock:
            request_id, self._request_id = self._request_id, None
            init = self._init
            if duration is None:
                duration = (time.perf_counter() - self._began) * 1000
        if request_id is not None:
            report = reports.Report(
                request_id, duration, memory_size, memory_used, init, status, kind
            )
            self.add(*notes, reports.end(request_id), report.line)

    def abandon(self) -> None:
        """The invocation that has just begun will be made in another process."""
        with self._lock:
            self._request_id = None
            self._pending.clear()

    def tail(self) -> bytes:
        """The end of what the last invocation logged."""
        with self._lock:
            return bytes(self._tail[-self._tail_bytes :])

    def _write(self, lines: Sequence[LogLine]) -> None:
        with self._writing:
            with self._lock:
                pending, self._pending = self._pending, []
                for line in (*pending, *lines):
                    self._tail += line.message.encode("utf-8", "surrogatepass")
                    if not line.message.endswith("\n"):
                        self._tail += b"\n"
                if len(self._tail) > self._tail_bytes + _SLACK:
                    del self._tail[: -self._tail_bytes]
            try:
                self._put([self._in_order(line) for line in (*pending, *lines)])
            except Exception:
                # The log is lost; the answers, which wait for it, are not.
                _log.exception("a function's log cannot be written")

    def _in_order(self, line: LogLine) -> LogLine:
        """The line, not before those that were written: its time was taken by another thread."""
        self._latest = max(self._latest, line.timestamp)
        return LogLine(self._latest, line.message)


def _now() -> int:
    return time.time_ns() // 1_000_000
