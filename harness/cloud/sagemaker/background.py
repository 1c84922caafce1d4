"""Threads for work that outlives a request: as many as asked for, or a few that take jobs in turn."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

Work = Callable[[], None]


class Background:
    """Daemon threads, so that a process which forgets to close the cloud can still end.

    At most `places` of the queued pieces of work run at once; the others wait in order of arrival.
    """

    def __init__(self, places: int, on_fault: Callable[[Exception], object]) -> None:
        self._places = places
        self._on_fault = on_fault
        self._changed = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._queue: deque[tuple[str, Work]] = deque()
        self._taken = 0

    def start(self, name: str, work: Work) -> None:
        """Run `work` now in a thread of its own."""

        def run() -> None:
            try:
                work()
            except Exception as error:
                self._on_fault(error)
            finally:
                with self._changed:
                    self._threads.discard(threading.current_thread())
                    self._changed.notify_all()

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._changed:
            self._threads.add(thread)
        thread.start()

    def enqueue(self, name: str, work: Work) -> None:
        """Run `work` as soon as there is a place."""
        with self._changed:
            self._queue.append((name, work))
        self._fill()

    def _fill(self) -> None:
        while True:
            with self._changed:
                if not self._queue or self._taken >= self._places:
                    return
                name, work = self._queue.popleft()
                self._taken += 1

            def run(work: Work = work) -> None:
                try:
                    work()
                finally:
                    with self._changed:
                        self._taken -= 1
                    self._fill()

            self.start(name, run)

    def drain(self, timeout: float) -> bool:
        """Forget what is queued and wait for what runs; whether all of it ended in time."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._queue.clear()
            mine = threading.current_thread()
            return self._changed.wait_for(
                lambda: not self._threads - {mine}, max(0.0, deadline - time.monotonic())
            )
