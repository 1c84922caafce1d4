"""Waiting that can be cut short, on the injected clock or on the wall."""

import threading

from harness.cloud.clock import Clock


class Interruption:
    """Something that ends waiting early: a stop, a deletion, the end of the cloud. Once set it stays set."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._set = False

    def set(self) -> None:
        """Wake everyone who waits, now and later."""
        with self._changed:
            self._set = True
            self._changed.notify_all()

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
        over = threading.Event()

        def finish() -> None:
            with self._changed:
                over.set()
                self._changed.notify_all()

        timer = clock.call_later(seconds, finish)
        with self._changed:
            self._changed.wait_for(lambda: self._set or over.is_set())
        timer.cancel()
        return self._set
