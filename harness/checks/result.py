"""What a check says: whether it held, the sentence that it holds, what was seen, and where the sentence is from."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True)
class CheckResult:
    """One check that was made.

    `sentence` says what must hold, in general; `detail` what was seen this time; `source` the page, the
    model shape or the note from which the sentence comes.
    """

    name: str
    status: Status
    sentence: str
    detail: str
    source: str

    @property
    def passed(self) -> bool:
        """Whether it held."""
        return self.status is Status.PASSED


@dataclass(frozen=True)
class Invariant:
    """A sentence that must hold, with its name and source; a check makes a result of it."""

    name: str
    sentence: str
    source: str

    def result(self, holds: object, detail: str) -> CheckResult:
        """The result with what was seen."""
        return CheckResult(
            self.name, Status.PASSED if holds else Status.FAILED, self.sentence, detail, self.source
        )
