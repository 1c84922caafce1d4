"""Requests to SageMaker's algorithms in JSON (application/json) and JSON Lines, to rows and back.

In JSON the instances stand in a list, in JSON Lines one to a line; what an instance looks like is the
same in both. See docs/notes/json.md#requests.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from harness.formats import jsonlines, strict_json
from harness.formats.errors import FormatError
from harness.formats.lines import LONGEST
from harness.formats.records import Array, Records, concatenate

CONTENT_TYPE = "application/json"

_BATCH = 1 << 17
_WIDEST = 1 << 63


@dataclass(frozen=True)
class Instance:
    """One row: its `values` in float64, their places in `keys` (None for a dense one), its width."""

    values: Array
    keys: Array | None
    width: int


def dumps(
    features: Any, *, lines: bool = False, nested: bool = False, allow_nan: bool = False
) -> bytes:
    """Encode `features` of shape (records, width), an array or a scipy sparse matrix, as a request.

    `lines` writes JSON Lines. A row is `{"features": [...]}`, or with `nested`
    `{"data": {"features": {"values": [...]}}}`; a sparse one is nested always and has its keys and
    shape. FormatError for other shapes, for what are no numbers, and for NaN and infinities unless
    `allow_nan`.
    """
    return b"".join(_encode(features, lines, nested, allow_nan))


def dump(
    features: Any,
    file: BinaryIO,
    *,
    lines: bool = False,
    nested: bool = False,
    allow_nan: bool = False,
) -> None:
    """Write what `dumps` returns to a binary file, row by row."""
    for piece in _encode(features, lines, nested, allow_nan):
        file.write(piece)


def loads(
    data: bytes, *, lines: bool = False, allow_nan: bool = False, lenient: bool = False
) -> Records:
    """The rows of a request: float64, dense, or scipy's csr when an instance is sparse; no labels.

    `lines` reads JSON Lines; `allow_nan` and `lenient` as in `jsonlines.loads`. Members that are not
    the features are passed over. FormatError, with the record's number and, in JSON Lines, its line,
    for what is no such request, and for instances that differ in width.
    """
    return load(io.BytesIO(data), lines=lines, allow_nan=allow_nan, lenient=lenient)


def load(
    file: BinaryIO, *, lines: bool = False, allow_nan: bool = False, lenient: bool = False
) -> Records:
    """The rows of a request in a binary file; arguments and errors as `loads`."""
    batches = list(iter_batches(file, lines=lines, allow_nan=allow_nan, lenient=lenient))
    return concatenate(batches) if batches else Records(np.empty((0, 0)))


def iter_batches(
    stream: BinaryIO, *, lines: bool = False, allow_nan: bool = False, lenient: bool = False
) -> Iterator[Records]:
    """The rows of a stream, about a megabyte at a time, in order; arguments and errors as `loads`.

    Memory holds one batch of JSON Lines; JSON is one text, which is held whole, at most 64 MiB of it.
    """
    batch: list[Instance] = []
    held = 0
    for instance in iter_records(stream, lines=lines, allow_nan=allow_nan, lenient=lenient):
        batch.append(instance)
        held += len(instance.values) + 1
        if held > _BATCH:
            yield _together(batch)
            batch, held = [], 0
    if batch:
        yield _together(batch)


def iter_records(
    stream: BinaryIO, *, lines: bool = False, allow_nan: bool = False, lenient: bool = False
) -> Iterator[Instance]:
    """Each instance of a stream, in order; arguments and errors as `loads`."""
    found: Iterable[tuple[int | None, Any]]
    if lines:
        found = jsonlines.iter_numbered(stream, allow_nan=allow_nan, lenient=lenient)
    else:
        request = strict_json.loads(_whole(stream), allow_nan=allow_nan, lenient=lenient)
        found = ((None, instance) for instance in _instances(request))
    width: int | None = None
    for record, (line, value) in enumerate(found):
        try:
            instance = _instance(value)
            if width is not None and instance.width != width:
                raise FormatError(f"{instance.width} features", expected=f"{width}, as before")
        except FormatError as error:
            raise FormatError(
                error.problem, expected=error.expected, record=record, line=line
            ) from None
        width = instance.width
        yield instance


def _whole(stream: BinaryIO) -> bytes:
    data = bytearray()
    while piece := stream.read(LONGEST + 1 - len(data)):
        data += piece
        if len(data) > LONGEST:
            raise FormatError(f"more than {LONGEST} bytes", expected="a request of less")
    return bytes(data)


def _instances(request: Any) -> list[Any]:
    if not isinstance(request, dict) or not isinstance(request.get("instances"), list):
        raise FormatError(
            "a request without instances", expected="an object with a list called instances"
        )
    return list(request["instances"])


def _instance(value: Any) -> Instance:
    tensor = _tensor(value)
    values, keys = tensor["values"], tensor.get("keys")
    if not isinstance(values, list) or not set(map(type, values)) <= {int, float}:
        raise FormatError("features that are no numbers", expected="a list of numbers")
    try:
        numbers = np.array(values, np.float64)
    except OverflowError:
        raise FormatError("an integer that does not fit", expected="64-bit floats") from None
    if keys is None:
        return Instance(numbers, None, len(numbers))
    return Instance(numbers, *_places(keys, tensor.get("shape"), len(numbers)))


def _tensor(value: Any) -> dict[str, Any]:
    """The object that has `values` in it, in whichever way an instance is written."""
    if isinstance(value, dict):
        found = value.get("features")
        # Both members in one instance: a plain list of features wins.
        if "data" in value and ("features" not in value or isinstance(found, dict)):
            data = value["data"]
            found = data.get("features") if isinstance(data, dict) else None
        if isinstance(found, list):
            return {"values": found}
        if isinstance(found, dict) and "values" in found:
            return found
    raise FormatError("an instance without features", expected="a list of numbers as features")


def _places(keys: Any, shape: Any, count: int) -> tuple[Array, int]:
    """Keys and width of a sparse instance with `count` values."""
    if not (isinstance(shape, list) and len(shape) == 1 and _is_extent(shape[0])):
        raise FormatError("a sparse instance of another shape", expected="a list of one number")
    width: int = shape[0]
    if not isinstance(keys, list) or not set(map(type, keys)) <= {int}:
        raise FormatError("keys that are no places", expected="a list of whole numbers")
    if len(keys) != count:
        raise FormatError(f"{len(keys)} keys", expected=f"{count}, one per value")
    if keys and not 0 <= min(keys) <= max(keys) < width:
        raise FormatError("a key outside the shape", expected=f"keys from 0 to {width - 1}")
    if len(set(keys)) != len(keys):
        raise FormatError("a key that occurs twice", expected="distinct keys")
    return np.array(keys, np.int64), width


def _is_extent(value: object) -> bool:
    return type(value) is int and 0 <= value < _WIDEST


def _together(batch: list[Instance]) -> Records:
    if all(instance.keys is None for instance in batch):
        return Records(np.stack([instance.values for instance in batch]))
    from scipy import sparse

    keys = [np.arange(row.width) if row.keys is None else row.keys for row in batch]
    ends = np.cumsum([0, *map(len, keys)])
    values = np.concatenate([instance.values for instance in batch])
    matrix = sparse.csr_matrix(
        (values, np.concatenate(keys), ends), shape=(len(batch), batch[0].width)
    )
    return Records(matrix)


def _encode(features: Any, lines: bool, nested: bool, allow_nan: bool) -> Iterator[bytes]:
    if features.ndim != 2:
        raise FormatError(
            f"an array of shape {features.shape}", expected="shape (records, features)"
        )
    if features.dtype.kind not in "fiu":
        raise FormatError(f"an array of dtype {features.dtype}", expected="integers or floats")
    dense = isinstance(features, np.ndarray)
    rows = _dense_rows(features, nested) if dense else _sparse_rows(features)
    if not lines:
        yield b'{"instances": ['
    for record, row in enumerate(rows):
        try:
            text = strict_json.dumps(row, allow_nan=allow_nan)
        except FormatError as error:
            raise FormatError(error.problem, expected=error.expected, record=record) from None
        if lines:
            yield text + b"\n"
        else:
            yield b", " + text if record else text
    if not lines:
        yield b"]}"


def _dense_rows(features: Array, nested: bool) -> Iterator[dict[str, Any]]:
    for row in features:
        values = row.tolist()
        yield {"data": {"features": {"values": values}}} if nested else {"features": values}


def _sparse_rows(features: Any) -> Iterator[dict[str, Any]]:
    matrix = features.tocsr(copy=True)
    matrix.sum_duplicates()
    for start, end in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        tensor = {
            "keys": matrix.indices[start:end].tolist(),
            "shape": [int(matrix.shape[1])],
            "values": matrix.data[start:end].tolist(),
        }
        yield {"data": {"features": tensor}}
