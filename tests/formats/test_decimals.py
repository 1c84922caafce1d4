"""Numbers in decimal: whole blocks of them as Python's float and int read each."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from harness.formats import decimals

numbers = (
    st.floats().map(repr)
    | st.floats(width=32).map(lambda value: str(np.float32(value)))
    | st.integers(-(10**25), 10**25).map(str)
    | st.from_regex(r"[-+]?([0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,25})([eE][-+]?[0-9]{1,3})?", fullmatch=True)
    | st.sampled_from(["nan", "-inf", "Infinity", "+5", "-0", "-.0", "0.1e1", "1" * 400])
).filter(str.isascii)  # fmt: skip
separators = st.sampled_from([" ", ":", "\n", "\r\n", "\t", "  ", ","])


@given(st.lists(st.tuples(numbers, separators), max_size=12), st.booleans())
@example(
    [("9007199254740993", " "), ("0.30000000000000004", " "), ("123456789012345678", "")], False
)
@example([("179769313486231580793e289", ":"), ("4.9e-324", " "), ("2.2250738585072011e-308", "")], True)  # fmt: skip
def test_floats_are_pythons_to_the_last_bit(found: list[tuple[str, str]], led: bool) -> None:
    """Every number among separators, NaN and the sign of zero included."""
    text = (" " if led else "") + "".join(number + separator for number, separator in found)
    numerals = decimals.numerals(text.encode())
    everything = np.arange(len(numerals.starts))
    expected = np.array([float(number) for number, _ in found], np.float64)
    assert numerals.floats(everything).view(np.int64).tolist() == expected.view(np.int64).tolist()
    assert numerals.floats(everything[::2]).tobytes() == expected[::2].tobytes()


@given(
    st.lists(st.integers(0, 10**20) | st.sampled_from([2**63 - 1, 2**63]), max_size=12),
    st.integers(0, 30),
)
def test_integers_are_pythons_while_64_bits_hold_them(found: list[int], zeros: int) -> None:
    """Leading zeros do nothing, and what is too large is the largest."""
    numerals = decimals.numerals(" ".join("0" * zeros + str(number) for number in found).encode())
    everything = np.arange(len(found))
    expected = [min(number, decimals.MOST) for number in found]
    assert numerals.integers(everything).tolist() == expected
