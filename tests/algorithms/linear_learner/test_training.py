"""What linear-learner learns, against exact solutions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.metrics import log_loss

from harness.formats import csv, recordio
from tests.algorithms.linear_learner import jobs
from tests.algorithms.linear_learner.jobs import Data, train

GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html"
HOW = "https://docs.aws.amazon.com/sagemaker/latest/dg/ll_how-it-works.html"
QUICK = {"mini_batch_size": 100, "epochs": 10}


def quantile_cost(data: Data, quantile: float) -> float:
    """The least mean pinball loss that a linear function has on the data."""
    normal = (data.features - data.features.mean(0)) / data.features.std(0)
    exact = QuantileRegressor(quantile=quantile, alpha=0, solver="highs").fit(normal, data.labels)
    short = data.labels - exact.predict(normal)
    return float(np.maximum(quantile * short, (quantile - 1) * short).mean())


@pytest.mark.parametrize("epochs", [3, 10])
def test_absolute_loss_comes_to_the_exact_solution(tmp_path: Path, epochs: int) -> None:
    """On one feature the mean absolute error is within 2 % of the least there is."""
    rain = jobs.noisy_line()
    found = train(
        tmp_path, "regressor", rain, feature_dim=1, mini_batch_size=100, epochs=epochs,
        num_models=32, loss="absolute_loss",
    )  # fmt: skip
    error = np.abs(found.model.scores(rain.features) - rain.labels).mean()
    assert error <= 1.02 * 2 * quantile_cost(rain, 0.5)


@pytest.mark.parametrize("batch", [100, 1000])
def test_squared_loss_comes_to_least_squares(tmp_path: Path, batch: int) -> None:
    """On correlated features of different scales the cost is within 2 % of the exact one."""
    plane = jobs.plane()
    found = train(tmp_path, "regressor", plane, mini_batch_size=batch)
    exact = LinearRegression().fit(plane.features.astype(float), plane.labels)
    least = ((exact.predict(plane.features.astype(float)) - plane.labels) ** 2).mean()
    assert ((found.model.scores(plane.features) - plane.labels) ** 2).mean() <= 1.02 * least


def test_few_records_in_one_batch_are_enough(tmp_path: Path) -> None:
    """35 records with the default batch size make one step per epoch, and the line is found."""
    generator = np.random.default_rng(5)
    years = generator.uniform(1, 10, (35, 1))
    salary = jobs.data(years, 25000 + 9500 * years[:, 0] + generator.normal(0, 5000, 35))
    found = train(tmp_path, "regressor", salary)
    exact = LinearRegression().fit(salary.features, salary.labels)
    least = ((exact.predict(salary.features) - salary.labels) ** 2).mean()
    assert ((found.model.scores(salary.features) - salary.labels) ** 2).mean() <= 1.02 * least


@pytest.mark.documented(GUIDE)
def test_quantile_loss_finds_the_quantile(tmp_path: Path) -> None:
    """Nine tenths of the labels lie below, and the cost is within 2 % of the exact one."""
    rain = jobs.noisy_line()
    found = train(tmp_path, "regressor", rain, loss="quantile_loss", quantile=0.9, **QUICK)
    short = rain.labels - found.model.scores(rain.features)
    assert np.maximum(0.9 * short, -0.1 * short).mean() <= 1.02 * quantile_cost(rain, 0.9)
    assert (short < 0).mean() == pytest.approx(0.9, abs=0.02)


def _huber(error: Any) -> Any:
    near = np.minimum(np.abs(error), 5)
    return near * (np.abs(error) - near / 2)


@pytest.mark.parametrize(
    ("loss", "values", "cost"),
    [
        ("huber_loss", {"huber_delta": 5}, _huber),
        (
            "eps_insensitive_absolute_loss",
            {"loss_insensitivity": 2},
            lambda error: np.maximum(np.abs(error) - 2, 0),
        ),
        (
            "eps_insensitive_squared_loss",
            {"loss_insensitivity": 2},
            lambda error: np.maximum(np.abs(error) - 2, 0) ** 2,
        ),
    ],
)
def test_other_regression_losses_come_to_their_least(
    tmp_path: Path, loss: str, values: dict[str, object], cost: Any
) -> None:
    """The cost is within 2 % of what a general minimizer finds."""
    rain = jobs.noisy_line()
    feature = rain.features[:, 0].astype(float)

    def total(line: Any) -> float:
        return float(cost(line[0] * (feature - 12) / 6 + line[1] - rain.labels).mean())

    least = minimize(total, [0, 3], method="Nelder-Mead").fun
    found = train(tmp_path, "regressor", rain, loss=loss, **values, **QUICK)
    assert cost(found.model.scores(rain.features) - rain.labels).mean() <= 1.02 * least


def test_logistic_loss_comes_to_the_exact_solution(tmp_path: Path) -> None:
    """The log loss is within 1 % of the least there is."""
    data = jobs.two_classes()
    found = train(tmp_path, "binary_classifier", data, mini_batch_size=100)
    normal = (data.features - data.features.mean(0)) / data.features.std(0)
    exact = LogisticRegression(C=1e8, max_iter=5000).fit(normal, data.labels)
    least = log_loss(data.labels, exact.predict_proba(normal)[:, 1])
    assert log_loss(data.labels, found.model.scores(data.features)) <= 1.01 * least


def test_hinge_loss_separates(tmp_path: Path) -> None:
    """A classifier with hinge loss serves margins and is about as accurate as a logistic one."""
    data = jobs.two_classes()
    found = train(tmp_path, "binary_classifier", data, loss="hinge_loss", mini_batch_size=100)
    scores = found.model.scores(data.features)
    assert scores.min() < 0 < 1 < scores.max()
    exact = LogisticRegression(C=1e8, max_iter=5000).fit(data.features, data.labels)
    right = (found.model.predicted_labels(scores) == data.labels).mean()
    assert right >= exact.score(data.features, data.labels) - 0.02


def test_softmax_loss_comes_to_the_exact_solution(tmp_path: Path) -> None:
    """Three classes: the cross entropy is within 1 % of the least there is."""
    data = jobs.three_classes()
    found = train(tmp_path, "multiclass_classifier", data, num_classes=3, mini_batch_size=100)
    exact = LogisticRegression(C=1e8, max_iter=5000).fit(data.features, data.labels)
    least = log_loss(data.labels, exact.predict_proba(data.features))
    scores = found.model.scores(data.features).astype(float)
    assert log_loss(data.labels, scores / scores.sum(1, keepdims=True)) <= 1.01 * least


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.documented(GUIDE)
def test_every_optimizer_learns(tmp_path: Path, optimizer: str) -> None:
    """Each optimizer by itself comes within 5 % of least squares, and the log names it."""
    plane = jobs.plane()
    found = train(
        tmp_path, "regressor", plane, optimizer=optimizer, mini_batch_size=50, momentum=0.5,
        beta_1=0.8, beta_2=0.99,
    )  # fmt: skip
    exact = LinearRegression().fit(plane.features.astype(float), plane.labels)
    least = ((exact.predict(plane.features.astype(float)) - plane.labels) ** 2).mean()
    assert ((found.model.scores(plane.features) - plane.labels) ** 2).mean() <= 1.05 * least
    assert f'Best model found for hyperparameters: {{"optimizer": "{optimizer}"' in (
        found.ended.output
    )


def test_the_same_job_gives_the_same_bytes(tmp_path: Path) -> None:
    """Training is deterministic."""
    results = [
        train(tmp_path / str(turn), "regressor", jobs.plane(), epochs=3).ended.base
        for turn in (1, 2)
    ]
    first, second = ((base / "model" / "model_algo-1").read_bytes() for base in results)
    assert first == second


@pytest.mark.documented("notes/first-party-algorithms.md#training-data")
def test_csv_trains_the_model_that_recordio_trains(tmp_path: Path) -> None:
    """The same numbers in either format give the same artifact."""
    plane = jobs.plane(200)
    text = csv.dumps(plane.features, plane.labels)
    by_csv = train(tmp_path / "a", "regressor", text, content_type="text/csv", epochs=3)
    by_pbr = train(tmp_path / "b", "regressor", plane, epochs=3)
    assert by_csv.members() == by_pbr.members()


def test_sparse_records_train_without_being_filled_in(tmp_path: Path) -> None:
    """A sparse matrix much wider than memory would allow dense trains a good classifier."""
    generator = np.random.default_rng(4)
    width, count = 200_000, 400
    labels = (np.arange(count) % 2).astype(np.float32)
    columns = np.where(labels[:, None] == 1, [3, 199_999, 17], [5, 100_000, 17])
    values = generator.uniform(0.5, 1.5, (count, 3))
    matrix = sparse.csr_matrix(
        (values.ravel().astype(np.float32), columns.ravel(), np.arange(0, 3 * count + 1, 3)),
        shape=(count, width),
    )
    found = train(
        tmp_path, "binary_classifier", recordio.dumps(matrix, labels), num_models=4, epochs=3
    )
    said = found.model.predicted_labels(found.model.scores(matrix))
    assert (said == labels).all()


@pytest.mark.documented(GUIDE)
def test_l1_makes_useless_weights_zero(tmp_path: Path) -> None:
    """With L1 the weights of features that tell nothing vanish exactly."""
    generator = np.random.default_rng(6)
    features = generator.normal(size=(500, 6))
    noise = generator.normal(0, 0.5, 500)
    found = train(tmp_path, "regressor", jobs.data(features, 3 * features[:, 0] + noise), l1=0.1)
    weights = found.model.weights[0]
    assert (weights[1:] == 0).all()
    assert weights[0] == pytest.approx(3 - 0.1 * 3, abs=0.15)


@pytest.mark.documented(GUIDE)
def test_weight_decay_shrinks_weights(tmp_path: Path) -> None:
    """With wd = 1 the weight is half of least squares, as ridge regression has it."""
    line = jobs.noisy_line()
    found = train(tmp_path, "regressor", line, wd=1, num_models=1, learning_rate=0.05, **QUICK)
    slope = LinearRegression().fit(line.features, line.labels).coef_[0]
    assert found.model.weights[0, 0] == pytest.approx(slope / 2, rel=0.05)


@pytest.mark.documented(GUIDE)
def test_without_bias_the_line_goes_through_the_origin(tmp_path: Path) -> None:
    """use_bias=false gives a bias of exactly 0 and the best slope through the origin."""
    line = jobs.noisy_line()
    found = train(tmp_path, "regressor", line, use_bias=False, **QUICK)
    exact = LinearRegression(fit_intercept=False).fit(line.features, line.labels).coef_[0]
    assert found.model.bias.tolist() == [0]
    assert found.model.weights[0, 0] == pytest.approx(exact, rel=0.02)


@pytest.mark.documented(GUIDE)
@pytest.mark.parametrize(
    "values",
    [
        {"normalize_data": "false", "normalize_label": "false", "learning_rate": 0.05},
        {"unbias_data": "false", "unbias_label": "false"},
        {"init_method": "normal", "init_sigma": 0.5, "init_bias": 2},
        {"use_lr_scheduler": "false"},
        {"lr_scheduler_step": 5, "lr_scheduler_factor": 0.9, "lr_scheduler_minimum_lr": 0.001},
        {"bias_lr_mult": 2, "bias_wd_mult": 0.1, "wd": 1e-4},
        {"num_models": 70},
        {"num_point_for_scaler": 50},
    ],
)
def test_settings_change_the_path_and_not_the_end(
    tmp_path: Path, values: dict[str, object]
) -> None:
    """Normalisation, start, schedule and number of models still lead to least squares."""
    generator = np.random.default_rng(8)
    features = generator.normal(1, 1, (500, 2))
    data = jobs.data(features, features @ [1, -2] + 0.5 + generator.normal(0, 1, 500))
    found = train(tmp_path, "regressor", data, mini_batch_size=50, **values)
    exact = LinearRegression().fit(data.features, data.labels)
    least = ((exact.predict(data.features) - data.labels) ** 2).mean()
    assert ((found.model.scores(data.features) - data.labels) ** 2).mean() <= 1.05 * least


@pytest.mark.documented(HOW)
def test_validation_data_decides_among_the_models(tmp_path: Path) -> None:
    """Where more is learned than is true, the model that validates best is kept, not the best fit."""
    generator = np.random.default_rng(9)
    features = generator.normal(size=(160, 60))
    labels = features[:, 0] + generator.normal(0, 1, 160)
    everything = jobs.data(features, labels)
    few, rest = everything.part(0, 80), everything.part(80, 160)
    alone = train(tmp_path / "a", "regressor", few, epochs=30)
    validated = train(tmp_path / "b", "regressor", few, rest, epochs=30)

    def cost(found: jobs.Trained, data: Data) -> float:
        return float(((found.model.scores(data.features) - data.labels) ** 2).mean())

    assert cost(alone, few) < cost(validated, few)
    assert cost(validated, rest) < cost(alone, rest)


def test_a_constant_feature_and_a_constant_label_are_no_trouble(tmp_path: Path) -> None:
    """What does not vary is not divided by its deviation."""
    features = np.column_stack([np.full(50, 1e6), np.arange(50)])
    found = train(tmp_path, "regressor", jobs.data(features, np.full(50, 3.0)))
    assert found.model.scores(jobs.data(features, features[:, 0]).features) == pytest.approx(
        3, abs=0.01
    )
