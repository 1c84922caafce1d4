"""The project's codecs and the SDK read what the other has written."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.formats import csv, jsonlines, libsvm, npy, npz, recordio, strict_json
from harness.formats.errors import FormatError
from harness.testing.strategies import (
    csv_rows,
    json_lines,
    json_values,
    labelled,
    libsvm_lines,
    matrices,
    sparse_matrices,
)
from tests.serializers import sdk

CSV = sdk.serializers.CSVSerializer()
FROM_CSV = sdk.deserializers.CSVDeserializer()

csv_claim = pytest.mark.sdk_source("notes/serializers.md#csv")
json_claim = pytest.mark.sdk_source("notes/serializers.md#json")
lines_claim = pytest.mark.sdk_source("notes/serializers.md#json-lines")
npy_claim = pytest.mark.sdk_source("notes/serializers.md#npy")
npz_claim = pytest.mark.sdk_source("notes/serializers.md#npz")
text_claim = pytest.mark.sdk_source("notes/serializers.md#bytes-and-text")
records_claim = pytest.mark.sdk_source("notes/serializers.md#records")


def _same(left: Any, right: Any) -> bool:
    return left.shape == right.shape and np.array_equal(
        left, right, equal_nan=right.dtype.kind == "f"
    )


def _text(value: Any) -> str:
    """Text in which 1 and True differ, and NaN is like NaN."""
    return repr(value)


@csv_claim
@given(matrices(rows=(1, 8), columns=(1, 6)))
def test_csv_of_the_sdk_is_read(matrix: Any) -> None:
    """The codec finds each number, float32 after one rounding."""
    found = csv.loads(sdk.on_the_wire(CSV.serialize(matrix))).features
    assert _same(found.astype(matrix.dtype), matrix)


@csv_claim
@given(csv_rows(columns=(2, 6), missing=True), st.randoms(use_true_random=False))
def test_quotes_and_empty_cells_of_the_sdk_are_read(rows: list[list[str]], chance: Any) -> None:
    """Lines that a caller quoted are passed on by the SDK, None becomes an empty cell; both are read."""
    quoted = [[f'"{cell}"' if chance.random() < 0.3 else cell for cell in row] for row in rows]
    lines = [",".join(row) for row in quoted]
    values = [[float(cell) if cell else None for cell in row] for row in rows]
    expected = np.array([[math.nan if cell is None else cell for cell in row] for row in values])
    for sent in (CSV.serialize(lines), CSV.serialize(values)):
        assert _same(csv.loads(sent.encode(), missing=math.nan).features, expected)


@csv_claim
@pytest.mark.parametrize(
    ("rows", "column"), [([["1", "a,b"]], 2), ([['"']], 1), ([[1, True]], 2), ([[(1, 2)]], 1)]
)
def test_cells_that_are_no_numbers_are_named(rows: list[Any], column: int) -> None:
    """What the SDK quotes, and what it writes as Python's text, is refused with its place."""
    with pytest.raises(FormatError, match="the cell") as caught:
        csv.loads(CSV.serialize(rows).encode())
    assert (caught.value.line, caught.value.column) == (1, column)


@csv_claim
@given(matrices(rows=(1, 8), columns=(1, 6)))
def test_the_sdk_reads_csv_of_the_codec(matrix: Any) -> None:
    """CSVDeserializer finds a row per record, and in it the text of each number."""
    rows = sdk.answer(FROM_CSV, csv.dumps(matrix))
    found = np.array([[matrix.dtype.type(cell) for cell in row] for row in rows], matrix.dtype)
    assert _same(found, matrix)


@pytest.mark.sdk2
@records_claim
@given(labelled())
@example((np.zeros((1, 1), np.float32), np.zeros(1, np.float32)))
def test_the_sdk_reads_records_of_the_codec(drawn: tuple[Any, Any]) -> None:
    """RecordDeserializer finds what the codec wrote; RecordSerializer writes the same bytes."""
    features, labels = drawn
    messages = sdk.answer(sdk.deserializers.RecordDeserializer(), recordio.dumps(features, labels))
    assert len(messages) == len(features)
    for message, row, label in zip(messages, features, labels, strict=True):
        assert list(message.features["values"].float32_tensor.values) == row.tolist()
        assert list(message.label["values"].float32_tensor.values) == [label]
    sent = sdk.serializers.RecordSerializer().serialize(features).read()
    assert sent == recordio.dumps(features)


@pytest.mark.sdk2
@records_claim
@given(sparse_matrices())
def test_the_sdk_reads_sparse_records_of_the_codec(matrix: Any) -> None:
    """The messages of a sparse matrix have its values, their columns and its width."""
    messages = sdk.answer(sdk.deserializers.RecordDeserializer(), recordio.dumps(matrix))
    rows = matrix.tocsr()
    tensors = {"float32": "float32_tensor", "float64": "float64_tensor", "int64": "int32_tensor"}
    for index, message in enumerate(messages):
        tensor = getattr(message.features["values"], tensors[matrix.dtype.name])
        part = slice(rows.indptr[index], rows.indptr[index + 1])
        assert list(tensor.keys) == rows.indices[part].tolist()
        assert list(tensor.shape) == [matrix.shape[1]]
        assert _same(np.array(list(tensor.values), matrix.dtype), rows.data[part])


@json_claim
@given(json_values(finite=False))
@example([math.nan])
def test_json_goes_both_ways(value: Any) -> None:
    """The codec reads and writes what the SDK does, NaN where it is told to."""
    sent = sdk.on_the_wire(sdk.serializers.JSONSerializer().serialize(value))
    assert _text(strict_json.loads(sent, allow_nan=True)) == _text(value)
    assert strict_json.dumps(value, allow_nan=True) == sent
    assert _text(sdk.answer(sdk.deserializers.JSONDeserializer(), sent)) == _text(value)
    if "NaN" in json_words(sent) or "Infinity" in json_words(sent):
        with pytest.raises(FormatError, match=r"NaN|Infinity"):
            strict_json.loads(sent)


def json_words(data: bytes) -> set[str]:
    """The words of a JSON text that stand outside strings."""
    return {*re.findall(r"[A-Za-z]+", re.sub(r'"(?:[^"\\]|\\.)*"', "", data.decode()))}


@lines_claim
@given(json_lines(finite=False))
@example(["\u2028", "a\nb"])
def test_json_lines_go_both_ways(values: list[Any]) -> None:
    """The codec reads the SDK's lines, and writes the same with a last newline, which the SDK reads."""
    sent = sdk.on_the_wire(sdk.serializers.JSONLinesSerializer().serialize(values))
    assert _text(jsonlines.loads(sent, allow_nan=True)) == _text(values)
    written = jsonlines.dumps(values, allow_nan=True)
    assert written == sent + b"\n"
    again = sdk.answer(sdk.deserializers.JSONLinesDeserializer(), written)
    assert _text(again) == _text(values)


@npy_claim
@given(matrices(rows=(1, 8), columns=(1, 6)))
def test_npy_goes_both_ways(matrix: Any) -> None:
    """The codec reads what NumpySerializer wrote and writes the same bytes, which the SDK reads."""
    sent = sdk.serializers.NumpySerializer().serialize(matrix)
    assert npy.loads(sent).tobytes() == matrix.tobytes()
    assert npy.dumps(matrix) == sent
    again = sdk.answer(sdk.deserializers.NumpyDeserializer(), npy.dumps(matrix))
    assert (again.dtype, again.tobytes()) == (matrix.dtype, matrix.tobytes())


@npy_claim
@pytest.mark.parametrize("data", [{"a": 1}, [None], ["x", None]])
def test_pickles_of_the_sdk_are_refused(data: Any) -> None:
    """What NumpySerializer pickles is not read: only running code could."""
    with pytest.raises(FormatError, match="object"):
        npy.loads(sdk.serializers.NumpySerializer().serialize(data))


@npz_claim
@given(st.booleans().flatmap(lambda array: sparse_matrices(array=array)))
def test_npz_of_the_sdk_is_read(matrix: Any) -> None:
    """The codec finds class, dtype and each stored value of what SparseMatrixSerializer wrote."""
    found = npz.loads(sdk.serializers.SparseMatrixSerializer().serialize(matrix))
    assert (type(found), found.dtype, found.shape) == (type(matrix), matrix.dtype, matrix.shape)
    for part in ("row", "col", "data"):
        assert _same(getattr(found.tocoo(), part), getattr(matrix.tocoo(), part))


@npz_claim
@given(sparse_matrices(formats=("csr",)))
def test_the_sdk_reads_npz_of_the_codec(matrix: Any) -> None:
    """NumpyDeserializer finds the arrays of which the codec's archive is made."""
    parts = sdk.answer(
        sdk.deserializers.NumpyDeserializer(), npz.dumps(matrix), "application/x-npz"
    )
    assert _same(parts["data"], matrix.data)
    assert _same(parts["indices"], matrix.indices)


@text_claim
@given(libsvm_lines(first=0, groups=True))
def test_libsvm_passes_the_sdk_unchanged(lines: list[str]) -> None:
    """The codec reads lines that LibSVMSerializer passed on: labels, groups, each value at its place."""
    sent = sdk.on_the_wire(sdk.serializers.LibSVMSerializer().serialize("\n".join(lines)))
    found = libsvm.loads(sent)
    assert found.labels is not None
    assert found.labels.tolist() == [float(line.split(" ")[0]) for line in lines]
    assert found.qids is not None
    assert found.qids.tolist() == [int(line.split(" ")[1].removeprefix("qid:")) for line in lines]
    for row, line in zip(found.features, lines, strict=True):
        pairs = [pair.split(":") for pair in line.split(" ")[2:]]
        assert row.indices.tolist() == [int(index) for index, _ in pairs]
        assert row.data.tolist() == [float(value) for _, value in pairs]
