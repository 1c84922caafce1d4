"""libsvm: `label index:value index:value ...`, a line per record."""

from hypothesis import strategies as st

_numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-1e6, 1e6).map(lambda value: f"{value:.2f}"),
    st.sampled_from(["0", "-0.0", "+1.5", "1E-3", ".5", "5."]),
)


@st.composite
def libsvm_lines(
    draw: st.DrawFn,
    *,
    rows: tuple[int, int] = (1, 12),
    columns: int = 9,
    first: int = 1,
    groups: bool = False,
) -> list[str]:
    """Lines with a label and some of `columns` features in rising order, the lowest index `first`.

    Numbers have any notation, values may be zero and a line may have none. With `groups` each
    line has a `qid`, in order. Shrinks to the one line `0`.
    """
    values = st.lists(st.none() | _numbers, max_size=columns)
    lines = []
    group = 0
    for label, cells in draw(
        st.lists(st.tuples(_numbers, values), min_size=rows[0], max_size=rows[1])
    ):
        words = [label]
        if groups:
            group += draw(st.integers(0, 1))
            words.append(f"qid:{group}")
        words += [f"{index}:{cell}" for index, cell in enumerate(cells, first) if cell is not None]
        lines.append(" ".join(words))
    return lines
