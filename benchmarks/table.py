"""Medians and ratios of paired runs, as a Markdown table."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One comparison: what was measured, in which unit, ours against the peer's, and the goal."""

    what: str
    unit: str
    ours: Sequence[float]
    peer: str = ""
    peers: Sequence[float] = ()
    goal: str = ""

    @property
    def ratio(self) -> float | None:
        """The median over the pairs of ours / peer's."""
        if not self.peers:
            return None
        return statistics.median(a / b for a, b in zip(self.ours, self.peers, strict=True))

    def cells(self) -> list[str]:
        """The row's cells."""
        ratio = self.ratio
        return [
            self.what,
            f"{statistics.median(self.ours):.4g} {self.unit}",
            f"{statistics.median(self.peers):.4g} {self.unit} ({self.peer})" if self.peers else "",
            "" if ratio is None else f"{ratio:.2g}",
            self.goal,
            str(len(self.ours)),
        ]


def markdown(rows: Sequence[Row]) -> str:
    """All rows as one table."""
    head = ["measured", "ours, median", "peer, median", "ratio", "goal", "runs"]
    lines = [head, ["---"] * len(head), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def in_turn(
    ours: Callable[[], float], peers: Callable[[], float], runs: int
) -> tuple[list[float], list[float]]:
    """Measure A B A B ... after one uncounted pair, so that a drifting machine touches both."""
    ours(), peers()
    pairs = [(ours(), peers()) for _ in range(runs)]
    return [a for a, _ in pairs], [b for _, b in pairs]
