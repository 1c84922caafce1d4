"""libsvm (text/libsvm, text/x-libsvm): a label, perhaps its weight and a query, then `index:value` pairs.

See docs/notes/libsvm.md.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np

from harness.formats import libsvm_grammar
from harness.formats.errors import FormatError
from harness.formats.libsvm_rows import RowReader
from harness.formats.lines import iter_blocks
from harness.formats.records import Array, Records

CONTENT_TYPE = "text/libsvm"

_ROWS = 4096


@dataclass(frozen=True)
class WeightedRecords(Records):
    """Records with what else a line of libsvm may say: a weight, a query; each (records,) or None."""

    weights: Array | None = None
    qids: Array | None = None


@dataclass(frozen=True)
class Row:
    """One record: the indices of its features, from 0, and their values; None for what is not there."""

    indices: Array
    values: Array
    label: float | None = None
    weight: float | None = None
    qid: int | None = None


def dumps(
    features: Any,
    labels: Array | None = None,
    *,
    weights: Array | None = None,
    qids: Array | None = None,
    one_based: bool = False,
) -> bytes:
    """Encode `features` of shape (records, width); labels, weights and qids are (records,).

    Of a scipy sparse matrix what it stores is written, of an array all of it, zeros included: a
    reader may take what is not there for missing. Numbers have the shortest form that reads back to
    the same value; indices ascend. FormatError for other shapes and dtypes, for weights without labels,
    and for a record with neither label nor value, which would be a blank line.
    """
    return b"".join(_encode(features, labels, weights, qids, one_based))


def dump(
    features: Any,
    file: BinaryIO,
    labels: Array | None = None,
    *,
    weights: Array | None = None,
    qids: Array | None = None,
    one_based: bool = False,
) -> None:
    """Write what `dumps` returns to a binary file, block by block."""
    for block in _encode(features, labels, weights, qids, one_based):
        file.write(block)


def loads(
    data: bytes, *, labels: bool = True, width: int | None = None, one_based: bool = False
) -> WeightedRecords:
    """Decode all lines of `data`: features as scipy's csr in float64, labels, weights, qids.

    Every line begins with a label; without `labels` it need not, and a label that stands there is
    passed over. Without `width` the highest index decides. Indices count from 0, as xgboost has
    it, or from 1 with `one_based`, as libsvm itself has it; their order does not matter. Blank lines and
    what follows a `#` are skipped. FormatError, with line and column (from 1), for lines of another
    form, an index that occurs twice or lies outside the width, and weights or qids that only some have.
    """
    return load(io.BytesIO(data), labels=labels, width=width, one_based=one_based)


def load(
    file: BinaryIO, *, labels: bool = True, width: int | None = None, one_based: bool = False
) -> WeightedRecords:
    """Decode all lines of a binary file; arguments and errors as `loads`."""
    from scipy import sparse

    batches = list(iter_batches(file, labels=labels, width=width, one_based=one_based))
    if not batches:
        empty = np.empty(0) if labels else None
        return WeightedRecords(sparse.csr_matrix((0, width or 0)), empty)
    if len(batches) == 1:
        return batches[0]
    parts = [batch.features for batch in batches]
    starts = np.cumsum([0, *(part.nnz for part in parts)])
    ends = [part.indptr[1:] + start for part, start in zip(parts, starts, strict=False)]
    matrix = sparse.csr_matrix(
        (
            np.concatenate([part.data for part in parts]),
            np.concatenate([part.indices for part in parts]),
            np.concatenate([[0], *ends]),
        ),
        shape=(sum(map(len, batches)), parts[-1].shape[1]),
    )
    return WeightedRecords(
        matrix,
        _joined([batch.labels for batch in batches]),
        _joined([batch.weights for batch in batches]),
        _joined([batch.qids for batch in batches]),
    )


def _joined(parts: list[Array | None]) -> Array | None:
    found = [part for part in parts if part is not None]
    return np.concatenate(found) if found else None


def iter_records(
    stream: BinaryIO, *, labels: bool = True, width: int | None = None, one_based: bool = False
) -> Iterator[Row]:
    """Each record of a stream, in order; arguments and errors as `loads`."""
    for batch in iter_batches(stream, labels=labels, width=width, one_based=one_based):
        matrix = batch.features
        for row in range(len(batch)):
            part = slice(matrix.indptr[row], matrix.indptr[row + 1])
            yield Row(
                matrix.indices[part],
                matrix.data[part],
                None if batch.labels is None else float(batch.labels[row]),
                None if batch.weights is None else float(batch.weights[row]),
                None if batch.qids is None else int(batch.qids[row]),
            )


def iter_batches(
    stream: BinaryIO, *, labels: bool = True, width: int | None = None, one_based: bool = False
) -> Iterator[WeightedRecords]:
    """The records of a stream, about a megabyte at a time, in order; arguments and errors as `loads`.

    Without `width`, each batch is as wide as the highest index up to its end makes it.
    """
    from scipy import sparse

    reader = RowReader(labels=labels, width=width, one_based=one_based)
    for block in iter_blocks(stream):
        good, problem = libsvm_grammar.examine(block, labels=labels)
        rows = reader.read(good)
        if problem is not None:
            raise problem
        if len(rows):
            matrix = sparse.csr_matrix(
                (rows.values, rows.indices, rows.ends), shape=(len(rows), reader.width)
            )
            yield WeightedRecords(matrix, rows.labels, rows.weights, rows.qids)


def check(stream: BinaryIO, *, labels: bool = True) -> None:
    """Read a stream to its end, FormatError for the first line of another form; no numbers are made."""
    for block in iter_blocks(stream):
        _, problem = libsvm_grammar.examine(block, labels=labels)
        if problem is not None:
            raise problem


def _encode(
    features: Any,
    labels: Array | None,
    weights: Array | None,
    qids: Array | None,
    one_based: bool,
) -> Iterator[bytes]:
    _check(features, labels, weights, qids)
    base = 1 if one_based else 0
    for start in range(0, features.shape[0], _ROWS):
        part = slice(start, start + _ROWS)
        heads = [_texts(column[part]) for column in (labels, weights) if column is not None]
        begun = [":".join(head) for head in zip(*heads, strict=True)]
        queries = [] if qids is None else [f"qid:{qid}" for qid in qids[part].tolist()]
        lines = []
        for row, pairs in enumerate(_pairs(features[part], base)):
            line = " ".join([*begun[row : row + 1], *queries[row : row + 1], *pairs])
            if not line:
                raise FormatError(
                    "a record without a value", expected="a value or a label", record=start + row
                )
            lines.append(f"{line}\n")
        yield "".join(lines).encode("ascii")


def _check(features: Any, labels: Array | None, weights: Array | None, qids: Array | None) -> None:
    if features.ndim != 2:
        raise FormatError(
            f"an array of shape {features.shape}", expected="shape (records, features)"
        )
    if weights is not None and labels is None:
        raise FormatError("weights without labels", expected="labels, which weights follow")
    beside = (("labels", labels, "fiu"), ("weights", weights, "fiu"), ("qids", qids, "iu"))
    for name, column, kinds in (("features", features, "fiu"), *beside):
        if column is not None and column.dtype.kind not in kinds:
            raise FormatError(f"{name} of dtype {column.dtype}", expected="numbers")
    for name, column, _ in beside:
        if column is not None and column.shape != (features.shape[0],):
            raise FormatError(
                f"{name} of shape {column.shape}",
                expected=f"shape ({features.shape[0]},), one per record",
            )
    if qids is not None and len(qids) and int(qids.min()) < 0:
        raise FormatError("a negative qid", expected="qids from 0")


def _pairs(rows: Any, base: int) -> Iterator[list[str]]:
    """The `index:value` texts of each row."""
    if isinstance(rows, np.ndarray):
        columns = [f"{column}:" for column in range(base, rows.shape[1] + base)]
        for row in rows:
            yield list(map(str.__add__, columns, _texts(row)))
        return
    matrix = rows.tocsr(copy=True)
    matrix.sum_duplicates()
    indices = (matrix.indices.astype(np.int64) + base).tolist()
    texts = _texts(matrix.data)
    for start, end in pairwise(matrix.indptr.tolist()):
        yield [f"{indices[at]}:{texts[at]}" for at in range(start, end)]


def _texts(values: Array) -> list[str]:
    """The shortest form of each number that reads back to the same value."""
    if values.dtype == np.float64 or values.dtype.kind in "iu":
        return [repr(value) for value in values.tolist()]
    return [str(value) for value in values]
