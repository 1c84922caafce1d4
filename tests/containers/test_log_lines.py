"""Splitting a program's output into lines."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.containers.log_lines import LARGEST, LineSplitter


def split(chunks: list[bytes], largest: int = LARGEST) -> list[str]:
    """All lines of a stream that comes in `chunks`."""
    splitter = LineSplitter(largest)
    return [*(line for chunk in chunks for line in splitter.feed(chunk)), *splitter.finish()]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` in chunks."""
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


OUTPUT = st.lists(
    st.one_of(
        st.binary(max_size=9), st.text(max_size=9).map(str.encode), st.just(b"\r\n"), st.just(b"\n")
    )
).map(b"".join)


@given(OUTPUT, st.lists(st.integers(0, 500)))
@example(b"a\r\nb", [2])
def test_lines(data: bytes, places: list[int]) -> None:
    r"""A stream comes as its lines, without \n and \r\n, however it is cut into chunks."""
    lines = data.split(b"\n")
    expected = [line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines[:-1]]
    if lines[-1]:
        expected.append(lines[-1].decode("utf-8", "replace"))
    assert split(cut(data, places)) == expected


@given(
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])),
    st.integers(4, 40),
    st.lists(st.integers(0, 500)),
)
@example("aaaa\u20ac", 4, [])
def test_pieces(line: str, largest: int, places: list[int]) -> None:
    """A long line comes in pieces within the limit that together are the line, no character cut."""
    pieces = split(cut(line.encode() + b"\r\n", places), largest)
    assert "".join(pieces) == line
    assert all(len(piece.encode()) <= largest for piece in pieces)
    if len(line.encode()) <= largest:
        assert pieces == [line]


@given(st.binary(min_size=1, max_size=300), st.integers(4, 40), st.lists(st.integers(0, 500)))
def test_pieces_of_bytes(data: bytes, largest: int, places: list[int]) -> None:
    """No line is over the limit, whatever the bytes: a byte that is not UTF-8 counts as what replaces it."""
    assert all(len(line.encode()) <= largest for line in split(cut(data, places), largest))


def test_memory() -> None:
    """A line without an end is not kept in memory."""
    splitter = LineSplitter(1000)
    pieces = [piece for _ in range(1000) for piece in splitter.feed(b"x" * 999)]
    assert {len(piece) for piece in pieces} == {1000}
    assert sum(map(len, pieces)) >= 999_000 - 1001


@pytest.mark.documented(
    "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"
)
def test_limit() -> None:
    """A line and the 26 bytes that CloudWatch Logs counts for an event fit into 256 KiB."""
    assert LARGEST + 26 == 256 * 1024
