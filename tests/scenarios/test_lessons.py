"""The lessons that come with the project, played on the embedded target by the real SDK."""

import dataclasses
import json
from pathlib import Path

import pytest

from harness.runs import scenarios
from harness.runs.results import Outcome, RunResult
from harness.runs.runner import run
from harness.targets.embedded import Embedded
from tests.runs.test_runner import Told

LESSONS = ("rainfall", "boston_housing_deploy", "boston_housing_update")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """One run of all of them."""
    where = scenarios.folders()
    lessons = [scenarios.load(name, where) for name in LESSONS]
    folder = tmp_path_factory.mktemp("run")
    return run(lessons, Embedded(), Told(), ledger_path=folder / "ledger.jsonl")


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_plays_to_the_end(result: RunResult, name: str) -> None:
    """Every check held and nothing was left behind."""
    (scenario,) = [one for one in result.scenarios if one.name == name]
    assert scenario.reasons == []
    assert scenario.leftovers == ()
    assert scenario.status is Outcome.PASSED
    assert scenario.predictions


def test_the_run_passes_as_a_whole(result: RunResult) -> None:
    """Also after the target was closed nothing is left on the machine; the JSON says so."""
    assert result.leftovers == ()
    assert json.loads(json.dumps(result.to_json()))["passed"] is True


def test_each_lesson_states_what_the_lesson_is_about(result: RunResult) -> None:
    """The checks that make the lesson are among those that were made."""
    made = {one.name: {check.name for check in one.checks} for one in result.scenarios}
    assert made["rainfall"] >= {
        "round_trips", "one_score_per_row_in_order", "metric_in_log_is_true", "error_near_reference",
        "content_type", "high_level_equals_low_level", "status_path_legal", "nothing_left",
    }  # fmt: skip
    assert made["boston_housing_deploy"] >= {
        "no_header", "label_column", "one_score_per_row_in_order", "error_below",
        "high_level_equals_low_level", "within_payload_limit", "nothing_left",
    }  # fmt: skip
    assert made["boston_housing_update"] >= {
        "config_switched", "answered_by_old_or_new", "error_below", "nothing_left",
    }  # fmt: skip


def test_the_steps_of_a_lesson_are_seen(result: RunResult) -> None:
    """Training, deploying, updating, invoking and deleting are read off the calls, with their ends."""
    (update,) = [one for one in result.scenarios if one.name == "boston_housing_update"]
    ended = {(step.verb, step.status) for step in update.steps}
    assert ended >= {
        ("training", "Completed"), ("deploying", "InService"), ("updating", "InService"),
        ("invoking", ""), ("uploading to", ""), ("deleting", "Deleting"),
    }  # fmt: skip


MUTATIONS = {
    "a header in the training file": (
        "boston_housing_deploy", "to_csv(header=False, index=False)\n", "to_csv(index=False)\n",
        "no_header",
    ),
    "the label in the last column": (
        "boston_housing_deploy", "pd.concat([labels, features], axis=1)",
        "pd.concat([features, labels], axis=1)", "label_column",
    ),
    "an endpoint that is not deleted": (
        "boston_housing_update", "    predictor.delete_endpoint()\n", "", "nothing_left",
    ),
    "no update": (
        "boston_housing_update", "EndpointConfigName=name)\n        sagemaker.get_waiter",
        "EndpointConfigName=old_config)\n        sagemaker.get_waiter", "config_switched",
    ),
    "scores of other rows": (
        "rainfall", "answer = predictor.predict(x_test)", "answer = predictor.predict(x_test[::-1])",
        "one_score_per_row_in_order",
    ),
    "a loss that is not the lesson's": (
        "rainfall", '"loss": "absolute_loss"', '"loss": "squared_loss"', "error_near_reference",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mistake_in_a_lesson_is_caught(mutation: str, tmp_path: Path) -> None:
    """Each planted mistake fails the check that is there for it, and the run still leaves nothing."""
    name, right, wrong, check = MUTATIONS[mutation]
    source = scenarios.load(name, scenarios.folders()).source
    assert right in source
    (tmp_path / f"{name}.py").write_text(source.replace(right, wrong, 1))
    lesson = dataclasses.replace(scenarios.load(name, [tmp_path]))
    result = run([lesson], Embedded(), Told(), ledger_path=tmp_path / "ledger.jsonl")
    (scenario,) = result.scenarios
    assert scenario.status is Outcome.FAILED
    assert check in {one.name for one in scenario.checks if not one.passed}
    assert result.leftovers == ()
    assert all(leftover.endswith("(deleted by the run)") for leftover in scenario.leftovers)
