"""NumpySerializer and NumpyDeserializer: npy both ways, and the CSV, JSON and npz that the latter reads."""

import io
import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.testing.strategies import (
    OTHER_DTYPES,
    TENSOR_DTYPES,
    Malformed,
    features,
    malformed_npy,
    matrices,
    numbers,
)
from tests.serializers import sdk

pytestmark = pytest.mark.sdk_source("notes/serializers.md#npy")

SERIALIZER = sdk.serializers.NumpySerializer()
DESERIALIZER = sdk.deserializers.NumpyDeserializer()
CSV = sdk.serializers.CSVSerializer()
JSON = sdk.serializers.JSONSerializer()

dtypes: st.SearchStrategy[Any] = st.sampled_from([*TENSOR_DTYPES, *OTHER_DTYPES])
arrays = dtypes.flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=0, max_side=4), elements=numbers(dtype, finite=False)
    )
)


def _same(left: Any, right: Any) -> bool:
    """Equal in dtype, shape and bits."""
    same = (left.dtype, left.shape) == (right.dtype, right.shape)
    return same and left.tobytes() == right.tobytes()


@given(arrays)
def test_arrays_come_back_bit_by_bit(array: Any) -> None:
    """Dtype, byte order, shape and every bit survive; numpy reads the same from the bytes alone."""
    data = SERIALIZER.serialize(array)
    assert _same(sdk.answer(DESERIALIZER, data), array)
    assert _same(np.load(io.BytesIO(data), allow_pickle=False), array)


def test_exact_bytes() -> None:
    """Version 1.0 of the format: magic, version, a header padded to 64 bytes, the numbers."""
    data = SERIALIZER.serialize(np.array([[1, 2]], np.float32))
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
    padded = header + b" " * (128 - 10 - len(header) - 1) + b"\n"
    assert data == b"\x93NUMPY\x01\x00\x76\x00" + padded + bytes.fromhex("0000803f 00000040")


@pytest.mark.parametrize("data", [[], np.empty(0), np.empty((0, 3)), np.empty((2, 0))])
def test_empty_arrays_are_refused(data: Any) -> None:
    """An array or a list without elements is refused; an empty tuple is not."""
    with pytest.raises(ValueError, match=r"Cannot serialize empty array\."):
        SERIALIZER.serialize(data)
    assert _same(sdk.answer(DESERIALIZER, SERIALIZER.serialize(())), np.empty(0))


def test_the_dtype_is_for_lists_alone() -> None:
    """What the serializer was told about the dtype goes for lists; arrays, tuples and numbers keep theirs."""
    serializer = sdk.serializers.NumpySerializer(dtype="float32")
    given_and_sent = [
        ([1, 2], "float32"),
        (np.array([1, 2]), "int64"),
        ((1, 2), "int64"),
        (1, "int64"),
    ]
    for data, dtype in given_and_sent:
        assert sdk.answer(DESERIALIZER, serializer.serialize(data)).dtype == dtype


def test_files_are_sent_as_they_are() -> None:
    """What a file holds is not looked at."""
    assert SERIALIZER.serialize(io.BytesIO(b"no npy")) == b"no npy"


@pytest.mark.parametrize("data", [{"a": 1}, None, {1, 2}])
def test_other_objects_are_pickled(data: Any) -> None:
    """What numpy makes an array of objects of is sent as a pickle, which is read only when allowed."""
    sent = SERIALIZER.serialize(data)
    assert b"'descr': '|O'" in sent
    with pytest.raises(ValueError, match="Please set the param allow_pickle=True"):
        sdk.answer(DESERIALIZER, sent)
    trusting = sdk.deserializers.NumpyDeserializer(allow_pickle=True)
    assert sdk.answer(trusting, sent).item() == data


@given(malformed_npy())
@example(Malformed("truncated", b""))
def test_damaged_npy_raises(drawn: Malformed) -> None:
    """Nothing is made of it; whatever was wrong, the error speaks of pickles, or of the end of the data."""
    with pytest.raises((ValueError, EOFError), match=r"allow_pickle=True|No data left"):
        sdk.answer(DESERIALIZER, drawn.data)


@pytest.mark.parametrize(
    "content_type",
    ["text/csv; charset=utf-8", "Text/CSV", "application/json; charset=utf-8", "text/plain", ""],
)
def test_the_content_type_is_compared_as_it_stands(content_type: str) -> None:
    """With a parameter, other case or none of the four, an answer is refused."""
    message = f"NumpyDeserializer cannot read content type {content_type}."
    with pytest.raises(ValueError, match=re.escape(message)):
        DESERIALIZER.deserialize(sdk.body(b"1,2"), content_type)


@given(matrices(rows=(1, 6), columns=(1, 5)))
@example(np.array([[1.5]]))
@example(np.array([[1.0, 2.0]]))
@example(np.array([[1.0], [2.0]]))
def test_csv_is_squeezed(matrix: Any) -> None:
    """Numbers in CSV keep their value in the dtype asked for, but one row or one column is a vector."""
    deserializer = sdk.deserializers.NumpyDeserializer(dtype=matrix.dtype)
    data = sdk.on_the_wire(CSV.serialize(matrix))
    again = sdk.answer(deserializer, data, "text/csv")
    assert again.shape == np.squeeze(matrix).shape
    assert np.array_equal(again, np.squeeze(matrix), equal_nan=matrix.dtype.kind == "f")


@pytest.mark.parametrize(
    ("data", "dtype", "value"),
    [
        (b"1,2\n3,4\n", "int64", [[1, 2], [3, 4]]),
        (b"1,2\n3,4.5\n", [("f0", "<i8"), ("f1", "<f8")], [(1, 2.0), (3, 4.5)]),
        (b"1.0,x\n2.0,y\n", [("f0", "<f8"), ("f1", "<U1")], [(1.0, "x"), (2.0, "y")]),
        (b"True,False", "bool", [True, False]),
        (b"1,2\n,4", "int64", [[1, 2], [-1, 4]]),
        (b"1,,3", "int64", [1, 0, 3]),
        (b"a,b\n1,2", "<U1", [["a", "b"], ["1", "2"]]),
        (b"a # comment", "<U1", "a"),
    ],
)
def test_csv_without_a_dtype_is_guessed(data: bytes, dtype: Any, value: Any) -> None:
    """Columns of several types make an array of records; a missing integer is -1, or 0 in a column of such."""
    again = sdk.answer(DESERIALIZER, data, "text/csv")
    assert again.dtype == np.dtype(dtype)
    assert again.tolist() == value


@given(matrices(finite=False))
def test_json_keeps_values(matrix: Any) -> None:
    """A list of lists becomes an array of doubles or integers; the dtype asked for brings the old one back."""
    data = sdk.on_the_wire(JSON.serialize(matrix))
    deserializer = sdk.deserializers.NumpyDeserializer(dtype=matrix.dtype)
    again = sdk.answer(deserializer, data, "application/json")
    assert again.dtype == matrix.dtype
    assert np.array_equal(again.reshape(matrix.shape), matrix, equal_nan=matrix.dtype.kind == "f")
    if matrix.size:
        plain = np.int64 if matrix.dtype == np.int64 else np.float64
        assert sdk.answer(DESERIALIZER, data, "application/json").dtype == plain


@pytest.mark.parametrize(
    ("data", "error"), [(b"[[1],[1,2]]", ValueError), (b"", json.JSONDecodeError)]
)
def test_json_that_is_no_array_raises(data: bytes, error: type[Exception]) -> None:
    """Rows of different length, and an empty body."""
    with pytest.raises(error):
        sdk.answer(DESERIALIZER, data, "application/json")


def test_a_json_object_is_an_array_of_one_object() -> None:
    """An object, as first-party algorithms answer with, gives no numbers but an array around the object."""
    again = sdk.answer(DESERIALIZER, b'{"predictions": []}', "application/json")
    assert (again.shape, again.dtype, again.item()) == ((), np.dtype(object), {"predictions": []})


@given(st.lists(features(finite=False), min_size=1, max_size=3))
def test_npz_is_a_mapping(drawn: list[Any]) -> None:
    """An archive of arrays is read as numpy's mapping, each array bit by bit."""
    file = io.BytesIO()
    np.savez(file, *drawn)
    again = sdk.answer(DESERIALIZER, file.getvalue(), "application/x-npz")
    assert again.files == [f"arr_{index}" for index in range(len(drawn))]
    assert all(_same(again[f"arr_{index}"], array) for index, array in enumerate(drawn))
