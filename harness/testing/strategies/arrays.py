"""Matrices and labels: numbers that survive no careless codec, in the dtypes that SageMaker takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays, from_dtype
from scipy import sparse

Array = npt.NDArray[Any]

DTYPES = (np.float32, np.float64)
#: What the tensors of recordIO-protobuf are written from.
TENSOR_DTYPES = (np.float32, np.float64, np.int64)
#: What they are not: the SDK's writers refuse each of these.
OTHER_DTYPES = ("int32", "int16", "uint8", "uint64", "float16", "bool", "complex128", ">f4", "U3")

_INT32 = np.iinfo(np.int32)


def numbers(dtype: Any, *, finite: bool = True) -> st.SearchStrategy[Any]:
    """Values of one dtype, its edges much oftener than chance would have them.

    Of a float: negative zero, subnormal and largest numbers, and NaN and infinities unless `finite`.
    Of int64: 32 bits, which is what a tensor holds. Shrinks to zero.
    """
    kind = np.dtype(dtype)
    if kind == np.int64:
        return st.integers(int(_INT32.min), int(_INT32.max))
    if kind.kind != "f":
        return from_dtype(kind)
    info = np.finfo(kind)
    edges = [-0.0, info.smallest_subnormal, -info.tiny, info.max, info.min, 1 + info.eps]
    if not finite:
        edges += [np.nan, np.inf, -np.inf]
    width: Any = kind.itemsize * 8
    return st.floats(
        width=width, allow_nan=not finite, allow_infinity=not finite
    ) | st.sampled_from([float(edge) for edge in edges])


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
    Thousands of columns cost little: then most places share one value. Shrinks to the smallest shape
    and to zeros.
    """
    shape = draw(st.integers(*rows)), draw(st.integers(*columns))
    return draw(arrays(dtype, shape, elements=numbers(dtype, finite=finite)))


@st.composite
def matrices(
    draw: st.DrawFn,
    *,
    rows: tuple[int, int] = (0, 20),
    columns: tuple[int, int] = (0, 8),
    dtypes: Sequence[Any] = TENSOR_DTYPES,
    finite: bool = False,
) -> Array:
    """Matrices of any of `dtypes`: no rows, no columns, NaN and infinities among them.

    `OTHER_DTYPES` gives what no tensor is made of. Shrinks to the first dtype, the smallest shape, zeros.
    """
    dtype = draw(st.sampled_from(dtypes))
    return draw(features(rows=rows, columns=columns, dtype=dtype, finite=finite))


@st.composite
def labels(
    draw: st.DrawFn, rows: int, *, classes: int | None = None, dtype: Any = np.float32
) -> Array:
    """Vectors of `rows` labels: finite numbers, or whole numbers from 0 to `classes` - 1.

    Shrinks to zeros.
    """
    elements = numbers(dtype) if classes is None else st.integers(0, classes - 1)
    if np.dtype(dtype).kind == "f":
        elements = elements.map(float)
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
    """Features and labels of the same rows. Shrinks to one row of zeros."""
    matrix = draw(features(rows=rows, columns=columns, dtype=dtype))
    return matrix, draw(labels(len(matrix), classes=classes, dtype=dtype))


@st.composite
def sparse_matrices(
    draw: st.DrawFn,
    *,
    rows: tuple[int, int] = (1, 12),
    columns: tuple[int, int] = (1, 9),
    dtypes: Sequence[Any] = TENSOR_DTYPES,
    formats: Sequence[str] = ("csr", "csc", "coo"),
    finite: bool = False,
    array: bool = False,
) -> Any:
    """Sparse matrices of scipy's: rows without a value, zeros that are stored, any order of values.

    With `array` they are of the newer classes (`csr_array`). No place is stored twice.
    Shrinks to the first format and dtype, the smallest shape, and nothing stored.
    """
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = draw(st.integers(*rows)), draw(st.integers(*columns))
    places = st.tuples(st.integers(0, shape[0] - 1), st.integers(0, shape[1] - 1))
    stored: dict[tuple[int, int], Any] = {}
    if shape[0] and shape[1]:
        value = numbers(dtype, finite=finite) | st.just(dtype.type(0).item())
        stored = draw(st.dictionaries(places, value, max_size=20))
    at = np.array(list(stored), np.int32).reshape(-1, 2).T
    values = np.array(list(stored.values()), dtype)
    kind = sparse.coo_array if array else sparse.coo_matrix
    return kind((values, (at[0], at[1])), shape=shape).asformat(draw(st.sampled_from(formats)))
