"""What a run comes to, and its JSON."""

import json

import pytest

from harness.checks import CheckResult, Status
from harness.runs.results import Outcome, RunResult, ScenarioResult


def check(passed: bool = True) -> CheckResult:
    """A result."""
    status = Status.PASSED if passed else Status.FAILED
    return CheckResult("name", status, "sentence", "detail", "source")


def run(*scenarios: ScenarioResult, **changes: object) -> RunResult:
    """A run of these."""
    fields = {"named": frozenset[str](), **changes}
    return RunResult("id", "embedded", "us-east-1", "2026", 1.0, scenarios, **fields)  # type: ignore[arg-type]


def scenario(name: str, status: Outcome) -> ScenarioResult:
    """One of the run's scenarios."""
    return ScenarioResult(name, name, status, 1.0, checks=(check(status is Outcome.PASSED),))


PASSED = scenario("good", Outcome.PASSED)
FAILED = scenario("bad", Outcome.FAILED)
MISSING = scenario("other", Outcome.NOT_OFFERED)


@pytest.mark.parametrize(
    ("result", "passed"),
    [
        (run(PASSED), True),
        (run(PASSED, MISSING), True),
        (run(PASSED, MISSING, named=frozenset({"good"})), True),
        (run(PASSED, MISSING, named=frozenset({"good", "other"})), False),
        (run(MISSING), False),
        (run(), False),
        (run(PASSED, FAILED), False),
        (run(PASSED, interrupted=True), False),
        (run(PASSED, leftovers=("machine port",)), False),
    ],
)
def test_a_run_passes_only_if_everything_did(result: RunResult, passed: bool) -> None:
    """One failure, a leftover, an interruption, a named scenario not offered, or nothing played fail it."""
    assert result.passed is passed


def test_the_json_has_its_shape() -> None:
    """`run_id`, `target`, and per scenario name, status, seconds, checks and leftovers."""
    data = json.loads(json.dumps(run(PASSED, FAILED, MISSING).to_json()))
    assert {"run_id", "target", "scenarios"} <= set(data)
    assert [one["status"] for one in data["scenarios"]] == ["passed", "failed", "not_offered"]
    first = data["scenarios"][0]
    assert {"name", "status", "seconds", "checks", "leftovers"} <= set(first)
    assert {"name", "status", "detail", "source"} <= set(first["checks"][0])
    assert data["scenarios"][1]["checks"][0]["status"] == "failed"


def test_reasons_name_every_failed_check() -> None:
    """The error comes first, then each check that did not hold, then what was missing."""
    result = ScenarioResult(
        "s",
        "t",
        Outcome.FAILED,
        0.0,
        checks=(check(False), check()),
        error="E: x",
        missing=("logs",),
    )
    assert result.reasons == ["E: x", "name: detail", "the target does not offer logs"]
