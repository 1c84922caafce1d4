"""The body of a request, turned into a matrix as the image does it, failures in its words included."""

import csv
from typing import Any, NoReturn

import numpy as np
import xgboost as xgb

from harness.algorithms.xgboost.errors import without_stack
from harness.formats import libsvm, recordio
from harness.formats.errors import FormatError
from harness.formats.readers.xgboost.content_types import Format
from harness.formats.readers.xgboost.first_lines import sniff

_SNIFFED = 512


class UnparsableError(Exception):
    """A body that is not what its content type says."""


def matrix(body: bytes, form: Format, content_type: str | None) -> xgb.DMatrix:
    """The rows of a body, features only, labels left out where the format marks them. UnparsableError."""
    if form is Format.CSV:
        return _csv(body)
    if form is Format.LIBSVM:
        return _libsvm(body)
    if form is Format.RECORDIO:
        return _recordio(body)
    raise UnparsableError(f"Content-type {content_type} is not supported.")


def _csv(body: bytes) -> xgb.DMatrix:
    # Not the codec: what the image's reader lets pass (a blank line is a row, a quote is an error, 1_000 is
    # a number) and what it says are those of Python's split and float.
    try:
        lines = body.strip().decode("utf-8").split("\n")
        delimiter = sniff(lines[0][:_SNIFFED])
        if delimiter.isalnum():
            delimiter = ","
        rows = [[float(cell or "nan") for cell in line.split(delimiter)] for line in lines]
        if any(len(row) != len(rows[0]) for row in rows):
            # numpy's words for it, on the image.
            raise ValueError("setting an array element with a sequence.")
        return xgb.DMatrix(np.array(rows, np.float32), nthread=1)
    except (ValueError, csv.Error, OverflowError, xgb.core.XGBoostError) as error:
        _fail(Format.CSV, error)


def _fail(form: Format, error: Exception) -> NoReturn:
    raise UnparsableError(
        f"Loading {form.value} data failed with Exception, please ensure data is in {form.value} format:\n "
        f"{_class(error)}\n {without_stack(error)}"
    )


def _class(error: Exception) -> str:
    """The class as the image prints it: its own csv.Error is Python's `_csv.Error`."""
    return str(type(error))


def _libsvm(body: bytes) -> xgb.DMatrix:
    try:
        table = _strict_libsvm(body.strip())
        return xgb.DMatrix(_lenient_libsvm(body) if table is None else table, nthread=1)
    except (ValueError, OverflowError, xgb.core.XGBoostError) as error:
        _fail(Format.LIBSVM, error)


def _strict_libsvm(body: bytes) -> Any:
    """The rows of a body that the codec and the image's reader read alike; None for any other."""
    # To the image a comment's pairs are features, a query is an error, and a tab belongs to a number.
    if any(mark in body for mark in (b"#", b"qid", b"\t")):
        return None
    try:
        table = libsvm.loads(body, labels=False).features
    except FormatError:
        return None
    filled = np.flatnonzero(np.diff(table.indptr))
    # A blank line, which the codec skips, is a row; rows without a value count only before others.
    if table.shape[0] != body.count(b"\n") + 1 or not len(filled):
        return None
    with np.errstate(over="ignore"):
        table = table[: filled[-1] + 1].astype(np.float32)
    table.sort_indices()
    return table


def _lenient_libsvm(body: bytes) -> Any:
    """The rows of any body, read word by word as the image does, its errors included."""
    from scipy.sparse import csr_matrix

    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for row, line in enumerate(body.strip().decode("utf-8").split("\n")):
        for item in line.split(" "):
            if ":" in item:
                column, value, *_ = item.split(":")
                rows.append(row)
                columns.append(int(column))
                values.append(float(value))
    # As there: its shape is what the last row and the highest column with a value make it.
    return csr_matrix((np.array(values, np.float32), (rows, columns)))


def _recordio(body: bytes) -> xgb.DMatrix:
    try:
        return xgb.DMatrix(recordio.loads(body).features.astype(np.float32), nthread=1)
    except (FormatError, xgb.core.XGBoostError) as error:
        raise UnparsableError(
            "Loading recordio-protobuf data failed with Exception, please ensure data is in "
            f"recordio-protobuf format: {_class(error)} {without_stack(error)}"
        ) from None
