"""The scores that linear-learner prints about a finished model, recomputable from artifact and data.

Names and order: logs of the container; see docs/notes/linear-learner.md#scores.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.algorithms.first_party.channels import Dataset
from harness.algorithms.linear_learner import losses
from harness.algorithms.linear_learner.model import Model
from harness.algorithms.linear_learner.settings import Settings

Floats = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Score:
    """A line of the final report; `kind` is loss or score."""

    name: str
    kind: str
    value: float


def of(model: Model, dataset: Dataset, settings: Settings) -> list[Score]:
    """All scores of a model on a data set, in the order of the log."""
    margins = model.margins(dataset.features)
    shaped = margins[:, None, :] if model.loss == "softmax_loss" else margins
    labels = dataset.labels.astype(np.float64)
    loss = losses.choose(settings, 1.0)
    objective = Score(loss.objective, "loss", float(loss.values(shaped, labels).mean()))
    served = model.scores(dataset.features)
    if settings.regression:
        return [objective, *_regression(served.astype(np.float64), labels)]
    predicted, actual = model.predicted_labels(served), dataset.labels.astype(np.int64)
    if settings.binary:
        return [objective, *_binary(served, predicted, actual, settings.f_beta, model.loss)]
    return [objective, *_multiclass(served, predicted, actual, settings)]


def _regression(scores: Floats, labels: Floats) -> list[Score]:
    error = scores - labels
    mse, mae = float((error**2).mean()), float(np.abs(error).mean())
    spread = float(((labels - labels.mean()) ** 2).mean())
    r2 = 1 - mse / spread if spread else float(mse == 0)
    return [
        Score("mse", "loss", mse),
        Score("absolute_loss", "loss", mae),
        Score("rmse", "loss", mse**0.5),
        Score("r2", "loss", r2),
        Score("mae", "loss", mae),
    ]


def _binary(
    scores: Floats, predicted: Labels, actual: Labels, beta: float, loss: str
) -> list[Score]:
    hits = int((predicted & actual).sum())
    precision = hits / max(int(predicted.sum()), 1)
    recall = hits / max(int(actual.sum()), 1)
    specificity = int(((1 - predicted) & (1 - actual)).sum()) / max(int((1 - actual).sum()), 1)
    found = [
        Score("binary_classification_accuracy", "score", float((predicted == actual).mean())),
        Score(f"binary_f_{beta:.3f}", "score", f_beta(precision, recall, beta)),
        Score("precision", "score", precision),
        Score("recall", "score", recall),
        Score("roc_auc_score", "score", roc_auc(scores, actual)),
        Score("binary_balanced_accuracy", "score", (recall + specificity) / 2),
    ]
    if loss == "logistic":
        likely = np.clip(scores.astype(np.float64), 1e-15, 1 - 1e-15)
        value = -np.where(actual == 1, np.log(likely), np.log1p(-likely)).mean()
        found.append(Score("binary_log_loss", "score", float(value)))
    return found


def f_beta(precision: float, recall: float, beta: float) -> float:
    """The weighted harmonic mean of precision and recall, 0 where both are."""
    below = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / below if below else 0.0


def roc_auc(scores: Floats, actual: Labels) -> float:
    """The chance that a positive example scores above a negative one, ties counting half.

    0.5 when there is only one class, for which it is not defined.
    """
    positives = int(actual.sum())
    negatives = len(actual) - positives
    if not positives or not negatives:
        return 0.5
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2
    rank_sum = float(ranks[place][actual == 1].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def _multiclass(
    scores: Floats, predicted: Labels, actual: Labels, settings: Settings
) -> list[Score]:
    own = scores[np.arange(len(actual)), actual]
    ranks = (scores > own[:, None]).sum(axis=1)
    hits = np.bincount(actual[predicted == actual], minlength=settings.num_classes)
    told = np.bincount(predicted, minlength=settings.num_classes)
    there = np.bincount(actual, minlength=settings.num_classes)
    present = there > 0
    precision = hits / np.maximum(told, 1)
    recall = hits / np.maximum(there, 1)
    f_scores = [
        f_beta(float(p), float(r), settings.f_beta)
        for p, r in zip(precision[present], recall[present], strict=True)
    ]
    top = settings.accuracy_top_k
    log_loss = -np.log(np.clip(own.astype(np.float64), 1e-15, 1)).mean()
    return [
        Score("multiclass_accuracy", "score", float((predicted == actual).mean())),
        Score(f"multiclass_top_k_accuracy_{top}", "score", float((ranks < top).mean())),
        Score("dcg", "score", float((1 / np.log2(ranks + 2)).mean())),
        Score("macro_recall", "score", float(recall[present].mean())),
        Score("macro_precision", "score", float(precision[present].mean())),
        Score(f"macro_f_{settings.f_beta:.3f}", "score", float(np.mean(f_scores))),
        Score("multiclass_balanced_accuracy", "score", float(recall[present].mean())),
        Score("multiclass_log_loss", "score", float(log_loss)),
    ]
