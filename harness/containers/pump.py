"""One thread that reads what all containers of an engine print, and hears of their ends."""

import contextlib
import fcntl
import json
import logging
import os
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from harness.containers.log_lines import LineSplitter
from harness.containers.spec import LogLine, LogSink, Splitter

_PIECE = 1 << 16
_log = logging.getLogger(__name__)


class Feed:
    """The two streams of one container: what its program prints, and what its supervisor says.

    `ended` is called once, in the pump's thread, with the supervisor's last words (None if there
    were none) after all lines have gone to `sink`. Both streams are closed before that. `words` is
    what was already heard from the supervisor.
    """

    def __init__(
        self,
        log: int,
        control: socket.socket,
        sink: LogSink,
        ended: Callable[[dict[str, Any] | None], None],
        words: bytes = b"",
        splitter: Splitter | None = None,
    ) -> None:
        os.set_blocking(log, False)
        self.log = log
        self.control = control
        self.open = True
        self._sink = sink
        self._ended = ended
        self._lines = splitter or LineSplitter()
        self._words = words
        self._deaf = False

    def read_log(self) -> int:
        """Deliver one piece of output; its size, 0 at the end, -1 when there is none for now."""
        try:
            data = os.read(self.log, _PIECE)
        except BlockingIOError:
            return -1
        if data:
            self._deliver(self._lines.feed(data))
        return len(data)

    def read_control(self) -> bool:
        """Hear the supervisor; False when it has said its last."""
        try:
            data = self.control.recv(4096)
        except ConnectionError:
            data = b""
        self._words += data
        return bool(data) and b"\n" not in self._words

    def finish(self) -> None:
        """Deliver what is left and close."""
        # The writers are dead. Whatever still comes is not theirs, and is not waited for.
        left = _capacity(self.log)
        while left > 0 and (size := self.read_log()) > 0:
            left -= size
        self._deliver(self._lines.finish())
        self.open = False
        os.close(self.log)
        self.control.close()
        self._ended(json.loads(self._words) if self._words.endswith(b"\n") else None)

    def _deliver(self, lines: list[str]) -> None:
        if not lines or self._deaf:
            return
        now = time.time_ns() // 1_000_000
        try:
            self._sink([LogLine(now, line) for line in lines])
        except Exception:
            # One container's log is lost; the others', and its own end, are not.
            self._deaf = True
            _log.exception("the log of a container cannot be delivered")


def _capacity(pipe: int) -> int:
    """How much a pipe can hold."""
    get_size = getattr(fcntl, "F_GETPIPE_SZ", None)
    return fcntl.fcntl(pipe, get_size) if get_size is not None else _PIECE


class Pump:
    """The thread. Output waits in its pipe, and so does the program, until its turn comes."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._run_orders)
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._handles: set[int] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="containers", daemon=True)
        self._thread.start()

    def attend(self, feed: Feed) -> None:
        """Read `feed` to its end."""

        def begin() -> None:
            self._selector.register(feed.log, selectors.EVENT_READ, lambda: self._on_log(feed))
            self._selector.register(
                feed.control, selectors.EVENT_READ, lambda: self._on_control(feed)
            )

        self._order(begin)

    def watch(self, handle: int, callback: Callable[[], None]) -> None:
        """Once `handle` is readable, close it and call `callback`, in the pump's thread."""

        def on_ready() -> None:
            self._selector.unregister(handle)
            self._handles.discard(handle)
            os.close(handle)
            callback()

        def begin() -> None:
            self._selector.register(handle, selectors.EVENT_READ, on_ready)

        self._handles.add(handle)
        self._order(begin)

    def close(self) -> None:
        """End the thread. Every feed has come to its end before."""
        if not self._closed:
            self._closed = True
            self._order(lambda: None)
            self._thread.join()
            self._selector.close()
            self._waker.close()
            self._woken.close()
            for handle in self._handles:
                os.close(handle)
            self._handles.clear()

    def _on_log(self, feed: Feed) -> None:
        # At its end the pipe would be ready for ever; the supervisor still has to speak.
        if feed.open and feed.read_log() == 0:
            self._selector.unregister(feed.log)

    def _on_control(self, feed: Feed) -> None:
        if not feed.read_control():
            self._selector.unregister(feed.control)
            if feed.log in self._selector.get_map():
                self._selector.unregister(feed.log)
            feed.finish()

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.put(order)
        with contextlib.suppress(BlockingIOError):  # it is awake already
            self._waker.send(b"\0")

    def _run_orders(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        with contextlib.suppress(queue.Empty):
            while True:
                self._orders.get_nowait()()

    def _run(self) -> None:
        while not self._closed:
            for key, _ in self._selector.select():
                key.data()
