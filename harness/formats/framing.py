"""recordIO framing: records between a magic number, a length and padding; also in several parts.

Source: dmlc-core's `recordio.h`; see docs/notes/recordio.md#framing.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from harness.formats.errors import FormatError

MAGIC = 0xCED7230A
MAGIC_BYTES = struct.pack("<I", MAGIC)
LENGTH_MASK = (1 << 29) - 1
HEADER = struct.Struct("<II")
BLOCK = 1 << 20

WHOLE, FIRST, MIDDLE, LAST = range(4)
_PART_NAMES = {
    WHOLE: "a whole record",
    FIRST: "a first part",
    MIDDLE: "a middle part",
    LAST: "a last part",
}


@dataclass(frozen=True)
class Frame:
    """One record: its payload, its number (from 0) and the byte at which its first header starts."""

    payload: bytes
    record: int
    offset: int


def padded(length: int) -> int:
    """`length` in bytes, rounded up to the multiple of 4 that a part occupies."""
    return (length + 3) & ~3


def frame(payload: bytes) -> bytes:
    """One record in one part. FormatError when it is longer than a length field can say."""
    if len(payload) > LENGTH_MASK:
        raise FormatError(
            f"a record of {len(payload)} bytes", expected=f"at most {LENGTH_MASK} bytes in one part"
        )
    return b"".join(
        (HEADER.pack(MAGIC, len(payload)), payload, b"\0" * (padded(len(payload)) - len(payload)))
    )


class Window:
    """A stretch of a stream held in memory: never more than what was asked for plus one block."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._ended = False
        self.data = bytearray()
        self.position = 0
        self.offset = 0
        """Byte of the stream at which `data[position]` stands."""

    def available(self, wanted: int) -> int:
        """How many bytes can be had from here, `wanted` if the stream has them.

        Reads block by block, so that a length that lies costs no more than the stream's own bytes.
        """
        while not self._ended and len(self.data) - self.position < wanted:
            if self.position:
                del self.data[: self.position]
                self.position = 0
            block = self._stream.read(BLOCK)
            self._ended = not block
            self.data += block
        return len(self.data) - self.position

    def skip(self, count: int) -> None:
        """Move on by `count` bytes that are available."""
        self.position += count
        self.offset += count

    def take(self, count: int) -> bytes:
        """The next `count` bytes, which are available."""
        taken = bytes(memoryview(self.data)[self.position : self.position + count])
        self.skip(count)
        return taken


def next_frame(window: Window, record: int) -> Frame | None:
    """Read record number `record` where the window stands; None at the end of the stream.

    FormatError for a wrong magic number, a part out of order, or a stream that ends too early.
    """
    start = window.offset
    payload = bytearray()
    parts = 0
    while True:
        at = window.offset
        header = window.available(HEADER.size)
        if header == 0 and parts == 0:
            return None
        if header < HEADER.size:
            raise FormatError(
                f"the data ends {header} bytes into a record header"
                if header
                else "the data ends inside a record of several parts",
                expected="an 8-byte header" if header else "a middle or last part",
                record=record,
                offset=at,
            )
        magic, word = HEADER.unpack_from(window.data, window.position)
        if magic != MAGIC:
            raise FormatError(
                f"found the bytes {window.data[window.position : window.position + 4].hex()}",
                expected=f"the recordIO magic number {MAGIC_BYTES.hex()}",
                record=record,
                offset=at,
            )
        flag, length = word >> 29, word & LENGTH_MASK
        allowed = (WHOLE, FIRST) if parts == 0 else (MIDDLE, LAST)
        if flag not in allowed:
            raise FormatError(
                f"found {_PART_NAMES.get(flag, f'the unknown continuation flag {flag}')}",
                expected=" or ".join(_PART_NAMES[part] for part in allowed),
                record=record,
                offset=at,
            )
        window.skip(HEADER.size)
        occupied = padded(length)
        available = window.available(occupied)
        if available < occupied:
            raise FormatError(
                f"the data ends after {available} bytes of a record",
                expected=f"{length} bytes and {occupied - length} of padding",
                record=record,
                offset=at,
            )
        if parts:
            payload += MAGIC_BYTES
        payload += memoryview(window.data)[window.position : window.position + length]
        window.skip(occupied)
        parts += 1
        if flag in (WHOLE, LAST):
            return Frame(bytes(payload), record, start)


def iter_frames(stream: BinaryIO) -> Iterator[Frame]:
    """The records of a stream, one at a time; memory holds one record and one block."""
    window = Window(stream)
    record = 0
    while (found := next_frame(window, record)) is not None:
        yield found
        record += 1
