"""recordIO framing: records between a magic number, a length and padding; also in several parts.

Source: dmlc-core's `recordio.h`; see docs/notes/recordio.md#framing. How a writer cuts: `splitting`.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from harness.formats.errors import FormatError

MAGIC = 0xCED7230A
MAGIC_BYTES = struct.pack("<I", MAGIC)
LENGTH_BITS = 29
LENGTH_MASK = (1 << LENGTH_BITS) - 1
HEADER = struct.Struct("<II")
BLOCK = 1 << 20

WHOLE, FIRST, MIDDLE, LAST = range(4)
_PART_NAMES = {
    WHOLE: "a whole record",
    FIRST: "a first part",
    MIDDLE: "a middle part",
    LAST: "a last part",
}


class Frame(NamedTuple):
    """One record: its payload, its number (from 0) and the byte at which its first header starts."""

    payload: bytes
    record: int
    offset: int


def padded(length: int) -> int:
    """`length` in bytes, rounded up to the multiple of 4 that a part occupies."""
    return (length + 3) & ~3


def frame(payload: bytes, flag: int = WHOLE) -> bytes:
    """One record in one part or, with another flag, one part of a record. FormatError when it is too long."""
    length = len(payload)
    if length > LENGTH_MASK:
        raise FormatError(f"a part of {length} bytes", expected=f"at most {LENGTH_MASK} bytes")
    word = flag << LENGTH_BITS | length
    return b"".join((HEADER.pack(MAGIC, word), payload, bytes(padded(length) - length)))


class Window:
    """A stretch of a stream held in memory: never more than what was asked for plus one block.

    Bytes are looked at where they are: nothing is read or moved.
    """

    def __init__(self, source: BinaryIO | bytes) -> None:
        self._stream = None if isinstance(source, bytes) else source
        self._read = bytearray()
        self.data = source if isinstance(source, bytes) else self._read
        self.position = 0
        self.offset = 0
        """Byte of the stream at which `data[position]` stands."""

    def available(self, wanted: int) -> int:
        """How many bytes can be had from here, `wanted` if the stream has them.

        Reads block by block, so that a length that lies costs no more than the stream's own bytes.
        """
        had = len(self.data) - self.position
        while had < wanted and self._stream is not None:
            if self.position:
                del self._read[: self.position]
                self.position = 0
            block = self._stream.read(BLOCK)
            if not block:
                self._stream = None
            self._read += block
            had = len(self._read)
        return had

    def skip(self, count: int) -> None:
        """Move on by `count` bytes that are available."""
        self.position += count
        self.offset += count

    def peek(self, count: int) -> bytes:
        """The next `count` bytes, which are available."""
        data, end = self.data, self.position + count
        if isinstance(data, bytes):
            return data[self.position : end]
        return bytes(memoryview(data)[self.position : end])


def next_frame(window: Window, record: int) -> Frame | None:
    """Read record number `record` where the window stands; None at the end of the stream.

    FormatError for a wrong magic number, a part out of order, or a stream that ends too early.
    """
    start = window.offset
    if window.available(1) == 0:
        return None
    flag, piece = _next_part(window, record, (WHOLE, FIRST))
    if flag == WHOLE:
        return Frame(piece, record, start)
    payload = bytearray(piece)
    while flag != LAST:
        flag, piece = _next_part(window, record, (MIDDLE, LAST))
        payload += MAGIC_BYTES
        payload += piece
    return Frame(bytes(payload), record, start)


def _next_part(window: Window, record: int, allowed: tuple[int, int]) -> tuple[int, bytes]:
    """The flag and the payload of the part where the window stands."""
    at = window.offset
    header = window.available(HEADER.size)
    if header < HEADER.size:
        raise _cut_header(header, record, at)
    magic, word = HEADER.unpack_from(window.data, window.position)
    flag, length = word >> LENGTH_BITS, word & LENGTH_MASK
    if magic != MAGIC:
        raise FormatError(
            f"found the bytes {window.peek(len(MAGIC_BYTES)).hex()}",
            expected=f"the recordIO magic number {MAGIC_BYTES.hex()}",
            record=record,
            offset=at,
        )
    if flag not in allowed:
        raise FormatError(
            f"found {_PART_NAMES.get(flag, f'the unknown continuation flag {flag}')}",
            expected=" or ".join(_PART_NAMES[other] for other in allowed),
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
    payload = window.peek(length)
    window.skip(occupied)
    return flag, payload


def _cut_header(had: int, record: int, offset: int) -> FormatError:
    if had:
        problem, expected = f"the data ends {had} bytes into a record header", "an 8-byte header"
    else:
        problem = "the data ends inside a record of several parts"
        expected = "a middle or last part"
    return FormatError(problem, expected=expected, record=record, offset=offset)


def iter_frames(stream: BinaryIO) -> Iterator[Frame]:
    """The records of a stream, one at a time; memory holds one record and one block."""
    window = Window(stream)
    record = 0
    while (found := next_frame(window, record)) is not None:
        yield found
        record += 1
