"""Which arrays the writers of the SageMaker Python SDK v2 take, and their words for those they refuse.

Source: `sagemaker.serializer_utils`; see docs/notes/recordio.md#what-the-sdk-writes.
"""

from typing import Any

import numpy as np

from harness.formats.errors import FormatError
from harness.formats.records import Array, Records, plain

_FIELDS = (
    (np.int64, "int32_tensor"),
    (np.float64, "float64_tensor"),
    (np.float32, "float32_tensor"),
)


def tensor_field(dtype: Any) -> str:
    """The tensor that values of a dtype go to: int64 to Int32, and int32 itself is refused."""
    for kind, field in _FIELDS:
        if dtype == np.dtype(kind):
            return field
    raise FormatError(f"Unsupported dtype {dtype} on array", expected="int64, float64 or float32")


def accepted(features: Any, labels: Any = None) -> Records:
    """What the SDK would write of a matrix and a vector of labels, with one label for each record.

    FormatError, checked in the SDK's order, for what it refuses.
    """
    features = plain(features)
    if len(features.shape) != 2:
        raise FormatError("Array must be a Matrix", expected="shape (records, features)")
    if labels is None:
        tensor_field(features.dtype)
        return Records(features)
    vector = _vector(labels, features.shape)
    tensor_field(features.dtype)
    return Records(features, _one_each(vector, features.shape))


def _vector(labels: Any, shape: tuple[int, int]) -> Any:
    if not hasattr(labels, "shape") or not hasattr(labels, "dtype"):
        raise FormatError(f"labels in a {type(labels).__name__}", expected="a numpy array")
    if len(labels.shape) != 1:
        raise FormatError("Labels must be a Vector", expected=f"shape ({shape[0]},)")
    if labels.shape[0] not in shape:
        raise _incompatible(labels, shape)
    tensor_field(labels.dtype)
    return labels


def _one_each(labels: Any, shape: tuple[int, int]) -> Array:
    """The labels that the SDK gets by `labels[record]`, record by record.

    It takes labels of any number that occurs in the matrix's shape: where there are as many as
    columns, and more than records, the rest is not written.
    """
    records = shape[0]
    if isinstance(labels, np.ndarray):
        if len(labels) < records:
            raise _incompatible(labels, shape)
        vector: Array = plain(labels[:records])
        return vector
    try:  # A pandas Series: its index decides, not its order.
        return np.array([labels[record] for record in range(records)], labels.dtype)
    except (LookupError, TypeError):
        raise FormatError(
            f"labels in a {type(labels).__name__} whose index lacks records",
            expected=f"one at each of 0 to {records - 1}",
        ) from None


def _incompatible(labels: Any, shape: tuple[int, int]) -> FormatError:
    return FormatError(
        f"Label shape {labels.shape} not compatible with array shape {shape}",
        expected=f"shape ({shape[0]},), one per record",
    )
