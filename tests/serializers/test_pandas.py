"""PandasDeserializer: data frames out of CSV with a header, and out of JSON."""

import io
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.testing.strategies import matrices
from tests.serializers import sdk

pytestmark = pytest.mark.sdk_source("notes/serializers.md#pandas")

DESERIALIZER = sdk.deserializers.PandasDeserializer()
CSV = sdk.serializers.CSVSerializer()


@given(matrices(rows=(1, 5), columns=(1, 4), dtypes=(np.int64,)))
def test_the_first_row_becomes_the_header(matrix: Any) -> None:
    """What the SDK's own CSVSerializer wrote loses its first row to the names of the columns."""
    frame = sdk.answer(DESERIALIZER, sdk.on_the_wire(CSV.serialize(matrix)), "text/csv")
    assert len(frame) == len(matrix) - 1
    # pandas marks names that occur twice.
    names = [re.sub(r"\.\d+$", "", name) for name in frame.columns]
    assert names == [str(cell) for cell in matrix[0]]
    assert frame.to_numpy().tolist() == matrix[1:].tolist()


@given(matrices(rows=(1, 5), columns=(1, 4), dtypes=(np.int64,)))
def test_with_a_header_the_numbers_come_back(matrix: Any) -> None:
    """A body that begins with names is read as pandas wrote it."""
    frame = pd.DataFrame(matrix, columns=[f"c{place}" for place in range(matrix.shape[1])])
    data = frame.to_csv(index=False).encode()
    pd.testing.assert_frame_equal(sdk.answer(DESERIALIZER, data, "text/csv"), frame)


@given(matrices(rows=(1, 5), columns=(1, 4), dtypes=(np.float64,), finite=True))
def test_floats_in_csv_may_lose_their_last_bit(matrix: Any) -> None:
    """pandas' quick reader of numbers is exact to one part in 2^51, not to the bit."""
    frame = pd.DataFrame(matrix, columns=[f"c{place}" for place in range(matrix.shape[1])])
    again = sdk.answer(DESERIALIZER, frame.to_csv(index=False).encode(), "text/csv")
    np.testing.assert_allclose(again.to_numpy(np.float64), matrix, rtol=2.0**-51, atol=1e-323)


@given(
    st.dictionaries(
        st.text("abcxyz", min_size=1, max_size=3),
        st.lists(st.integers(-(2**53), 2**53), min_size=2, max_size=2),
        min_size=1,
        max_size=4,
    )
)
def test_json_is_read_by_columns(columns: dict[str, list[int]]) -> None:
    """An object of columns, each an object of rows, as `DataFrame.to_json` writes by default."""
    frame = pd.DataFrame(columns)
    again = sdk.answer(DESERIALIZER, frame.to_json().encode(), "application/json")
    assert again.to_dict("list") == columns


@pytest.mark.parametrize(
    ("data", "content_type", "error"),
    [
        (b"", "text/csv", pd.errors.EmptyDataError),
        (b"", "application/json", ValueError),
        (b"a,b\n1,2,3\n4,5,6,7\n", "text/csv", pd.errors.ParserError),
    ],
)
def test_what_is_no_table_raises(data: bytes, content_type: str, error: type[Exception]) -> None:
    """An empty body, and rows longer than the ones before."""
    with pytest.raises(error):
        sdk.answer(DESERIALIZER, data, content_type)


def test_a_first_cell_too_many_is_an_index() -> None:
    """Rows with one cell more than the header are read all the same: the first cell names the row."""
    frame = sdk.answer(DESERIALIZER, b"a\n1,2\n", "text/csv")
    assert (frame.index.tolist(), frame["a"].tolist()) == ([1], [2])


@pytest.mark.parametrize("content_type", ["text/csv; charset=utf-8", "application/x-npy", ""])
def test_the_content_type_is_compared_as_it_stands(content_type: str) -> None:
    """With a parameter, or another than the two, an answer is refused."""
    message = f"PandasDeserializer cannot read content type {content_type}."
    with pytest.raises(ValueError, match=re.escape(message)):
        DESERIALIZER.deserialize(sdk.body(b"a\n1\n"), content_type)


def test_a_file_is_read_as_a_body_is() -> None:
    """Whatever has `read` will do for a body."""
    assert DESERIALIZER.deserialize(io.BytesIO(b"a\n1\n"), "text/csv")["a"].tolist() == [1]
