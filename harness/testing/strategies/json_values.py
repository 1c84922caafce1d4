"""JSON: values of every kind, and rows for JSON Lines."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from harness.testing.strategies.arrays import numbers
from harness.testing.strategies.texts import awkward_text


def json_values(*, finite: bool = True, max_leaves: int = 12) -> st.SearchStrategy[Any]:
    """What Python's `json` writes and reads back as it was: lists and objects, however deep.

    Integers have any size, text is awkward. With `finite=False` NaN and infinities occur, which Python
    writes and JSON does not know. Shrinks to None, then to small and shallow values.
    """
    leaf = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        numbers(np.float64, finite=finite),
        awkward_text(),
    )
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(awkward_text(), inner, max_size=4)
        ),
        max_leaves=max_leaves,
    )


def json_lines(
    *,
    rows: tuple[int, int] = (1, 5),
    finite: bool = True,
    objects: bool = False,
) -> st.SearchStrategy[list[Any]]:
    """The values of as many lines, of any kind, or all of them objects. Shrinks to one None or `{}`."""
    row = json_values(finite=finite, max_leaves=4)
    if objects:
        row = st.dictionaries(awkward_text(), row, max_size=3)
    return st.lists(row, min_size=rows[0], max_size=rows[1])
