"""FailureReason of a training job."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.sagemaker.failure_reasons import of_training
from harness.containers.spec import Exit

EXITS = st.integers(1, 255).map(lambda code: Exit(code=code)) | st.integers(1, 31).map(
    lambda number: Exit(signal=number)
)

# Hypothesis makes no text as long as the limit of its own.
LONG = st.builds(lambda text, times: text * times, st.text(min_size=1), st.integers(1, 3000))


@pytest.mark.documented("sagemaker:FailureReason")
@given(exit=EXITS, text=st.none() | LONG)
def test_a_reason_is_never_longer_than_the_model_allows(exit: Exit, text: str | None) -> None:
    """Whatever the failure file holds: at most 1024 characters, and the exit code at the end is whole."""
    reason = of_training(exit, text)
    assert 0 < len(reason) <= 1024
    assert reason.endswith((f", exit code: {exit.shell_code}", "Please try again."))


@pytest.mark.documented("notes/training-jobs.md#failures")
@given(exit=EXITS, text=st.sampled_from([None, "", " \n"]))
def test_without_a_text_there_is_the_code(exit: Exit, text: str | None) -> None:
    """The text before the comma is empty, as the service has it."""
    assert of_training(exit, text) == f"AlgorithmError: , exit code: {exit.shell_code}"


@pytest.mark.documented("notes/training-jobs.md#failures")
@given(text=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=100))
def test_prefixes_are_rewritten(text: str) -> None:
    """The containers' names for whose fault it is become the service's."""
    exit = Exit(code=2)
    assert of_training(exit, f"Customer Error: {text}") == f"ClientError: {text}, exit code: 2"
    assert of_training(exit, f"Algorithm Error: {text}") == f"AlgorithmError: {text}, exit code: 2"
    assert of_training(exit, text) == f"AlgorithmError: {text}, exit code: 2"
    assert of_training(exit, f"Platform Error: {text}").startswith("InternalServerError: ")
