"""Checks on bytes: what goes to S3 and to an endpoint, and what comes back."""

import csv as _csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.checks.result import CheckResult, Invariant
from harness.formats import csv, recordio
from harness.formats.errors import FormatError

_CSV_TRAINING = "https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html"
_RECORDIO = "https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html"
_INFERENCE = "https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html"

_ROUND_TRIPS = Invariant(
    "round_trips",
    "What was written as recordIO-protobuf reads back as the same features and labels.",
    _RECORDIO,
)
_NO_HEADER = Invariant("no_header", "A CSV file for training has no header record.", _CSV_TRAINING)
_LABEL_COLUMN = Invariant(
    "label_column",
    "In a CSV file for training the target variable is the first column.",
    _CSV_TRAINING,
)
_WITHIN_LIMIT = Invariant(
    "within_payload_limit",
    "A request to a real-time endpoint is not larger than the service accepts.",
    "sagemaker-runtime:InvokeEndpointInput.Body",
)
_CONTENT_TYPE = Invariant(
    "content_type", "The answer has the content type that the algorithm documents.", _INFERENCE
)
_ROWS = Invariant(
    "one_score_per_row_in_order",
    "A request of many rows is answered by one score per row, in the order of the rows.",
    _INFERENCE,
)


def round_trips(
    data: bytes, features: npt.NDArray[Any], labels: npt.NDArray[Any] | None = None
) -> CheckResult:
    """recordIO-protobuf `data` decodes to `features` (records, width) and `labels` (records,), bit for bit."""
    try:
        records = recordio.loads(data)
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
        elif want.shape != have.shape:
            return _ROUND_TRIPS.result(False, f"{name}: shape {have.shape}, written {want.shape}")
        elif not np.array_equal(want, have, equal_nan=True):
            row = int(np.argwhere(~((want == have) | (np.isnan(want) & np.isnan(have))))[0][0])
            return _ROUND_TRIPS.result(
                False, f"{name}: record {row} is {have[row]}, written {want[row]}"
            )
    return _ROUND_TRIPS.result(
        True, f"{len(records)} records of {records.width} features, {len(data):,} bytes"
    )


def no_header(data: bytes | str) -> CheckResult:
    """The first line of CSV `data` is numbers, not names."""
    first = next(_csv.reader(io.StringIO(_text(data))), [])
    words = [cell for cell in first if not _is_number(cell)]
    if not first:
        return _NO_HEADER.result(False, "the file has no first line")
    return _NO_HEADER.result(
        not words, f"line 1 holds {words[0]!r}" if words else f"line 1 is {len(first)} numbers"
    )


def label_column(data: bytes | str, labels: npt.ArrayLike) -> CheckResult:
    """Column 1 of CSV `data` is `labels` (rows,), row by row."""
    want = np.asarray(labels, np.float64)
    raw = data.encode() if isinstance(data, str) else data
    try:
        records = csv.loads(raw, label_size=1, missing=math.nan)
    except FormatError as error:
        return _LABEL_COLUMN.result(False, f"the file does not parse: {error}")
    have = np.asarray(records.labels, np.float64)
    if have.shape != want.shape:
        return _LABEL_COLUMN.result(False, f"{len(have)} rows, {len(want)} labels")
    wrong = np.flatnonzero(~((have == want) | (np.isnan(have) & np.isnan(want))))
    if len(wrong):
        line = int(wrong[0])
        return _LABEL_COLUMN.result(
            False, f"line {line + 1} begins with {have[line]:g}, label {want[line]:g}"
        )
    return _LABEL_COLUMN.result(True, f"{len(want)} rows begin with their label")


def within_payload_limit(body: bytes | str, *, limit: int = 6_291_456) -> CheckResult:
    """A request body of at most `limit` bytes; the default is `BodyBlob.max` of the runtime's model."""
    size = len(body.encode() if isinstance(body, str) else body)
    return _WITHIN_LIMIT.result(size <= limit, f"{size:,} of {limit:,} bytes")


def content_type_is(content_type: str, expected: str) -> CheckResult:
    """The media type is `expected`; parameters such as a character set are not compared."""
    media = content_type.split(";", 1)[0].strip().lower()
    return _CONTENT_TYPE.result(
        media == expected.lower(), f"{content_type!r}, expected {expected!r}"
    )


def one_score_per_row_in_order(
    rows: int, scores: Sequence[float], alone: Mapping[int, float], *, tolerance: float = 1e-6
) -> CheckResult:
    """As many scores as rows, and row i's score is what the same row gets when it is sent alone.

    `alone` maps row numbers to the scores of requests of one row; `tolerance` is relative.
    """
    if len(scores) != rows:
        return _ROWS.result(False, f"{rows} rows, {len(scores)} scores")
    if not alone:
        raise ValueError("no row was sent alone, so the order cannot be seen")
    for row, score in sorted(alone.items()):
        if not math.isclose(scores[row], score, rel_tol=tolerance, abs_tol=tolerance):
            return _ROWS.result(
                False, f"row {row}: {scores[row]!r} among the others, {score!r} alone"
            )
    distinct = len(set(alone.values()))
    if len(alone) > 1 and distinct == 1:
        return _ROWS.result(False, f"{len(alone)} rows have one score, so the order cannot be seen")
    return _ROWS.result(
        True, f"{rows} scores; {len(alone)} rows sent alone ({distinct} different scores) agree"
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return not cell.strip()
    return True


def _text(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode("utf-8", "replace")
