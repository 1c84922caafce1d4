"""JSON: values of every kind, and rows for JSON Lines."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from harness.testing.strategies.arrays import numbers
from harness.testing.strategies.texts import awkward_text


def _objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    # Quicker than `st.dictionaries`, which draws again for a key that is there already.
    return st.lists(st.tuples(awkward_text(max_size=2), values), max_size=3).map(dict)


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
        awkward_text(max_size=4),
    )
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=4) | _objects(inner),
        max_leaves=max_leaves,
    )


def json_lines(
    *,
    rows: tuple[int, int] = (1, 4),
    finite: bool = True,
    objects: bool = False,
) -> st.SearchStrategy[list[Any]]:
    """The values of as many lines, of any kind, or all of them objects. Shrinks to one None or `{}`."""
    row = json_values(finite=finite, max_leaves=2 if objects else 4)
    if objects:
        row = _objects(row)
    return st.lists(row, min_size=rows[0], max_size=rows[1])
