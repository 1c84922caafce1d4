"""The body of a request, turned into rows as the image does it, failures in its words included."""

import csv
from typing import Any, NoReturn

import numpy as np

from harness.formats import libsvm, recordio
from harness.formats.diagnosis import say
from harness.formats.errors import FormatError
from harness.formats.readers.refusal import DataRefused, RequestRefused
from harness.formats.readers.xgboost import content_types
from harness.formats.readers.xgboost.content_types import Format
from harness.formats.readers.xgboost.first_lines import sniff

_SNIFFED = 512
_SMALL = 1 << 12
"""Bytes of libsvm up to which reading word by word is faster than the codec."""
_XGBOOST_ERROR = "<class 'xgboost.core.XGBoostError'>"


def features(body: bytes, content_type: str | None) -> tuple[Format, Any]:
    """The format of a request, libsvm without content type, and its rows in float32, dense or scipy's csr.

    Labels are left out where the format marks them. RequestRefused with 415 and the image's text.
    """
    try:
        form = content_types.parse(content_type)
    except DataRefused as refused:
        raise RequestRefused(415, refused.text) from None
    if form is Format.CSV:
        found = _csv(body)
    elif form is Format.LIBSVM:
        found = _libsvm(body)
    elif form is Format.RECORDIO:
        found = _recordio(body)
    else:
        raise RequestRefused(415, f"Content-type {content_type} is not supported.")
    values = found if isinstance(found, np.ndarray) else found.data
    if np.isinf(values).any():
        refuse(form, _XGBOOST_ERROR, say("xgboost_infinite"))
    return form, found


def refuse(form: Format, kind: str, problem: object) -> NoReturn:
    """RequestRefused for a body that is not what its content type says; `kind` is the class of the exception below."""
    # In the image the decoder of recordIO has its words on one line.
    between = " " if form is Format.RECORDIO else "\n "
    raise RequestRefused(
        415,
        f"Loading {form.value} data failed with Exception, please ensure data is in {form.value} format:"
        f"{between}{kind}{between}{problem}",
    )


def _csv(body: bytes) -> Any:
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
        with np.errstate(over="ignore"):
            return np.array(rows, np.float32)
    except (ValueError, csv.Error, OverflowError) as error:
        # Classes as the image prints them: its own csv.Error is Python's `_csv.Error`.
        refuse(Format.CSV, str(type(error)), error)


def _libsvm(body: bytes) -> Any:
    try:
        table = _strict_libsvm(body.strip()) if len(body) > _SMALL else None
        return _lenient_libsvm(body) if table is None else table
    except (ValueError, OverflowError) as error:
        refuse(Format.LIBSVM, str(type(error)), error)


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
    table.sort_indices()
    with np.errstate(over="ignore"):
        return table[: filled[-1] + 1].astype(np.float32)


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


def _recordio(body: bytes) -> Any:
    try:
        with np.errstate(over="ignore"):
            return recordio.loads(body).features.astype(np.float32)
    except FormatError as error:
        refuse(Format.RECORDIO, str(type(error)), error)
