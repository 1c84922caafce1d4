"""The SDK's writers and readers of records (v2): what they write, and their known faults."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from harness.formats import framing, recordio
from harness.formats.errors import FormatError
from harness.testing.strategies import (
    OTHER_DTYPES,
    TENSOR_DTYPES,
    labelled,
    labels,
    matrices,
    numbers,
    payloads,
    sparse_matrices,
)
from tests.serializers import sdk

pytestmark = [
    pytest.mark.sdk2,
    pytest.mark.sdk_source("notes/serializers.md#writers-and-readers-of-records"),
]

HEAD = "0a23d7ce {:02x}000000 "


def dense(features: Any, vector: Any = None) -> bytes:
    file = io.BytesIO()
    sdk.records.write_numpy_to_dense_tensor(file, features, vector)
    return file.getvalue()


def sparse_records(matrix: Any, vector: Any = None) -> bytes:
    file = io.BytesIO()
    sdk.records.write_spmatrix_to_sparse_tensor(file, matrix, vector)
    return file.getvalue()


def read(data: bytes) -> list[Any]:
    return list(sdk.records.read_records(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("row", "label", "payload"),
    [
        (
            np.array([[1, 2]], np.float32),
            np.array([0], np.float32),
            "0a16 0a06 76616c756573 120c 120a 0a08 0000803f 00000040"
            "1212 0a06 76616c756573 1208 1206 0a04 00000000",
        ),
        (np.array([[1, 2]]), None, "0a10 0a06 76616c756573 1206 3a04 0a02 0102"),
        (np.array([[-1]]), None, "0a18 0a06 76616c756573 120e 3a0c 0a0a ffffffffffffffffff01"),
        (np.array([[0.5]]), None, "0a16 0a06 76616c756573 120c 1a0a 0a08 000000000000e03f"),
    ],
)
def test_exact_dense_records(row: Any, label: Any, payload: str) -> None:
    """Magic number, length, message; a label has the same form as the features, in field 2."""
    expected = bytes.fromhex(payload)
    data = dense(row, label)
    assert data == bytes.fromhex(HEAD.format(len(expected))) + expected + b"\0" * (
        -len(expected) % 4
    )


@pytest.mark.parametrize(
    ("row", "payload"),
    [
        ([0, 5, 0], "0a18 0a06 76616c756573 120e 120c 0a04 0000a040 1201 01 1a01 03"),
        ([0, 0, 0], "0a0f 0a06 76616c756573 1205 1203 1a01 03"),
    ],
)
def test_exact_sparse_records(row: list[int], payload: str) -> None:
    """Values, their columns as keys, the width as shape; of a row of zeros the shape alone."""
    expected = bytes.fromhex(payload)
    data = sparse_records(sparse.csr_matrix(np.array([row], np.float32)))
    assert data[8:].rstrip(b"\0") == expected.rstrip(b"\0")
    assert data[:8] == bytes.fromhex(HEAD.format(len(expected)))


@given(matrices(columns=(1, 8)), st.data())
def test_features_and_labels_have_each_their_dtype(matrix: Any, draw: st.DataObject) -> None:
    """Labels of another dtype than the features come back in it, NaN and infinities too."""
    kind = draw.draw(st.sampled_from(TENSOR_DTYPES))
    vector = draw.draw(labels(len(matrix), dtype=kind))
    found = recordio.loads(dense(matrix, vector))
    if len(matrix):
        assert np.array_equal(found.features, matrix, equal_nan=matrix.dtype.kind == "f")
        assert found.labels is not None
        assert found.labels.dtype == kind
        assert np.array_equal(found.labels, vector)


@given(sparse_matrices())
def test_sparse_matrices_come_back(matrix: Any) -> None:
    """Another reader finds the matrix, and each zero that was stored is written."""
    data = sparse_records(matrix)
    found = recordio.loads(data).features
    assert found.shape == matrix.shape
    assert np.array_equal(found.toarray(), matrix.toarray(), equal_nan=matrix.dtype.kind == "f")
    tensors = {"float32": "float32_tensor", "float64": "float64_tensor", "int64": "int32_tensor"}
    tensor = tensors[matrix.dtype.name]
    stored = [getattr(record.features["values"], tensor) for record in read(data)]
    assert (
        sum(len(row.values) for row in stored) == sum(len(row.keys) for row in stored) == matrix.nnz
    )


@given(st.lists(payloads()))
def test_frames_come_back(drawn: list[bytes]) -> None:
    """A payload is written in one part whatever is in it, the magic number included, and read back."""
    file = io.BytesIO()
    for payload in drawn:
        sdk.records._write_recordio(file, payload)
    assert file.getvalue() == b"".join(map(framing.frame, drawn))
    file.seek(0)
    assert list(sdk.records.read_recordio(file)) == drawn


@pytest.mark.parametrize("dtype", OTHER_DTYPES)
def test_unsupported_dtypes(dtype: str) -> None:
    """int32, half floats, bytes, truth values, the other byte order: features or labels, all are refused."""
    other, fine = np.zeros((1, 1), dtype), np.zeros((1, 1))
    message = f"Unsupported dtype {np.dtype(dtype)} on array"
    for features, vector in ((other, None), (fine, other[0])):
        with pytest.raises(ValueError, match=message):
            dense(features, vector)


@given(st.sampled_from([-(2**31) - 1, 2**31, 2**63 - 1]))
def test_integers_beyond_32_bits(number: int) -> None:
    """int64 is written as 32 bits, and what does not fit is protobuf's error."""
    with pytest.raises(ValueError, match=f"Value out of range: {number}"):
        dense(np.array([[number]]))


@pytest.mark.parametrize("writer", [dense, sparse_records])
@pytest.mark.parametrize(
    ("shape", "label_shape", "message"),
    [
        ((2, 1), (2, 1), "Labels must be a Vector"),
        ((2, 1), (3,), r"Label shape \(3,\) not compatible with array shape \(2, 1\)"),
    ],
)
def test_shapes_that_are_refused(writer: Any, shape: Any, label_shape: Any, message: str) -> None:
    """Labels in a matrix, and labels of a length that is neither of the array's."""
    matrix = np.ones(shape) if writer is dense else sparse.csr_matrix(np.ones(shape))
    with pytest.raises(ValueError, match=message):
        writer(matrix, np.ones(label_shape))


def test_what_is_no_matrix() -> None:
    """A vector, a cube, a dense array where a sparse one is wanted."""
    for array in (np.zeros(3), np.zeros((1, 1, 1))):
        with pytest.raises(ValueError, match="Array must be a Matrix"):
            dense(array)
    with pytest.raises(TypeError, match="Array must be sparse"):
        sparse_records(np.eye(2))


@pytest.mark.parametrize("rows", [3, 4, 9])
def test_a_label_per_column_passes_and_then_fails(rows: int) -> None:
    """Fault: labels as many as columns are not refused. With fewer of them than rows, writing stops half-way."""
    file = io.BytesIO()
    with pytest.raises(IndexError):
        sdk.records.write_numpy_to_dense_tensor(file, np.ones((rows, 2)), np.ones(2))
    assert len(recordio.loads(file.getvalue())) == 2


def test_a_label_per_column_passes_and_is_lost() -> None:
    """Fault: with more columns than rows, labels that belong to no record go without a word, and in ours."""
    features, labels = np.ones((2, 3)), np.array([1.0, 2.0, 3.0])
    written = dense(features, labels)
    assert recordio.dumps(features, labels) == written
    found = recordio.loads(written)
    assert found.labels is not None
    assert found.labels.tolist() == [1, 2]


@given(sparse_matrices(array=True))
def test_the_newer_sparse_classes_fail(matrix: Any) -> None:
    """Fault: scipy's `csr_array` and its kin have lost the method that the writer calls; ours takes them."""
    with pytest.raises(AttributeError, match="'csr_array' object has no attribute 'getrow'"):
        sparse_records(matrix)
    assert len(recordio.loads(recordio.dumps(matrix))) == matrix.shape[0]


def test_a_record_in_parts_is_not_put_together() -> None:
    """Fault: the part's flag is taken for a length of half a gigabyte, and the rest of the file for a payload."""
    whole = dense(np.array([[1, 2]], np.float32))[8:]
    parts = b"".join(
        struct.pack("<II", framing.MAGIC, flag << 29 | 12) + whole[start : start + 12]
        for flag, start in ((1, 0), (3, 12))
    )
    (payload,) = sdk.records.read_recordio(io.BytesIO(parts))
    assert payload == parts[8:]
    with pytest.raises(DecodeError):
        read(parts)


@given(
    labelled(), st.binary(min_size=4, max_size=4).filter(lambda word: word != framing.MAGIC_BYTES)
)
def test_another_magic_number_says_nothing(drawn: Any, word: bytes) -> None:
    """Fault: data that is no recordIO is an AssertionError without a text. CSV is such data."""
    for data in (dense(*drawn) + word, b"1.0,2.0\n"):
        with pytest.raises(AssertionError) as caught:
            read(data)
        assert str(caught.value) == ""


@given(labelled(rows=(1, 3)), st.integers(1, 3))
def test_a_few_bytes_at_the_end_are_not_seen(drawn: Any, count: int) -> None:
    """Fault: one to three bytes of a header, whatever they are, count for the end."""
    for rest in (framing.MAGIC_BYTES, b"abc"):
        data = dense(*drawn) + rest[:count]
        assert len(read(data)) == len(drawn[0])
        with pytest.raises(FormatError):
            recordio.loads(data)


@pytest.mark.parametrize("count", [4, 5, 7])
def test_a_header_without_its_length_fails(count: int) -> None:
    """A header that ends after the magic number is struct's error."""
    with pytest.raises(struct.error, match="requires a buffer of 4 bytes"):
        read(dense(np.ones((1, 1))) + framing.frame(b"")[:count])


def test_a_truncated_record_may_lose_its_label() -> None:
    """Fault: a payload that is cut short goes to the parser, and between two fields nothing shows."""
    data = dense(np.array([[1, 2]], np.float32), np.array([7], np.float32))
    unlabeled = len(dense(np.array([[1, 2]], np.float32)))
    (record,) = read(data[:unlabeled])
    assert list(record.features["values"].float32_tensor.values) == [1, 2]
    assert "values" not in record.label
    with pytest.raises(FormatError, match="the data ends after"):
        recordio.loads(data[:unlabeled])


@given(labelled(rows=(1, 3)), st.data())
def test_a_truncated_record_is_never_complete(drawn: Any, draw: st.DataObject) -> None:
    """Cut within the last payload, data is an error or a last record of less than was written."""
    data = dense(*drawn)
    start = len(dense(drawn[0][:-1], drawn[1][:-1])) if len(drawn[0]) > 1 else 0
    length = int.from_bytes(data[start + 4 : start + 8], "little")
    cut = data[: start + 8 + draw.draw(st.integers(0, length - 1))]
    try:
        *_, last = read(cut)
    except DecodeError:
        return
    assert last != read(data)[-1]


def test_a_signalling_nan_becomes_quiet() -> None:
    """Values pass through Python's doubles, which sets a bit of such a NaN."""
    signalling = np.array([[0x7FA00000]], np.uint32).view(np.float32)
    assert np.uint32(0x7FE00000).tobytes() in dense(signalling)


@given(st.lists(numbers(np.float32, finite=False), min_size=1, max_size=5))
def test_nan_and_infinities_are_written(values: list[float]) -> None:
    """No value is refused: that some algorithms don't take them is not known here."""
    found = recordio.loads(dense(np.array([values], np.float32))).features
    assert np.array_equal(found, np.array([values], np.float32), equal_nan=True)
