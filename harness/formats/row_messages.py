"""One record at a time: Record messages to rows and back, by protobuf's own runtime.

What `uniform` does for whole arrays is done here for everything else: integers, sparse rows, rows
without columns, records with other fields. Rows of one shape are gathered to `Records`.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from harness.formats.errors import FormatError
from harness.formats.framing import Frame
from harness.formats.record_message import Record
from harness.formats.records import Array, Records, is_sparse
from harness.formats.sdk_rules import tensor_field

_TENSORS = {"float32_tensor": np.float32, "float64_tensor": np.float64, "int32_tensor": np.int64}
_LARGEST_SIZE = 1 << 63


def messages(records: Records, first: int = 0) -> Iterator[Any]:
    """A Record for each row, as the SDK makes it; labels may be (n,) or (n, k).

    FormatError, in protobuf's words, for integers outside 32 bits. `first` is the number of the first record.
    """
    features, labels = records.features, records.labels
    field = tensor_field(features.dtype)
    label_field = "" if labels is None else tensor_field(labels.dtype)
    matrix = features.tocsr() if is_sparse(features) else None
    for index in range(len(records)):
        message = Record()
        tensor = getattr(message.features["values"], field)
        try:
            if matrix is None:
                tensor.values.extend(features[index].tolist())
            else:
                row = slice(matrix.indptr[index], matrix.indptr[index + 1])
                tensor.values.extend(matrix.data[row].tolist())
                tensor.keys.extend(matrix.indices[row].tolist())
                tensor.shape.append(matrix.shape[1])
            if labels is not None:
                label = getattr(message.label["values"], label_field)
                label.values.extend(labels[index : index + 1].ravel().tolist())
        except ValueError as error:
            raise FormatError(
                str(error), expected="integers of 32 bits", record=first + index
            ) from None
        yield message


def parse(found: Frame) -> Any:
    """The Record message of a frame; FormatError when its payload is none."""
    try:
        return Record.FromString(found.payload)
    except (DecodeError, UnicodeDecodeError) as error:
        raise _error(
            found, f"not a Record protobuf: {error}", "a message of type aialgs.data.Record"
        ) from None


def check_texts(message: Any, found: Frame) -> None:
    """FormatError when a text of a message is not UTF-8: protobuf lets it pass, as bytes, or fails on it later."""
    try:
        whole = all(isinstance(text, str) for text in _texts(message))
    except UnicodeDecodeError:
        whole = False
    if not whole:
        raise _error(found, "a text that is not UTF-8", "names and other texts in UTF-8")


def _texts(message: Any) -> Iterator[Any]:
    yield from (message.uid, message.metadata, message.configuration)
    for entries in (message.features, message.label):
        yield from entries  # Before a value is asked for: by bytes none is found.
        yield from (value.bytes.content_type for value in map(entries.get, entries))


def _error(found: Frame, problem: str, expected: str) -> FormatError:
    return FormatError(problem, expected=expected, record=found.record, offset=found.offset)


class Row(NamedTuple):
    """One record as arrays: its values with their keys (None when dense), its width, its labels."""

    values: Array
    keys: Array | None
    width: int
    labels: Array | None

    @property
    def label_size(self) -> int:
        """Number of labels."""
        return 0 if self.labels is None else len(self.labels)


def row(found: Frame) -> Row:
    """The row of a frame; FormatError when it is no Record with numeric features named `values`."""
    message = parse(found)
    features = _tensor(message.features, found)
    if features is None:
        raise _error(found, "a record without features", "features named 'values'")
    label = _tensor(message.label, found)
    if label is None:
        return Row(*features, None)
    if label[1] is not None:
        raise _error(found, "a sparse label", "a dense label")
    return Row(*features, label[0])


def _tensor(entries: Any, found: Frame) -> tuple[Array, Array | None, int] | None:
    """Values, keys (None when dense) and width of the entry `values`; None when there is none."""
    if "values" not in entries:
        return None
    value = entries["values"]
    kind = value.WhichOneof("value")
    if kind is None:
        return np.empty(0, np.float32), None, 0
    if kind == "bytes":
        raise _error(found, "a value of raw bytes", "a tensor of numbers")
    tensor = getattr(value, kind)
    count = len(tensor.values)
    values = np.fromiter(tensor.values, _TENSORS[kind], count)
    if not tensor.keys and not tensor.shape:
        return values, None, count
    return values, *_places(tensor, count, found)


def _places(tensor: Any, count: int, found: Frame) -> tuple[Array | None, int]:
    """Keys (None when dense) and width of a tensor of so many values that has keys or a shape.

    The SDK writes both for sparse rows, a shape alone for rows of zeros.
    """
    shape = tensor.shape[:]
    size = math.prod(shape)
    if not tensor.keys and count:
        if size != count:
            raise _error(found, f"{count} values", f"{size}, the product of shape {shape}")
        return None, count
    if not shape:
        raise _error(found, "a sparse tensor without shape", "a shape")
    if size >= _LARGEST_SIZE:
        raise _error(found, f"a sparse tensor of shape {shape}", "fewer than 2^63 places")
    if len(tensor.keys) != count:
        raise _error(found, f"{len(tensor.keys)} keys", f"{count}, one per value")
    keys = np.fromiter(tensor.keys, np.uint64, count)
    if count and np.maximum.reduce(keys) >= size:
        raise _error(found, f"key {keys.max()}", f"keys below {size}")
    return keys.view(np.int64), size


def gather(rows: list[Row]) -> Records:
    """Rows of one width and one number of labels as Records: sparse when one of them is."""
    labels = [row.labels for row in rows if row.labels is not None]
    stacked = np.stack(labels) if labels else None
    if stacked is not None and stacked.shape[1] == 1:
        stacked = stacked[:, 0]
    if all(row.keys is None for row in rows):
        return Records(np.stack([row.values for row in rows]), stacked)
    from scipy import sparse

    keys = [np.arange(row.width) if row.keys is None else row.keys for row in rows]
    ends = np.cumsum([0, *map(len, keys)])
    values = np.concatenate([row.values for row in rows])
    matrix = sparse.csr_matrix(
        (values, np.concatenate(keys), ends), shape=(len(rows), rows[0].width)
    )
    return Records(matrix, stacked)
