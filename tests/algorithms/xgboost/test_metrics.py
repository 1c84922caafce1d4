"""Names of metrics, the expressions that find them, and the values of those that the container computes."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sk

from harness.algorithms.xgboost import custom_metrics, metrics
from harness.algorithms.xgboost.versions import named

Array = npt.NDArray[Any]

OF_0_90 = [
    "accuracy", "auc", "aucpr", "f1", "map", "ndcg", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik",
    "logloss", "mae", "merror", "mlogloss", "mse", "poisson-nloglik", "rmse", "tweedie-nloglik",
]  # fmt: skip
OF_1_7 = [
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2",
    "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro", "aft-nloglik", "cox-nloglik",
    "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy", "logloss", "mae", "mape", "merror",
    "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik",
]  # fmt: skip
# What AWS's own list has, word for word.
AWS_EXPRESSION = r".*\[[0-9]+\].*#011validation-rmse:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"


@pytest.mark.documented("notes/xgboost.md#metrics")
@pytest.mark.parametrize(("version", "names"), [("0.90-1", OF_0_90), ("1.7-1", OF_1_7)])
def test_a_version_knows_its_metrics_in_the_order_of_its_list(
    version: str, names: list[str]
) -> None:
    """Those to maximize first, as the messages show them."""
    assert list(metrics.known(named(version))) == names
    assert metrics.objective_names(named(version)) == [f"validation:{name}" for name in names]


OF_TRAINING = ["rmse", "mae", "logloss", "error", "merror", "mlogloss", "auc"]


@pytest.mark.documented("notes/xgboost.md#metrics")
def test_every_metric_of_the_validation_channel_can_be_found_in_a_log() -> None:
    """And the commonest of the train channel; AWS's expression of validation:rmse is among them."""
    definitions = dict(metrics.METRIC_DEFINITIONS)
    expected = {f"train:{name}" for name in OF_TRAINING} | {f"validation:{name}" for name in OF_1_7}
    assert set(definitions) == expected
    assert definitions["validation:rmse"] == AWS_EXPRESSION


@pytest.mark.documented("sagemaker:MetricDefinitionList")
def test_there_are_no_more_definitions_than_a_job_may_have() -> None:
    """The list of the API holds 40."""
    assert len(metrics.METRIC_DEFINITIONS) <= 40


@given(
    st.floats(-1e9, 1e9),
    st.sampled_from([name for name, _ in metrics.METRIC_DEFINITIONS]),
    st.integers(0, 9999),
)
def test_an_expression_finds_its_own_metric_in_a_line_of_all(
    value: float, defined: str, iteration: int
) -> None:
    """Not that of a metric whose name is a part of it, nor of the other channel."""
    values = {f"{c}-{n}": 0.5 for c in ("train", "validation") for n in OF_1_7}
    values[defined.replace(":", "-")] = value
    line = f"[{iteration}]" + "".join(f"#011{key}:{number:.5f}" for key, number in values.items())
    expression = dict(metrics.METRIC_DEFINITIONS)[defined]
    found = re.search(expression, line)
    assert found is not None
    assert found.group(1) == f"{value:.5f}"


@pytest.mark.documented("notes/xgboost.md#metrics")
@pytest.mark.parametrize(
    ("version", "computed"),
    [
        ("0.90-1", {"accuracy", "f1", "mse"}),
        ("1.2-2", {"accuracy", "f1", "f1_binary", "f1_macro", "mse", "r2"}),
    ],
)
def test_the_container_computes_some_metrics_itself(version: str, computed: set[str]) -> None:
    """The others are xgboost's."""
    known = metrics.known(named(version)).values()
    assert {metric.name for metric in known if metric.computed_by(named(version))} == computed


def test_whatever_a_version_computes_is_implemented() -> None:
    """Each name marked as computed has a function, and nothing else has."""
    newest = named("3.0-5")
    marked = {m.name for m in metrics.known(newest).values() if m.computed_by(newest)}
    assert marked == custom_metrics.NAMES


SCIKIT_LEARN: dict[str, Callable[[Array, Array], float]] = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": lambda y, p: sk.f1_score(y, p, average="macro", zero_division=0),
    "f1_macro": lambda y, p: sk.f1_score(y, p, average="macro", zero_division=0),
    "f1_binary": lambda y, p: sk.f1_score(y, p, zero_division=0),
    "precision": lambda y, p: sk.precision_score(y, p, zero_division=0),
    "precision_macro": lambda y, p: sk.precision_score(y, p, average="macro", zero_division=0),
    "precision_micro": lambda y, p: sk.precision_score(y, p, average="micro", zero_division=0),
    "recall": lambda y, p: sk.recall_score(y, p, zero_division=0),
    "recall_macro": lambda y, p: sk.recall_score(y, p, average="macro", zero_division=0),
    "recall_micro": lambda y, p: sk.recall_score(y, p, average="micro", zero_division=0),
    "mse": sk.mean_squared_error,
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
}
OF_TWO_CLASSES = {"f1_binary", "precision", "recall"}


def columns(classes: int) -> st.SearchStrategy[tuple[Array, Array]]:
    """Labels and predicted classes of the same length."""
    return st.integers(1, 30).flatmap(
        lambda rows: st.tuples(
            *[hnp.arrays(np.float32, rows, elements=st.integers(0, classes - 1).map(float))] * 2
        )
    )


@pytest.mark.documented("notes/xgboost.md#metrics")
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
@pytest.mark.parametrize("name", sorted(set(SCIKIT_LEARN) - {"mse", "rmse", "mae", "r2"}))
@given(data=st.data())
def test_metrics_of_classes_are_scikit_learns(name: str, data: st.DataObject) -> None:
    """For any labels and predictions, of two classes or of more where more are allowed."""
    labels, predicted = data.draw(columns(2 if name in OF_TWO_CLASSES else 4))
    expected = SCIKIT_LEARN[name](labels, predicted)
    assert math.isclose(
        custom_metrics.compute(name, labels, predicted, margins=False), expected, abs_tol=1e-9
    )


@pytest.mark.documented("notes/xgboost.md#metrics")
@pytest.mark.parametrize("name", ["mse", "rmse", "mae", "r2"])
@given(data=st.data())
def test_metrics_of_values_are_scikit_learns(name: str, data: st.DataObject) -> None:
    """For any numbers; R2 of constant labels included."""
    rows = data.draw(st.integers(2, 30))
    elements = st.floats(-1000, 1000, width=32)
    labels = data.draw(hnp.arrays(np.float32, rows, elements=elements)).astype(np.float64)
    predicted = data.draw(hnp.arrays(np.float32, rows, elements=elements)).astype(np.float64)
    expected = SCIKIT_LEARN[name](labels, predicted)
    found = custom_metrics.compute(name, labels, predicted, margins=False)
    assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.documented("notes/xgboost.md#metrics")
@pytest.mark.parametrize("name", sorted(OF_TWO_CLASSES))
def test_a_binary_metric_refuses_more_classes_in_scikit_learns_words(name: str) -> None:
    """The words are what makes it the customer's error."""
    labels = np.array([0, 1, 2], np.float32)
    with pytest.raises(ValueError, match="Target is multiclass but average='binary'") as ours:
        custom_metrics.compute(name, labels, labels, margins=False)
    with pytest.raises(ValueError, match="multiclass") as theirs:
        SCIKIT_LEARN[name](labels, labels)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("name", ["mse", "rmse", "mae", "r2"])
def test_a_metric_of_values_refuses_several_scores_per_row(name: str) -> None:
    """As scikit-learn does."""
    with pytest.raises(ValueError, match=r"different number of output \(1!=3\)"):
        custom_metrics.compute(name, np.zeros(3), np.zeros((3, 3)), margins=False)


@pytest.mark.documented("notes/xgboost.md#metrics-of-margins")
def test_a_positive_margin_is_class_1_and_a_probability_is_rounded() -> None:
    """Half rounds to 0, as Python rounds; of several scores the greatest wins."""
    predict = custom_metrics.predicted_labels
    assert predict(np.array([-1.0, 0.0, 0.2]), margins=True).tolist() == [0, 0, 1]
    assert predict(np.array([0.2, 0.5, 0.51]), margins=False).tolist() == [0, 0, 1]
    assert predict(np.array([[0.1, 0.7, 0.2], [3.0, 1.0, 2.0]]), margins=False).tolist() == [1, 0]
