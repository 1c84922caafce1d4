"""The log of linear-learner: its lines, and every number in them recomputed from artifact and data."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import numpy as np
import pytest
from botocore.model import ServiceModel
from sklearn import metrics

from harness.algorithms.linear_learner import METRIC_DEFINITIONS
from tests.algorithms.linear_learner import jobs
from tests.algorithms.linear_learner.jobs import Array, Data, Trained

DEFINITIONS = ServiceModel(botocore.session.get_session().get_service_data("sagemaker")).shape_for(
    "MetricDefinitionList"
)
SCORES = "notes/linear-learner.md#scores"
EPOCHS = "notes/linear-learner.md#epochs-in-the-log"
LOG = "notes/first-party-algorithms.md#log"
STAMP = r"\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d (INFO|WARNING|ERROR) \d+\] "


def regression(scores: Array, labels: Array) -> dict[str, float]:
    """The metrics of a regression, by scikit-learn."""
    mse, mae = (
        metrics.mean_squared_error(labels, scores),
        metrics.mean_absolute_error(labels, scores),
    )
    return {
        "mse": mse, "rmse": mse**0.5, "absolute_loss": mae, "mae": mae,
        "r2": metrics.r2_score(labels, scores),
    }  # fmt: skip


def binary(scores: Array, said: Array, labels: Array, beta: float) -> dict[str, float]:
    """The metrics of a binary classifier, by scikit-learn."""
    return {
        "binary_classification_accuracy": metrics.accuracy_score(labels, said),
        f"binary_f_{beta:.3f}": metrics.fbeta_score(labels, said, beta=beta),
        "precision": metrics.precision_score(labels, said),
        "recall": metrics.recall_score(labels, said),
        "roc_auc_score": metrics.roc_auc_score(labels, scores),
        "binary_balanced_accuracy": metrics.balanced_accuracy_score(labels, said),
        "binary_log_loss": metrics.log_loss(labels, scores.astype(float)),
    }


def multiclass(scores: Array, said: Array, labels: Array, top: int) -> dict[str, float]:
    """The metrics of a multiclass classifier, by scikit-learn."""
    share = scores.astype(float) / scores.astype(float).sum(1, keepdims=True)
    hot = np.eye(scores.shape[1])[labels.astype(int)]
    macro: dict[str, Any] = {"average": "macro", "zero_division": 0}
    return {
        "multiclass_accuracy": metrics.accuracy_score(labels, said),
        f"multiclass_top_k_accuracy_{top}": metrics.top_k_accuracy_score(labels, scores, k=top),
        "dcg": metrics.dcg_score(hot, scores),
        "macro_recall": metrics.recall_score(labels, said, **macro),
        "macro_precision": metrics.precision_score(labels, said, **macro),
        "macro_f_1.000": metrics.f1_score(labels, said, **macro),
        "multiclass_balanced_accuracy": metrics.balanced_accuracy_score(labels, said),
        "multiclass_log_loss": metrics.log_loss(labels, share),
    }


def assert_scores(found: Trained, name: str, data: Data, objective: str, **how: Any) -> None:
    """Each `#NAME_score` equals its recomputed value, and `#quality_metric` repeats it."""
    told = found.scores(name)
    scores = found.model.scores(data.features)
    if found.model.predictor_type == "regressor":
        expected = regression(scores, data.labels)
        expected[objective] = expected["mse" if objective == "mse_objective" else "mae"]
    elif found.model.predictor_type == "binary_classifier":
        said = found.model.predicted_labels(scores)
        expected = binary(scores, said, data.labels, **how)
        expected[objective] = expected["binary_log_loss"]
    else:
        said = found.model.predicted_labels(scores)
        expected = multiclass(scores, said, data.labels, **how)
        expected[objective] = expected["multiclass_log_loss"]
    assert next(iter(told)) == objective
    assert told == pytest.approx(expected, rel=1e-5)
    for score, value in told.items():
        kind = (
            "loss"
            if score.endswith("objective") or score in regression(scores, scores)
            else "score"
        )
        assert (
            f"#quality_metric: host=algo-1, {name} {score} <{kind}>={value}\n" in found.ended.output
        )


@pytest.mark.documented(SCORES)
@pytest.mark.parametrize(
    ("loss", "objective"),
    [("squared_loss", "mse_objective"), ("absolute_loss", "absolute_loss_objective")],
)
def test_regression_scores_are_those_of_the_model(
    tmp_path: Path, loss: str, objective: str
) -> None:
    """Validation and test scores of a regression are what scikit-learn makes of its predictions."""
    plane = jobs.plane(900)
    train, validation, test = plane.part(0, 500), plane.part(500, 700), plane.part(700, 900)
    found = jobs.train(tmp_path, "regressor", train, validation, test, loss=loss, epochs=3)
    assert_scores(found, "validation", validation, objective)
    assert_scores(found, "test", test, objective)
    assert found.scores("train") == {}


@pytest.mark.documented(SCORES)
def test_binary_scores_are_those_of_the_model(tmp_path: Path) -> None:
    """Train and test scores of a binary classifier, with the calibrated labels."""
    data = jobs.two_classes(1000)
    train, test = data.part(0, 700), data.part(700, 1000)
    found = jobs.train(
        tmp_path, "binary_classifier", train, test=test, f_beta=2, epochs=3,
        binary_classifier_model_selection_criteria="f_beta",
    )  # fmt: skip
    objective = "binary_classification_cross_entropy_objective"
    assert_scores(found, "train", train, objective, beta=2.0)
    assert_scores(found, "test", test, objective, beta=2.0)
    assert "criteria=sampled_f_beta, value=" in found.ended.output


@pytest.mark.documented(SCORES)
def test_multiclass_scores_are_those_of_the_model(tmp_path: Path) -> None:
    """Train and test scores of a classifier of three classes."""
    data = jobs.three_classes(1000)
    train, test = data.part(0, 700), data.part(700, 1000)
    found = jobs.train(
        tmp_path, "multiclass_classifier", train, test=test, num_classes=3, accuracy_top_k=2,
        epochs=3,
    )  # fmt: skip
    objective = "multiclass_cross_entropy_objective"
    assert_scores(found, "train", train, objective, top=2)
    assert_scores(found, "test", test, objective, top=2)


@pytest.fixture(scope="module")
def regressor(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A job with validation data and five epochs."""
    plane = jobs.plane(400)
    return jobs.train(
        tmp_path_factory.mktemp("ml"), "regressor", plane.part(0, 300), plane.part(300, 400),
        epochs=5, mini_batch_size=40, early_stopping_patience=9,
    )  # fmt: skip


def entries(found: Trained) -> list[dict[str, Any]]:
    """The `#metrics` lines."""
    lines = found.ended.output.splitlines()
    for place, line in enumerate(lines):
        if line.startswith("#metrics "):
            assert lines[place + 1] == ""
    return [json.loads(line[9:]) for line in lines if line.startswith("#metrics ")]


@pytest.mark.recorded(LOG)
def test_the_log_begins_as_the_container_does(regressor: Trained) -> None:
    """Entry point, defaults, the job's values, the merged ones, the worker."""
    lines = regressor.ended.output.splitlines()
    begins = [
        "Docker entrypoint called with argument(s): train",
        "Running default environment configuration script",
        STAMP
        + r"Reading default configuration from /opt/amazon/\S+/resources/default-input.json: {",
        STAMP
        + "Merging with provided configuration from /opt/ml/input/config/hyperparameters.json: "
        r"{'predictor_type': 'regressor', 'epochs': '5', ",
        STAMP + r"Final configuration: {.*'predictor_type': 'regressor'",
        STAMP + "Loggers have already been setup.",
        r"Process \d+ is a worker.",
        STAMP + "Using default worker.",
    ]
    for expected, line in zip(begins, lines, strict=False):
        assert re.match(
            expected if expected[0] == "\\" or "\\d" in expected else re.escape(expected), line
        )


@pytest.mark.recorded(LOG)
def test_every_line_has_one_of_the_known_forms(regressor: Trained) -> None:
    """Stamped lines, metrics, pipeline statistics, and the few lines without a stamp."""
    known = re.compile(
        rf"({STAMP}.*|#metrics \{{.*\}}|\[[-\d]+ [:.\d]+\] \[tensorio\] \[info\] epoch_stats=.*"
        r"|Docker .*|Running .*|Process \d+ is a worker\.| \{'stdev_weight'.*|| +[-\de. ]+\]?.*)"
    )
    assert [line for line in regressor.ended.output.splitlines() if not known.fullmatch(line)] == []


@pytest.mark.recorded(EPOCHS)
def test_each_epoch_reports_each_model(regressor: Trained) -> None:
    """32 models, 5 epochs, train and validation: a #metrics line each, in order."""
    found = [
        (entry["Dimensions"]["epoch"], next(iter(entry["Metrics"])), entry["Dimensions"]["model"])
        for entry in entries(regressor)
        if "model" in entry["Dimensions"]
    ]
    assert found == [
        (epoch, f"{data}_mse_objective", model)
        for epoch in range(5)
        for data in ("train", "validation")
        for model in range(32)
    ]
    dimensions = entries(regressor)[-1]["Dimensions"]
    assert dimensions == {"Algorithm": "Linear Learner", "Host": "algo-1", "Operation": "training"}
    assert list(entries(regressor)[0]) == ["StartTime", "EndTime", "Dimensions", "Metrics"]


def test_the_kept_model_is_the_best_that_was_reported(regressor: Trained) -> None:
    """The least validation loss of all epochs and models is the final model's."""
    reported = [
        entry["Metrics"]["validation_mse_objective"]["sum"]
        for entry in entries(regressor)
        if "validation_mse_objective" in entry["Metrics"]
    ]
    final = regressor.scores("validation")["mse_objective"]
    assert min(reported) == pytest.approx(final, rel=1e-4)
    told = regressor.ended.values(r"epoch=\d+, validation mse_objective <loss>=(\S+)")
    assert len(told) == 5
    assert min(told) == pytest.approx(final, rel=1e-4)


@pytest.mark.recorded(EPOCHS)
def test_progress_and_early_stopping_lines(regressor: Trained) -> None:
    """Percent rounded down, and the best criterion value so far, which never gets worse."""
    output = regressor.ended.output
    assert re.findall(r"#progress_metric: host=algo-1, completed (\d+) % of epochs", output) == [
        "20", "40", "60", "80", "100",
    ]  # fmt: skip
    values = regressor.ended.values(
        r"#early_stopping_criteria_metric: host=algo-1, epoch=\d, criteria=mse_objective, value=(\S+)"
    )
    assert values == sorted(values, reverse=True)
    assert len(values) == 5
    assert "Epoch 0: Loss improved. Updating best model" in output
    assert all(v > 0 for v in regressor.ended.values(r"train throughput=(\S+) records/second"))


@pytest.mark.recorded(SCORES)
def test_the_log_ends_with_the_best_model_and_the_totals(regressor: Trained) -> None:
    """The settings of the best model as JSON; no test data; the times of the whole job."""
    (best,) = re.findall(r"Best model found for hyperparameters: (\{.*\})", regressor.ended.output)
    assert list(json.loads(best)) == [
        "optimizer", "learning_rate", "wd", "l1",
        "lr_scheduler_step", "lr_scheduler_factor", "lr_scheduler_minimum_lr",
    ]  # fmt: skip
    assert "Test data is not provided." in regressor.ended.output
    last = entries(regressor)[-1]["Metrics"]
    assert last["update.time"]["count"] == 5
    assert last["totaltime"]["sum"] >= last["update.time"]["sum"] > 0
    assert set(last) >= {"initialize.time", "check_early_stopping.time", "finalize.time"}


@pytest.mark.recorded("notes/linear-learner.md#metric-definitions")
def test_metric_definitions_find_what_the_log_says(tmp_path: Path) -> None:
    """Each regular expression of the service finds the metric it is named for."""
    kinds = {
        "regressor": jobs.plane(100),
        "binary_classifier": jobs.two_classes(100),
        "multiclass_classifier": jobs.three_classes(100),
    }
    found: dict[str, list[float]] = {name: [] for name, _ in METRIC_DEFINITIONS}
    for kind, data in kinds.items():
        for number, validation in enumerate((None, data)):
            done = jobs.train(
                tmp_path / f"{kind}{number}", kind, data, validation, data, epochs=2,
                num_classes=3, num_models=2,
            )  # fmt: skip
            for name, regex in METRIC_DEFINITIONS:
                found[name] += done.ended.values(regex)
    assert [name for name, values in found.items() if not values] == []
    # What is told at the end of a job is told once for each data set, what is told by epoch twice.
    assert len(found["test:mse"]) == 2
    assert len(found["validation:mse"]) == len(found["train:mse"]) == 1
    final, by_epoch = found["validation:objective_loss:final"], found["validation:objective_loss"]
    assert len(by_epoch) == 2 * len(final) == 6
    assert len(METRIC_DEFINITIONS) == len(found) == DEFINITIONS.metadata["max"]


@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html")
def test_training_stops_early_where_nothing_improves(tmp_path: Path) -> None:
    """Without an improvement for `early_stopping_patience` epochs the rest is left out."""
    found = jobs.train(
        tmp_path, "regressor", jobs.plane(), epochs=50, mini_batch_size=50,
        early_stopping_patience=2, early_stopping_tolerance=0.01,
    )  # fmt: skip
    told = found.ended.values(r"epoch=\d+, train mse_objective <loss>=(\S+)")
    assert 3 <= len(told) < 50
    assert "Early stop condition met." in found.ended.output
    assert min(told[:-2]) * (1 - 0.01) ** 2 <= min(told[-2:])


@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html")
def test_the_log_level_is_heeded(tmp_path: Path) -> None:
    """At level ERROR no INFO line is printed after the configuration."""
    found = jobs.train(tmp_path, "regressor", jobs.plane(100), epochs=1, _log_level="error")
    assert "#quality_metric" not in found.ended.output
    assert "#metrics" in found.ended.output
