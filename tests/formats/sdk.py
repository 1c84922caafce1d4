"""The SDK's own readers and writers, v2."""

import importlib
import io
import os
from typing import Any

from tests.formats.strategies import Array

os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")

_records: Any = importlib.import_module("sagemaker.serializer_utils")
_serializers: Any = importlib.import_module("sagemaker.base_serializers")
Record: Any = importlib.import_module("sagemaker.amazon.record_pb2").Record


def dense(features: Any, labels: Any) -> bytes:
    """RecordIO of a matrix, by `write_numpy_to_dense_tensor`."""
    file = io.BytesIO()
    _records.write_numpy_to_dense_tensor(file, features, labels)
    return file.getvalue()


def sparse(matrix: Any, labels: Any) -> bytes:
    """RecordIO of a scipy matrix, by `write_spmatrix_to_sparse_tensor`."""
    file = io.BytesIO()
    _records.write_spmatrix_to_sparse_tensor(file, matrix, labels)
    return file.getvalue()


def records(data: bytes) -> list[Any]:
    """The Record messages that `read_records` finds."""
    return list(_records.read_records(io.BytesIO(data)))


def csv(features: Array) -> str:
    """What CSVSerializer makes of a matrix."""
    return str(_serializers.CSVSerializer().serialize(features))
