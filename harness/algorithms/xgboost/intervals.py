"""Intervals of numbers, read from and printed as the text that the image's messages show: `(0, 1]`."""

import re
from dataclasses import dataclass

_TEXT = re.compile(r"(?P<left>[\[(])(?P<low>[^,]+), (?P<high>[^\])]+)(?P<right>[\])])")


@dataclass(frozen=True)
class Interval:
    """A range of numbers; its ends are part of it or not, an end at infinity never is."""

    low: float
    high: float
    low_included: bool
    high_included: bool
    text: str

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Read `[0, 1]`, `(0, +inf)` and the like; ValueError for anything else."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no interval")
        return cls(
            float(match["low"]),
            float(match["high"]),
            match["left"] == "[",
            match["right"] == "]",
            text,
        )

    def __contains__(self, value: float) -> bool:
        # NaN passes, as it does there: neither comparison excludes it.
        below = value < self.low if self.low_included else value <= self.low
        above = value > self.high if self.high_included else value >= self.high
        return not (below or above)

    def __str__(self) -> str:
        return self.text

    def phrase(self, noun: str) -> str:
        """In words, as 0.72's messages have it: `a number greater than 0`."""
        low, high = (part.strip("[()]") for part in self.text.split(", "))
        article = "an" if noun.startswith("i") else "a"
        if high == "+inf":
            return f"{article} {noun} greater than {low}"
        return f"{article} {noun} between {low} and {high}"
