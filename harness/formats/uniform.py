"""Many Record messages of one shape at once: whole arrays to bytes and back without a loop over records.

Only the layout that protobuf itself writes for dense float tensors is handled; for anything else the
caller falls back to one message at a time. Integers are varints, so their records have no such layout.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.formats.framing import HEADER, LENGTH_MASK, frame
from harness.formats.memory_file import memory_file
from harness.formats.records import Array, Records

BLOCK = 1 << 18
"""Bytes encoded at once: what stays in a processor's cache while it is filled and written."""

_TENSOR_TAGS = {np.dtype("<f4"): b"\x12", np.dtype("<f8"): b"\x1a"}
_FEATURES, _LABEL = b"\x0a", b"\x12"
_QUIET = np.uint32(1 << 22)
_FIRST_LOOK = 16

Rows = npt.NDArray[np.uint8]
DType = np.dtype[np.generic]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _entry_head(field: bytes, dtype: DType, size: int) -> bytes:
    """The bytes of a map entry up to the `size` bytes of its packed values."""
    values = b"\x0a" + _varint(size)
    tensor = _TENSOR_TAGS[dtype] + _varint(len(values) + size) + values
    entry = b"\x0a\x06values\x12" + _varint(len(tensor) + size) + tensor
    return field + _varint(len(entry) + size) + entry


@dataclass(frozen=True)
class Layout:
    """Where values stand in each record of a run: `width` of `dtype`, then `label_width` of `label_dtype`.

    Places are counted from the start of the record's header; `end` is where its padding starts.
    """

    dtype: DType
    width: int
    label_dtype: DType | None
    label_width: int
    features_at: int
    features_end: int
    label_at: int
    end: int
    template: Rows

    @property
    def of(self) -> tuple[DType, int, DType | None, int]:
        """What it is the layout of: the arguments of `layout`."""
        return self.dtype, self.width, self.label_dtype, self.label_width

    @property
    def stride(self) -> int:
        """Bytes from one record to the next, header and padding included."""
        return len(self.template)

    @property
    def length(self) -> int:
        """Bytes of a record's payload."""
        return self.end - HEADER.size

    def is_of(self, payload: bytes) -> bool:
        """Whether a payload has this layout, whatever its values are."""
        return len(payload) == self.length and all(
            payload[start - HEADER.size : end - HEADER.size] == self.template[start:end].tobytes()
            for start, end in ((HEADER.size, self.features_at), (self.features_end, self.label_at))
        )


def layout(
    dtype: DType, width: int, label_dtype: DType | None = None, label_width: int = 0
) -> Layout | None:
    """The layout of dense records, None for those that have none (other types, no values, too long)."""
    if dtype not in _TENSOR_TAGS or width == 0:
        return None
    if label_dtype is not None and (label_dtype not in _TENSOR_TAGS or label_width == 0):
        return None
    size = width * dtype.itemsize
    label_size = 0 if label_dtype is None else label_width * label_dtype.itemsize
    if size + label_size > LENGTH_MASK:
        return None
    body = _entry_head(_FEATURES, dtype, size)
    features_at = HEADER.size + len(body)
    body += bytes(size)
    if label_dtype is not None:
        body += _entry_head(_LABEL, label_dtype, label_size)
    label_at = HEADER.size + len(body)
    body += bytes(label_size)
    if len(body) > LENGTH_MASK:
        return None
    return Layout(
        dtype,
        width,
        label_dtype,
        label_width,
        features_at,
        features_at + size,
        label_at,
        label_at + label_size,
        np.frombuffer(frame(body), np.uint8),
    )


def _as_bytes(values: Array, dtype: DType) -> Rows:
    values = np.ascontiguousarray(values, dtype)
    if dtype.itemsize == 4:
        unknown = np.isnan(values)
        if unknown.any():
            # The SDK's values pass through Python's doubles, which makes a signalling NaN quiet.
            values = values.copy()
            bits = values.view(np.uint32)
            bits[unknown] |= _QUIET
    return values.view(np.uint8).reshape(len(values), -1)


def encode(form: Layout, features: Array, labels: Array | None) -> Iterator[Rows]:
    """The records of `features` (n, width) and `labels` (n,) or (n, k), framed, one a row, some at a time.

    The rows are of one buffer: they hold until the next ones are asked for.
    """
    buffer = np.empty((min(_rows_at_once(form), len(features)), form.stride), np.uint8)
    for some in _blocks(form, len(features)):
        rows = buffer[: some.stop - some.start]
        _fill(form, rows, features[some], None if labels is None else labels[some])
        yield rows


def encode_whole(form: Layout, features: Array, labels: Array | None) -> bytes:
    """All that `encode` yields, written once only, to where it stays."""
    file = memory_file(form.stride * len(features))
    # No name for the array: while someone looks into a BytesIO, getvalue copies it.
    _fill_all(form, np.frombuffer(file.getbuffer(), np.uint8), features, labels)
    return file.getvalue()


def _fill_all(form: Layout, out: Rows, features: Array, labels: Array | None) -> None:
    rows = out.reshape(len(features), form.stride)
    for some in _blocks(form, len(features)):
        _fill(form, rows[some], features[some], None if labels is None else labels[some])


def _rows_at_once(form: Layout) -> int:
    return max(1, BLOCK // form.stride)


def _blocks(form: Layout, records: int) -> Iterator[slice]:
    count = _rows_at_once(form)
    for start in range(0, records, count):
        yield slice(start, min(start + count, records))


def _fill(form: Layout, rows: Rows, features: Array, labels: Array | None) -> None:
    rows[:] = form.template
    rows[:, form.features_at : form.features_end] = _as_bytes(features, form.dtype)
    if labels is not None and form.label_dtype is not None:
        rows[:, form.label_at : form.end] = _as_bytes(
            labels.reshape(len(rows), -1), form.label_dtype
        )


def decode(form: Layout, data: bytes | bytearray, position: int) -> tuple[int, Records | None]:
    """How many records of this layout follow each other from `position` on, and those records."""
    count = (len(data) - position) // form.stride
    if count <= 0:
        return 0, None
    rows = np.frombuffer(data, np.uint8, count * form.stride, position).reshape(count, form.stride)
    run = _run(form, rows)
    if run == 0:
        return 0, None
    features = _from_bytes(rows[:run, form.features_at : form.features_end], form.dtype)
    labels = None
    if form.label_dtype is not None:
        labels = _from_bytes(rows[:run, form.label_at : form.end], form.label_dtype)
        if form.label_width == 1:
            labels = labels[:, 0]
    return run, Records(features, labels)


def _run(form: Layout, rows: Rows) -> int:
    """How many rows from the first on are alike.

    It looks at more and more of them, so that a short run costs little whatever stands behind it.
    """
    run, look = 0, _FIRST_LOOK
    while run < len(rows):
        alike = _alike(form, rows[run : run + look])
        if not alike.all():
            return run + int(alike.argmin())
        run += len(alike)
        look *= 8
    return run


def _alike(form: Layout, rows: Rows) -> npt.NDArray[np.bool_]:
    """Which rows have everything but values and padding, which may hold anything, as the layout has it."""
    alike: npt.NDArray[np.bool_]
    alike = (rows[:, : form.features_at] == form.template[: form.features_at]).all(axis=1)
    if form.label_at > form.features_end:
        between = slice(form.features_end, form.label_at)
        alike &= (rows[:, between] == form.template[between]).all(axis=1)
    return alike


def _from_bytes(raw: Rows, dtype: DType) -> Array:
    # A copy always: the window's buffer cannot move on while an array looks into it.
    return np.array(raw, order="C").view(dtype).astype(dtype.newbyteorder("="), copy=False)
