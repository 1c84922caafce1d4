"""Rows for CSV: numbers as a file for training holds them, and cells of every kind."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from harness.testing.strategies.arrays import numbers
from harness.testing.strategies.texts import awkward_text

_numbers = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-1e6, 1e6).map(lambda value: f"{value:.3f}"),
    st.floats(-1e6, 1e6).map(lambda value: f"{value:E}"),
)
_mixed = {
    line_breaks: st.one_of(
        st.integers(),
        numbers(np.float64, finite=False),
        st.booleans(),
        st.none(),
        awkward_text(line_breaks=line_breaks),
    )
    for line_breaks in (False, True)
}


@st.composite
def csv_rows(
    draw: st.DrawFn,
    *,
    rows: tuple[int, int] = (1, 20),
    columns: tuple[int, int] = (1, 8),
    missing: bool = False,
) -> list[list[str]]:
    """Rows of cells as a CSV file for training holds them: numbers in any notation, no header.

    With `missing` some cells are empty. All rows have one length. Shrinks to one cell, `0`.
    """
    cell = _numbers | st.just("") if missing else _numbers
    return draw(_table(cell, rows, columns))


@st.composite
def mixed_rows(
    draw: st.DrawFn,
    *,
    rows: tuple[int, int] = (1, 8),
    columns: tuple[int, int] = (1, 5),
    line_breaks: bool = True,
) -> list[list[Any]]:
    """Rows whose cells are integers, floats (NaN and infinities too), booleans, None and awkward text.

    Without `line_breaks` no text holds one, so that each row is one line whatever the reader.
    All rows have one length. Shrinks to one cell, `0`.
    """
    return draw(_table(_mixed[line_breaks], rows, columns))


@st.composite
def _table(
    draw: st.DrawFn, cell: st.SearchStrategy[Any], rows: tuple[int, int], columns: tuple[int, int]
) -> list[list[Any]]:
    width = draw(st.integers(*columns))
    row = st.lists(cell, min_size=width, max_size=width)
    return draw(st.lists(row, min_size=rows[0], max_size=rows[1]))
