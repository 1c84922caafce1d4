"""What a run comes to: records, and the JSON that `--json` writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.checks import CheckResult
from harness.runs.steps import Step


class Outcome(StrEnum):
    """How a scenario ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_OFFERED = "not_offered"


@dataclass(frozen=True)
class Prediction:
    """Actual and predicted values of the same rows, in order, for a picture."""

    title: str
    actual: tuple[float, ...]
    predicted: tuple[float, ...]


@dataclass(frozen=True)
class Explanation:
    """The line of a container's log that says why something failed."""

    group: str
    stream: str
    line: str


@dataclass(frozen=True)
class ScenarioResult:
    """One scenario on one target. `error` is one line, `traceback` the whole of it."""

    name: str
    title: str
    status: Outcome
    seconds: float
    checks: tuple[CheckResult, ...] = ()
    leftovers: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    error: str | None = None
    traceback: str | None = None
    explanations: tuple[Explanation, ...] = ()
    output: str = ""
    missing: tuple[str, ...] = ()

    @property
    def reasons(self) -> list[str]:
        """Why it did not pass, each in one line."""
        found = [f"{check.name}: {check.detail}" for check in self.checks if not check.passed]
        if self.error:
            found.insert(0, self.error)
        if self.missing:
            found.append(f"the target does not offer {', '.join(self.missing)}")
        return found


@dataclass(frozen=True)
class RunResult:
    """All scenarios of one run. `named` are those that were asked for by name."""

    run_id: str
    target: str
    region: str
    started: str
    seconds: float
    scenarios: tuple[ScenarioResult, ...]
    named: frozenset[str] = frozenset()
    versions: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    leftovers: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Nothing failed, nothing that was asked for by name was left out, something was played."""
        outcomes = [scenario.status for scenario in self.scenarios]
        left_out = [
            scenario
            for scenario in self.scenarios
            if scenario.status is Outcome.NOT_OFFERED and scenario.name in self.named
        ]
        return (
            not self.interrupted
            and not self.leftovers
            and Outcome.FAILED not in outcomes
            and not left_out
            and Outcome.PASSED in outcomes
        )

    def to_json(self) -> dict[str, Any]:
        """The results as plain data."""
        return {
            "run_id": self.run_id,
            "target": self.target,
            "region": self.region,
            "started": self.started,
            "seconds": round(self.seconds, 3),
            "passed": self.passed,
            "interrupted": self.interrupted,
            "leftovers": list(self.leftovers),
            "versions": self.versions,
            "scenarios": [_scenario(scenario) for scenario in self.scenarios],
        }


def _scenario(result: ScenarioResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "status": result.status.value,
        "seconds": round(result.seconds, 3),
        "checks": [_check(check) for check in result.checks],
        "leftovers": list(result.leftovers),
        "steps": [_step(step) for step in result.steps],
        "error": result.error,
        "missing": list(result.missing),
        "log_lines": [
            {"group": found.group, "stream": found.stream, "line": found.line}
            for found in result.explanations
        ],
    }


def _check(check: CheckResult) -> dict[str, str]:
    return {
        "name": check.name,
        "status": check.status.value,
        "sentence": check.sentence,
        "detail": check.detail,
        "source": check.source,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "verb": step.verb,
        "subject": step.subject,
        "seconds": round(step.seconds, 3),
        "calls": step.count,
        "status": step.status,
    }


def slowest(steps: Sequence[Step]) -> float:
    """Seconds of the longest step; 0 without steps."""
    return max((step.seconds for step in steps), default=0.0)
