"""SparseMatrixSerializer: scipy's npz."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from harness.testing.strategies import sparse_matrices
from tests.serializers import sdk

pytestmark = pytest.mark.sdk_source("notes/serializers.md#npz")

SERIALIZER = sdk.serializers.SparseMatrixSerializer()
DESERIALIZER = sdk.deserializers.NumpyDeserializer()


@given(st.booleans().flatmap(lambda array: sparse_matrices(array=array)))
def test_matrices_come_back_as_they_were(matrix: Any) -> None:
    """scipy reads the same class and dtype, and the values that are stored, zeros among them."""
    again = sparse.load_npz(io.BytesIO(SERIALIZER.serialize(matrix)))
    assert (type(again), again.dtype, again.shape) == (type(matrix), matrix.dtype, matrix.shape)
    ours, theirs = again.tocoo(), matrix.tocoo()
    for part in ("row", "col", "data"):
        assert getattr(ours, part).tobytes() == getattr(theirs, part).tobytes()


@given(sparse_matrices(formats=("csr", "csc")))
def test_the_sdks_own_reader_gives_the_parts(matrix: Any) -> None:
    """NumpyDeserializer does not put the matrix together: it gives the arrays that make it up."""
    data = SERIALIZER.serialize(matrix)
    parts = sdk.answer(DESERIALIZER, data, "application/x-npz")
    assert {*parts.files} == {"indices", "indptr", "format", "shape", "data"}
    assert parts["format"].item() == matrix.format.encode()
    assert parts["shape"].tolist() == list(matrix.shape)
    assert parts["data"].tobytes() == matrix.data.tobytes()


@pytest.mark.parametrize("kind", ["csr", "csc", "bsr", "dia", "coo"])
def test_five_formats_are_saved(kind: str) -> None:
    """Each of them comes back in its own format."""
    matrix = sparse.csr_matrix(np.eye(3)).asformat(kind)
    again = sparse.load_npz(io.BytesIO(SERIALIZER.serialize(matrix)))
    assert (again.format, again.toarray().tolist()) == (kind, np.eye(3).tolist())


@pytest.mark.parametrize("kind", ["lil", "dok"])
def test_two_formats_are_not(kind: str) -> None:
    """scipy saves no matrix that is made of lists or of a dictionary."""
    with pytest.raises(NotImplementedError, match=f"Save is not implemented for .*{kind}"):
        SERIALIZER.serialize(sparse.csr_matrix(np.eye(3)).asformat(kind))


def test_an_array_is_no_sparse_matrix() -> None:
    """A dense array is not converted, and the error does not say so."""
    with pytest.raises(AttributeError):
        SERIALIZER.serialize(np.eye(3))
