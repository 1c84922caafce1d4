"""A clock that stands still, and tells when somebody begins to wait on it."""

import threading
from typing import Any

from harness.cloud.clock import ManualClock
from tests.containers.processes import PATIENCE


class Clockwork(ManualClock):
    """A clock that tests can wait on until somebody waits on it."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._owed: list[float] = []

    def call_later(self, seconds: float, callback: Any) -> Any:
        """Take a timer, and tell."""
        timer = super().call_later(seconds, callback)
        with self._changed:
            self._owed.append(seconds)
            self._changed.notify_all()
        return timer

    def forget(self) -> None:
        """What is owed until now is not waited for."""
        with self._changed:
            self._owed.clear()

    def wait_for(self, seconds: float) -> None:
        """Wait until a timer of just this length is owed, since the last one that was waited for."""
        with self._changed:
            assert self._changed.wait_for(lambda: seconds in self._owed, PATIENCE), self._owed
            self._owed.remove(seconds)
