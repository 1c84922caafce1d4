"""The strategies of arrays give what they say, and what they give goes through the codecs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.formats import recordio
from harness.formats.errors import FormatError
from harness.testing.strategies import (
    OTHER_DTYPES,
    TENSOR_DTYPES,
    features,
    labelled,
    labels,
    matrices,
    numbers,
    sparse_matrices,
)
from tests.testing.strategies.finding import found, least

Array = np.ndarray[Any, Any]


@given(features(rows=(2, 3), columns=(4, 5), dtype=np.float64))
def test_features_have_the_shape_and_type_asked_for(matrix: Array) -> None:
    """Rows and columns within their bounds, the dtype, finite numbers."""
    assert 2 <= matrix.shape[0] <= 3
    assert 4 <= matrix.shape[1] <= 5
    assert matrix.dtype == np.float64
    assert np.isfinite(matrix).all()


def test_edges_occur() -> None:
    """NaN and infinity when asked for; negative zero and subnormals always."""
    wild = features(finite=False)
    assert found(wild, lambda m: np.isnan(m).any()).size
    assert found(wild, lambda m: np.isinf(m).any()).size
    assert found(features(), lambda m: ((m == 0) & np.signbit(m)).any()).size
    tiny = np.finfo(np.float32).tiny
    assert found(features(), lambda m: ((m != 0) & (np.abs(m) < tiny)).any()).size


@pytest.mark.parametrize("dtype", [*TENSOR_DTYPES, *OTHER_DTYPES])
def test_numbers_shrink_to_zero(dtype: Any) -> None:
    """The plainest value of each dtype is its zero."""
    kind = np.dtype(dtype)
    assert kind.type(least(numbers(dtype), lambda value: True)) == np.zeros((), kind)


LIMITS = {
    np.float32: float(np.finfo(np.float32).max),
    np.float64: float(np.finfo(np.float64).max),
    np.int64: 2**31 - 1,
}


@given(st.sampled_from(TENSOR_DTYPES).flatmap(lambda kind: st.tuples(st.just(kind), numbers(kind))))
def test_no_number_is_beyond_what_a_tensor_holds(drawn: tuple[Any, Any]) -> None:
    """Integers have 32 bits, floats are finite and keep their value in their dtype."""
    dtype, number = drawn
    assert -LIMITS[dtype] - (dtype is np.int64) <= number <= LIMITS[dtype]
    assert dtype(number) == number


@pytest.mark.parametrize("dtype", TENSOR_DTYPES)
def test_the_largest_number_occurs(dtype: Any) -> None:
    """The largest number that a tensor holds of each dtype is drawn."""
    assert found(numbers(dtype), lambda value: value == LIMITS[dtype])


@pytest.mark.parametrize(
    ("what", "smallest"),
    [
        (lambda matrix: True, (0, 0)),
        (lambda matrix: matrix.shape[1] and not matrix.shape[0], (0, 1)),
        (lambda matrix: matrix.shape[0] and not matrix.shape[1], (1, 0)),
        (lambda matrix: matrix.shape[0] and matrix.shape[1] == 1, (1, 1)),
        (lambda matrix: matrix.dtype == np.int64, (0, 0)),
    ],
)
def test_matrices_without_rows_or_columns_occur(
    what: Callable[[Array], Any], smallest: tuple[int, int]
) -> None:
    """Each odd shape and each dtype is drawn, and shrinks to the smallest matrix of its kind."""
    matrix = least(matrices(), what)
    assert matrix.shape == smallest
    assert not matrix.any()


@given(matrices(rows=(1, 3), dtypes=OTHER_DTYPES, columns=(1, 3)))
def test_no_tensor_is_made_of_other_dtypes(matrix: Array) -> None:
    """What `OTHER_DTYPES` gives is refused by recordIO-protobuf."""
    with pytest.raises(FormatError, match="Unsupported dtype"):
        recordio.dumps(matrix)


@given(features(rows=(1, 3), columns=(1000, 5000), finite=False))
def test_thousands_of_columns_are_drawn(matrix: Array) -> None:
    """A matrix may be wide; few of its places differ from the rest, so that drawing it stays quick."""
    assert matrix.shape[1] >= 1000
    assert len(np.unique(matrix)) < matrix.size / 2


@given(st.data())
def test_classes_are_whole_numbers_from_zero(data: st.DataObject) -> None:
    """Labels of three classes are 0, 1 and 2, in any dtype."""
    dtype = data.draw(st.sampled_from(TENSOR_DTYPES))
    drawn = data.draw(labels(10, classes=3, dtype=dtype))
    assert drawn.dtype == dtype
    assert set(drawn.tolist()) <= {0, 1, 2}


@given(labelled())
def test_labelled_data_round_trips(pair: tuple[Array, Array]) -> None:
    """What comes out of the strategy is what recordIO-protobuf can hold."""
    matrix, vector = pair
    records = recordio.loads(recordio.dumps(matrix, vector))
    assert np.array_equal(records.features, matrix)
    assert records.labels is not None
    assert np.array_equal(records.labels, vector)


@given(st.booleans().flatmap(lambda array: st.tuples(st.just(array), sparse_matrices(array=array))))
def test_sparse_matrices_store_each_place_once(drawn: tuple[bool, Any]) -> None:
    """They are of the classes asked for, and no two stored values share a place."""
    array, matrix = drawn
    assert type(matrix).__name__.endswith("_array" if array else "_matrix")
    assert matrix.format in ("csr", "csc", "coo")
    stored = matrix.tocoo()
    places = set(zip(stored.row.tolist(), stored.col.tolist(), strict=True))
    assert len(places) == stored.nnz


def test_sparse_matrices_have_rows_of_zeros_and_stored_zeros() -> None:
    """An empty row between others, a zero that is stored, and NaN are found; nothing stored is the least."""
    assert found(sparse_matrices(), lambda m: m.nnz and not m.tocsr()[[0]].nnz).shape[0] > 1
    assert found(sparse_matrices(), lambda m: (m.tocoo().data == 0).any()).nnz
    assert found(sparse_matrices(), lambda m: np.isnan(m.tocoo().data).any()).nnz
    plain = least(sparse_matrices(), lambda m: True)
    assert (plain.shape, plain.nnz, plain.format) == ((1, 1), 0, "csr")
