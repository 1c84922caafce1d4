"""RecordSerializer and RecordDeserializer: recordIO-protobuf in v2, not implemented in v3."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given

from harness.formats import recordio
from harness.testing.strategies import OTHER_DTYPES, labelled, matrices
from tests.serializers import sdk

SERIALIZER = sdk.serializers.RecordSerializer()
DESERIALIZER = sdk.deserializers.RecordDeserializer()

pytestmark = pytest.mark.sdk_source("notes/serializers.md#records")

ROW = np.array([[1, 2]], np.float32)
WRITTEN = bytes.fromhex(
    "0a23d7ce 18000000  0a16 0a06 76616c756573 120c 120a 0a08 0000803f 00000040"
)


def test_v3_has_no_records() -> None:
    """What v2 writes and reads is NotImplementedError in v3, without a word; so are its functions."""
    calls: list[Callable[[], Any]] = [
        lambda: sdk.serializers.RecordSerializer().serialize(ROW).read(),
        lambda: len(sdk.answer(DESERIALIZER, WRITTEN)),
        lambda: sdk.records.write_numpy_to_dense_tensor(io.BytesIO(), ROW),
        lambda: len(sdk.records.read_records(io.BytesIO(WRITTEN))),
    ]
    if sdk.MAJOR == 2:
        assert [call() for call in calls] == [WRITTEN, 1, None, 1]
        return
    for call in calls:
        with pytest.raises(NotImplementedError) as caught:
            call()
        assert str(caught.value) == ""


@pytest.mark.parametrize(
    ("data", "dimensions"),
    [(np.zeros((1, 1, 1)), 3), (np.zeros((2, 0, 1, 1)), 4), (np.float64(1), 0)],
)
def test_only_vectors_and_matrices_are_records(data: Any, dimensions: int) -> None:
    """An array of another number of dimensions is refused, in v3 too."""
    message = f"Expected a 1D or 2D array, but got a {dimensions}D array instead."
    with pytest.raises(ValueError, match=message):
        SERIALIZER.serialize(data)


@pytest.mark.parametrize("data", [[[1.0]], 1.0, "1"])
def test_only_arrays_are_records(data: Any) -> None:
    """Lists, numbers and text have no shape, which is all that the error says."""
    with pytest.raises(AttributeError, match="has no attribute 'shape'"):
        SERIALIZER.serialize(data)


@pytest.mark.sdk2
@given(matrices())
@example(ROW)
def test_a_matrix_is_a_stream_of_its_rows(matrix: Any) -> None:
    """The serializer returns a file at its beginning; our codec finds the rows in it, bit by bit."""
    sent = SERIALIZER.serialize(matrix)
    assert (type(sent), sent.tell()) == (io.BytesIO, 0)
    found = recordio.loads(sent.read())
    assert len(found) == len(matrix)
    if len(matrix):
        assert found.features.dtype == matrix.dtype
        assert np.array_equal(found.features, matrix, equal_nan=matrix.dtype.kind == "f")


@pytest.mark.sdk2
@given(matrices(rows=(1, 1), columns=(1, 9)))
def test_a_vector_is_one_record(matrix: Any) -> None:
    """A vector is sent as a matrix of one row."""
    assert SERIALIZER.serialize(matrix[0]).read() == SERIALIZER.serialize(matrix).read()


@pytest.mark.sdk2
@given(matrices(rows=(1, 3), columns=(1, 3), dtypes=OTHER_DTYPES))
def test_other_dtypes_are_refused(matrix: Any) -> None:
    """Only int64, float64 and float32 in the machine's byte order are written."""
    with pytest.raises(ValueError, match=f"Unsupported dtype {matrix.dtype} on array"):
        SERIALIZER.serialize(matrix)


@pytest.mark.sdk2
@given(labelled())
def test_an_answer_is_a_list_of_messages(drawn: tuple[Any, Any]) -> None:
    """RecordDeserializer gives Record messages, whose tensors are reached by name."""
    features, labels = drawn
    found = sdk.answer(DESERIALIZER, recordio.dumps(features, labels))
    values = [record.features["values"].float32_tensor.values for record in found]
    assert np.array_equal(np.array(values, np.float32), features)
    assert [record.label["values"].float32_tensor.values[0] for record in found] == labels.tolist()


@pytest.mark.sdk2
def test_an_empty_answer_has_no_messages() -> None:
    """An empty body is an empty list."""
    assert sdk.answer(DESERIALIZER, b"") == []
