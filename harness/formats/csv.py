"""CSV as SageMaker reads it (text/csv): no header, labels first, one record per line, RFC 4180 quotes.

See docs/notes/csv.md for what is known and what is assumed.
"""

import csv as _csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from harness.formats.errors import FormatError
from harness.formats.records import (
    Array,
    Batch,
    Records,
    agreeing,
    checked,
    concatenate,
    is_sparse,
)

CONTENT_TYPE = "text/csv"

_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 26
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONE_RETURN = re.compile(rb"\r(?!\n)")
# Python's float() also takes 1_000 and digits of other scripts, which no CSV reader of SageMaker does.
_NUMBER = re.compile(
    r"\s*[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|nan|inf|infinity)\s*",
    re.IGNORECASE | re.ASCII,
)


def dumps(features: Any, labels: Array | None = None, *, delimiter: str = ",") -> bytes:
    """Encode `features` (records, width), each line led by its label when `labels` are given.

    Several labels per record, of shape (records, k), lead it too; a scipy sparse matrix is written with its
    zeros. Numbers have the shortest form that reads back to the same value; every line ends with a newline.
    FormatError for other shapes, for lengths that differ and for no columns at all.
    """
    return b"".join(_encode(checked(features, labels), delimiter))


def dump(
    features: Any, file: BinaryIO, labels: Array | None = None, *, delimiter: str = ","
) -> None:
    """Write what `dumps` returns to a binary file, block by block."""
    dump_batches([(features, labels)], file, delimiter=delimiter)


def dump_batches(batches: Iterable[Batch], file: BinaryIO, *, delimiter: str = ",") -> None:
    """Write batches, as `iter_batches` yields them or pairs of features and labels, to a binary file.

    Memory holds one batch. FormatError as `dumps`, and for batches that differ in width or in labels.
    """
    for records in agreeing(batches):
        for block in _encode(records, delimiter):
            file.write(block)


def loads(
    data: bytes, *, label_size: int = 0, delimiter: str = ",", missing: float | None = None
) -> Records:
    """Decode all lines of `data`; the first `label_size` columns are labels. Numbers are float64.

    An empty cell is `missing`, or an error when that is None. Blank lines are skipped. FormatError,
    with line and column (from 1), for cells that are no numbers and for lines that differ in length.
    """
    return load(io.BytesIO(data), label_size=label_size, delimiter=delimiter, missing=missing)


def load(
    file: BinaryIO, *, label_size: int = 0, delimiter: str = ",", missing: float | None = None
) -> Records:
    """Decode all lines of a binary file; arguments and errors as `loads`."""
    batches = list(iter_batches(file, label_size=label_size, delimiter=delimiter, missing=missing))
    if not batches:
        return Records(np.empty((0, 0)), np.empty(0) if label_size else None)
    return concatenate(batches)


def iter_records(
    stream: BinaryIO, *, delimiter: str = ",", missing: float | None = None
) -> Iterator[npt.NDArray[np.float64]]:
    """Each record of a stream as an array of its columns, labels included; errors as `loads`."""
    for batch in iter_batches(stream, delimiter=delimiter, missing=missing):
        yield from batch.features


def iter_batches(
    stream: BinaryIO, *, label_size: int = 0, delimiter: str = ",", missing: float | None = None
) -> Iterator[Records]:
    """The records of a stream, about a megabyte at a time, in order; arguments and errors as `loads`."""
    width: int | None = None
    line = 1
    for block in _blocks(stream):
        if line == 1 and block.startswith(_BYTE_ORDER_MARK):
            raise FormatError("a byte order mark", expected="a number", line=1, column=1, offset=0)
        table = _table(block, line, width, delimiter, missing)
        line += block.count(b"\n")
        if table is None:
            continue
        width = table.shape[1]
        if width < label_size:
            raise FormatError(
                f"{width} columns", expected=f"at least {label_size} for the labels", line=1
            )
        labels = None
        if label_size:
            labels = table[:, 0] if label_size == 1 else table[:, :label_size]
        yield Records(table[:, label_size:], labels)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Whole lines, about a megabyte each time; a quoted cell that spans lines is never cut."""
    while block := stream.read(_BLOCK):
        if not block.endswith(b"\n"):
            block += _rest_of_line(stream, len(block))
        if block.count(b'"') % 2:
            block += _rest_of_cell(stream, len(block))
        yield block


def _rest_of_cell(stream: BinaryIO, had: int) -> bytes:
    """Lines up to the one that closes a quote; all of the stream when none does."""
    lines: list[bytes] = []
    closed = False
    while not closed and (line := _rest_of_line(stream, had)):
        lines.append(line)
        had += len(line)
        closed = line.count(b'"') % 2 == 1
    return b"".join(lines)


def _rest_of_line(stream: BinaryIO, had: int) -> bytes:
    rest = stream.readline(_LONGEST_LINE)
    if had + len(rest) > _LONGEST_LINE:
        raise FormatError(
            f"a line of more than {_LONGEST_LINE} bytes", expected="records, one per line"
        )
    return rest


def _table(
    block: bytes, line: int, width: int | None, delimiter: str, missing: float | None
) -> npt.NDArray[np.float64] | None:
    """The numbers of whole lines; None when all of them are blank."""
    if b'"' not in block and block.isascii() and not _LONE_RETURN.search(block):
        rows = [row for row in block.split(b"\n") if row and row != b"\r"]
        if not rows:
            return None
        try:
            table = np.loadtxt(
                rows,
                dtype=np.float64,
                delimiter=delimiter,
                comments=None,
                ndmin=2,
                encoding="ascii",
            )
        except ValueError:
            pass  # The careful reader below finds the cell, or reads what numpy would not.
        else:
            if (width is None or table.shape[1] == width) and table.shape[0] == len(rows):
                return table
    return _careful_table(block, line, width, delimiter, missing)


def _careful_table(
    block: bytes, line: int, width: int | None, delimiter: str, missing: float | None
) -> npt.NDArray[np.float64] | None:
    reader = _csv.reader(_lines(block, line), delimiter=delimiter, strict=True)
    rows: list[list[float]] = []
    while True:
        at = line + reader.line_num
        try:
            cells = next(reader, None)
        except _csv.Error as error:
            raise FormatError(str(error), expected="cells as RFC 4180 has them", line=at) from None
        if cells is None:
            break
        if not cells:
            continue
        if width is not None and len(cells) != width:
            raise FormatError(f"{len(cells)} columns", expected=f"{width}, as before", line=at)
        width = len(cells)
        rows.append([_number(cell, missing, at, column) for column, cell in enumerate(cells, 1)])
    return np.array(rows, np.float64) if rows else None


def _lines(block: bytes, line: int) -> Iterator[str]:
    # Not splitlines(): to that a carriage return alone ends a line.
    for at, raw in enumerate(io.BytesIO(block), line):
        if _LONE_RETURN.search(raw):
            raise FormatError("a carriage return", expected="a newline after it", line=at)
        try:
            yield raw.decode("utf-8")
        except UnicodeDecodeError:
            raise FormatError("bytes that are not UTF-8", expected="UTF-8", line=at) from None


def _number(cell: str, missing: float | None, line: int, column: int) -> float:
    if _NUMBER.fullmatch(cell):
        return float(cell)
    if not cell.strip() and missing is not None:
        return missing
    shown = cell if len(cell) <= 50 else f"{cell[:50]}..."
    raise FormatError(
        f"the cell {shown!r}" if cell.strip() else "an empty cell",
        expected="a number",
        line=line,
        column=column,
    )


def _encode(records: Records, delimiter: str) -> Iterator[bytes]:
    columns = records.label_size + records.width
    if columns == 0:
        raise FormatError("an array without columns", expected="at least one column")
    if 2 * columns > _LONGEST_LINE:
        raise FormatError(
            f"{columns} columns", expected=f"at most {_LONGEST_LINE // 2}, or no line is read back"
        )
    features, labels = records.features, records.labels
    for array in (features, labels):
        if array is not None and array.dtype.kind not in "fiu":
            raise FormatError(f"an array of dtype {array.dtype}", expected="integers or floats")
    rows = max(1, _BLOCK // (16 * columns))
    matrix = features.tocsr() if is_sparse(features) else features
    for start in range(0, len(records), rows):
        some = slice(start, start + rows)
        dense = matrix[some].toarray() if is_sparse(matrix) else matrix[some]
        texts = [] if labels is None else _columns(labels[some].reshape(len(dense), -1))
        texts += _columns(dense)
        lines = map(delimiter.join, zip(*texts, strict=True))
        yield ("\n".join(lines) + "\n").encode("ascii")


def _columns(matrix: Array) -> list[list[str]]:
    return [_texts(column) for column in matrix.T]


def _texts(column: Array) -> list[str]:
    if column.dtype == np.float64 or column.dtype.kind in "iu":
        return [repr(value) for value in column.tolist()]
    return [str(value) for value in column]
