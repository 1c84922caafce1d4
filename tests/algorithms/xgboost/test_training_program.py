"""The program itself, run as a child process over jobs as the platform lays them out."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from sklearn import metrics as sk

from harness.algorithms.xgboost import artifact
from harness.algorithms.xgboost.versions import all_versions
from harness.formats import csv, recordio
from tests.algorithms.xgboost.jobs import (
    BOSTON_ROUNDS,
    Ended,
    Job,
    boston,
    boston_csv,
    command,
    environment,
    run,
    run_here,
)

TRAIN, VALIDATION = (0, 400), (400, 506)
VERSIONS = [version.name for version in all_versions()]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Boston housing on both channels."""
    return (
        Job(tmp_path)
        .channel("train", {"train.csv": boston_csv(*TRAIN)})
        .channel("validation", {"validation.csv": boston_csv(*VALIDATION)})
    )


def predicted(job: Job, start: int, end: int, **more: Any) -> tuple[Any, Any]:
    """Labels of rows, and what the artifact says of them."""
    features, prices = boston()
    table = xgb.DMatrix(features[start:end].astype(np.float32))
    return prices[start:end], artifact.load(job.model).booster.predict(table, **more)


@pytest.mark.documented("notes/xgboost.md#log")
@pytest.mark.parametrize(
    ("version", "play"),
    [
        *((version, run_here) for version in VERSIONS),
        *((v, run) for v in ("latest", "0.90-1", "1.7-1", "3.0-5")),
    ],
)
def test_the_last_metrics_of_the_log_are_those_of_the_artifact(
    job: Job, version: str, play: Callable[..., Ended]
) -> None:
    """Recomputed by scikit-learn from the artifact and the data, for every version."""
    hyperparameters = {**BOSTON_ROUNDS, "eval_metric": "rmse,mae,mse"}
    if version in ("0.72", "latest"):
        hyperparameters["objective"] = "reg:linear"
    ended = play(job, version, hyperparameters)
    assert ended.code == 0, ended.log
    assert len(ended.rounds) == 8
    for channel, rows in (("train", TRAIN), ("validation", VALIDATION)):
        labels, predictions = predicted(job, *rows)
        for name, value in (
            ("rmse", sk.root_mean_squared_error(labels, predictions)),
            ("mae", sk.mean_absolute_error(labels, predictions)),
            ("mse", sk.mean_squared_error(labels, predictions)),
        ):
            assert ended.last(f"{channel}-{name}") == pytest.approx(value, rel=2e-5, abs=1e-5)


@pytest.mark.documented("notes/xgboost.md#metrics")
@pytest.mark.parametrize(
    ("version", "objective", "names"),
    [
        ("0.90-1", "binary:logistic", ["accuracy", "f1", "mse"]),
        ("1.7-1", "binary:logistic", ["accuracy", "balanced_accuracy", "f1_binary", "precision", "recall", "mse"]),
        ("3.0-5", "binary:logistic", ["accuracy", "f1", "mse"]),
        ("1.5-1", "multi:softprob", ["accuracy", "f1_macro", "recall_micro"]),
        ("3.0-5", "multi:softmax", ["accuracy", "precision_macro"]),
        ("1.3-1", "count:poisson", ["mae", "r2"]),
    ],
)  # fmt: skip
def test_computed_metrics_are_those_of_the_artifact(
    tmp_path: Path, version: str, objective: str, names: list[str]
) -> None:
    """Classes, counts and values; from 1.2-1 to 1.7-1 values are of margins."""
    features, prices = boston()
    classes = {"binary:logistic": 2, "count:poisson": 9}.get(objective, 3)
    labels = np.digitize(prices, np.quantile(prices, np.linspace(0, 1, classes + 1)[1:-1])).astype(
        float
    )
    job = Job(tmp_path)
    for channel, (start, end) in (("train", TRAIN), ("validation", VALIDATION)):
        job.channel(channel, {"data.csv": csv.dumps(features[start:end], labels[start:end])})
    hyperparameters = {**BOSTON_ROUNDS, "objective": objective, "eval_metric": ",".join(names)}
    if objective.startswith("multi:"):
        hyperparameters["num_class"] = "3"
    ended = run_here(job, version, hyperparameters)
    assert ended.code == 0, ended.log
    due = labels[slice(*VALIDATION)]
    margins = version in ("1.3-1", "1.5-1", "1.7-1") and not objective.startswith("multi:")
    _, said = predicted(job, *VALIDATION, output_margin=margins)
    due_classes = (said > 0).astype(int) if margins else np.rint(said)
    chosen = said.argmax(axis=1) if said.ndim > 1 else due_classes
    expected = {
        "accuracy": sk.accuracy_score(due, chosen) if classes != 9 else 0,
        "balanced_accuracy": sk.balanced_accuracy_score(due, chosen) if classes == 2 else 0,
        "f1": sk.f1_score(due, chosen, average="macro"),
        "f1_macro": sk.f1_score(due, chosen, average="macro"),
        "f1_binary": sk.f1_score(due, chosen) if classes == 2 else 0,
        "precision": sk.precision_score(due, chosen) if classes == 2 else 0,
        "precision_macro": sk.precision_score(due, chosen, average="macro", zero_division=0),
        "recall": sk.recall_score(due, chosen) if classes == 2 else 0,
        "recall_micro": sk.recall_score(due, chosen, average="micro"),
        "mse": sk.mean_squared_error(due, said) if said.ndim == 1 else 0,
        "mae": sk.mean_absolute_error(due, said) if said.ndim == 1 else 0,
        "r2": sk.r2_score(due, said) if said.ndim == 1 else 0,
    }
    for name in names:
        assert ended.last(f"validation-{name}") == pytest.approx(
            expected[name], rel=1e-4, abs=1e-5
        ), name


@pytest.mark.documented("notes/xgboost.md#log")
def test_the_log_of_1_7_reads_as_the_image_writes_it(job: Job) -> None:
    """Every line, but for the time."""
    ended = run(job, "1.7-1", {"num_round": "1", "objective": "reg:squarederror", "max_depth": "2"})
    lines = ended.log.splitlines()
    marked = [line[22:] if line[:1] == "[" and line[20:22] == ":I" else line for line in lines[:-1]]
    assert marked == [
        "NFO] Imported framework sagemaker_xgboost_container.training",
        "NFO] Failed to parse hyperparameter objective value reg:squarederror to Json.",
        "Returning the value itself",
        "NFO] No GPUs detected (normal if no gpus installed)",
        "NFO] Running XGBoost Sagemaker in algorithm mode",
        "NFO] Determined 0 GPU(s) available on the instance.",
        *["NFO] Determined delimiter of CSV input is ','"] * 4,
        "NFO] Single node training.",
        "NFO] Train matrix has 400 rows and 13 columns",
        "NFO] Validation matrix has 106 rows",
    ]
    assert lines[-1].startswith("[0]\ttrain-rmse:")
    assert lines[-1].count("\tvalidation-rmse:") == 1


@pytest.mark.assumed("notes/xgboost.md#log-of-old-versions")
@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("1", "400x13 matrix with 5200 entries loaded from /opt/ml/input/data/train"),
        ("0.90-2", "INFO:root:Train matrix has 400 rows"),
        (
            "1.0-1",
            "INFO:sagemaker_xgboost_container.training:Running XGBoost Sagemaker in algorithm mode",
        ),
    ],
)
def test_old_logs_have_their_own_form(job: Job, version: str, line: str) -> None:
    """No brackets from 0.90 to 1.0, no column count, and 0.72 says it in other words."""
    ended = run_here(job, version, {"num_round": "1", "objective": "reg:linear"})
    assert ended.code == 0, ended.log
    assert line in ended.log.splitlines()


@pytest.mark.documented("notes/xgboost.md#training")
def test_defaults_are_those_of_the_xgboost_of_the_image(job: Job) -> None:
    """Until 1.7-1 base_score is 0.5 and trees are exact; 3.0-5 is left to its own defaults."""
    features, prices = boston()
    rows = slice(*TRAIN)
    table = xgb.DMatrix(features[rows].astype(np.float32), label=prices[rows])
    for version, more in (
        ("1.7-1", {"base_score": 0.5, "tree_method": "exact"}),
        ("3.0-5", {}),
    ):
        assert run_here(job, version, {"num_round": "5", "objective": "reg:squarederror"}).code == 0
        expected = xgb.train(
            {"objective": "reg:squarederror", "nthread": 1, **more}, table, num_boost_round=5
        )
        _, found = predicted(job, *TRAIN)
        assert np.array_equal(found, expected.predict(table))


@pytest.mark.documented("notes/xgboost.md#training")
def test_hyperparameters_reach_xgboost(job: Job) -> None:
    """What the job says is what xgboost trains with, constraints as text."""
    given = {
        "num_round": "3",
        "objective": "reg:squarederror",
        "eta": "0.2",
        "gamma": "4",
        "min_child_weight": "6",
        "subsample": "0.8",
        "seed": "5",
        "tree_method": "hist",
        "max_depth": "3",
        "monotone_constraints": "(1,0,0,0,0,-1,0,0,0,0,0,0,-1)",
        "interaction_constraints": "[[1, 2], [3, 12]]",
    }
    assert run_here(job, "1.7-1", given).code == 0
    features, prices = boston()
    table = xgb.DMatrix(features[:400].astype(np.float32), label=prices[:400])
    expected = xgb.train(
        {
            "objective": "reg:squarederror",
            "eta": 0.2,
            "gamma": 4,
            "min_child_weight": 6,
            "subsample": 0.8,
            "seed": 5,
            "nthread": 1,
            "tree_method": "hist",
            "max_depth": 3,
            "base_score": 0.5,
            "monotone_constraints": "(1,0,0,0,0,-1,0,0,0,0,0,0,-1)",
            "interaction_constraints": "[[1, 2], [3, 12]]",
        },
        table,
        num_boost_round=3,
    )
    assert np.array_equal(predicted(job, *TRAIN)[1], expected.predict(table))


@pytest.mark.documented("notes/xgboost.md#training")
def test_weights_of_csv_count(tmp_path: Path) -> None:
    """They are the second column, and no feature."""
    features, prices = boston()
    weights = np.linspace(0.1, 2, len(prices))
    job = Job(tmp_path).channel(
        "train", {"a.csv": csv.dumps(np.column_stack([weights, features]), prices)}
    )
    assert run_here(job, "1.7-1", {**BOSTON_ROUNDS, "csv_weights": "1"}).code == 0
    table = xgb.DMatrix(features.astype(np.float32), label=prices, weight=weights)
    expected = xgb.train(
        {"max_depth": 4, "seed": 1, "base_score": 0.5, "tree_method": "exact"},
        table,
        num_boost_round=8,
    )
    assert np.array_equal(predicted(job, 0, 506)[1], expected.predict(table))


@pytest.mark.documented("notes/xgboost.md#data")
def test_all_formats_train_the_same_model(tmp_path: Path) -> None:
    """CSV, libsvm and recordIO of the same rows; a missing value is none of them here."""
    features, prices = boston()
    # No zeros, which libsvm would leave out, and only numbers that every reader takes for the same float32.
    wide, prices = np.round(features * 8) / 8 + 1, np.round(prices * 8) / 8
    lines = [
        f"{label} " + " ".join(f"{k}:{v}" for k, v in enumerate(row))
        for label, row in zip(prices, wide.tolist(), strict=True)
    ]
    contents = {
        "text/csv": csv.dumps(wide, prices),
        "text/libsvm": "\n".join(lines).encode(),
        "application/x-recordio-protobuf": recordio.dumps(
            wide.astype(np.float32), prices.astype(np.float32)
        ),
    }
    models = []
    for number, (content_type, content) in enumerate(contents.items()):
        job = Job(tmp_path / str(number)).channel(
            "train", {"data": content}, ContentType=content_type
        )
        ended = run_here(job, "1.7-1", BOSTON_ROUNDS)
        assert ended.code == 0, ended.log
        models.append(artifact.load(job.model).booster.get_dump())
    assert models[0] == models[1] == models[2]


@pytest.mark.documented("notes/xgboost.md#training")
@pytest.mark.parametrize(("version", "kept"), [("1.7-1", False), ("1.2-1", True)])
def test_early_stopping_ends_the_training(job: Job, version: str, kept: bool) -> None:
    """From 1.3-1 the artifact ends at the best round; before, it has all rounds and knows which was best."""
    given = {
        "num_round": "400",
        "objective": "reg:squarederror",
        "eta": "0.5",
        "early_stopping_rounds": "3",
        "eval_metric": "rmse",
    }
    ended = run_here(job, version, given)
    values = [float(line.split("validation-rmse:")[1]) for line in ended.rounds]
    best = int(np.argmin(values))
    assert len(values) == best + 4 < 400
    model = artifact.load(job.model)
    assert model.booster.num_boosted_rounds() == (len(values) if kept else best + 1)
    assert model.best_iteration == best


@pytest.mark.documented("notes/xgboost.md#training")
def test_from_1_3_on_early_stopping_needs_a_validation_channel(tmp_path: Path) -> None:
    """And a metric by name; without them all rounds are played."""
    job = Job(tmp_path).channel("train", {"a.csv": boston_csv(*TRAIN)})
    given = {**BOSTON_ROUNDS, "num_round": "30", "eta": "1", "early_stopping_rounds": "1"}
    assert len(run_here(job, "1.7-1", {**given, "eval_metric": "rmse"}).rounds) == 30
    job.channel("validation", {"b.csv": boston_csv(*VALIDATION)})
    assert len(run_here(job, "1.7-1", given).rounds) == 30
    assert len(run_here(job, "1.7-1", {**given, "eval_metric": "rmse"}).rounds) < 30


@pytest.mark.documented("notes/xgboost.md#metrics")
@pytest.mark.parametrize(
    ("version", "names"),
    [("1.2-2", ["mphe", "rmse", "rmsle"]), ("1.7-1", ["mphe", "rmsle", "rmse"])],
)
def test_the_metric_of_a_tuning_job_is_added(job: Job, version: str, names: list[str]) -> None:
    """Sorted among those of eval_metric; what the container computes, as rmse in 1.7-1, comes last."""
    given = {
        **BOSTON_ROUNDS,
        "_tuning_objective_metric": "validation:rmse",
        "eval_metric": "rmsle,mphe",
    }
    ended = run_here(job, version, given)
    assert "Setting up HPO optimized metric to be : rmse" in ended.log
    printed = [part.split(":")[0] for part in ended.rounds[0].split("#011")[1:]]
    assert printed == [f"{channel}-{name}" for channel in ("train", "validation") for name in names]


Contents = dict[str, bytes]
ROWS: Contents = {"a": b"1,2\n2,3\n"}
NO_DATA = "No data in training channel path /opt/ml/input/data/train"
LOADING = "Failed to load csv data with exception:\n"
FAILURES: list[tuple[str, Contents, str | None, dict[str, str], str, str]] = [
    ("1.7-1", ROWS, "csv", {}, "UserError", "Missing required hyperparameter: num_round"),
    ("1.7-1", ROWS, "csv", {"eta": "2"}, "UserError", "Missing required hyperparameter: num_round"),
    ("1.7-1", {}, "csv", {"num_round": "1"}, "UserError", NO_DATA),
    ("0.90-2", {"a": b""}, "csv", {"num_round": "1"}, "UserError", NO_DATA),
    (
        "1.7-1",
        {**ROWS, ".b": b"x"},
        "csv",
        {"num_round": "1"},
        "UserError",
        "Hidden file found in the data path! Remove that before training.",
    ),
    (
        "1.7-1",
        ROWS,
        "application/json",
        {"num_round": "1"},
        "UserError",
        "Channel configuration for 'train' channel is not supported: {'ContentType': 'application/json', "
        "'TrainingInputMode': 'File', 'S3DistributionType': 'FullyReplicated', 'RecordWrapperType': 'None'}",
    ),
    (
        "1.7-1",
        ROWS,
        None,
        {"num_round": "1"},
        "UserError",
        "First line '1,2\n...' of file 'a' is not 'LIBSVM' format. Please ensure the file is in 'LIBSVM' format.",
    ),
    (
        "1.7-1",
        {"a": b"y,x\n1,2\n"},
        "csv",
        {"num_round": "1"},
        "UserError",
        f"{LOADING}Non-numeric value 'y' found in the header line 'y,x\n...' of file 'a'. CSV format require no "
        "header line in it. If header line is already removed, XGBoost does not accept non-numeric value in the "
        "data.",
    ),
    (
        "1.7-1",
        ROWS,
        "csv",
        {"num_round": "1", "sagemaker_program": "train.py"},
        "PlatformError",
        "sagemaker_program: script mode is not offered by this XGBoost, which runs in algorithm mode only",
    ),
    ("1.7-1", ROWS, "csv", {"num_round": "1", "eval_metric": "rmse"}, "KeyError", "'objective'"),
]


@pytest.mark.documented("notes/xgboost.md#errors")
@pytest.mark.parametrize(
    ("version", "contents", "content_type", "given", "kind", "message"), FAILURES
)
def test_a_job_that_fails_says_why(
    tmp_path: Path,
    version: str,
    contents: Contents,
    content_type: str | None,
    given: dict[str, str],
    kind: str,
    message: str,
) -> None:
    """In the failure file: the framework's words, a short traceback, the error; and in the log."""
    job = Job(tmp_path).channel("train", contents, ContentType=content_type)
    ended = run_here(job, version, given)
    assert ended.code == 1
    assert job.failure.startswith("framework error: \nTraceback (most recent call last):\n")
    shown = kind if kind == "KeyError" else f"sagemaker_algorithm_toolkit.exceptions.{kind}"
    assert job.failure.endswith(f"\n{shown}: {message}\n\n{message}")
    assert "Reporting training FAILURE" in ended.log
    assert job.failure in ended.log
    assert str(tmp_path) not in job.failure
    assert not job.model.exists()
    # The service keeps 1024 characters: the error must be among them.
    assert message[:200] in job.failure[:1024]


@pytest.mark.documented("notes/xgboost.md#errors")
@pytest.mark.parametrize(
    ("version", "given", "kind", "message"),
    [
        (
            "1.7-1",
            {"objective": "binary:logistic"},
            "UserError",
            "label must be in [0,1] for logistic regression",
        ),
        (
            "1.7-1",
            {"objective": "multi:softmax", "num_class": "3"},
            "UserError",
            "label must be in [0, num_class).",
        ),
        (
            "1.7-1",
            {"objective": "reg:squarederror", "eval_metric": "f1_binary"},
            "UserError",
            "Target is multiclass but average='binary'.",
        ),
        (
            "1.7-1",
            {"objective": "reg:logistic", "base_score": "2"},
            "UserError",
            "base_score must be in (0,1) for logistic loss",
        ),
        (
            "1.7-1",
            {"updater": "grow_skmaker"},
            "AlgorithmError",
            "Unknown tree updater grow_skmaker",
        ),
        (
            "1.7-1",
            {"tree_method": "exact", "max_depth": "0"},
            "AlgorithmError",
            "exact tree method doesn't support unlimited depth.",
        ),
        (
            "1.7-1",
            {"sampling_method": "gradient_based", "subsample": "0.5"},
            "AlgorithmError",
            "Only uniform sampling is supported",
        ),
    ],
)
def test_what_xgboost_refuses_is_the_customers_fault_or_the_algorithms(
    job: Job, version: str, given: dict[str, str], kind: str, message: str
) -> None:
    """By a list of sentences; the algorithm's come with a prefix, and none with addresses of a library."""
    ended = run_here(job, version, {"num_round": "1", **given})
    assert ended.code == 1
    last = job.failure.split("sagemaker_algorithm_toolkit.exceptions.")[1]
    assert last.startswith(f"{kind}: ")
    assert message in last
    assert ("XGB train call failed with exception:\n " in last) is (kind == "AlgorithmError")
    assert "Stack trace" not in job.failure


@pytest.mark.assumed("notes/xgboost.md#errors-of-072")
def test_0_72_writes_one_line_for_the_customer(job: Job) -> None:
    """And its exit code is 2."""
    ended = run(job, "latest", {"num_round": "1", "foo": "1"})
    assert ended.code == 2
    assert job.failure == (
        "Customer Error: Additional hyperparameters are not allowed ('foo' was unexpected) "
        "(caused by ValidationError)"
    )
    assert job.failure in ended.log


@pytest.mark.documented("notes/xgboost.md#errors")
def test_an_empty_validation_channel_is_named(tmp_path: Path) -> None:
    """As is one that does not exist."""
    job = Job(tmp_path).channel("train", {"a": b"1,2\n3,4\n"}).channel("validation", {})
    assert run_here(job, "1.7-1", {"num_round": "1"}).code == 1
    assert job.failure.endswith("No data in validation channel path /opt/ml/input/data/validation")
    (tmp_path / "input" / "data" / "validation").rmdir()
    ended = run_here(job, "1.7-1", {"num_round": "1"})
    assert "Path /opt/ml/input/data/validation does not exist!" in ended.log
    assert job.failure.endswith("No data in validation channel path /opt/ml/input/data/validation")


@pytest.mark.parametrize("what", ["hosts", "checkpoints"])
def test_what_is_not_offered_is_refused_by_name(job: Job, what: str) -> None:
    """Several hosts and checkpoints: never done silently on one host or without."""
    hosts = ["algo-1", "algo-2"] if what == "hosts" else ["algo-1"]
    job.write({"num_round": "1"}, hosts)
    if what == "checkpoints":
        (job.base / "input/config/checkpointconfig.json").write_text(
            '{"LocalPath": "/opt/ml/checkpoints"}'
        )
    done = subprocess.run(
        command("1.7-1", "train"),
        env=environment(job.base),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert {"hosts": "InstanceCount 2", "checkpoints": "CheckpointConfig"}[what] in job.failure


def test_an_unknown_version_is_refused_by_name(job: Job) -> None:
    """With those that exist."""
    assert run_here(job, "1.4-1", {"num_round": "1"}).code == 3
    assert job.failure.startswith(
        "Platform Error: '1.4-1' is none of the XGBoost image tags ['1', 'latest',"
    )


@pytest.fixture
def endless(job: Job) -> Iterator[Any]:
    """Start a job of very many rounds, and wait for its first one."""
    started: list[subprocess.Popen[str]] = []

    def start(**more: str) -> "subprocess.Popen[str]":
        job.write(
            {"num_round": "1000000", "objective": "reg:squarederror", "max_depth": "2", **more}
        )
        process = subprocess.Popen(
            command("1.7-1", "train"), env=environment(job.base), stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("[1]\t"):
                return process
        raise AssertionError("the program ended before its second round")

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.documented("notes/xgboost.md#training")
def test_sigterm_ends_a_job_without_a_model(job: Job, endless: Any) -> None:
    """As the image's process ends, which does not handle it."""
    process = endless()
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert not job.model.exists()


@pytest.mark.documented("notes/xgboost.md#training")
def test_save_model_on_termination_leaves_the_model_so_far(job: Job, endless: Any) -> None:
    """Exit code 0, nothing beside the model, and it predicts."""
    process = endless(save_model_on_termination="true")
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert [path.name for path in job.model.parent.iterdir()] == ["xgboost-model"]
    labels, predictions = predicted(job, *TRAIN)
    assert sk.mean_squared_error(labels, predictions) < np.mean(np.square(labels))
    assert not (job.base / "output" / "failure").exists()


def test_warnings_of_xgboost_are_lines_of_the_log(job: Job) -> None:
    """Without the place in a file of this machine that Python would put before them."""
    ended = run(job, "1.7-1", {"num_round": "1", "objective": "reg:linear"})
    lines = [line for line in ended.log.splitlines() if "reg:linear is now deprecated" in line]
    assert len(lines) == 1
    assert "UserWarning" not in ended.log


def test_hyperparameters_without_effect_are_named(job: Job) -> None:
    """Once each, with the reason."""
    ended = run_here(job, "1.0-1", {"num_round": "1", "silent": "1", "sketch_eps": "0.1"})
    lines = [line for line in ended.log.splitlines() if "has no effect here" in line]
    assert [line.split()[1] for line in lines] == ["silent", "sketch_eps"]
    assert ended.code == 0


def test_the_configuration_of_the_platform_may_be_missing(tmp_path: Path) -> None:
    """The program says which file, and does not end in a traceback."""
    job = Job(tmp_path)
    job.write({"num_round": "1"})
    (tmp_path / "input/config/resourceconfig.json").unlink()
    done = subprocess.run(
        command("1.7-1", "train"),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert json.dumps(job.failure)
    assert "Traceback" not in done.stderr
