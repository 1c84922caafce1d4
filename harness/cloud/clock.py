"""The clock that drives timers and timestamps of resources; tests move it by hand."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


@dataclass
class Timer:
    """A call that a clock owes. `cancel` may come from any thread, also after it fired."""

    due: datetime
    callback: Callable[[], None]
    cancelled: bool = field(default=False)

    def cancel(self) -> None:
        """Forget the call if it has not been made yet."""
        self.cancelled = True


class Clock(Protocol):
    """Time as resources see it (UTC)."""

    def now(self) -> datetime:
        """The current time, timezone-aware."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Have `callback` called once, `seconds` from now, in a thread that the caller must not rely on."""

    def close(self) -> None:
        """Drop every timer that is still owed."""


class _Agenda:
    """Timers in order of their due time; ties in order of arrival."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._order = itertools.count()

    def add(self, timer: Timer) -> None:
        heapq.heappush(self._heap, (timer.due, next(self._order), timer))

    def next_due(self) -> datetime | None:
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: datetime) -> Timer | None:
        due = self.next_due()
        return heapq.heappop(self._heap)[2] if due is not None and due <= now else None

    def clear(self) -> None:
        self._heap.clear()


class SystemClock:
    """Wall time. One daemon thread makes all the calls; it starts with the first timer."""

    def __init__(self) -> None:
        self._agenda = _Agenda()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def now(self) -> datetime:
        """Wall time, timezone-aware."""
        return datetime.now(UTC)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Have `callback` called once by the clock's thread, which it must not hold up."""
        timer = Timer(self.now() + timedelta(seconds=seconds), callback)
        with self._changed:
            self._agenda.add(timer)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
                self._thread.start()
            self._changed.notify()
        return timer

    def close(self) -> None:
        """Drop every timer and end the thread."""
        with self._changed:
            self._closed = True
            self._agenda.clear()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                timer = self._agenda.pop_due(self.now())
                if timer is None:
                    due = self._agenda.next_due()
                    self._changed.wait(
                        None if due is None else max(0.0, (due - self.now()).total_seconds())
                    )
                    continue
            timer.callback()


class ManualClock:
    """A clock that stands still until `advance` moves it; due calls are made by the caller's thread."""

    def __init__(self, start: datetime | None = None) -> None:
        # Signatures and S3 use wall time, so a test cloud starts near it unless told otherwise.
        self._now = start or datetime.fromtimestamp(int(time.time()), UTC)
        self._agenda = _Agenda()
        self._lock = threading.RLock()

    def now(self) -> datetime:
        """The time that `advance` last moved it to."""
        with self._lock:
            return self._now

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Have `callback` called once by the thread whose `advance` reaches its time."""
        with self._lock:
            timer = Timer(self._now + timedelta(seconds=seconds), callback)
            self._agenda.add(timer)
            return timer

    def advance(self, seconds: float) -> None:
        """Move the clock and make every call that falls due, in order, each at its own time."""
        with self._lock:
            target = self._now + timedelta(seconds=seconds)
        while True:
            with self._lock:
                due = self._agenda.next_due()
                if due is None or due > target:
                    self._now = max(self._now, target)
                    return
                self._now = max(self._now, due)
                timer = self._agenda.pop_due(self._now)
            if timer is not None:
                timer.callback()

    def close(self) -> None:
        """Drop every timer."""
        with self._lock:
            self._agenda.clear()
