"""Lines of a stream as the text formats of SageMaker have them: a newline ends one, and nothing else does.

Not what `str.splitlines` calls a line: to that U+2028, U+0085 and a lone carriage return end one too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from harness.formats.errors import FormatError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST = 1 << 26
"""Bytes that a line may have: what never ends is refused instead of being gathered."""

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Block:
    """Whole lines: their bytes, the number of the first (from 1), and the byte at which it starts."""

    data: bytes
    line: int
    offset: int


@dataclass(frozen=True)
class Line:
    """One line without its end, its number (from 1), and the byte at which it starts."""

    data: bytes
    number: int
    offset: int


def iter_blocks(stream: BinaryIO) -> Iterator[Block]:
    """The lines of a stream, about a megabyte each time; only the last may lack its newline.

    FormatError for a line of more than `LONGEST` bytes.
    """
    line, offset = 1, 0
    unfinished: list[bytes] = []
    held = 0
    while piece := stream.read(_BLOCK):
        first = piece.find(b"\n")
        if held + (len(piece) if first < 0 else first) > LONGEST:
            raise FormatError(
                f"a line of more than {LONGEST} bytes",
                expected="records, one per line",
                line=line,
                column=LONGEST + 1,
                offset=offset + LONGEST,
            )
        end = piece.rfind(b"\n") + 1
        if end:
            data = b"".join((*unfinished, piece[:end]))
            yield Block(data, line, offset)
            line += data.count(b"\n")
            offset += len(data)
            unfinished.clear()
            held = 0
        unfinished.append(piece[end:])
        held += len(piece) - end
    if held:
        yield Block(b"".join(unfinished), line, offset)


def iter_lines(stream: BinaryIO) -> Iterator[Line]:
    """Each line of a stream, blank ones too; a carriage return before the newline belongs to the end.

    Memory holds one block; errors as `iter_blocks`.
    """
    for block in iter_blocks(stream):
        rows = block.data.split(b"\n")
        if not rows[-1]:
            rows.pop()
        offset = block.offset
        for number, row in enumerate(rows, block.line):
            yield Line(row.removesuffix(b"\r"), number, offset)
            offset += len(row) + 1
