"""recordIO-protobuf (application/x-recordio-protobuf): matrices and labels to bytes and back.

`dumps` writes the bytes that the SageMaker Python SDK v2 writes. See docs/notes/recordio.md.
"""

import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
from google.protobuf.message import DecodeError

from harness.formats import uniform
from harness.formats.errors import FormatError
from harness.formats.framing import BLOCK, Frame, Window, frame, iter_frames, next_frame
from harness.formats.record_message import Record
from harness.formats.records import Array, Records, concatenate

CONTENT_TYPE = "application/x-recordio-protobuf"

_BLOCK_BYTES = 4 * BLOCK
_SLOW_BATCH = 4096
_TENSORS = {"float32_tensor": np.float32, "float64_tensor": np.float64, "int32_tensor": np.int64}
# The SDK's rule: what numpy calls int (int64) becomes Int32, and int32 itself is refused.
_FIELDS = {
    np.dtype(np.int64): "int32_tensor",
    np.dtype(np.float64): "float64_tensor",
    np.dtype(np.float32): "float32_tensor",
}


def dumps(features: Any, labels: Array | None = None) -> bytes:
    """Encode `features` of shape (records, width), dense or a scipy sparse matrix, and `labels` (records,).

    int64 becomes Int32Tensor, float64 Float64Tensor, float32 Float32Tensor. FormatError for any other
    dtype, other shapes, lengths that differ, and integers outside 32 bits.
    """
    return b"".join(_encode(features, labels))


def dump(features: Any, file: BinaryIO, labels: Array | None = None) -> None:
    """Write what `dumps` returns to a binary file, block by block."""
    for block in _encode(features, labels):
        file.write(block)


def dumps_messages(messages: Iterable[Any]) -> bytes:
    """Frame Record messages, one record each."""
    return b"".join(frame(message.SerializeToString()) for message in messages)


def loads(data: bytes) -> Records:
    """Decode all records of `data`: features of shape (records, width), labels or None.

    Float32 gives float32, Float64 float64, Int32 int64. FormatError, with record number and byte
    offset, for data that is no recordIO-protobuf, for records without numeric features named
    `values`, and for records that differ in width or in the number of labels.
    """
    return load(io.BytesIO(data))


def load(file: BinaryIO) -> Records:
    """Decode all records of a binary file; errors as `loads`."""
    parts = list(iter_batches(file))
    return concatenate(parts) if parts else Records(np.empty((0, 0), np.float32))


def iter_records(stream: BinaryIO) -> Iterator[Any]:
    """Each record of a stream as a Record message; memory holds one record and one block."""
    for found in iter_frames(stream):
        yield parse(found)


def iter_batches(stream: BinaryIO) -> Iterator[Records]:
    """The records of a stream, some thousands at a time, in order; errors as `loads`.

    Memory holds one batch; runs of records of one shape are decoded as whole arrays.
    """
    window = Window(stream)
    record = 0
    form: uniform.Layout | None = None
    first: tuple[int, int] | None = None
    slow = _Rows()
    while True:
        window.available(_BLOCK_BYTES)
        if form is not None:
            run, batch = uniform.decode(form, window.data, window.position)
            if batch is not None:
                if slow:
                    yield slow.take()
                window.skip(run * form.stride)
                record += run
                yield batch
                continue
        found = next_frame(window, record)
        if found is None:
            break
        row = _Row(parse(found), found)
        shape = (row.width, row.label_width)
        if first is None:
            first = shape
        if shape[0] != first[0]:
            raise FormatError(
                f"{shape[0]} features",
                expected=f"{first[0]}, as before",
                record=record,
                offset=found.offset,
            )
        if shape[1] != first[1]:
            raise FormatError(
                f"{shape[1]} labels",
                expected=f"{first[1]}, as before",
                record=record,
                offset=found.offset,
            )
        slow.add(row)
        record += 1
        if len(slow) >= _SLOW_BATCH:
            yield slow.take()
        form = row.layout(found)
    if slow:
        yield slow.take()


def parse(found: Frame) -> Any:
    """The Record message of a frame; FormatError when its payload is none."""
    message = Record()
    try:
        message.ParseFromString(found.payload)
    except (DecodeError, UnicodeDecodeError) as error:
        raise FormatError(
            f"not a Record protobuf: {error}",
            expected="a message of type aialgs.data.Record",
            record=found.record,
            offset=found.offset,
        ) from None
    return message


class _Row:
    """One record as arrays."""

    def __init__(self, message: Any, found: Frame) -> None:
        self._message = message
        self._found = found
        features = self._tensor(message.features)
        if features is None:
            raise self._error("a record without features", "features named 'values'")
        self.values, self.keys, self.width = features
        label = self._tensor(message.label)
        self.labels: Array | None = None
        if label is not None:
            self.labels, keys, _ = label
            if keys is not None:
                raise self._error("a sparse label", "a dense label")
        self.label_width = 0 if self.labels is None else len(self.labels)

    def _error(self, problem: str, expected: str) -> FormatError:
        return FormatError(
            problem, expected=expected, record=self._found.record, offset=self._found.offset
        )

    def _tensor(self, entries: Any) -> tuple[Array, Array | None, int] | None:
        """Values, keys (None when dense) and width of the entry `values`; None when there is none."""
        try:
            names = list(entries)
        except UnicodeDecodeError:
            raise self._error("a name that is not UTF-8", "names in UTF-8") from None
        if "values" not in names:
            return None
        value = entries["values"]
        kind = value.WhichOneof("value")
        if kind is None:
            return np.empty(0, np.float32), None, 0
        if kind == "bytes":
            raise self._error("a value of raw bytes", "a tensor of numbers")
        tensor = getattr(value, kind)
        values = np.array(tensor.values, _TENSORS[kind])
        shape = list(tensor.shape)
        size = 1
        for extent in shape:
            size *= extent
        # The SDK writes keys and a shape for sparse rows, a shape alone for rows of zeros.
        if not tensor.keys and (len(values) or not shape):
            if shape and size != len(values):
                raise self._error(f"{len(values)} values", f"{size}, the product of shape {shape}")
            return values, None, len(values)
        if not shape:
            raise self._error("a sparse tensor without shape", "a shape")
        if size >= 1 << 63:
            raise self._error(f"a sparse tensor of shape {shape}", "fewer than 2^63 places")
        if len(tensor.keys) != len(values):
            raise self._error(f"{len(tensor.keys)} keys", f"{len(values)}, one per value")
        if any(key >= size for key in tensor.keys):
            raise self._error(f"key {max(tensor.keys)}", f"keys below {size}")
        keys = np.array(tensor.keys, np.int64)
        if len(np.unique(keys)) != len(keys):
            raise self._error("a key that occurs twice", "distinct keys")
        return values, keys, size

    def layout(self, found: Frame) -> uniform.Layout | None:
        """The layout that the next records probably share; None when this record has none."""
        if self.keys is not None:
            return None
        form = uniform.layout(
            self.values.dtype,
            self.width,
            None if self.labels is None else self.labels.dtype,
            self.label_width,
        )
        if form is None:
            return None
        labels = None if self.labels is None else self.labels[np.newaxis]
        same = uniform.encode(form, self.values[np.newaxis], labels)
        # NaNs may differ in a bit that encoding makes quiet; such a record only costs its own detour.
        return form if same[8 : 8 + len(found.payload)] == found.payload else None


class _Rows:
    """Rows decoded one at a time, gathered to a batch."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: _Row) -> None:
        self._rows.append(row)

    def take(self) -> Records:
        rows, self._rows = self._rows, []
        labels = [row.labels for row in rows if row.labels is not None]
        stacked = np.stack(labels) if labels else None
        if stacked is not None and stacked.shape[1] == 1:
            stacked = stacked[:, 0]
        if all(row.keys is None for row in rows):
            return Records(np.stack([row.values for row in rows]), stacked)
        from scipy import sparse

        keys = [np.arange(row.width) if row.keys is None else row.keys for row in rows]
        ends = np.cumsum([0, *(len(row_keys) for row_keys in keys)])
        values = np.concatenate([row.values for row in rows])
        matrix = sparse.csr_matrix(
            (values, np.concatenate(keys), ends), shape=(len(rows), rows[0].width)
        )
        return Records(matrix, stacked)


def _field(array: Any) -> str:
    field = _FIELDS.get(array.dtype)
    if field is None or not array.dtype.isnative:
        raise FormatError(
            f"Unsupported dtype {array.dtype} on array", expected="int64, float64 or float32"
        )
    return field


def _encode(features: Any, labels: Array | None) -> Iterator[bytes]:
    if features.ndim != 2:
        raise FormatError(
            f"an array of shape {features.shape}", expected="shape (records, features)"
        )
    if labels is not None and labels.shape != (features.shape[0],):
        raise FormatError(
            f"labels of shape {labels.shape}",
            expected=f"shape ({features.shape[0]},), one per record",
        )
    field = _field(features)
    label_field = None if labels is None else _field(labels)
    if not isinstance(features, np.ndarray):
        yield from _encode_sparse(features.tocsr(), field, labels, label_field)
        return
    form = uniform.layout(
        features.dtype, features.shape[1], None if labels is None else labels.dtype, 1
    )
    if form is not None:
        rows = max(1, _BLOCK_BYTES // form.stride)
        for start in range(0, len(features), rows):
            part = slice(start, start + rows)
            yield uniform.encode(form, features[part], None if labels is None else labels[part])
        return
    for index, row in enumerate(features):
        message = Record()
        _extend(getattr(message.features["values"], field).values, row, index)
        if labels is not None and label_field is not None:
            _extend(
                getattr(message.label["values"], label_field).values,
                labels[index : index + 1],
                index,
            )
        yield frame(message.SerializeToString())


def _encode_sparse(
    matrix: Any, field: str, labels: Array | None, label_field: str | None
) -> Iterator[bytes]:
    for index in range(matrix.shape[0]):
        row = slice(matrix.indptr[index], matrix.indptr[index + 1])
        message = Record()
        tensor = getattr(message.features["values"], field)
        _extend(tensor.values, matrix.data[row], index)
        tensor.keys.extend(matrix.indices[row].tolist())
        tensor.shape.append(matrix.shape[1])
        if labels is not None and label_field is not None:
            _extend(
                getattr(message.label["values"], label_field).values,
                labels[index : index + 1],
                index,
            )
        yield frame(message.SerializeToString())


def _extend(target: Any, values: Array, record: int) -> None:
    try:
        target.extend(values.tolist())
    except ValueError:
        raise FormatError(
            "an integer that does not fit", expected="integers of 32 bits", record=record
        ) from None
