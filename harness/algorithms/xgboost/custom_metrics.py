"""The metrics that the container computes itself, from predictions and labels, as scikit-learn defines them.

All of them are counts or means over arrays; scikit-learn, which takes most of a second to import, is only
in the tests that compare. Source: metrics/custom_metrics.py of github.com/aws/sagemaker-xgboost-container.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def predicted_labels(predictions: Array, *, margins: bool) -> Array:
    """The class of each row: the greatest of several scores, or a single one rounded (a margin: its sign)."""
    if predictions.ndim > 1:
        return np.asarray(np.argmax(predictions, axis=-1))
    if margins:
        return (predictions > 0).astype(np.int64)
    return np.rint(predictions).astype(np.int64)


def mse(labels: Array, predictions: Array) -> float:
    """Mean of the squared errors."""
    return float(np.mean(np.square(labels.astype(np.float64) - predictions)))


def rmse(labels: Array, predictions: Array) -> float:
    """Square root of the mean of the squared errors."""
    return float(np.sqrt(mse(labels, predictions)))


def mae(labels: Array, predictions: Array) -> float:
    """Mean of the absolute errors."""
    return float(np.mean(np.abs(labels.astype(np.float64) - predictions)))


def r2(labels: Array, predictions: Array) -> float:
    """Coefficient of determination; for constant labels 1 when all predictions are exact, else 0."""
    wide = labels.astype(np.float64)
    residual = float(np.sum(np.square(wide - predictions)))
    total = float(np.sum(np.square(wide - wide.mean())))
    if total == 0:
        return 1.0 if residual == 0 else 0.0
    return 1 - residual / total


class _Counts:
    """Per class that occurs in labels or predictions: how often it was right, predicted, due."""

    def __init__(self, labels: Array, predicted: Array) -> None:
        self.classes, codes = np.unique(np.concatenate([labels, predicted]), return_inverse=True)
        due, said = codes[: len(labels)], codes[len(labels) :]
        size = len(self.classes)
        self.right = np.bincount(due[due == said], minlength=size)
        self.said = np.bincount(said, minlength=size)
        self.due = np.bincount(due, minlength=size)

    def at_one(self) -> "_Counts":
        """The counts of class 1 alone, of two; ValueError in scikit-learn's words when there are more."""
        if not set(self.classes) <= {0, 1}:
            raise ValueError(
                "Target is multiclass but average='binary'. Please choose another average setting, one of "
                "[None, 'micro', 'macro', 'weighted']."
            )
        chosen = self.classes == 1
        self.right, self.said, self.due = (
            np.atleast_1d(counts[chosen].sum()) for counts in (self.right, self.said, self.due)
        )
        return self

    def pooled(self) -> "_Counts":
        """The counts of all classes as if they were one."""
        self.right, self.said, self.due = (
            np.atleast_1d(counts.sum()) for counts in (self.right, self.said, self.due)
        )
        return self


def _ratio(numerator: Array, denominator: Array) -> float:
    """Mean of the ratios, 0 where the denominator is."""
    safe = np.where(denominator == 0, 1, denominator)
    return float(np.mean(np.where(denominator == 0, 0.0, numerator / safe)))


def _precision(counts: _Counts) -> float:
    return _ratio(counts.right, counts.said)


def _recall(counts: _Counts) -> float:
    return _ratio(counts.right, counts.due)


def _f1(counts: _Counts) -> float:
    return _ratio(2 * counts.right, counts.said + counts.due)


def _balanced_accuracy(counts: _Counts) -> float:
    present = counts.due > 0
    return _ratio(counts.right[present], counts.due[present])


def _accuracy(counts: _Counts) -> float:
    return float(counts.right.sum() / counts.due.sum())


_OF_VALUES: Mapping[str, Callable[[Array, Array], float]] = {
    "mse": mse,
    "rmse": rmse,
    "mae": mae,
    "r2": r2,
}
_OF_CLASSES: Mapping[str, Callable[[_Counts], float]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "f1_macro": _f1,
    "f1_binary": lambda counts: _f1(counts.at_one()),
    "precision": lambda counts: _precision(counts.at_one()),
    "precision_macro": _precision,
    "precision_micro": lambda counts: _precision(counts.pooled()),
    "recall": lambda counts: _recall(counts.at_one()),
    "recall_macro": _recall,
    "recall_micro": lambda counts: _recall(counts.pooled()),
}
NAMES = frozenset(_OF_VALUES) | frozenset(_OF_CLASSES)


def compute(name: str, labels: Array, predictions: Array, *, margins: bool) -> float:
    """The metric `name` of `predictions`, shape (rows,) or (rows, classes), against `labels` (rows,).

    With `margins` the predictions are raw scores. ValueError for a binary metric of more than two classes.
    """
    if name in _OF_VALUES:
        if predictions.ndim > 1:
            raise ValueError(
                f"y_true and y_pred have different number of output (1!={predictions.shape[1]})"
            )
        return _OF_VALUES[name](labels, predictions)
    return _OF_CLASSES[name](_Counts(labels, predicted_labels(predictions, margins=margins)))
