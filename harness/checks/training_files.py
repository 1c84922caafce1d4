"""Checks on CSV files for training: what AWS's documentation asks of their lines."""

import csv as _csv
import io
import math

import numpy as np
import numpy.typing as npt

from harness.checks.cells import is_number
from harness.checks.result import CheckResult, Invariant
from harness.formats import csv
from harness.formats.errors import FormatError

_TRAINING = "https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html"

_NO_HEADER = Invariant("no_header", "A CSV file for training has no header record.", _TRAINING)
_LABEL_COLUMN = Invariant(
    "label_column",
    "In a CSV file for training the target variable is the first column.",
    _TRAINING,
)


def no_header(data: bytes | str) -> CheckResult:
    """The first line of CSV `data` is numbers, not names."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    first = next(_csv.reader(io.StringIO(text)), [])
    words = [cell for cell in first if not is_number(cell)]
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
        table = csv.loads(raw, missing=math.nan).features
    except FormatError as error:
        return _LABEL_COLUMN.result(False, f"the file does not parse: {error}")
    if len(table) != len(want):
        return _LABEL_COLUMN.result(False, f"{len(table)} rows, {len(want)} labels")
    matches = [_same(column, want) for column in table.T]
    if not matches or matches[0].all():
        return _LABEL_COLUMN.result(bool(matches), f"{len(want)} rows begin with their label")
    line = int(np.argmin(matches[0]))
    elsewhere = next((number for number, same in enumerate(matches, 1) if same.all()), None)
    return _LABEL_COLUMN.result(
        False,
        f"line {line + 1} begins with {table[line, 0]:g}, label {want[line]:g}"
        + (f"; the labels are column {elsewhere}" if elsewhere else ""),
    )


def _same(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = (a == b) | (np.isnan(a) & np.isnan(b))
    return same
