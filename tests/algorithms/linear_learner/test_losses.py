"""Losses: values by the book, slopes that are the derivatives of what is minimised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.algorithms.linear_learner import losses
from harness.algorithms.linear_learner.settings import LOSSES
from tests.algorithms.linear_learner.test_settings import settings

GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html"
STEP = 1e-5
number = st.floats(-5, 5)


def choose(loss: str, *, scale: float = 1.0, **values: str) -> losses.Loss:
    """A loss by its hyperparameters."""
    (kind,) = (kind for kind, names in LOSSES.items() if loss in names)
    return losses.choose(settings(kind, loss=loss, num_classes="4", **values), scale)


@pytest.mark.documented(GUIDE)
@pytest.mark.parametrize(
    ("loss", "values", "score", "label", "expected"),
    [
        ("squared_loss", {}, 3, 1, 4),
        ("absolute_loss", {}, 3, 1, 2),
        ("eps_insensitive_squared_loss", {"loss_insensitivity": "0.5"}, 3, 1, 2.25),
        ("eps_insensitive_squared_loss", {"loss_insensitivity": "3"}, 3, 1, 0),
        ("eps_insensitive_absolute_loss", {"loss_insensitivity": "0.5"}, 1, 3, 1.5),
        ("quantile_loss", {"quantile": "0.9"}, 1, 3, 1.8),
        ("quantile_loss", {"quantile": "0.9"}, 3, 1, 0.2),
        ("huber_loss", {"huber_delta": "1"}, 1.5, 1, 0.125),
        ("huber_loss", {"huber_delta": "1"}, 4, 1, 2.5),
        ("logistic", {}, 0, 1, np.log(2)),
        ("logistic", {}, 1000, 0, 1000),
        ("hinge_loss", {"margin": "1"}, 0.25, 1, 0.75),
        ("hinge_loss", {"margin": "2"}, 0.25, 0, 2.25),
    ],
)  # fmt: skip
def test_values(
    loss: str, values: dict[str, str], score: float, label: float, expected: float
) -> None:
    """Each loss of a score has the value of its definition."""
    chosen = choose(loss, scale=1.0, **values)
    found = chosen.values(np.array([[float(score)]]), np.array([float(label)]))
    assert found == pytest.approx(np.array([[expected]]))


def test_softmax_is_the_negative_log_of_the_share() -> None:
    """The cross entropy of four scores, also of large ones."""
    scores = np.array([[[1.0, 2.0, 3.0, 4.0], [1000.0, 0.0, 0.0, 0.0]]])
    found = choose("softmax_loss").values(scores, np.array([1.0]))
    share = np.exp(2) / np.exp([1, 2, 3, 4]).sum()
    assert found == pytest.approx(np.array([[-np.log(share), 1000.0]]))


@pytest.mark.parametrize("loss", [name for names in LOSSES.values() for name in names])
@given(data=st.data())
def test_slopes_are_derivatives(loss: str, data: st.DataObject) -> None:
    """A small step of a score changes the loss by its slope (times the loss's factor)."""
    chosen = choose(loss, loss_insensitivity="0.5", quantile="0.7")
    classes = 4 if loss == "softmax_loss" else 1
    scores = np.array(data.draw(st.lists(number, min_size=classes, max_size=classes)))
    highest = 3 if loss == "softmax_loss" else 1
    label = np.array([float(data.draw(st.integers(0, highest)))])
    shape = (1, 1, 4) if loss == "softmax_loss" else (1, 1)
    slopes = chosen.slopes(scores.reshape(shape), label).ravel()
    for place in range(classes):
        step = np.zeros(classes)
        step[place] = STEP
        above = chosen.values((scores + step).reshape(shape), label)
        below = chosen.values((scores - step).reshape(shape), label)
        at = chosen.values(scores.reshape(shape), label)
        left, right = (at - below).item() / STEP, (above - at).item() / STEP
        # At a kink the slope lies between the slopes of both sides.
        low, high = min(left, right) - 1e-3, max(left, right) + 1e-3
        assert low <= chosen.factor * slopes[place] <= high


@pytest.mark.assumed("notes/linear-learner.md#what-is-trained")
def test_thresholds_are_in_the_unit_of_the_label() -> None:
    """Where training sees labels in tenths, a threshold of 1 is one of 0.1."""
    chosen = choose("huber_loss", scale=10.0)
    far = chosen.values(np.array([[0.3]]), np.array([0.0])).item()
    assert far * 10**chosen.power == pytest.approx(1 * (3 - 0.5))
