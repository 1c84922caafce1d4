"""Metrics read from a job's log by regular expressions: the last value of each is kept."""

import logging
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import regex

from harness.cloud.sagemaker.records import FinalMetric
from harness.containers.spec import LogLine

log = logging.getLogger(__name__)

# A user's expression may need time that grows exponentially with the line; after a few such lines it is given up.
SECONDS_PER_LINE = 0.2
FAILURES = 3


class MetricScanner:
    """Scans the lines of one job. `definitions` are pairs of name and expression, which must compile."""

    def __init__(self, definitions: Iterable[tuple[str, str]], now: Callable[[], datetime]) -> None:
        self._patterns: dict[str, Any] = {
            name: regex.compile(expression) for name, expression in definitions
        }
        self._failures = dict.fromkeys(self._patterns, 0)
        self._last: dict[str, FinalMetric] = {}
        self._now = now

    @property
    def final(self) -> tuple[FinalMetric, ...]:
        """What was found, in the order of the definitions."""
        return tuple(self._last[name] for name in self._patterns if name in self._last)

    def feed(self, lines: Sequence[LogLine]) -> None:
        """Look for every metric in every line."""
        for line in lines:
            texts = [line.message]
            # Amazon's expressions are written for logs in which a tab appears as #011.
            if "\t" in line.message:
                texts.append(line.message.replace("\t", "#011"))
            for name in self._patterns:
                self._look(name, texts)

    def _look(self, name: str, texts: Sequence[str]) -> None:
        if self._failures[name] >= FAILURES:
            return
        for text in texts:
            try:
                found = self._patterns[name].search(text, timeout=SECONDS_PER_LINE)
            except TimeoutError:
                self._failures[name] += 1
                log.warning("the expression of metric %s took too long on a line", name)
                return
            value = None if found is None else _number(found)
            if value is not None:
                self._last[name] = FinalMetric(name, value, self._now())
                return


def _number(found: Any) -> float | None:
    """The first group (the whole match without one) as the nearest 32-bit float, which the service keeps."""
    try:
        value: float = struct.unpack("f", struct.pack("f", float(found[min(1, found.re.groups)])))[
            0
        ]
    except (ValueError, TypeError, OverflowError):
        return None
    return value if math.isfinite(value) else None
