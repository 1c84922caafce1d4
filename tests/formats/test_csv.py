"""CSV: shortest numbers out, positions of whatever is no number in."""

import io
import tracemalloc
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.formats import csv
from harness.formats.errors import FormatError
from tests.formats import sdk
from tests.formats.strategies import Array, labeled

FLOAT64 = st.just(np.dtype(np.float64))


@given(labeled(FLOAT64, least_width=1))
def test_what_was_dumped_loads_again(data: tuple[Array, Array | None]) -> None:
    """Doubles come back exactly, labels from the first column."""
    features, labels = data
    text = csv.dumps(features, labels)
    found = csv.loads(text, label_size=0 if labels is None else 1)
    if len(features):
        assert np.array_equal(found.features, features, equal_nan=True)
        if labels is not None:
            assert found.labels is not None
            assert np.array_equal(found.labels, labels, equal_nan=True)


@given(hnp.arrays(np.float32, (3, 2), elements=st.floats(width=32, allow_nan=False)))
def test_float32_comes_back_as_float32(features: Array) -> None:
    """The shortest form of a float32 reads back to the same float32."""
    assert np.array_equal(csv.loads(csv.dumps(features)).features.astype(np.float32), features)


@given(labeled(least_width=1))
@pytest.mark.sdk_source("notes/csv.md#what-the-sdk-writes")
def test_lines_are_those_of_the_sdk(data: tuple[Array, Array | None]) -> None:
    """`dumps` writes the SDK's lines for a matrix, with a newline after the last one too."""
    features, _ = data
    if len(features):
        assert csv.dumps(features).decode() == sdk.csv(features) + "\n"


@given(labeled(FLOAT64, least_width=1), st.integers(1, 200))
def test_blocks_leave_no_seam(data: tuple[Array, Array | None], block: int) -> None:
    """Written and read in blocks of any size, the same lines and the same numbers come out."""
    features, _ = data
    whole = csv.dumps(features)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv, "_BLOCK", block)
        assert csv.dumps(features) == whole
        if len(features):
            assert np.array_equal(csv.loads(whole).features, features, equal_nan=True)


cells = st.sampled_from(
    ["1", "-2.5", " 3 ", '"4"', "", "nan", "inf", "x", '"', '"5\n6"', "1_0", "0x1", "٣", "\r", "#7"]
)


@given(st.lists(st.lists(cells, min_size=1, max_size=3), max_size=6), st.integers(1, 40))
@example([["1", "2"], ['"3', '4"']], 4)
def test_any_text_is_numbers_or_a_format_error_whatever_the_blocks(
    rows: list[list[str]], block: int
) -> None:
    """Reading ends in numbers or a FormatError, and the size of the blocks does not matter."""
    data = "\n".join(",".join(row) for row in rows).encode()

    def read() -> object:
        try:
            return csv.loads(data, missing=0.0).features.tolist()
        except FormatError as error:
            return error.line, error.column

    whole = read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv, "_BLOCK", block)
        assert str(whole) == str(read())


@given(st.binary(max_size=100))
def test_any_bytes_are_numbers_or_a_format_error(data: bytes) -> None:
    """Arbitrary bytes never raise anything but FormatError."""
    with suppress(FormatError):
        csv.loads(data)


@pytest.mark.parametrize(
    ("data", "line", "column", "problem"),
    [
        (b"age,income\n1,2\n", 1, 1, "the cell 'age'"),
        (b"1,2\n3,x\n", 2, 2, "the cell 'x'"),
        (b"1,2\n3\n", 2, None, "1 columns"),
        (b"1,2\n3,4,5\n", 2, None, "3 columns"),
        (b"1,2\n,4\n", 2, 1, "an empty cell"),
        (b"1,2,\n", 1, 3, "an empty cell"),
        (b"\xef\xbb\xbf1,2\n", 1, 1, "byte order mark"),
        (b"1,2\n3,\xff\n", 2, None, "not UTF-8"),
        (b"1;2\n", 1, 1, "the cell '1;2'"),
        (b"1,2\n3,4\r5,6\n", 2, None, "a carriage return"),
        (b'1,2\n"3,4\n', 2, None, "unexpected end of data"),
        (b"1\n\n\nx\n", 4, 1, "the cell 'x'"),
        (b'"1","2"\n"3","' + b"y" * 80 + b'"\n', 2, 2, r"the cell 'y{50}\.\.\.'"),
    ],
)
def test_the_place_of_what_is_wrong_is_named(
    data: bytes, line: int, column: int | None, problem: str
) -> None:
    """A FormatError has the line and, for a cell, the column, both counted from 1."""
    with pytest.raises(FormatError, match=problem) as caught:
        csv.loads(data)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_an_open_quote_is_found_in_one_pass() -> None:
    """Sixteen megabytes behind it are looked at line by line, once: twice as many take twice as long, no more."""
    data = b'1,"2\n' + b"3,4\n" * (1 << 22)
    with pytest.raises(FormatError, match=r"field larger|unexpected end") as caught:
        csv.loads(data)
    assert caught.value.line == 1


@pytest.mark.parametrize(
    "data", [b"1,2\n3,4\n", b"1,2\n3,4", b"1,2\r\n3,4\r\n", b'"1",2\n3,"4"\n', b"\n1,2\n\n3,4\n\n"]
)
def test_line_ends_quotes_and_blank_lines_do_not_matter(data: bytes) -> None:
    """CRLF, a missing last newline, quoted numbers and blank lines give the same numbers."""
    assert csv.loads(data).features.tolist() == [[1, 2], [3, 4]]


def test_labels_are_the_first_columns() -> None:
    """`label_size` columns are labels: a vector for one, a matrix for more."""
    data = b"1,2,3\n4,5,6\n"
    one, two = csv.loads(data, label_size=1), csv.loads(data, label_size=2)
    assert one.labels is not None
    assert two.labels is not None
    assert (one.labels.tolist(), one.features.tolist()) == ([1, 4], [[2, 3], [5, 6]])
    assert (two.labels.tolist(), two.features.tolist()) == ([[1, 2], [4, 5]], [[3], [6]])
    with pytest.raises(FormatError, match="at least 4"):
        csv.loads(data, label_size=4)


def test_missing_cells_may_have_a_value() -> None:
    """With `missing`, an empty cell is that value."""
    found = csv.loads(b"1,,2\n,3,\n", missing=np.nan).features
    assert np.array_equal(found, [[1, np.nan, 2], [np.nan, 3, np.nan]], equal_nan=True)


def test_another_delimiter_is_used_both_ways() -> None:
    """Tabs separate cells as commas do."""
    features = np.array([[1.5, 2], [3, 4]])
    text = csv.dumps(features, delimiter="\t")
    assert text == b"1.5\t2.0\n3.0\t4.0\n"
    assert np.array_equal(csv.loads(text, delimiter="\t").features, features)


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (np.zeros(3), None),
        (np.zeros((2, 0)), None),
        (np.zeros((2, 1)), np.zeros(3)),
        (np.array([["a"]]), None),
    ],
)
def test_what_is_no_matrix_of_numbers_is_refused(features: Array, labels: Array | None) -> None:
    """Only a matrix of numbers, with a label per record, can be written."""
    with pytest.raises(FormatError, match="expected"):
        csv.dumps(features, labels)


class Endless(io.RawIOBase):
    """A stream without a newline."""

    def read(self, size: int = -1) -> bytes:
        return b"1" * size

    def readline(self, size: int | None = -1) -> bytes:
        return b"1" * (size or 1)


def test_a_line_without_end_is_refused() -> None:
    """A stream that never ends its line is refused instead of being gathered for ever."""
    stream: Any = Endless()
    with pytest.raises(FormatError, match="a line of more than"):
        next(csv.iter_batches(stream))


def test_a_long_file_is_read_in_bounded_memory(tmp_path: Any) -> None:
    """Records come one by one from a file many times as large as what is held."""
    path = tmp_path / "data.csv"
    path.write_bytes(csv.dumps(np.full((1000, 20), 1 / 3)) * 100)
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            assert sum(1 for _ in csv.iter_records(file)) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_dump_and_load_work_on_files(tmp_path: Any) -> None:
    """`dump` writes to a file what `load` reads back from it; an empty file has no records."""
    path = tmp_path / "data.csv"
    with path.open("wb") as file:
        csv.dump(np.array([[1.0, 2.0]]), file, np.array([3.0]))
    with path.open("rb") as file:
        found = csv.load(file, label_size=1)
    assert found.labels is not None
    assert (found.labels.tolist(), found.features.tolist()) == ([3], [[1, 2]])
    assert len(csv.loads(b"")) == 0
