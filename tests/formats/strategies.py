"""Inputs for the codecs: matrices with labels, as flows write them and as nobody would."""

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from harness.formats.framing import MAGIC_BYTES

Array = npt.NDArray[Any]

FLOATS = {
    np.dtype(np.float32): st.floats(width=32, allow_nan=True, allow_infinity=True),
    np.dtype(np.float64): st.floats(allow_nan=True, allow_infinity=True),
}
INT32 = st.integers(-(2**31), 2**31 - 1)


def columns(dtype: np.dtype[Any]) -> st.SearchStrategy[Any]:
    """Values of one dtype that SageMaker's tensors can hold."""
    return FLOATS.get(dtype, INT32)


DTYPES: list[np.dtype[Any]] = [np.dtype(kind) for kind in (np.float32, np.float64, np.int64)]
dtypes = st.sampled_from(DTYPES)


@st.composite
def labeled(
    draw: st.DrawFn, dtype: st.SearchStrategy[np.dtype[Any]] = dtypes, least_width: int = 0
) -> tuple[Array, Array | None]:
    """A matrix (records, features) and one label per record, or None."""
    kind = draw(dtype)
    shape = (draw(st.integers(0, 12)), draw(st.integers(least_width, 9)))
    features = draw(hnp.arrays(kind, shape, elements=columns(kind)))
    if draw(st.booleans()):
        return features, None
    label_kind = draw(dtype)
    return features, draw(hnp.arrays(label_kind, shape[0], elements=columns(label_kind)))


SPARSE = ("csr", "csc", "coo", "bsr", "dok", "lil", "dia")


@st.composite
def sparse_matrices(draw: st.DrawFn, least_width: int = 0) -> tuple[Any, Array | None]:
    """A scipy matrix of any format, and labels or None.

    In csr a place may occur twice, in any order; zeros may be stored; rows may be empty.
    """
    kind = draw(dtypes)
    rows, width = draw(st.integers(0, 8)), draw(st.integers(least_width, 9))
    count = draw(st.integers(0, 20)) if rows and width else 0
    # Sums of what stands twice in one place must stay within 32 bits.
    values = st.floats(-1e3, 1e3, width=32) if kind.kind == "f" else st.integers(-1000, 1000)
    data = draw(hnp.arrays(kind, count, elements=values))
    places = st.integers(0, max(0, width - 1))
    columns_of = draw(hnp.arrays(np.int64, count, elements=places))
    labels = None
    if draw(st.booleans()):
        label_kind = draw(dtypes)
        labels = draw(hnp.arrays(label_kind, rows, elements=columns(label_kind)))
    form = draw(st.sampled_from(SPARSE))
    if form == "csr":
        inner = sorted(
            draw(
                st.lists(
                    st.integers(0, count), min_size=max(0, rows - 1), max_size=max(0, rows - 1)
                )
            )
        )
        ends = [0, *inner, count] if rows else [0]
        return sparse.csr_matrix((data, columns_of, ends), shape=(rows, width)), labels
    rows_of = draw(hnp.arrays(np.int64, count, elements=st.integers(0, max(0, rows - 1))))
    matrix = sparse.coo_matrix((data, (rows_of, columns_of)), shape=(rows, width))
    if form == "bsr" and 0 in (rows, width):
        form = "csc"
    return matrix.asformat(form), labels


ANY_DTYPES = [
    *DTYPES,
    *map(
        np.dtype, ("int32", "int16", "uint64", "float16", "complex128", "bool", ">f4", ">i8", "U3")
    ),
    np.dtype(object),
]


@st.composite
def arrays_or_not(draw: st.DrawFn) -> tuple[Any, Any]:
    """Features and labels that a writer may have to refuse: any shape, dtype, length and order in memory."""
    kind = draw(st.sampled_from(ANY_DTYPES) | dtypes)
    numbers = draw(st.sampled_from([2, 2, 2, 2, 1, 0, 3]))
    shape = tuple(draw(st.integers(0, 4)) for _ in range(numbers))
    features = draw(_any_array(kind, shape))
    if draw(st.booleans()):
        return features, None
    lengths = st.sampled_from(sorted({*shape, 3}))
    label_shape = draw(
        st.sampled_from([1, 1, 1, 1, 2, 0])
        .map(range)
        .flatmap(lambda places: st.tuples(*(lengths for _ in places)))
    )
    return features, draw(_any_array(draw(st.sampled_from(ANY_DTYPES) | dtypes), label_shape))


@st.composite
def _any_array(draw: st.DrawFn, kind: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    elements = None
    if kind == np.dtype(object):
        elements = st.none() | st.floats()
    elif kind.kind in "iu":
        # Now and then an integer that no tensor holds.
        elements = st.integers(-5, 5).map(abs) | hnp.from_dtype(kind)
    array = draw(hnp.arrays(kind, shape, elements=elements))
    return draw(
        st.sampled_from(
            [array, np.asfortranarray(array), np.repeat(array, 2, -1)[..., ::2] if shape else array]
        )
    )


payloads = st.lists(
    st.binary(max_size=9)
    | st.sampled_from([MAGIC_BYTES, MAGIC_BYTES * 2, MAGIC_BYTES[:2], MAGIC_BYTES[2:]]),
    max_size=8,
).map(b"".join)
"""Bytes in which the magic number stands at any place, whole and in pieces."""
