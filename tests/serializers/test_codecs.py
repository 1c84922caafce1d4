"""The project's codecs and the SDK read what the other has written."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.formats import csv, recordio
from harness.formats.errors import FormatError
from harness.testing.strategies import csv_rows, labelled, matrices, sparse_matrices
from tests.serializers import sdk

CSV = sdk.serializers.CSVSerializer()
FROM_CSV = sdk.deserializers.CSVDeserializer()

csv_claim = pytest.mark.sdk_source("notes/serializers.md#csv")
records_claim = pytest.mark.sdk_source("notes/serializers.md#records")


def _same(left: Any, right: Any) -> bool:
    return left.shape == right.shape and np.array_equal(
        left, right, equal_nan=right.dtype.kind == "f"
    )


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
