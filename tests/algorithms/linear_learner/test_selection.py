"""Thresholds and criteria of binary classifiers."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.algorithms.linear_learner import selection
from harness.algorithms.linear_learner.scores import f_beta, roc_auc
from tests.algorithms.linear_learner import jobs
from tests.algorithms.linear_learner.test_settings import settings

GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html"
CRITERIA = ("accuracy", "f_beta", "f1", "precision_at_target_recall", "recall_at_target_precision")

examples = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), st.integers(0, 1)),
    min_size=1,
    max_size=12,
)


def quality(criterion: str, said: np.ndarray, actual: np.ndarray) -> float:
    """The criterion by its definition; unreached targets count by how near they come, minus 1."""
    hits = int((said & actual).sum())
    precision, recall = hits / max(int(said.sum()), 1), hits / max(int(actual.sum()), 1)
    if criterion == "accuracy":
        return float((said == actual).mean())
    if criterion in ("f_beta", "f1"):
        return f_beta(precision, recall, 1.0 if criterion == "f1" else 2.0)
    if criterion == "precision_at_target_recall":
        return precision if recall >= 0.8 else recall - 1
    return recall if precision >= 0.8 else precision - 1


@pytest.mark.documented(GUIDE)
@pytest.mark.parametrize("criterion", CRITERIA)
@given(pairs=examples)
def test_no_threshold_is_better(criterion: str, pairs: list[tuple[float, int]]) -> None:
    """The calibrated threshold reaches the best value of the criterion over all thresholds."""
    scores = np.array([score for score, _ in pairs], np.float32)
    labels = np.array([label for _, label in pairs])
    how = settings(
        "binary_classifier", binary_classifier_model_selection_criteria=criterion, f_beta="2"
    )
    found = selection.calibrate(how, scores, labels.astype(np.float32))
    best = max(quality(criterion, (scores >= cut).astype(int), labels) for cut in [*scores, 2.0])
    reached = quality(criterion, (scores.astype(float) >= found.threshold).astype(int), labels)
    assert reached == pytest.approx(best)
    assert found.value == pytest.approx(best)


def test_neighbouring_scores_are_told_apart() -> None:
    """Between two neighbouring float32 there is still a threshold."""
    low = np.float32(0.5)
    high = np.nextafter(low, np.float32(1))
    scores = np.array([low, high], np.float32)
    found = selection.calibrate(settings("binary_classifier"), scores, np.array([0, 1], np.float32))
    assert (scores.astype(float) >= found.threshold).tolist() == [False, True]


def test_a_candidate_that_diverged_is_never_chosen() -> None:
    """Scores that are no numbers have the worst value."""
    scores = np.array([[np.nan, 0.1], [0.2, 0.9]], np.float32)
    values = selection.values(settings("binary_classifier"), scores, np.array([0, 1], np.float32))
    assert values.tolist() == [-np.inf, 1.0]


@given(examples)
def test_roc_auc_counts_pairs(pairs: list[tuple[float, int]]) -> None:
    """The area is the share of positive-negative pairs in the right order, ties counting half."""
    scores = np.array([score for score, _ in pairs])
    labels = np.array([label for _, label in pairs])
    above = scores[labels == 1][:, None] - scores[labels == 0]
    expected = ((above > 0) + (above == 0) / 2).mean() if above.size else 0.5
    assert roc_auc(scores, labels) == pytest.approx(expected)


@pytest.mark.documented(GUIDE)
@pytest.mark.parametrize(
    ("criterion", "target", "held", "reached"),
    [
        ("precision_at_target_recall", {"target_recall": 0.9}, "recall", 0.9),
        ("recall_at_target_precision", {"target_precision": 0.75}, "precision", 0.75),
    ],
)
def test_targets_are_reached_on_the_training_data(
    tmp_path: Path, criterion: str, target: dict[str, float], held: str, reached: float
) -> None:
    """With a target for recall or precision, the printed score of the training data reaches it."""
    found = jobs.train(
        tmp_path, "binary_classifier", jobs.two_classes(), mini_batch_size=100,
        binary_classifier_model_selection_criteria=criterion, **target,
    )  # fmt: skip
    scores = found.scores("train")
    assert reached <= scores[held] <= reached + 0.05


@pytest.mark.documented(GUIDE)
@pytest.mark.parametrize("loss", ["logistic", "hinge_loss"])
def test_by_loss_the_threshold_stays_neutral(tmp_path: Path, loss: str) -> None:
    """With loss_function as the criterion, labels are told at an even chance."""
    found = jobs.train(
        tmp_path, "binary_classifier", jobs.two_classes(), loss=loss, epochs=2,
        binary_classifier_model_selection_criteria="loss_function",
    )  # fmt: skip
    assert found.model.threshold == (0.5 if loss == "logistic" else 0.0)


@pytest.mark.documented(GUIDE)
@pytest.mark.parametrize("weight", ["balanced", "auto", "9"])
def test_a_heavier_class_is_found_more_often(tmp_path: Path, weight: str) -> None:
    """Weighing positive examples raises recall at the neutral threshold."""
    data = jobs.two_classes(1500, share=0.1)
    how = {"mini_batch_size": 100, "binary_classifier_model_selection_criteria": "loss_function"}
    plain = jobs.train(tmp_path / "a", "binary_classifier", data, **how).scores("train")
    how["binary_classifier_model_selection_criteria"] = (
        "f1" if weight == "auto" else "loss_function"
    )
    weighed = jobs.train(
        tmp_path / "b", "binary_classifier", data, positive_example_weight_mult=weight, **how
    ).scores("train")
    assert weighed["recall"] > plain["recall"] + 0.1


@pytest.mark.documented(GUIDE)
def test_balanced_classes_help_the_rare_one(tmp_path: Path) -> None:
    """balance_multiclass_weights raises the mean recall of unequal classes."""
    data = jobs.three_classes(1500)
    recalls = [
        jobs.train(
            tmp_path / flag, "multiclass_classifier", data, num_classes=3, mini_batch_size=100,
            balance_multiclass_weights=flag,
        ).scores("train")["macro_recall"]
        for flag in ("false", "true")
    ]  # fmt: skip
    assert recalls[1] > recalls[0] + 0.02
