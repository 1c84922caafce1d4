"""The strategies give what they say, and what they give goes through the codecs."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import find, given
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from harness.formats import csv, recordio
from harness.testing.strategies import csv_rows, features, labelled, labels


@given(features(rows=(2, 3), columns=(4, 5), dtype=np.float64))
def test_features_have_the_shape_and_type_asked_for(matrix: "np.ndarray[Any, Any]") -> None:
    """Rows and columns within their bounds, the dtype, finite numbers."""
    assert 2 <= matrix.shape[0] <= 3
    assert 4 <= matrix.shape[1] <= 5
    assert matrix.dtype == np.float64
    assert np.isfinite(matrix).all()


def test_edges_occur() -> None:
    """NaN and infinity only when asked for; negative zero and subnormals always."""
    wild = features(finite=False)
    assert np.isnan(find(wild, lambda m: bool(np.isnan(m).any()))).any()
    assert np.isinf(find(wild, lambda m: bool(np.isinf(m).any()))).any()
    with pytest.raises(NoSuchExample):
        find(features(), lambda m: not np.isfinite(m).all())
    assert find(features(), lambda m: bool(((m == 0) & np.signbit(m)).any())).size
    tiny = np.finfo(np.float32).tiny
    assert find(features(), lambda m: bool(((m != 0) & (np.abs(m) < tiny)).any())).size


@given(st.data())
def test_classes_are_whole_numbers_from_zero(data: st.DataObject) -> None:
    """Labels of three classes are 0, 1 and 2."""
    drawn = data.draw(labels(10, classes=3))
    assert set(drawn.tolist()) <= {0.0, 1.0, 2.0}


@given(labelled())
def test_labelled_data_round_trips(pair: Any) -> None:
    """What comes out of the strategy is what recordIO-protobuf can hold."""
    matrix, vector = pair
    records = recordio.loads(recordio.dumps(matrix, vector))
    assert np.array_equal(records.features, matrix)
    assert records.labels is not None
    assert np.array_equal(records.labels, vector)


@given(csv_rows(missing=True))
def test_csv_rows_are_read_as_their_numbers(rows: list[list[str]]) -> None:
    """The CSV reader finds each cell's number, and the stated value in empty ones."""
    text = "".join(",".join(row) + "\n" for row in rows)
    if any(not any(row) and len(row) == 1 for row in rows):
        return  # a blank line is no row
    records = csv.loads(text.encode(), missing=math.nan)
    expected = [[float(cell) if cell else math.nan for cell in row] for row in rows]
    assert np.array_equal(records.features, np.array(expected), equal_nan=True)
