"""Numbers written in decimal, all of a block of text at once: to the last bit what Python's float makes of each.

The digits of a number are an integer, its point a division by a power of ten. Where both are exact in 64-bit
floats the quotient is rounded once, as it should be; the other numbers go one by one through `float`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]

MOST = (1 << 63) - 1

_DIGIT, _POINT, _MINUS, _OTHER, _BETWEEN = range(5)
_KINDS = bytes(
    {
        **dict.fromkeys(range(256), _OTHER),
        **dict.fromkeys(b"0123456789", _DIGIT),
        **dict.fromkeys(b".", _POINT),
        **dict.fromkeys(b"-", _MINUS),
        **dict.fromkeys(b" \t\r\n:,", _BETWEEN),
    }.values()
)
_MOST_DIGITS = 18
"""As many as 64 bits always have room for."""
_MOST_EXACT = 1 << 53
_POWERS = 10 ** np.arange(_MOST_DIGITS + 1, dtype=np.int64)
_DIVISORS = _POWERS.astype(np.float64)


@dataclass(frozen=True)
class Numerals:
    """The numerals of `text`, that is, whatever stands between blanks, line ends, colons and commas.

    `starts` and `ends` are their positions. They are taken for numbers without being looked at: grammar is
    the caller's.
    """

    text: bytes
    starts: Positions
    ends: Positions
    _kinds: npt.NDArray[np.uint8]
    _lengths: npt.NDArray[np.int32]
    """How many digits each has."""
    _wholes: npt.NDArray[np.int64]
    """The integer that the digits of each are, where there are not too many."""
    _decimals: npt.NDArray[np.int32]
    """How many digits of each follow its point."""

    def integers(self, which: Positions) -> npt.NDArray[np.int64]:
        """The integers that numerals of digits only are; `MOST` for any that is larger."""
        found = self._wholes[which]
        for place in np.flatnonzero(self._lengths[which] > _MOST_DIGITS):
            digits = self._numeral(which[place]).lstrip(b"0")
            found[place] = (
                MOST if len(digits) > _MOST_DIGITS + 1 else min(int(digits or b"0"), MOST)
            )
        return found

    def floats(self, which: Positions) -> npt.NDArray[np.float64]:
        """The numbers that numerals are."""
        wholes, decimals = self._wholes[which], self._decimals[which]
        found = wholes / np.take(_DIVISORS, decimals, mode="clip")
        np.negative(found, out=found, where=self._kinds[self.starts[which]] == _MINUS)
        inexact = (self._lengths[which] > _MOST_DIGITS) | (wholes >= _MOST_EXACT)
        # An exponent, a plus, a word.
        others = np.flatnonzero(self._kinds == _OTHER)
        if len(others):
            odd = np.zeros(len(self.starts), np.bool_)
            odd[np.searchsorted(self.starts, others, "right") - 1] = True
            inexact |= odd[which]
        for place in np.flatnonzero(inexact):
            found[place] = float(self._numeral(which[place]))
        return found

    def _numeral(self, number: int) -> bytes:
        return self.text[self.starts[number] : self.ends[number]]


def numerals(text: bytes) -> Numerals:
    """Find the numerals of a text."""
    kinds = np.frombuffer(text.translate(_KINDS), np.uint8)
    inside = np.concatenate([[False], kinds != _BETWEEN, [False]])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = edges[::2], edges[1::2]
    is_digit = kinds == _DIGIT
    before = np.zeros(len(kinds) + 1, np.int32)
    np.cumsum(is_digit, out=before[1:], dtype=np.int32)
    first, last = before[starts], before[ends]
    lengths = last - first

    digits = np.frombuffer(text, np.uint8)[is_digit] - np.uint8(ord("0"))
    so_far: npt.NDArray[np.int32] = np.arange(1, len(digits) + 1, dtype=np.int32)
    exponents: npt.NDArray[np.int32] = np.repeat(last, lengths) - so_far
    # Sums may overflow; their differences come out right.
    sums = np.zeros(len(digits) + 1, np.int64)
    np.cumsum(digits * np.take(_POWERS, exponents, mode="clip"), out=sums[1:])

    points = np.flatnonzero(kinds == _POINT)
    owners = np.searchsorted(starts, points, "right") - 1
    decimals = np.zeros(len(starts), np.int32)
    decimals[owners] = last[owners] - before[points]
    return Numerals(text, starts, ends, kinds, lengths, sums[last] - sums[first], decimals)
