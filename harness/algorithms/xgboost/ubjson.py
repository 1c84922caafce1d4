"""Whether bytes are one whole UBJSON document: xgboost's own reader crashes or never ends on one that was cut.

Knows what xgboost writes (draft 12 with typed arrays). See docs/notes/xgboost.md#artifact.
"""

import struct

_SIZES = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8, b"d": 4, b"D": 8, b"C": 1}
_INTEGERS = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q"}
_VALUELESS = (b"T", b"F", b"Z", b"N")
_DEEPEST = 64


def is_complete(data: bytes) -> bool:
    """True when `data` is an object from its first byte to its last."""
    reader = _Reader(data)
    try:
        reader.skip_value(0)
    except _BrokenError:
        return False
    return data.startswith(b"{") and reader.at_end


class _BrokenError(Exception):
    """The document ends too early, or is none."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def at_end(self) -> bool:
        return self._position == len(self._data)

    def _take(self, count: int) -> bytes:
        end = self._position + count
        if count < 0 or end > len(self._data):
            raise _BrokenError
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def _skip(self, count: int) -> None:
        self._position += count
        if count < 0 or self._position > len(self._data):
            raise _BrokenError

    def _peek(self) -> bytes:
        return self._data[self._position : self._position + 1]

    def _integer(self) -> int:
        marker = self._take(1)
        if marker not in _INTEGERS:
            raise _BrokenError
        value: int = struct.unpack(_INTEGERS[marker], self._take(_SIZES[marker]))[0]
        return value

    def skip_value(self, depth: int) -> None:
        marker = self._take(1)
        if depth > _DEEPEST:
            raise _BrokenError
        if marker == b"{":
            self._skip_object(depth)
        elif marker == b"[":
            self._skip_array(depth)
        elif marker == b"S":
            self._skip(self._integer())
        elif marker in _SIZES:
            self._skip(_SIZES[marker])
        elif marker not in _VALUELESS:
            raise _BrokenError

    def _skip_object(self, depth: int) -> None:
        while self._peek() != b"}":
            self._skip(self._integer())
            self.skip_value(depth + 1)
        self._skip(1)

    def _skip_array(self, depth: int) -> None:
        kind = None
        if self._peek() == b"$":
            self._skip(1)
            kind = self._take(1)
        if self._peek() == b"#":
            self._skip(1)
            count = self._integer()
            if kind is not None:
                if kind not in _SIZES:
                    raise _BrokenError
                self._skip(count * _SIZES[kind])
                return
            for _ in range(count):
                self.skip_value(depth + 1)
            return
        if kind is not None:
            raise _BrokenError
        while self._peek() != b"]":
            self.skip_value(depth + 1)
        self._skip(1)
