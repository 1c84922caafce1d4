"""Names of SDK v1 that v2 still has: they work and warn."""

import importlib
import warnings
from typing import Any

import numpy as np
import pytest

from tests.serializers import sdk

pytestmark = [pytest.mark.sdk2, pytest.mark.sdk_source("notes/serializers.md#old-names")]


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("csv_serializer", [1, 2], "1,2"),
        ("json_serializer", [1, 2], "[1, 2]"),
        ("npy_serializer", [1], sdk.serializers.NumpySerializer().serialize([1])),
    ],
)
def test_serializers_are_instances(name: str, data: Any, text: Any) -> None:
    """`sagemaker.base_predictor.csv_serializer` and its kin serialize, each time with a warning."""
    serializer = getattr(importlib.import_module("sagemaker.base_predictor"), name)
    with pytest.warns(DeprecationWarning, match=f"The {name} has been renamed"):
        assert serializer.serialize(data) == text


@pytest.mark.parametrize(
    ("name", "data", "content_type", "value"),
    [
        ("csv_deserializer", b"1,2", "text/csv", [["1", "2"]]),
        ("json_deserializer", b"[1]", "application/json", [1]),
        ("numpy_deserializer", b"[1]", "application/json", np.array([1])),
    ],
)
def test_deserializers_are_instances(name: str, data: bytes, content_type: str, value: Any) -> None:
    """`sagemaker.base_predictor.csv_deserializer` and its kin deserialize, each time with a warning."""
    deserializer = getattr(importlib.import_module("sagemaker.base_predictor"), name)
    with pytest.warns(DeprecationWarning, match=f"The {name} has been renamed"):
        assert sdk.answer(deserializer, data, content_type) == value


def test_record_classes_warn_when_made() -> None:
    """`numpy_to_record_serializer()` and `record_deserializer()` are the classes of now."""
    with pytest.warns(DeprecationWarning, match="has been renamed"):
        serializer = sdk.serializers.numpy_to_record_serializer()
    with pytest.warns(DeprecationWarning, match="has been renamed"):
        deserializer = sdk.deserializers.record_deserializer()
    with warnings.catch_warnings():
        (record,) = sdk.answer(deserializer, serializer.serialize(np.array([1.0])).read())
    assert list(record.features["values"].float64_tensor.values) == [1]


def test_they_are_not_where_v1_had_them() -> None:
    """`sagemaker.predictor` and `sagemaker.amazon.common`, from which course code imports them, lack them."""
    predictor: Any = importlib.import_module("sagemaker.predictor")
    assert not hasattr(predictor, "csv_serializer")
    assert not hasattr(predictor, "json_deserializer")
    assert not hasattr(importlib.import_module("sagemaker.amazon.common"), "record_deserializer")
    assert issubclass(predictor.RealTimePredictor, predictor.Predictor)
