"""One run of a function's process, from its start to its end, and the invocations that it takes in between."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from harness.cloud.backing.functions import FunctionVersion
from harness.cloud.clock import Timer
from harness.cloud.functions import memory, payloads
from harness.cloud.functions.function_log import FunctionLog
from harness.cloud.functions.output import Mark
from harness.cloud.functions.payloads import Failure
from harness.cloud.functions.runtime_api import Event, RuntimeApi
from harness.cloud.functions.tools import Tools
from harness.cloud.functions.var_runtime.bootstrap import ANSWERED, READY
from harness.containers.process_engine import ProcessContainer
from harness.containers.spec import Exit, LogLine

# How often the memory of a process that works is looked at, on the wall: it grows there.
WATCH_SECONDS = 0.1
Cause = Literal["timeout", "memory", "stop"]


@dataclass(frozen=True)
class Invocation:
    """One event for a function. `arn` as it was invoked, `client_context` JSON or None."""

    request_id: str
    arn: str
    payload: bytes
    trace: str
    client_context: str | None = None


@dataclass(frozen=True)
class Answer:
    """What an invocation came to: its payload, and whether that is an error."""

    payload: bytes
    failed: bool = False


class InitFailed(Exception):
    """The function could not be loaded: `payload(request_id)` is for who invoked it, the rest for the log."""

    def __init__(self, payload: Callable[[str], bytes], status: str, kind: str) -> None:
        super().__init__(kind)
        self.payload = payload
        self.status = status
        self.kind = kind


class NotTaken(Exception):
    """A process that had served before ended by itself before it took the event: another one may take it."""


@dataclass(eq=False)
class _Current:
    """The invocation that a process has. It is over when its answer is there and its log is written.

    One that is `owed` an answer gets one from this process, whatever becomes of it.
    """

    invocation: Invocation
    seconds: float
    done: asyncio.Future[Answer]
    owed: bool
    answer: Answer | None = None
    logged: bool = False


class RuntimeProcess:
    """A process, and what is heard of it: by the Runtime API, from its output, at its end.

    Methods belong to the event loop; what the engine's threads call says so.
    """

    def __init__(self, function: FunctionVersion, log: FunctionLog, tools: Tools) -> None:
        self.function = function
        self.ended = False
        self.api = RuntimeApi(self, tools.limits.response_bytes)
        self.init_milliseconds: float | None = None
        """How long the initialization took; None before its end and after the first invocation."""
        self._log = log
        self._tools = tools
        self._loop = asyncio.get_running_loop()
        self._container: ProcessContainer | None = None
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._exited: asyncio.Future[None] = self._loop.create_future()
        self._marked_ready = self._waits = False
        self._init_error: bytes | None = None
        self._current: _Current | None = None
        self._served = False
        self._cause: Cause | None = None
        self._most_memory = 0
        self._watch: asyncio.TimerHandle | None = None

    async def initialize(
        self, start: Callable[["RuntimeProcess"], ProcessContainer], seconds: float
    ) -> None:
        """Start it, by `start` in a thread, and wait until it asks for an event. Raises InitFailed."""
        began = time.perf_counter()
        try:
            await self.api.open()
            self._container = await self._tools.in_thread(lambda: start(self))
        except BaseException:
            self._set_ended()
            raise
        if self._cause is not None:
            self._container.begin_kill()
        self._container.add_exit_callback(self._on_exit)
        timer = self._timer(seconds, lambda: not self._ready.done())
        self._look_later()
        try:
            await self._ready
            self._look_at_memory()
        finally:
            timer.cancel()
            self._stop_looking()
            self.init_milliseconds = (time.perf_counter() - began) * 1000

    async def invoke(self, invocation: Invocation, seconds: float) -> Answer:
        """Have one event handled. Raises NotTaken."""
        if self.ended:
            raise NotTaken
        fresh, self._served = not self._served, True
        # A process that ends as soon as it is loaded would do so again and again: that is an answer.
        current = _Current(invocation, seconds, self._loop.create_future(), owed=fresh)
        self._current = current
        init, self.init_milliseconds = self.init_milliseconds, None
        self._log.begin(invocation.request_id, self.function.version, init)
        timer = self._timer(seconds, lambda: not current.done.done())
        self._look_later()
        self.api.offer(_event(current))
        try:
            return await current.done
        finally:
            timer.cancel()
            self._stop_looking()
            self._current = None

    async def stop(self) -> None:
        """End it; returns when it has ended."""
        self._end("stop")
        await self._exited

    # What the process says (runtime_api.Runtime).

    def waits(self) -> None:
        """It asks for an event."""
        self._waits = True
        self._settle()

    def answered(self, request_id: str, payload: bytes | None) -> bool:
        """Its handler returned."""
        if payload is None:
            limit = self._tools.limits.response_bytes
            return self._take(request_id, Answer(payloads.response_too_large(limit), failed=True))
        return self._take(request_id, Answer(payload))

    def failed(self, request_id: str, payload: bytes) -> bool:
        """Its handler raised."""
        return self._take(request_id, Answer(payload, failed=True))

    def not_initialized(self, payload: bytes) -> None:
        """It could not load the function, and will end."""
        self._init_error = payload

    def _take(self, request_id: str, answer: Answer) -> bool:
        current = self._current
        if current is None or current.answer or current.invocation.request_id != request_id:
            return False
        current.answer = answer
        self._settle()
        return True

    # What it prints, and its end: the engine's threads tell.

    def print(self, lines: Sequence[LogLine]) -> None:
        """Take what the process prints (spec.LogSink)."""
        self._log.take(lines, self._reached)

    def _reached(self, mark: Mark) -> Callable[[], None]:
        """Hear a mark; what is returned is called when the log is written."""
        if mark == READY.decode():
            return lambda: self._tools.call(self._set_ready)
        if mark != ANSWERED.decode() or self._container is None:
            return lambda: None
        self._most_memory = max(self._most_memory, memory.peak(self._container.pid))
        if self._is_over_limit():
            # It grew and came to its end between two looks; on AWS it would not have.
            return lambda: self._tools.call(self._end, "memory")
        self._log.complete(self.function.memory_size, self._megabytes)
        return lambda: self._tools.call(self._set_logged)

    def _on_exit(self, exit: Exit) -> None:
        """The process has ended and its output is read: what is missing in the log is written here."""
        current = self._current
        if current is not None and self._owes(current):
            failure = self._failure(current, exit)
            status, kind, duration = "error", failure.kind, None
            note = f"{failure.message}\n{failure.kind}\n"
            if self._cause == "timeout":
                status, kind, duration = "timeout", "", current.seconds * 1000
                note = _timeout_note(current)
            self._log.complete(
                self.function.memory_size,
                self._megabytes,
                note,
                status=status,
                kind=kind,
                duration=duration,
            )
        self._tools.call(self._hear_exit, exit)

    # Putting together what was heard.

    def _set_ready(self) -> None:
        self._marked_ready = True
        self._settle()

    def _set_logged(self) -> None:
        if self._current is not None:
            self._current.logged = True
        self._settle()

    def _settle(self) -> None:
        if self._marked_ready and self._waits and not self._ready.done():
            self._ready.set_result(None)
        current = self._current
        if current and current.answer and current.logged and not current.done.done():
            current.done.set_result(current.answer)

    def _hear_exit(self, exit: Exit) -> None:
        self._set_ended()
        if not self._ready.done():
            self._ready.set_exception(self._init_failure(exit))
        current = self._current
        if current is None or current.done.done():
            return
        if not self._owes(current):
            self._log.abandon()
            current.done.set_exception(NotTaken())
        elif current.answer is not None and self._cause is None:
            current.done.set_result(current.answer)  # it answered and ended at once
        else:
            payload = self._failure(current, exit).payload
            current.done.set_result(Answer(payload, failed=True))

    def _owes(self, current: _Current) -> bool:
        """Whether the end of this process is the answer, because of what it did or because we ended it."""
        return current.owed or self._cause is not None

    def _set_ended(self) -> None:
        self.ended = True
        self.api.close()
        self._exited.set_result(None)

    def _failure(self, current: _Current, exit: Exit) -> Failure:
        request_id = current.invocation.request_id
        if self._cause == "timeout":
            return payloads.timed_out(request_id, current.seconds)
        return payloads.exited(request_id, exit)

    def _init_failure(self, exit: Exit) -> InitFailed:
        error, timeout = self._init_error, self.function.timeout
        if error is not None:
            return InitFailed(lambda request_id: error, "error", payloads.error_type(error))
        if self._cause == "timeout":
            return InitFailed(
                lambda request_id: payloads.timed_out(request_id, timeout).payload, "timeout", ""
            )
        return InitFailed(
            lambda request_id: payloads.exited(request_id, exit).payload,
            "error",
            payloads.EXIT_ERROR,
        )

    # Its time and its memory.

    def _timer(self, seconds: float, still: Callable[[], bool]) -> Timer:
        """End the process after `seconds` on the clock if what it is to do is `still` to be done."""

        def expire() -> None:
            if still():
                self._end("timeout")

        return self._tools.clock.call_later(seconds, partial(self._tools.call, expire))

    def _look_later(self) -> None:
        """Look at its memory soon, and then again and again."""
        self._watch = self._loop.call_later(WATCH_SECONDS, self._look_at_memory)

    def _look_at_memory(self) -> None:
        assert self._container is not None
        self._most_memory = max(self._most_memory, memory.resident(self._container.pid))
        if self._is_over_limit():
            self._end("memory")
        else:
            self._look_later()

    def _stop_looking(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    def _is_over_limit(self) -> bool:
        return self._most_memory > self.function.memory_size * memory.MEGABYTE

    @property
    def _megabytes(self) -> int:
        used = math.ceil(self._most_memory / memory.MEGABYTE)
        return min(used, self.function.memory_size)

    def _end(self, cause: Cause) -> None:
        if self._cause is None and not self.ended:
            self._cause = cause
            if self._container is not None:
                self._container.begin_kill()


def _event(current: _Current) -> Event:
    def taken() -> None:
        current.owed = True

    invocation = current.invocation
    # The function subtracts its own time from it, which is the wall's.
    deadline = time.time() + current.seconds
    headers = {
        "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
        "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
        "Lambda-Runtime-Trace-Id": invocation.trace,
    }
    if invocation.client_context is not None:
        headers["Lambda-Runtime-Client-Context"] = invocation.client_context
    return Event(invocation.request_id, headers, invocation.payload, taken)


def _timeout_note(current: _Current) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    request_id, seconds = current.invocation.request_id, current.seconds
    return f"{now} {request_id} Task timed out after {seconds:.2f} seconds\n\n"
