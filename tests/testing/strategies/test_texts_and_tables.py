"""The strategies of text, of CSV rows, of JSON and of libsvm reach what they name."""

import json
import math
import re
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.formats import csv
from harness.testing.strategies import (
    LINE_BREAKS,
    awkward_text,
    csv_rows,
    json_lines,
    json_values,
    libsvm_lines,
    mixed_rows,
)
from tests.testing.strategies.finding import drawn, found, least


def test_each_awkward_piece_occurs() -> None:
    """Whatever ends a line somewhere, quotes, separators, a byte order mark, NUL, letters of two code points."""
    texts = drawn(awkward_text())
    pieces = [*LINE_BREAKS, "\r\n", '"', '""', ",", "\ufeff", "\x00", "e\u0301"]
    assert [piece for piece in pieces if not any(piece in text for text in texts)] == []


def test_text_shrinks_to_what_matters() -> None:
    """Of a text with a line break little else is left."""
    assert len(least(awkward_text(), lambda text: "\u2028" in text)) <= 2


@given(awkward_text(line_breaks=False))
def test_text_without_line_breaks_is_one_line(text: str) -> None:
    """No character in it ends a line, not even for `str.splitlines`, and UTF-8 can encode it."""
    assert len(f"{text}.".splitlines()) == 1
    assert text.encode("utf-8").decode("utf-8") == text


@given(csv_rows(missing=True))
def test_csv_rows_are_read_as_their_numbers(rows: list[list[str]]) -> None:
    """The CSV reader finds each cell's number, and the stated value in empty ones."""
    text = "".join(",".join(row) + "\n" for row in rows)
    if any(not any(row) and len(row) == 1 for row in rows):
        return  # a blank line is no row
    records = csv.loads(text.encode(), missing=math.nan)
    expected = [[float(cell) if cell else math.nan for cell in row] for row in rows]
    assert np.array_equal(records.features, np.array(expected), equal_nan=True)


@given(mixed_rows(rows=(1, 4), columns=(2, 3)))
def test_mixed_rows_are_of_one_length(rows: list[list[Any]]) -> None:
    """A table within its bounds."""
    assert 1 <= len(rows) <= 4
    assert {len(row) for row in rows} <= {2, 3}
    assert len({len(row) for row in rows}) == 1


def test_each_kind_of_cell_occurs() -> None:
    """Cells are integers, floats, truth values, None and text; one cell of any kind is the least."""
    cells = {type(cell) for rows in drawn(mixed_rows(), 100) for row in rows for cell in row}
    assert cells == {int, float, bool, type(None), str}
    assert least(mixed_rows(), lambda rows: type(rows[0][0]) is str) == [[""]]


@given(json_values())
def test_json_comes_back_as_it_was(value: Any) -> None:
    """Python's `json` writes and reads each value without a loss, as strict JSON."""
    assert json.loads(json.dumps(value, allow_nan=False)) == value


def test_numbers_that_json_does_not_know_occur_when_asked_for() -> None:
    """NaN is drawn with `finite=False`."""

    def is_no_json(value: Any) -> bool:
        try:
            return not json.dumps(value, allow_nan=False)
        except ValueError:
            return True

    assert is_no_json(found(json_values(finite=False), is_no_json))


@given(json_lines(rows=(2, 3), objects=True))
def test_lines_of_objects_are_objects(rows: list[Any]) -> None:
    """As many rows as asked for, each of them an object."""
    assert 2 <= len(rows) <= 3
    assert all(type(row) is dict for row in rows)


@given(st.integers(0, 3), st.booleans(), st.data())
def test_libsvm_lines_have_rising_indices(first: int, groups: bool, data: st.DataObject) -> None:
    """Each line is a label, perhaps a group, and pairs whose indices rise from `first` on."""
    last = -1
    for line in data.draw(libsvm_lines(columns=4, first=first, groups=groups)):
        label, *pairs = line.split(" ")
        assert math.isfinite(float(label))
        if groups:
            name, _, group = pairs.pop(0).partition(":")
            assert name == "qid"
            assert int(group) >= last
            last = int(group)
        indices = [int(pair.partition(":")[0]) for pair in pairs]
        assert indices == sorted({*indices})
        assert {*indices} <= set(range(first, first + 4))
        assert all(math.isfinite(float(pair.partition(":")[2])) for pair in pairs)


def test_libsvm_lines_may_have_no_values() -> None:
    """A line with a label alone is the least; one with a zero that is written out is found."""
    assert least(libsvm_lines(), lambda lines: True) == ["0"]
    assert found(libsvm_lines(), lambda lines: re.search(r":-?0(\.0+)?\b", " ".join(lines)))
