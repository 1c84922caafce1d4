"""How a writer cuts records into parts: never, as the SDK does, or at the magic number, as dmlc does.

dmlc's writer cuts where a payload holds the magic number at a multiple of four, so that whoever
looks for it there finds beginnings of parts only. It is the one place where a cut can be made: a
reader puts the magic number between any two parts. See docs/notes/recordio.md#framing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.formats.errors import FormatError
from harness.formats.framing import (
    FIRST,
    HEADER,
    LAST,
    LENGTH_MASK,
    MAGIC,
    MAGIC_BYTES,
    MIDDLE,
    frame,
)

Rows = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Parts:
    """Whether records are cut at the magic number, and how many bytes a part may have."""

    split_magic: bool = False
    largest: int = LENGTH_MASK

    def __post_init__(self) -> None:
        if not 0 <= self.largest <= LENGTH_MASK:
            raise FormatError(f"a largest part of {self.largest}", expected=f"0 to {LENGTH_MASK}")

    def leave_whole(self, length: int) -> bool:
        """Whether a record of that length is one part, whatever it holds."""
        return not self.split_magic and length <= self.largest

    def frame(self, payload: bytes, record: int | None = None) -> bytes:
        """A record in its parts. FormatError for one that is too long, or has a part that is."""
        pieces = _pieces(payload) if self.split_magic else [payload]
        longest = max(map(len, pieces))
        if longest > self.largest:
            what = "bytes between two magic numbers" if len(pieces) > 1 else "bytes in one part"
            raise FormatError(
                f"{longest} {what}", expected=f"at most {self.largest}", record=record
            )
        if len(pieces) == 1:
            return frame(payload)
        flags = [FIRST, *[MIDDLE] * (len(pieces) - 2), LAST]
        return b"".join(map(frame, pieces, flags))

    def write(self, rows: Rows, length: int, record: int, write: Callable[[Rows], object]) -> None:
        """Write whole records of `length` bytes, one a row, framed; those to be cut are cut.

        `record` is the number of the first.
        """
        if self.leave_whole(length):
            write(rows)
            return
        if length > self.largest:
            doubtful = np.ones(len(rows), np.bool_)
        else:
            # Neither the word of flag and length nor one with padding can look like the magic number.
            doubtful = (rows.view("<u4")[:, 1:] == MAGIC).any(axis=1)
        start = 0
        for index in map(int, np.flatnonzero(doubtful)):
            if index > start:
                write(rows[start:index])
            payload = rows[index, HEADER.size : HEADER.size + length].tobytes()
            write(np.frombuffer(self.frame(payload, record + index), np.uint8))
            start = index + 1
        if start < len(rows):
            write(rows[start:])


def _pieces(payload: bytes) -> list[bytes]:
    """What stands between the magic numbers at multiples of four."""
    pieces = []
    start = at = 0
    while (at := payload.find(MAGIC_BYTES, at)) >= 0:
        if at % 4:
            at += 1
            continue
        pieces.append(payload[start:at])
        start = at = at + len(MAGIC_BYTES)
    pieces.append(payload[start:])
    return pieces
