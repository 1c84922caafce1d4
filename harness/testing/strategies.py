"""Hypothesis strategies for data as SageMaker takes it, for testing serializers and models of your own.

Needs the package `hypothesis` (extra `test`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

Array = npt.NDArray[Any]

DTYPES = (np.float32, np.float64)


@st.composite
def features(
    draw: st.DrawFn,
    *,
    rows: tuple[int, int] = (1, 20),
    columns: tuple[int, int] = (1, 8),
    dtype: Any = np.float32,
    finite: bool = True,
) -> Array:
    """Matrices of shape (rows, columns), both between the given bounds.

    With `finite=False` NaN and infinities occur too; subnormal numbers and negative zero always do.
    """
    shape = draw(st.integers(*rows)), draw(st.integers(*columns))
    width = np.dtype(dtype).itemsize * 8
    elements = st.floats(width=width, allow_nan=not finite, allow_infinity=not finite)
    return draw(arrays(dtype, shape, elements=elements))


@st.composite
def labels(
    draw: st.DrawFn, rows: int, *, classes: int | None = None, dtype: Any = np.float32
) -> Array:
    """Vectors of `rows` labels: numbers, or whole numbers from 0 to `classes` - 1."""
    width = np.dtype(dtype).itemsize * 8
    elements: st.SearchStrategy[Any] = (
        st.floats(width=width, allow_nan=False, allow_infinity=False)
        if classes is None
        else st.integers(0, classes - 1).map(float)
    )
    return draw(arrays(dtype, rows, elements=elements))


@st.composite
def labelled(
    draw: st.DrawFn,
    *,
    rows: tuple[int, int] = (1, 20),
    columns: tuple[int, int] = (1, 8),
    classes: int | None = None,
    dtype: Any = np.float32,
) -> tuple[Array, Array]:
    """Features and labels of the same rows."""
    matrix = draw(features(rows=rows, columns=columns, dtype=dtype))
    return matrix, draw(labels(len(matrix), classes=classes, dtype=dtype))


@st.composite
def csv_rows(
    draw: st.DrawFn,
    *,
    rows: tuple[int, int] = (1, 20),
    columns: tuple[int, int] = (1, 8),
    missing: bool = False,
) -> list[list[str]]:
    """Rows of cells as a CSV file for training holds them: numbers in any notation, no header.

    With `missing` some cells are empty. All rows have one length.
    """
    width = draw(st.integers(*columns))
    cell = st.one_of(
        st.integers(-(10**9), 10**9).map(str),
        st.floats(allow_nan=False, allow_infinity=False).map(repr),
        st.floats(-1e6, 1e6).map(lambda value: f"{value:.3f}"),
        st.floats(-1e6, 1e6).map(lambda value: f"{value:E}"),
    )
    if missing:
        cell = cell | st.just("")
    count = draw(st.integers(*rows))
    row = st.lists(cell, min_size=width, max_size=width)
    return draw(st.lists(row, min_size=count, max_size=count))
