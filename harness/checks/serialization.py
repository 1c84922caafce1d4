"""Checks on written data: it reads back, in order, and is what the SDK would have written."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.checks.result import CheckResult, Invariant
from harness.formats import csv, recordio
from harness.formats.errors import FormatError
from harness.formats.records import Records

Array = npt.NDArray[Any]

_TRAINING = "https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html"
_SHOWN = 12

_ROUND_TRIPS = Invariant(
    "round_trips",
    "What was written reads back as the same features and labels.",
    _TRAINING,
)
_SAME_BYTES = Invariant(
    "same_bytes_as_sdk",
    "What is stored or sent is, byte for byte, what the SageMaker Python SDK writes for the same data.",
    "notes/recordio.md#what-the-sdk-writes",
)
_IN_ORDER = Invariant(
    "rows_in_order",
    "The records of a file are the rows of the data: none is lost, doubled or moved.",
    _TRAINING,
)


def round_trips(
    data: bytes,
    features: Array,
    labels: Array | None = None,
    *,
    content_type: str = recordio.CONTENT_TYPE,
) -> CheckResult:
    """`data` decodes to `features` (records, width) and `labels` (records,), number by number.

    `content_type` is recordIO-protobuf, whose dtypes must come back too, or text/csv with the labels first,
    whose numbers are compared in the dtype that was written.
    """
    try:
        records = _decoded(data, content_type, labels=labels is not None)
    except FormatError as error:
        return _ROUND_TRIPS.result(False, f"the data does not decode: {error}")
    got = records.features
    dense = got if isinstance(got, np.ndarray) else got.toarray()
    for name, want, have in (("features", features, dense), ("labels", labels, records.labels)):
        if want is None or have is None:
            if want is not None or have is not None:
                return _ROUND_TRIPS.result(
                    False, f"{name}: {'none' if have is None else 'some'} decoded"
                )
            continue
        if want.shape != have.shape:
            return _ROUND_TRIPS.result(False, f"{name}: shape {have.shape}, written {want.shape}")
        if content_type == csv.CONTENT_TYPE:
            have = _as_written(have, want.dtype)
        if want.dtype != have.dtype:
            return _ROUND_TRIPS.result(False, f"{name}: {have.dtype}, written {want.dtype}")
        same = _same(want, have)
        if not same.all():
            row = int(np.argwhere(~same)[0][0])
            return _ROUND_TRIPS.result(
                False, f"{name}: record {row} is {have[row]}, written {want[row]}"
            )
    return _ROUND_TRIPS.result(
        True, f"{len(records)} records of {records.width} features, {len(data):,} bytes"
    )


def same_bytes_as_sdk(
    data: bytes | str, sdk: bytes | str | Callable[[], bytes | str]
) -> CheckResult:
    """`data` is what the SDK wrote: its bytes, or a callable that has it write them."""
    ours = data.encode() if isinstance(data, str) else bytes(data)
    try:
        written = sdk() if callable(sdk) else sdk
    except Exception as error:
        # Whatever its writers raise says that the SDK would not have written this.
        return _SAME_BYTES.result(False, f"the SDK writes nothing: {type(error).__name__}: {error}")
    theirs = written.encode() if isinstance(written, str) else bytes(written)
    if ours == theirs:
        return _SAME_BYTES.result(True, f"{len(ours):,} bytes")
    at = next(
        (n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b),
        min(len(ours), len(theirs)),
    )
    return _SAME_BYTES.result(
        False,
        f"{len(ours):,} bytes, the SDK's {len(theirs):,}; from byte {at} on "
        f"{ours[at : at + _SHOWN]!r}, the SDK's {theirs[at : at + _SHOWN]!r}",
    )


def rows_in_order(
    data: bytes | str, rows: npt.ArrayLike, *, content_type: str = csv.CONTENT_TYPE
) -> CheckResult:
    """The records of `data` are `rows` (records, columns) in their order, labels before features.

    `content_type` is text/csv or recordIO-protobuf. Numbers are compared in the dtype of `rows`.
    """
    want = np.asarray(rows)
    if want.ndim != 2:
        raise ValueError(f"expected rows of shape (records, columns), not {want.shape}")
    try:
        found = _decoded(
            data.encode() if isinstance(data, str) else data, content_type, labels=False
        )
    except FormatError as error:
        return _IN_ORDER.result(False, f"the data does not decode: {error}")
    have = _as_written(_columns(found), want.dtype)
    if not len(want) or not len(have):
        return _IN_ORDER.result(
            len(want) == len(have), f"{len(have)} records, {len(want)} rows of data"
        )
    if have.shape[1] != want.shape[1]:
        return _IN_ORDER.result(
            False, f"records of {have.shape[1]} columns, rows of {want.shape[1]}"
        )
    common = min(len(want), len(have))
    same = _same(want[:common], have[:common]).all(axis=1)
    if same.all() and len(want) == len(have):
        return _IN_ORDER.result(True, f"{len(want)} records in the order of the data")
    row = common if same.all() else int(np.argmin(same))
    return _IN_ORDER.result(
        False, f"{len(have)} records, {len(want)} rows of data: {_astray(want, have, row)}"
    )


def _astray(want: Array, have: Array, row: int) -> str:
    """What became of the first row that is not in its place."""
    if row == len(want):
        return f"record {row} belongs to no row"
    places = np.flatnonzero(_same(have, want[row]).all(axis=1))
    if len(places):
        return f"row {row} is record {places[0]}"
    return f"row {row} is no record"


def _decoded(data: bytes, content_type: str, *, labels: bool) -> Records:
    if content_type == recordio.CONTENT_TYPE:
        return recordio.loads(data)
    if content_type == csv.CONTENT_TYPE:
        return csv.loads(data, label_size=1 if labels else 0, missing=np.nan)
    raise ValueError(f"{content_type!r} is not {recordio.CONTENT_TYPE} or {csv.CONTENT_TYPE}")


def _columns(records: Records) -> Array:
    """Labels, then features, as one table."""
    dense: Array = (
        records.features if isinstance(records.features, np.ndarray) else records.features.toarray()
    )
    if records.labels is None:
        return dense
    return np.column_stack([records.labels, dense])


def _as_written(found: Array, dtype: np.dtype[Any]) -> Array:
    """Numbers that went through text, in the dtype that they had before."""
    if dtype.kind != "f":
        return found
    with np.errstate(over="ignore"):
        return found.astype(dtype)


def _same(a: Array, b: Array) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = (a == b) | (np.isnan(a) & np.isnan(b))
    return same
