"""What an inspection says: what was read, what was found in it, and what each algorithm would make of it."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from harness.checks.inspection.statistics import Column, Labels
from harness.formats.errors import FormatError

LINEAR_LEARNER = "linear-learner"
XGBOOST = "xgboost"
XGBOOST_0_72 = "xgboost:1"

EVERY = (LINEAR_LEARNER, XGBOOST)
"""The algorithms that are spoken of when the caller names none."""

_LONGEST_SHOWN = 60


class Use(StrEnum):
    """What a file is for."""

    TRAINING = "training"
    INFERENCE = "inference"


@dataclass(frozen=True)
class Place:
    """Where something stands; what does not apply is None. Lines and columns count from 1, records and bytes from 0."""

    line: int | None = None
    column: int | None = None
    record: int | None = None
    offset: int | None = None

    def __str__(self) -> str:
        parts = (
            ("line", self.line),
            ("column", self.column),
            ("record", self.record),
            ("byte", self.offset),
        )
        return ", ".join(f"{name} {value:,}" for name, value in parts if value is not None)


@dataclass(frozen=True)
class Finding:
    """Something in a file that is worth a line.

    `refused_by` names the algorithms that stop at it; when there is none it is a hint. `shown` is the text in
    question, `times` how often the same was found, this place being the first.
    """

    kind: str
    sentence: str
    place: Place = Place()
    shown: str = ""
    refused_by: tuple[str, ...] = ()
    times: int = 1


class Findings:
    """Gathers findings, the first `limit` of them, and counts the rest by kind."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found: list[Finding] = []
        self._left_out: Counter[str] = Counter()

    @property
    def full(self) -> bool:
        """Whether no more is kept, so that looking for places is in vain."""
        return len(self._found) >= self._limit

    def add(
        self,
        kind: str,
        sentence: str,
        place: Place = Place(),
        *,
        shown: str = "",
        refused_by: Iterable[str] = (),
        times: int = 1,
    ) -> None:
        """One more; kept when there is room."""
        if self.full:
            self._left_out[kind] += times
            return
        shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."
        self._found.append(Finding(kind, sentence, place, shown, tuple(refused_by), times))

    def add_error(
        self, kind: str, error: FormatError, *, shown: str = "", refused_by: Iterable[str] = ()
    ) -> None:
        """What a codec says, at its place."""
        sentence = error.problem + (f" (expected {error.expected})" if error.expected else "")
        offset = None if error.line else error.offset
        place = Place(error.line, error.column, error.record, offset)
        self.add(kind, sentence, place, shown=shown, refused_by=refused_by)

    def kept(self) -> tuple[Finding, ...]:
        """What was kept: what algorithms stop at first, each in the order of the file."""
        return tuple(sorted(self._found, key=lambda finding: not finding.refused_by))

    def left_out(self) -> dict[str, int]:
        """How many more of each kind there were, as far as was looked."""
        return dict(self._left_out)


@dataclass
class Contents:
    """What was read: `records` of `width` features and `label_size` labels each; None is unknown.

    `complete` is False when the end of the file was not looked at. `notes` are facts worth telling.
    """

    records: int = 0
    width: int | None = None
    label_size: int | None = None
    labels: Labels = field(default_factory=Labels)
    features: Column = field(default_factory=Column)
    complete: bool = True
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """What one algorithm makes of a file.

    `takes` says whether it reads this content type, for this use, at all. When the file is not `usable`,
    `text` is what the container says, `said_as` how a caller gets to see it, and `log` what its log adds.
    """

    algorithm: str
    usable: bool
    takes: bool = True
    text: str = ""
    said_as: str = ""
    log: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """All of it, for one file."""

    path: str
    size: int
    content_type: str
    use: Use
    contents: Contents
    findings: tuple[Finding, ...]
    left_out: dict[str, int]
    verdicts: tuple[Verdict, ...]
    asked: bool = False
    """The caller named the algorithms."""

    @property
    def usable(self) -> bool:
        """Whether every algorithm that was asked for can use the file; if none was: all that take its content type."""
        counting = [verdict for verdict in self.verdicts if self.asked or verdict.takes]
        return bool(counting) and all(verdict.usable for verdict in counting)

    def to_json(self) -> dict[str, Any]:
        """For programs: plain lists, dictionaries, texts and finite numbers."""
        contents, labels = self.contents, self.contents.labels
        return {
            "path": self.path,
            "bytes": self.size,
            "content_type": self.content_type,
            "use": self.use.value,
            "usable": self.usable,
            "contents": {
                "records": contents.records,
                "features": contents.width,
                "label_size": contents.label_size,
                "complete": contents.complete,
                "labels": {
                    "first": [
                        value if math.isfinite(value) else str(value) for value in labels.first
                    ],
                    "different": None if labels.uncounted else len(labels.distinct),
                    "whole": labels.whole,
                    **_range(labels),
                },
                "values": _range(contents.features),
                "notes": contents.notes,
            },
            "findings": [
                {
                    "kind": finding.kind,
                    "sentence": finding.sentence,
                    **asdict(finding.place),
                    "shown": finding.shown,
                    "times": finding.times,
                    "refused_by": list(finding.refused_by),
                }
                for finding in self.findings
            ],
            "left_out": self.left_out,
            "verdicts": [
                {**asdict(verdict), "notes": list(verdict.notes)} for verdict in self.verdicts
            ],
        }


def _range(column: Column) -> dict[str, float | None]:
    return {
        "lowest": column.lowest,
        "highest": column.highest,
        "missing": column.missing,
        "infinite": column.infinite,
    }
