"""Ctrl-C and SIGTERM, also where Python would not notice: they end a lesson, never a teardown.

Python runs signal handlers in the main thread, between two instructions. A signal that comes just before
that thread enters a wait without end is noticed when the wait ends, so a thread of its own takes part here.
"""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, Self

_AGAIN = 0.1

Handler = Callable[[int, FrameType | None], None]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or SIGTERM."""


class SignalReader:
    """While it is open, `callback(number)` is called for each of these signals, from its own thread.

    `handler` is what the main thread runs, sooner or later. Outside the main thread it does nothing.
    """

    def __init__(
        self,
        numbers: Sequence[int],
        callback: Callable[[int], None],
        handler: Handler = lambda _number, _frame: None,
    ) -> None:
        self._numbers = numbers
        self._callback = callback
        self._handler = handler
        self._open = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._reading, self._writing = socket.socketpair()
            self._writing.setblocking(False)
            self._descriptor = signal.set_wakeup_fd(
                self._writing.fileno(), warn_on_full_buffer=False
            )
            self._handlers: dict[int, Any] = {
                number: signal.signal(number, self._handler) for number in self._numbers
            }
            self._thread = threading.Thread(target=self._read, name="signals", daemon=True)
            self._thread.start()
            self._open = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._open:
            self._open = False
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(self._descriptor)
            self._writing.close()
            self._thread.join()
            self._reading.close()

    def _read(self) -> None:
        while received := self._reading.recv(1):
            if received[0] in self._numbers:
                self._callback(received[0])


class Signals:
    """Turns SIGINT and SIGTERM into an exception while a scenario plays, and keeps them for later else."""

    def __init__(self) -> None:
        self._came = threading.Event()
        self._raising = False
        self._reader = SignalReader((signal.SIGINT, signal.SIGTERM), self._insist, self._received)

    @property
    def interrupted(self) -> bool:
        """Whether one came."""
        return self._came.is_set()

    def __enter__(self) -> Self:
        self._reader.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._came.set()  # nobody need insist any more
        self._reader.__exit__()

    @contextlib.contextmanager
    def raised(self) -> Iterator[None]:
        """Signals are raised inside, also one that came before."""
        if self.interrupted:
            raise Interrupted
        self._raising = True
        try:
            yield
        finally:
            self._raising = False

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        self._came.set()
        if self._raising:
            self._raising = False
            raise Interrupted

    def _insist(self, number: int) -> None:
        """Send it to the main thread again until that has noticed."""
        while not self._came.wait(_AGAIN):
            signal.pthread_kill(threading.main_thread().ident or 0, number)
