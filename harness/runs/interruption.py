"""Ctrl-C and SIGTERM: they end a lesson, never a teardown."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or SIGTERM."""


class Signals:
    """Turns SIGINT and SIGTERM into an exception while a scenario plays, and keeps them for later else."""

    def __init__(self) -> None:
        self.interrupted = False
        self._raising = False

    def __enter__(self) -> "Signals":
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

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
        self.interrupted = True
        if self._raising:
            self._raising = False
            raise Interrupted
