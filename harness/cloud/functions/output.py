"""What a function's process prints, taken apart: lines of text, whole log records, and the runtime's marks."""

from harness.cloud.functions.var_runtime.bootstrap import MARK
from harness.containers.log_lines import LARGEST

# awslambdaric's frames: type, length, microseconds since the epoch, message (its FramedTelemetryLogSink).
_MAGIC = b"\xa5\x5a\x00"
_HEADER = 16


class Mark(str):
    """No message, but a point that the runtime has reached; all that was printed before it has been read."""


class OutputSplitter:
    r"""Makes messages of the bytes (spec.Splitter). A line keeps its \n, a record is as it was logged.

    What is longer than `largest` bytes comes in pieces. What is not UTF-8 becomes U+FFFD.
    """

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._rest = bytearray()
        self._left = 0
        """Bytes of the record that is being read."""
        self._marking = False

    def feed(self, data: bytes) -> list[str]:
        """The messages that `data` completes."""
        self._rest += data
        messages: list[str] = []
        while True:
            if self._left:
                if not self._take_record(messages):
                    return messages
                continue
            start = self._rest.find(_MAGIC)
            if start != 0:
                # Nothing will be added to a line that a record has interrupted.
                self._take_lines(len(self._rest) if start < 0 else start, start > 0, messages)
            if start < 0 or not self._begin_record():
                return messages

    def finish(self) -> list[str]:
        """What is left at the end."""
        messages: list[str] = []
        self._take_lines(len(self._rest), True, messages)
        return messages

    def _take_lines(self, end: int, complete: bool, messages: list[str]) -> None:
        """Take the lines of the next `end` bytes, also the last one if it is `complete` or long enough."""
        text = bytes(self._rest[:end])
        lines = text.split(b"\n")
        last = lines.pop()
        for line in lines:
            self._append(line + b"\n", messages)
        kept = 0 if complete else len(last) % self._largest
        self._append(last[: len(last) - kept], messages)
        del self._rest[: end - kept]

    def _begin_record(self) -> bool:
        if len(self._rest) < _HEADER:
            return False
        self._marking = self._rest.startswith(MARK)
        self._left = int.from_bytes(self._rest[4:8], "big")
        del self._rest[:_HEADER]
        return True

    def _take_record(self, messages: list[str]) -> bool:
        size = min(self._left, self._largest)
        if len(self._rest) < size:
            return False
        message = _text(bytes(self._rest[:size]))
        messages.append(Mark(message) if self._marking else message)
        del self._rest[:size]
        self._left -= size
        return True

    def _append(self, text: bytes, messages: list[str]) -> None:
        for place in range(0, len(text), self._largest):
            messages.append(_text(text[place : place + self._largest]))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
