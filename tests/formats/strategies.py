"""Inputs for the codecs: matrices with labels, as flows write them and as nobody would."""

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

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
