"""Many Record messages of one shape at once: whole arrays to bytes and back without a loop over records.

Only the layout that protobuf itself writes for dense float tensors is handled; for anything else the
caller falls back to one message at a time.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.formats.framing import HEADER, LENGTH_MASK, MAGIC, padded
from harness.formats.records import Array, Records

_TENSOR_TAGS = {np.dtype("<f4"): b"\x12", np.dtype("<f8"): b"\x1a"}
_FEATURES, _LABEL = b"\x0a", b"\x12"
_QUIET = np.uint32(1 << 22)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _entry_head(field: bytes, dtype: np.dtype[np.generic], size: int) -> bytes:
    """The bytes of a map entry up to the `size` bytes of its packed values."""
    values = b"\x0a" + _varint(size)
    tensor = _TENSOR_TAGS[dtype] + _varint(len(values) + size) + values
    entry = b"\x0a\x06values\x12" + _varint(len(tensor) + size) + tensor
    return field + _varint(len(entry) + size) + entry


@dataclass(frozen=True)
class Layout:
    """Where values stand in each record of a run: `width` of `dtype`, then `label_width` of `label_dtype`."""

    dtype: np.dtype[np.generic]
    width: int
    label_dtype: np.dtype[np.generic] | None
    label_width: int
    features_at: int
    features_end: int
    label_at: int
    label_end: int
    template: npt.NDArray[np.uint8]

    @property
    def stride(self) -> int:
        """Bytes from one record to the next, header and padding included."""
        return len(self.template)


def layout(
    dtype: np.dtype[np.generic],
    width: int,
    label_dtype: np.dtype[np.generic] | None = None,
    label_width: int = 0,
) -> Layout | None:
    """The layout of dense records, None for those that have none (other types, no values, too long)."""
    if dtype not in _TENSOR_TAGS or width == 0:
        return None
    if label_dtype is not None and (label_dtype not in _TENSOR_TAGS or label_width == 0):
        return None
    size = width * dtype.itemsize
    body = _entry_head(_FEATURES, dtype, size)
    features_at = HEADER.size + len(body)
    body += bytes(size)
    label_at = label_end = HEADER.size + len(body)
    if label_dtype is not None:
        label_size = label_width * label_dtype.itemsize
        body += _entry_head(_LABEL, label_dtype, label_size)
        label_at = HEADER.size + len(body)
        label_end = label_at + label_size
        body += bytes(label_size)
    if len(body) > LENGTH_MASK:
        return None
    whole = HEADER.pack(MAGIC, len(body)) + body + bytes(padded(len(body)) - len(body))
    return Layout(
        dtype,
        width,
        label_dtype,
        label_width,
        features_at,
        features_at + size,
        label_at,
        label_end,
        np.frombuffer(whole, np.uint8),
    )


def _as_bytes(values: Array, dtype: np.dtype[np.generic]) -> npt.NDArray[np.uint8]:
    values = np.ascontiguousarray(values, dtype)
    if dtype.itemsize == 4:
        unknown = np.isnan(values)
        if unknown.any():
            # The SDK's values pass through Python's doubles, which makes a signalling NaN quiet.
            values = values.copy()
            bits = values.view(np.uint32)
            bits[unknown] |= _QUIET
    return values.view(np.uint8).reshape(len(values), -1)


def encode(form: Layout, features: Array, labels: Array | None) -> bytes:
    """The records of `features` (n, width) and `labels` (n,) or (n, k), framed."""
    out = np.empty((len(features), form.stride), np.uint8)
    out[:] = form.template
    out[:, form.features_at : form.features_end] = _as_bytes(features, form.dtype)
    if labels is not None and form.label_dtype is not None:
        out[:, form.label_at : form.label_end] = _as_bytes(
            labels.reshape(len(features), -1), form.label_dtype
        )
    return out.tobytes()


def decode(form: Layout, data: bytearray, position: int) -> tuple[int, Records | None]:
    """How many records of this layout follow each other from `position` on, and those records."""
    count = (len(data) - position) // form.stride
    if count == 0:
        return 0, None
    rows = np.frombuffer(data, np.uint8, count * form.stride, position).reshape(count, form.stride)
    same = np.ones(count, np.bool_)
    for start, end in (
        (0, form.features_at),
        (form.features_end, form.label_at),
        # Padding may hold anything: readers skip it.
        (form.label_end, HEADER.size + int.from_bytes(form.template[4:8].tobytes(), "little")),
    ):
        if end > start:
            same &= (rows[:, start:end] == form.template[start:end]).all(axis=1)
    run = count if same.all() else int(same.argmin())
    if run == 0:
        return 0, None
    features = _from_bytes(rows[:run, form.features_at : form.features_end], form.dtype)
    labels = None
    if form.label_dtype is not None:
        labels = _from_bytes(rows[:run, form.label_at : form.label_end], form.label_dtype)
        if form.label_width == 1:
            labels = labels[:, 0]
    return run, Records(features, labels)


def _from_bytes(raw: npt.NDArray[np.uint8], dtype: np.dtype[np.generic]) -> Array:
    # A copy always: the window's buffer cannot move on while an array looks into it.
    return np.array(raw, order="C").view(dtype).astype(dtype.newbyteorder("="), copy=False)
