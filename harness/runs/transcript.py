"""What scenarios print: kept per scenario, bounded, and out of the way of the terminal's own lines."""

import io
import threading
from collections.abc import Callable

LIMIT = 200_000


class Transcript(io.TextIOBase):
    """A text stream that keeps the last `LIMIT` characters; `echo` gets everything as it comes."""

    def __init__(self, echo: Callable[[str], object] | None = None) -> None:
        self._echo = echo
        self._lock = threading.Lock()
        self._parts: list[str] = []
        self._size = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Keep `text`; from any thread."""
        with self._lock:
            self._parts.append(text)
            self._size += len(text)
            while self._size > LIMIT and len(self._parts) > 1:
                self._size -= len(self._parts.pop(0))
        if self._echo is not None:
            self._echo(text)
        return len(text)

    def take(self) -> str:
        """What was printed since the last time."""
        with self._lock:
            text = "".join(self._parts)[-LIMIT:]
            self._parts.clear()
            self._size = 0
        return text
