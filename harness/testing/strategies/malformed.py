"""Data with one named fault each: what a reader must refuse, and should name."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from harness.formats import recordio
from harness.formats.framing import HEADER, MAGIC, MAGIC_BYTES, frame
from harness.testing.strategies.arrays import features, labelled
from harness.testing.strategies.json_values import json_lines
from harness.testing.strategies.libsvm import libsvm_lines
from harness.testing.strategies.tables import csv_rows

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Made once: making a strategy costs more than drawing from it.
_tables = csv_rows()
# Two columns at least: a line whose only cell is empty is a blank line.
_wide_tables = csv_rows(columns=(2, 8))
_tall_tables = csv_rows(rows=(2, 20), columns=(2, 8))
_some_records = labelled(rows=(1, 5))
_objects = json_lines(objects=True)
_lines = libsvm_lines()
_matrices = features()
# No reader takes them for numbers, unlike "nan" or "infinity".
_words = st.sampled_from(["age", "x1", "n/a", "?", "12 kg", "1.2.3", "--1", "1;2"])


@dataclass(frozen=True)
class Malformed:
    """Bytes that are not what they should be, and the name of what is wrong with them."""

    fault: str
    data: bytes


_Faults = Mapping[str, Callable[[st.DrawFn], bytes]]


def _malformed(faults: _Faults, wanted: str | None) -> st.SearchStrategy[Malformed]:
    @st.composite
    def draw_one(draw: st.DrawFn) -> Malformed:
        fault = draw(st.sampled_from(list(faults))) if wanted is None else wanted
        return Malformed(fault, faults[fault](draw))

    if wanted is not None and wanted not in faults:
        raise ValueError(f"no fault {wanted!r}: one of {', '.join(faults)}")
    return draw_one()


def malformed_csv(fault: str | None = None) -> st.SearchStrategy[Malformed]:
    """CSV that is not all numbers, or not one table: of one `fault`, or of any.

    `header`, `byte_order_mark`, `text_cell`, `empty_cell` (which is a missing value for some algorithms),
    `ragged`, `open_quote`, `not_utf8`. Shrinks to a header above one row.
    """
    return _malformed(_CSV, fault)


def _csv(rows: list[list[str]]) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode()


def _csv_header(draw: st.DrawFn) -> bytes:
    rows = draw(_tables)
    return _csv([[f"column {place}" for place in range(len(rows[0]))], *rows])


def _csv_cell(cell: st.SearchStrategy[str]) -> Callable[[st.DrawFn], bytes]:
    def draw_csv(draw: st.DrawFn) -> bytes:
        rows = draw(_wide_tables)
        row = draw(st.integers(0, len(rows) - 1))
        rows[row][draw(st.integers(0, len(rows[row]) - 1))] = draw(cell)
        return _csv(rows)

    return draw_csv


def _csv_ragged(draw: st.DrawFn) -> bytes:
    rows = draw(_tall_tables)
    row = draw(st.integers(0, len(rows) - 1))
    rows[row] = rows[row][:-1] if draw(st.booleans()) else [*rows[row], "0"]
    return _csv(rows)


def _csv_open_quote(draw: st.DrawFn) -> bytes:
    rows = draw(_tables)
    rows[-1][-1] = f'"{rows[-1][-1]}'
    return _csv(rows)


def _csv_not_utf8(draw: st.DrawFn) -> bytes:
    return _csv(draw(_tables)).replace(b"\n", b"\xff\n", 1)


_CSV: _Faults = {
    "header": _csv_header,
    "byte_order_mark": lambda draw: BYTE_ORDER_MARK + _csv(draw(_tables)),
    "text_cell": _csv_cell(_words),
    "empty_cell": _csv_cell(st.just("")),
    "ragged": _csv_ragged,
    "open_quote": _csv_open_quote,
    "not_utf8": _csv_not_utf8,
}


def malformed_recordio(fault: str | None = None) -> st.SearchStrategy[Malformed]:
    """recordIO-protobuf with one `fault`, or any: in the framing, in a message, or between messages.

    `truncated` (not between two records), `magic`, `stray_part`, `not_protobuf`, `no_features`, `other_width`.
    Shrinks to a piece of one record.
    """
    return _malformed(_RECORDIO, fault)


def _records(draw: st.DrawFn) -> list[bytes]:
    matrix, vector = draw(_some_records)
    pairs = [(matrix[at : at + 1], vector[at : at + 1]) for at in range(len(matrix))]
    return [recordio.dumps(row, label) for row, label in pairs]


def _recordio_truncated(draw: st.DrawFn) -> bytes:
    *whole, last = _records(draw)
    return b"".join(whole) + last[: draw(st.integers(1, len(last) - 1))]


def _recordio_magic(draw: st.DrawFn) -> bytes:
    records = _records(draw)
    at = draw(st.integers(0, len(records) - 1))
    other = draw(st.binary(min_size=4, max_size=4).filter(lambda word: word != MAGIC_BYTES))
    records[at] = other + records[at][4:]
    return b"".join(records)


def _recordio_stray_part(draw: st.DrawFn) -> bytes:
    part = draw(st.sampled_from([2, 3])) << 29
    return b"".join(_records(draw)) + HEADER.pack(MAGIC, part)


def _recordio_not_protobuf(draw: st.DrawFn) -> bytes:
    # A field's number is never 0, so no message begins with a zero byte.
    return b"".join(_records(draw)) + frame(b"\0" + draw(st.binary(max_size=20)))


def _recordio_other_width(draw: st.DrawFn) -> bytes:
    matrix, vector = draw(_some_records)
    wider = np.zeros((1, matrix.shape[1] + 1), matrix.dtype)
    return recordio.dumps(matrix, vector) + recordio.dumps(wider, vector[:1])


_RECORDIO: _Faults = {
    "truncated": _recordio_truncated,
    "magic": _recordio_magic,
    "stray_part": _recordio_stray_part,
    "not_protobuf": _recordio_not_protobuf,
    "no_features": lambda draw: b"".join(_records(draw)) + frame(b""),
    "other_width": _recordio_other_width,
}


def malformed_json_lines(fault: str | None = None) -> st.SearchStrategy[Malformed]:
    """JSON Lines with one line, of one `fault` or of any, that is no JSON value.

    `truncated`, `single_quotes`, `two_values`, `bare_word`, `not_utf8`, `blank_line` (in the midst of the
    others), `byte_order_mark`. Shrinks to `{`.
    """
    return _malformed(_JSON_LINES, fault)


def _json_lines(last: Callable[[st.DrawFn, str], bytes]) -> Callable[[st.DrawFn], bytes]:
    def draw_lines(draw: st.DrawFn) -> bytes:
        *rows, row = (json.dumps(row) for row in draw(_objects))
        return "".join(f"{row}\n" for row in rows).encode() + last(draw, row) + b"\n"

    return draw_lines


_JSON_LINES: _Faults = {
    # Of an object no beginning is a value.
    "truncated": _json_lines(lambda draw, row: row[: draw(st.integers(1, len(row) - 1))].encode()),
    "single_quotes": _json_lines(lambda draw, row: b"{'features': [1]}"),
    "two_values": _json_lines(lambda draw, row: f"{row} {row}".encode()),
    "bare_word": _json_lines(lambda draw, row: draw(_words).encode()),
    "not_utf8": _json_lines(lambda draw, row: b'"\xff"'),
    "blank_line": _json_lines(lambda draw, row: b"\n" + row.encode()),
    "byte_order_mark": lambda draw: (
        BYTE_ORDER_MARK + _json_lines(lambda draw, row: row.encode())(draw)
    ),
}


def malformed_libsvm(fault: str | None = None) -> st.SearchStrategy[Malformed]:
    """A libsvm file with one line of one `fault`, or of any.

    `text_label`, `text_value`, `no_value`, `text_index`, `negative_index`, `repeated_index`, `not_utf8`,
    `byte_order_mark`. Shrinks to one line.
    """
    return _malformed(_LIBSVM, fault)


def _libsvm(last: Callable[[st.DrawFn, str], bytes]) -> Callable[[st.DrawFn], bytes]:
    def draw_lines(draw: st.DrawFn) -> bytes:
        *lines, line = draw(_lines)
        return "".join(f"{line}\n" for line in lines).encode() + last(draw, line) + b"\n"

    return draw_lines


_LIBSVM: _Faults = {
    "text_label": _libsvm(lambda draw, line: draw(_words).encode() + b" 1:2"),
    "text_value": _libsvm(lambda draw, line: f"{line} 99:{draw(_words)}".encode()),
    "no_value": _libsvm(lambda draw, line: f"{line} 99:".encode()),
    "text_index": _libsvm(lambda draw, line: f"{line} x:1".encode()),
    "negative_index": _libsvm(lambda draw, line: f"{line} -1:1".encode()),
    "repeated_index": _libsvm(lambda draw, line: f"{line} 99:1 99:2".encode()),
    "not_utf8": _libsvm(lambda draw, line: line.encode() + b" 99:\xff"),
    "byte_order_mark": lambda draw: (
        BYTE_ORDER_MARK + _libsvm(lambda draw, line: line.encode())(draw)
    ),
}


def malformed_npy(fault: str | None = None) -> st.SearchStrategy[Malformed]:
    """A npy file with one `fault`, or any: `truncated`, `magic`, `pickled` (an array of objects), `text`.

    Shrinks to one byte.
    """
    return _malformed(_NPY, fault)


def _npy(draw: st.DrawFn) -> bytes:
    file = io.BytesIO()
    np.save(file, draw(_matrices))
    return file.getvalue()


def _npy_truncated(draw: st.DrawFn) -> bytes:
    whole = _npy(draw)
    return whole[: draw(st.integers(1, len(whole) - 1))]


def _npy_pickled(draw: st.DrawFn) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([None, *draw(_tables)], object), allow_pickle=True)
    return file.getvalue()


_NPY: _Faults = {
    "truncated": _npy_truncated,
    "magic": lambda draw: b"\x93NUMPX" + _npy(draw)[6:],
    "pickled": _npy_pickled,
    "text": lambda draw: _csv(draw(_tables)),
}
