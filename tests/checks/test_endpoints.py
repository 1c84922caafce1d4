"""Checks on endpoints, logs and leftovers hold for what is right and fail for each wrong."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import checks


def test_a_switch_is_a_new_config_in_service() -> None:
    """The old name, another status, or no change at all fail."""
    right = {"EndpointConfigName": "new", "EndpointStatus": "InService"}
    assert checks.config_switched(right, old="old", new="new").passed
    for wrong in (
        {**right, "EndpointConfigName": "old"},
        {**right, "EndpointStatus": "Updating"},
        {},
    ):
        assert not checks.config_switched(wrong, old="old", new="new").passed
    assert not checks.config_switched(right, old="new", new="new").passed
    failed = checks.config_switched(
        {**right, "EndpointConfigName": "old", "FailureReason": "ping"}, old="old", new="new"
    )
    assert "FailureReason 'ping'" in failed.detail


def test_every_answer_is_the_old_models_or_the_new_ones() -> None:
    """Both must be seen; a lost request, a strange score, or models that cannot be told apart fail."""
    answers = [1.0, 1.0, 2.0]
    assert checks.answered_by_old_or_new(answers, old=1.0, new=2.0).passed
    lost = checks.answered_by_old_or_new([*answers, OSError("reset")], old=1.0, new=2.0)
    assert (lost.passed, lost.detail) == (False, "1 of 4 requests failed, the first: reset")
    strange = checks.answered_by_old_or_new([*answers, 1.5], old=1.0, new=2.0)
    assert "1.5 is neither" in strange.detail
    assert not strange.passed
    assert not checks.answered_by_old_or_new([1.0, 1.0], old=1.0, new=2.0).passed
    assert not checks.answered_by_old_or_new([2.0], old=1.0, new=2.0).passed
    assert not checks.answered_by_old_or_new(answers, old=1.0, new=1.0).passed


def test_high_and_low_level_agree_score_by_score() -> None:
    """Another length, one other score, or nothing at all fail."""
    assert checks.high_level_equals_low_level([1.0, 2.0], [1.0, 2.0]).passed
    assert not checks.high_level_equals_low_level([1.0, 2.0], [1.0]).passed
    failed = checks.high_level_equals_low_level([1.0, 2.0], [1.0, 2.1])
    assert failed.detail.startswith("row 1")
    assert not failed.passed
    assert not checks.high_level_equals_low_level([], []).passed


@pytest.mark.documented("sagemaker:EndpointStatus")
@pytest.mark.parametrize(
    ("path", "legal"),
    [
        (["Creating", "InService"], True),
        (["InService"], True),
        (["Creating", "Creating", "Failed", "Deleting"], True),
        (["InService", "Updating", "InService", "Deleting"], True),
        (["Updating", "RollingBack", "InService"], True),
        (["Creating", "Updating"], True),  # a poller missed InService
        (["InService", "Creating"], False),
        (["Failed", "InService"], False),
        (["Deleting", "InService"], False),
        (["Updating", "Failed"], False),
        (["Nonsense"], False),
        ([], False),
    ],
)
def test_endpoint_statuses_follow_their_machine(path: list[str], legal: bool) -> None:
    """What cannot be reached fails; a status that a poller missed does not matter."""
    assert checks.status_path_legal("endpoint", "e", path).passed is legal


@pytest.mark.documented("sagemaker:TrainingJobStatus")
def test_nothing_but_deletion_follows_the_end_of_a_job() -> None:
    """From each terminal status only Deleting is legal; a job that runs can get to all of them."""
    ends = ("Completed", "Failed", "Stopped")
    for end, after in itertools.product(ends, ("InProgress", *ends)):
        legal = checks.status_path_legal("training_job", "j", ["InProgress", end, after]).passed
        assert legal is (end == after)
    for end in ends:
        assert checks.status_path_legal("training_job", "j", ["InProgress", end, "Deleting"]).passed


LINES = ["epoch 1", "#quality_metric: host=algo-1, test absolute_loss <loss>=2.5", "end"]
PATTERN = r"#quality_metric: host=\S+, test absolute_loss <loss>=(\S+)"


@given(st.floats(0.1, 1e4))
def test_a_metric_in_the_log_must_be_the_recomputed_one(value: float) -> None:
    """A number that is off by a percent fails; one as exact as the log prints holds."""
    lines = [*LINES, f"#quality_metric: host=algo-1, test absolute_loss <loss>={value:.10g}"]
    assert checks.metric_in_log_is_true(lines, PATTERN, value).passed
    assert not checks.metric_in_log_is_true(lines, PATTERN, value * 1.01).passed


def test_a_log_without_the_metric_fails() -> None:
    """No match, or one that is no number, is a failed check and no exception."""
    assert not checks.metric_in_log_is_true(LINES[:1], PATTERN, 2.5).passed
    bad = [LINES[1].replace("2.5", "nothing")]
    assert "which is no number" in checks.metric_in_log_is_true(bad, PATTERN, 2.5).detail
    assert checks.metric_in_log_is_true(LINES, PATTERN, 2.5).passed


def test_leftovers_are_named() -> None:
    """An empty list holds and says where was looked; what is left is named, the rest counted."""
    assert checks.nothing_left([], looked_at="3 listings").detail == "looked at 3 listings"
    failed = checks.nothing_left(["a", "b", "c", "d", "e"], looked_at="")
    assert (failed.passed, failed.detail) == (False, "still there: a, b, c and 2 more")
