"""The SDK's serializers and deserializers for JSON, numpy and sparse matrices, v2."""

import importlib
import io
import os
from typing import Any

from tests.formats.strategies import Array

os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")

_serializers: Any = importlib.import_module("sagemaker.base_serializers")
_deserializers: Any = importlib.import_module("sagemaker.base_deserializers")


def json(value: Any) -> str:
    """What JSONSerializer makes of a value."""
    return str(_serializers.JSONSerializer().serialize(value))


def json_lines(values: Any) -> str:
    """What JSONLinesSerializer makes of values."""
    return str(_serializers.JSONLinesSerializer().serialize(values))


def values_of_json_lines(data: bytes) -> list[Any]:
    """What JSONLinesDeserializer finds."""
    stream = io.BytesIO(data)
    return list(_deserializers.JSONLinesDeserializer().deserialize(stream, "application/jsonlines"))


def npy(array: Array) -> bytes:
    """What NumpySerializer makes of an array."""
    return bytes(_serializers.NumpySerializer().serialize(array))


def array_of_npy(data: bytes) -> Array:
    """What NumpyDeserializer finds."""
    found: Array = _deserializers.NumpyDeserializer().deserialize(
        io.BytesIO(data), "application/x-npy"
    )
    return found


def npz(matrix: Any) -> bytes:
    """What SparseMatrixSerializer makes of a scipy matrix."""
    return bytes(_serializers.SparseMatrixSerializer().serialize(matrix))
