"""Lines of a stream: only a newline ends one, and none is gathered without end."""

import io
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.formats import lines
from harness.formats.errors import FormatError


class Endless(io.RawIOBase):
    """A stream without a newline."""

    def read(self, size: int = -1) -> bytes:
        return b"1" * size


@given(st.binary(max_size=60) | st.text("a\r\n\x0b\x85\u2028", max_size=30).map(str.encode))
@example(b"a\r\nb\x0bc\xe2\x80\xa8d\re\n\n\xc2\x85")
def test_lines_are_what_stands_between_newlines(data: bytes) -> None:
    """A last newline begins no line; a carriage return before a newline belongs to it."""
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    found = list(lines.iter_lines(io.BytesIO(data)))
    assert [line.data for line in found] == [row.removesuffix(b"\r") for row in expected]
    assert [line.number for line in found] == list(range(1, len(found) + 1))
    assert all(data[line.offset :].startswith(line.data) for line in found)


@given(st.text("ab\r\n", max_size=40).map(str.encode), st.integers(1, 9))
def test_blocks_leave_no_seam(data: bytes, size: int) -> None:
    """Blocks of any size are whole lines, one after the other, and know where they stand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", size)
        blocks = list(lines.iter_blocks(io.BytesIO(data)))
    assert b"".join(block.data for block in blocks) == data
    assert all(block.data.endswith(b"\n") for block in blocks[:-1])
    for block in blocks:
        assert data[block.offset :].startswith(block.data)
        assert block.line == data.count(b"\n", 0, block.offset) + 1


@given(st.integers(0, 12), st.integers(1, 9))
def test_a_line_may_be_so_long_and_no_longer(length: int, size: int) -> None:
    """The limit does not depend on where blocks end; the error names the line and the place."""
    data = b"a\n" + b"b" * length + b"\nc"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", size)
        patch.setattr(lines, "LONGEST", size + 1)
        if length <= size + 1:
            assert len(list(lines.iter_lines(io.BytesIO(data)))) == 3
            return
        with pytest.raises(FormatError, match="a line of more than") as caught:
            list(lines.iter_lines(io.BytesIO(data)))
    assert (caught.value.line, caught.value.column) == (2, size + 2)


def test_a_line_without_end_is_refused() -> None:
    """A stream that never ends its line is refused instead of being gathered for ever."""
    stream: Any = Endless()
    with pytest.raises(FormatError, match="line 1, column 67108865: a line of more than 67108864"):
        next(lines.iter_blocks(stream))
