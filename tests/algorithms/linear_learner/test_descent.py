"""Descent over mini-batches: how far it goes, and at which rates."""

import itertools

import numpy as np
import pytest

from harness.algorithms.first_party.channels import Dataset
from harness.algorithms.linear_learner import candidates, descent, losses, scaling
from harness.algorithms.linear_learner.settings import Settings
from tests.algorithms.linear_learner import jobs
from tests.algorithms.linear_learner.test_settings import settings

GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html"


def test_an_epoch_ends_with_the_batch_in_which_it_is_asked_to() -> None:
    """A long epoch does not outlast a request to stop by more than a batch."""
    plane = jobs.plane(100)
    how = settings(mini_batch_size="10")
    scaled = scaling.fit(Dataset("train", plane.features, plane.labels, 0), how)
    walk = descent.Descent(
        how, scaled, candidates.propose(how, 1.0), losses.choose(how, 1.0), batches=10
    )
    asked = itertools.count()
    coordinates, labels = scaled.coordinates(plane.features), scaled.labels(plane.labels)
    assert walk.epoch(coordinates, labels, None, lambda: next(asked) == 3) == 30
    assert walk.epoch(coordinates, labels, None, lambda: False) == 100


def rates(how: Settings, batches: int, *at: int) -> list[float]:
    """The learning rate of base 1 at some batches."""
    found = descent.schedule(how, batches)
    return [float(found.rate(np.ones(1, np.float32), batch)[0]) for batch in at]


@pytest.mark.documented(GUIDE)
def test_a_given_schedule_is_followed() -> None:
    """Every `lr_scheduler_step` batches the rate falls by the factor, to the minimum at the least."""
    how = settings(lr_scheduler_step="10", lr_scheduler_factor="0.5", lr_scheduler_minimum_lr="0.2")
    assert rates(how, 1000, 0, 9, 10, 25, 999) == pytest.approx([1, 1, 0.5, 0.25, 0.2])
    assert rates(settings(use_lr_scheduler="false"), 1000, 0, 999) == [1, 1]


@pytest.mark.assumed("notes/linear-learner.md#what-is-trained")
@pytest.mark.parametrize("batches", [1, 15, 150, 100_000])
def test_by_itself_the_rate_falls_to_a_hundredth(batches: int) -> None:
    """Whatever the length of the training, it ends with small steps."""
    first, last = rates(settings(), batches, 0, batches)
    assert first == 1
    assert last == pytest.approx(0.01, rel=0.1)


@pytest.mark.documented(GUIDE)
def test_one_model_has_exactly_the_given_settings() -> None:
    """Learning rate and weight decay of the first candidate are the job's; others are close by."""
    how = settings(learning_rate="0.3", wd="0.01", optimizer="sgd")
    first, *others = candidates.propose(how, 1.0)
    assert (first.optimizer, first.learning_rate, first.wd, first.l1) == ("sgd", 0.3, 0.01, 0.0)
    assert all(0.02 <= other.learning_rate <= 1.2 for other in others)
    assert len({(other.learning_rate, other.wd) for other in others}) > 8


@pytest.mark.documented(GUIDE)
@pytest.mark.parametrize(("text", "count"), [("auto", 32), ("1", 1), ("7", 7), ("100", 100)])
def test_as_many_models_as_asked_for(text: str, count: int) -> None:
    """`auto` is 32, as logs show; no two of the first 32 are the same."""
    found = candidates.propose(settings(num_models=text), 1.0)
    assert len(found) == count
    if count <= 32:
        assert len(set(found)) == count
