"""Waiting that can be cut short, on the injected clock or on the wall."""

import threading
import weakref
from collections.abc import Callable
from datetime import datetime

from harness.cloud.clock import Clock


class Interruption:
    """Something that ends waiting early: a stop, a deletion, the end of the cloud. Once set it stays set."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._set = False
        # Weak, because what follows is often gone long before what it follows.
        self._followers: weakref.WeakSet[Interruption] = weakref.WeakSet()

    def set(self) -> None:
        """Wake everyone who waits, now and later."""
        with self._changed:
            self._set = True
            self._changed.notify_all()
            followers = list(self._followers)
        for follower in followers:
            follower.set()

    def follow(self, other: "Interruption") -> None:
        """Be set, too, when `other` is."""
        with other._changed:
            if not other._set:
                other._followers.add(self)
                return
        self.set()

    def is_set(self) -> bool:
        """Whether it happened."""
        return self._set

    def pause(self, seconds: float, clock: Clock | None = None) -> bool:
        """Wait `seconds` on `clock` (on the wall without one); True if it was interrupted."""
        if seconds <= 0:
            return self._set
        if clock is None:
            with self._changed:
                return self._changed.wait_for(lambda: self._set, seconds)
        return self._wait(seconds, clock, lambda: False)

    def pause_until(self, moment: datetime, clock: Clock) -> bool:
        """Wait until `clock` shows `moment`; True if it was interrupted."""
        seconds = (moment - clock.now()).total_seconds()
        # A clock that is moved by hand may pass the moment before it is asked to wake us.
        return self._wait(max(0.0, seconds), clock, lambda: clock.now() >= moment)

    def _wait(self, seconds: float, clock: Clock, over: Callable[[], bool]) -> bool:
        woken = threading.Event()

        def finish() -> None:
            with self._changed:
                woken.set()
                self._changed.notify_all()

        timer = clock.call_later(seconds, finish)
        if over():
            woken.set()
        with self._changed:
            self._changed.wait_for(lambda: self._set or woken.is_set())
        timer.cancel()
        return self._set
