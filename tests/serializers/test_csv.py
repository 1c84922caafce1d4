"""CSVSerializer and CSVDeserializer: lines, quotes, and what they make of which container."""

import csv
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.testing.strategies import (
    LINE_BREAKS,
    awkward_text,
    features,
    matrices,
    mixed_rows,
)
from tests.serializers import sdk

pytestmark = pytest.mark.sdk_source("notes/serializers.md#csv")

SERIALIZER = sdk.serializers.CSVSerializer()
DESERIALIZER = sdk.deserializers.CSVDeserializer()

nan, inf = float("nan"), float("inf")


def _read(text: str) -> list[list[str]]:
    """The rows as RFC 4180 has them: only CR and LF end a line, and only outside quotes."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([1, 2.5, "x"], "1,2.5,x"),
        ([[1, 2], [3, 4]], "1,2\n3,4"),
        ([[1, 2], [3]], "1,2\n3"),
        (np.array([[1, 2], [3, 4]]), "1,2\n3,4"),
        (np.array([1.0, 2.5]), "1.0,2.5"),
        (np.array([[0.1, 2], [3, 1e-7]], np.float32), "0.1,2.0\n3.0,1e-07"),
        (np.arange(8).reshape(2, 2, 2), "0,1,2,3\n4,5,6,7"),
        ([nan, inf, -inf], "nan,inf,-inf"),
        ([1, None, 3], "1,,3"),
        ([None], '""'),
        ([1e20, 123456789012345678.0, 1e8], "1e+20,1.2345678901234568e+17,100000000.0"),
        ([True, False], "True,False"),
        ([-0.0, 5e-324], "-0.0,5e-324"),
        ("1,2\n3,4\n", "1,2\n3,4\n"),
        ("", ""),
        (["1,2", "3,4"], "1,2\n3,4"),
        (["1,2\n", "a"], "1,2\n\na"),
        (["a,b", "c"], "a,b\nc"),
        ([["a,b", "c"]], '"a,b",c'),
        ([['a"b']], '"a""b"'),
        ([["a\nb", "c\rd"]], '"a\nb","c\rd"'),
        ((1, 2, 3), "1,2,3"),
        (((1, 2), (3, 4)), '"(1, 2)","(3, 4)"'),
        ([(1, 2), (3, 4)], "1,2\n3,4"),
        ([1, [2, 3]], '1,"[2, 3]"'),
        (range(3), "0,1,2"),
        (pd.DataFrame([[1, 0.5], [2, nan]]), "1,0.5\n2,\n"),
        (pd.Series([1, 2]), "1,2"),
        (io.StringIO("a,b\n"), "a,b\n"),
        (io.BytesIO(b"a,b\n"), b"a,b\n"),
        (b"1,2", "49,44,50"),
        (bytearray(b"\x00\x01"), "0,1"),
    ],
)
def test_exact_output(data: Any, text: str | bytes) -> None:
    """Rows end with a newline but for the last; text, files and data frames keep their own."""
    assert SERIALIZER.serialize(data) == text


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([], ValueError, "Cannot serialize empty array"),
        ([[]], ValueError, "Cannot serialize empty array"),
        ([[1], []], ValueError, "Cannot serialize empty array"),
        (np.empty((0, 3)), ValueError, "Cannot serialize empty array"),
        (b"", ValueError, "Cannot serialize empty array"),
        ([[1], 2], ValueError, "Unable to handle input format: <class 'int'>"),
        (np.array(1.0), TypeError, "len()"),
        (1, TypeError, "has no len()"),
        (None, TypeError, "has no len()"),
        (iter([1]), TypeError, "has no len()"),
        ({"a": 1}, KeyError, "0"),
        ({1}, TypeError, "not subscriptable"),
    ],
)
def test_what_is_refused(data: Any, error: type[Exception], message: str) -> None:
    """What has no rows, or is no row, raises; few of these errors say what was wrong."""
    with pytest.raises(error) as caught:
        SERIALIZER.serialize(data)
    assert message in str(caught.value)


@given(mixed_rows())
@example([["\u2028", 'a"\n'], ["", None]])
def test_another_reader_finds_the_cells(rows: list[list[Any]]) -> None:
    """Whatever is in the cells, a reader that knows RFC 4180 finds their texts again, None as empty."""
    assert _read(SERIALIZER.serialize(rows)) == [[_cell(cell) for cell in row] for row in rows]


@given(mixed_rows())
@example([["a\nb"]])
@example([["\u2028"]])
def test_its_own_reader_loses_what_breaks_lines(rows: list[list[Any]]) -> None:
    """CSVDeserializer gives the cells back as text, unless one holds anything that ends a line in Python."""
    texts = [[_cell(cell) for cell in row] for row in rows]
    broken = any(mark in text for row in texts for text in row for mark in LINE_BREAKS)
    again = sdk.answer(DESERIALIZER, sdk.on_the_wire(SERIALIZER.serialize(rows)))
    assert (again == texts) is not broken


@given(matrices(rows=(1, 8), columns=(1, 6)))
@example(np.array([[0.1, 5e-324, -0.0, np.nan]], np.float64))
def test_numbers_keep_their_value(matrix: Any) -> None:
    """Each number has a form that reads back to itself in its own dtype, and none has quotes."""
    text = SERIALIZER.serialize(matrix)
    assert '"' not in text
    values = [[matrix.dtype.type(cell) for cell in row] for row in _read(text)]
    again = np.array(values, matrix.dtype)
    assert np.array_equal(again, matrix, equal_nan=matrix.dtype.kind == "f")
    assert np.array_equal(np.signbit(again[matrix == 0]), np.signbit(matrix[matrix == 0]))


@given(features(rows=(1, 2), columns=(1000, 4000), finite=False))
def test_a_wide_row_is_one_line(matrix: Any) -> None:
    """Thousands of columns stay on the line of their row."""
    rows = _read(SERIALIZER.serialize(matrix))
    assert [len(row) for row in rows] == [matrix.shape[1]] * len(matrix)


@given(hnp.arrays(np.int64, hnp.array_shapes(min_dims=3, max_dims=4, max_side=3)))
def test_deeper_arrays_are_flattened(array: Any) -> None:
    """Of an array with more than two dimensions each outer item becomes one row."""
    flat = array.reshape(len(array), -1)
    assert SERIALIZER.serialize(array) == SERIALIZER.serialize(flat)


@given(matrices(rows=(2, 4), columns=(2, 4), finite=True))
def test_rows_in_a_tuple_are_no_rows(matrix: Any) -> None:
    """A tuple of rows becomes one row whose cells are Python's text of each; a list of them does not."""
    rows = [tuple(row) for row in matrix.tolist()]
    assert _read(SERIALIZER.serialize(tuple(rows))) == [[str(row) for row in rows]]
    assert len(_read(SERIALIZER.serialize(rows))) == len(rows)


@given(awkward_text())
def test_text_is_sent_as_it_is(text: str) -> None:
    """A string, and what a file holds, is not looked at; strings in a list become lines."""
    assert SERIALIZER.serialize(text) == text
    assert SERIALIZER.serialize(io.StringIO(text, newline="")) == text
    assert SERIALIZER.serialize(io.BytesIO(text.encode())) == text.encode()
    assert SERIALIZER.serialize([text, text]) == f"{text}\n{text}"


@given(st.binary(min_size=1, max_size=20))
def test_bytes_are_numbers(data: bytes) -> None:
    """Bytes are taken for a row of small integers, not for CSV."""
    assert SERIALIZER.serialize(data) == ",".join(map(str, data))


@given(features(rows=(1, 5), columns=(1, 4), dtype=np.float64, finite=False))
def test_a_data_frame_ends_its_last_line(matrix: Any) -> None:
    """A data frame gives a line more than its array does: an empty one. NaN is an empty cell."""
    text = SERIALIZER.serialize(pd.DataFrame(matrix))
    assert text.endswith("\n")
    rows = [[float(cell or "nan") for cell in row] for row in _read(text)]
    assert np.array_equal(np.array(rows), matrix, equal_nan=True)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"", []),
        (b"1,2\n3,4\n", [["1", "2"], ["3", "4"]]),
        (b"1,2\r\n3,4", [["1", "2"], ["3", "4"]]),
        (b"1\n\n2", [["1"], [], ["2"]]),
        (b'"a\nb",c', [["ab", "c"]]),
        ("a\u2028b".encode(), [["a"], ["b"]]),
        (b'"1', [["1"]]),
        (b"\xef\xbb\xbf1", [["\ufeff1"]]),
    ],
)
def test_what_is_read(data: bytes, rows: list[list[str]]) -> None:
    """Cells stay text; lines are those of `str.splitlines`, so quotes do not keep them together."""
    assert sdk.answer(DESERIALIZER, data) == rows


def test_the_encoding_is_the_callers() -> None:
    """UTF-8 unless another is named; what is not of it raises."""
    latin = sdk.deserializers.CSVDeserializer(encoding="latin-1")
    assert sdk.answer(latin, b"\xe9") == [["é"]]
    with pytest.raises(UnicodeDecodeError):
        sdk.answer(DESERIALIZER, b"\xe9")
