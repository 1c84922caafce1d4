"""What the numbers of a file are like: range, missing ones, and of labels how many different ones."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MOST_DISTINCT = 10_000
_FIRST = 5
_LARGEST = float(np.finfo(np.float32).max)


def too_large(values: Array) -> npt.NDArray[np.bool_]:
    """Which numbers are infinite in float32, in which every container computes."""
    with np.errstate(over="ignore"):
        found: npt.NDArray[np.bool_] = np.isinf(values.astype(np.float32))
    return found


@dataclass
class Column:
    """The numbers of a column, or of several; the range is that of those that are neither missing nor infinite."""

    count: int = 0
    lowest: float | None = None
    highest: float | None = None
    missing: int = 0
    infinite: int = 0

    def add(self, values: Array) -> None:
        """More numbers, of any shape."""
        missing, infinite = np.isnan(values), too_large(values)
        self.count += values.size
        self.missing += int(missing.sum())
        self.infinite += int(infinite.sum())
        usable = values if not (missing | infinite).any() else values[~(missing | infinite)]
        if usable.size:
            low, high = float(usable.min()), float(usable.max())
            self.lowest = low if self.lowest is None else min(self.lowest, low)
            self.highest = high if self.highest is None else max(self.highest, high)


@dataclass
class Labels(Column):
    """The label column: also its first values, and the different ones, as far as they are counted."""

    first: list[float] = field(default_factory=list)
    distinct: set[float] = field(default_factory=set)
    uncounted: bool = False
    """There are more different values than are counted."""
    whole: bool = True
    """All are whole numbers."""
    counting: bool = True
    """They go up by one from record to record, as the index of a table does."""
    _last: float | None = None

    def add(self, values: Array) -> None:
        """More labels, in the order of the records."""
        super().add(values)
        if not values.size:
            return
        self.first += values[: max(0, _FIRST - len(self.first))].tolist()
        self.whole = self.whole and bool((values == np.floor(values)).all())
        with np.errstate(invalid="ignore"):
            steps = np.diff(values if self._last is None else np.append(self._last, values))
        self.counting = self.counting and bool((steps == 1).all())
        self._last = float(values[-1])
        if not self.uncounted:
            self.distinct.update(np.unique(values[~np.isnan(values)]).tolist())
            self.uncounted = len(self.distinct) > MOST_DISTINCT
