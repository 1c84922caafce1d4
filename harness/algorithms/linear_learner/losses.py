"""The losses of linear-learner: value and slope by score, for many candidates at once.

Scores have shape (records, candidates), for softmax (records, candidates, classes); labels (records,).
Sources: docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html; the formulas are textbook.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.algorithms.linear_learner.settings import Settings

Array = npt.NDArray[np.floating]
Function = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Loss:
    """What is made as small as possible.

    `objective` is its name in the log; its value grows with the `power` of the label's unit. `values`
    gives the loss of each record for each candidate, `slopes` its derivative by the score, divided by
    `factor` (2 for squared losses).
    """

    objective: str
    power: int
    values: Function
    slopes: Function
    factor: float = 1.0


def _squared(objective: str, tolerance: float) -> Loss:
    """Squared error beyond `tolerance`."""

    def values(scores: Array, labels: Array) -> Array:
        excess = np.maximum(np.abs(scores - labels[:, None]) - tolerance, 0)
        return excess * excess

    def slopes(scores: Array, labels: Array) -> Array:
        error = scores - labels[:, None]
        if not tolerance:
            return error
        return np.sign(error) * np.maximum(np.abs(error) - tolerance, 0)

    return Loss(objective, 2, values, slopes, factor=2.0)


def _absolute(objective: str, tolerance: float) -> Loss:
    """Absolute error beyond `tolerance`."""

    def values(scores: Array, labels: Array) -> Array:
        return np.maximum(np.abs(scores - labels[:, None]) - tolerance, 0)

    def slopes(scores: Array, labels: Array) -> Array:
        error = scores - labels[:, None]
        return np.sign(error) * (np.abs(error) > tolerance) if tolerance else np.sign(error)

    return Loss(objective, 1, values, slopes)


def _quantile(quantile: float) -> Loss:
    """Pinball loss: least where a share `quantile` of the labels lies below the scores."""

    def values(scores: Array, labels: Array) -> Array:
        short = labels[:, None] - scores
        return np.maximum(quantile * short, (quantile - 1) * short)

    def slopes(scores: Array, labels: Array) -> Array:
        below = scores < labels[:, None]
        return np.where(below, -quantile, 1 - quantile).astype(scores.dtype)

    return Loss("quantile_loss_objective", 1, values, slopes)


def _huber(delta: float) -> Loss:
    """Half the squared error up to `delta`, linear beyond."""

    def values(scores: Array, labels: Array) -> Array:
        error = np.abs(scores - labels[:, None])
        near = np.minimum(error, delta)
        return near * (error - near / 2)

    def slopes(scores: Array, labels: Array) -> Array:
        return np.clip(scores - labels[:, None], -delta, delta)

    return Loss("huber_loss_objective", 2, values, slopes)


def _logistic() -> Loss:
    """Cross entropy of the logistic function of the score, labels 0 and 1."""

    def values(scores: Array, labels: Array) -> Array:
        return np.logaddexp(0, scores) - labels[:, None] * scores

    def slopes(scores: Array, labels: Array) -> Array:
        # tanh does not overflow where exp would.
        likely: Array = 0.5 * (1 + np.tanh(0.5 * scores))
        return likely - labels[:, None]

    return Loss("binary_classification_cross_entropy_objective", 0, values, slopes)


def _hinge(margin: float) -> Loss:
    """How far a score falls short of `margin` on its label's side."""

    def values(scores: Array, labels: Array) -> Array:
        return np.maximum(margin - (2 * labels - 1)[:, None] * scores, 0)

    def slopes(scores: Array, labels: Array) -> Array:
        sides = (2 * labels - 1)[:, None]
        return np.where(sides * scores < margin, -sides, np.zeros_like(scores))

    return Loss("hinge_loss_objective", 0, values, slopes)


def _softmax() -> Loss:
    """Cross entropy of the softmax of the scores, labels 0 to classes - 1."""

    def values(scores: Array, labels: Array) -> Array:
        chosen = scores[np.arange(len(labels)), :, labels.astype(np.int64)]
        top = scores.max(axis=2)
        spread: Array = np.log(np.exp(scores - top[:, :, None]).sum(axis=2)) + top
        return spread - chosen

    def slopes(scores: Array, labels: Array) -> Array:
        shares: Array = np.exp(scores - scores.max(axis=2, keepdims=True))
        shares /= shares.sum(axis=2, keepdims=True)
        shares[np.arange(len(labels)), :, labels.astype(np.int64)] -= 1
        return shares

    return Loss("multiclass_cross_entropy_objective", 0, values, slopes)


def choose(settings: Settings, label_scale: float) -> Loss:
    """The loss of a job. Its thresholds are in the label's unit, scores in `label_scale` of it."""
    tolerance = settings.loss_insensitivity / label_scale
    match settings.loss:
        case "squared_loss":
            return _squared("mse_objective", 0.0)
        case "absolute_loss":
            return _absolute("absolute_loss_objective", 0.0)
        case "eps_insensitive_squared_loss":
            return _squared("eps_insensitive_squared_loss_objective", tolerance)
        case "eps_insensitive_absolute_loss":
            return _absolute("eps_insensitive_absolute_loss_objective", tolerance)
        case "quantile_loss":
            return _quantile(settings.quantile)
        case "huber_loss":
            return _huber(settings.huber_delta / label_scale)
        case "logistic":
            return _logistic()
        case "hinge_loss":
            return _hinge(settings.margin)
        case "softmax_loss":
            return _softmax()
        case other:
            raise ValueError(f"no loss called {other!r}")
