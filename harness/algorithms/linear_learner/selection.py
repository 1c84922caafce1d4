"""Choosing among candidates: the criterion of a job, and the threshold of a binary classifier.

Source: docs.aws.amazon.com/sagemaker/latest/dg/ll_how-it-works.html, step 3.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.algorithms.linear_learner.settings import Settings

Floats = npt.NDArray[np.floating]

_SAMPLE = 10_000
_BY_LOSS = ("loss_function", "cross_entropy_loss")


@dataclass(frozen=True)
class Cut:
    """A threshold and how good it is by the criterion, larger being better."""

    threshold: float
    value: float


def by_loss(settings: Settings) -> bool:
    """Whether the candidate of least loss is wanted, rather than that of the best labels."""
    return not settings.binary or settings.binary_classifier_model_selection_criteria in _BY_LOSS


def neutral_threshold(loss: str) -> float:
    """Where neither label is favoured: an even chance, or a margin of 0."""
    return 0.5 if loss == "logistic" else 0.0


def sample(coordinates: Any) -> Any:
    """The first records of a data set, enough to compare candidates by their labels."""
    return coordinates[:_SAMPLE]


def values(settings: Settings, scores: Floats, labels: Floats) -> npt.NDArray[np.float64]:
    """The criterion of each candidate at its best threshold, on the first records of a data set."""
    labels = labels[:_SAMPLE]
    return np.array([calibrate(settings, column[:_SAMPLE], labels).value for column in scores.T])


def calibrate(settings: Settings, scores: Floats, labels: Floats) -> Cut:
    """The best threshold for the criterion: label 1 is said from this score on.

    Every place between two different scores is tried, and those below and above all of them.
    """
    if not np.isfinite(scores).all():
        return Cut(neutral_threshold(settings.loss), -np.inf)
    order = np.argsort(-scores, kind="stable")
    sorted_scores = scores[order].astype(np.float64)
    positive = labels[order] > 0.5
    # Said[i] records are called 1 when the cut comes after the i highest scores.
    ends = np.flatnonzero(np.diff(sorted_scores, append=-np.inf))
    said = np.concatenate([[0], ends + 1])
    hits = np.concatenate([[0], np.cumsum(positive)[ends]])
    goodness = _goodness(settings, said, hits, len(labels), int(positive.sum()))
    best = int(goodness.argmax())
    return Cut(_between(sorted_scores, int(said[best])), float(goodness[best]))


def _between(descending: npt.NDArray[np.float64], said: int) -> float:
    if said == 0:
        return float(np.nextafter(descending[0], np.inf))
    if said == len(descending):
        return float(descending[-1])
    middle = float((descending[said - 1] + descending[said]) / 2)
    # Halves of neighbouring floats may round onto the lower one.
    return middle if middle > descending[said] else float(descending[said - 1])


def _goodness(
    settings: Settings,
    said: npt.NDArray[np.int64],
    hits: npt.NDArray[np.int64],
    total: int,
    positives: int,
) -> npt.NDArray[np.float64]:
    precision = hits / np.maximum(said, 1)
    recall = hits / max(positives, 1)
    criterion = settings.binary_classifier_model_selection_criteria
    if criterion == "precision_at_target_recall":
        return _at_target(precision, recall, settings.target_recall)
    if criterion == "recall_at_target_precision":
        return _at_target(recall, precision, settings.target_precision)
    if criterion in ("f_beta", "f1"):
        square = 1.0 if criterion == "f1" else settings.f_beta**2
        below = square * precision + recall
        return np.divide(
            (1 + square) * precision * recall, below, out=np.zeros(len(said)), where=below > 0
        )
    # accuracy: hits among the said, and the negatives among the rest
    return (hits + (total - positives) - (said - hits)) / total


def _at_target(
    wanted: npt.NDArray[np.float64], held: npt.NDArray[np.float64], target: float
) -> npt.NDArray[np.float64]:
    """`wanted` where `held` reaches the target; where it nowhere does, how near it comes, minus 1."""
    reached = held >= target
    if reached.any():
        return np.where(reached, wanted, -1.0)
    return held - 1
