"""Jobs that cannot succeed: the FailureReason names what is wrong."""

import json
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from harness.algorithms.linear_learner import model
from harness.formats import csv, recordio
from tests.algorithms import programs
from tests.algorithms.linear_learner import jobs

NOTE = "notes/first-party-algorithms.md#training-data"
PLANE = jobs.plane(50)
ONE = np.ones((1, 1), np.float32)


@pytest.mark.recorded("notes/first-party-algorithms.md#failures")
def test_a_failure_stands_in_the_file_and_in_the_log(tmp_path: Path) -> None:
    """The failure file and an ERROR line have the same text; the exit code is 2; no traceback."""
    ended = jobs.run(tmp_path, "regressor", PLANE, feature_dim=3)
    text = (
        "Customer Error: Incorrect configuration or train dataset provided. The value of "
        "feature_dim hyperparameter '3' doesn't match train data dimensionality '5'. Please set "
        "feature_dim to the number of features in train dataset."
    )
    assert (ended.code, ended.failure, ended.errors) == (2, text, "")
    assert f"] {text}\n" in ended.output
    assert " ERROR " in ended.output
    assert not (tmp_path / "model" / model.ARTIFACT).exists()


@pytest.mark.recorded("notes/first-party-algorithms.md#hyperparameters")
def test_an_unknown_hyperparameter_fails_the_job(tmp_path: Path) -> None:
    """The wording is the container's."""
    ended = jobs.run(tmp_path, "regressor", PLANE, epoch=3)
    assert ended.failure is not None
    assert ended.failure.startswith(
        "Customer Error: Additional hyperparameters are not allowed ('epoch' was unexpected) "
        "(caused by ValidationError)"
    )


@pytest.mark.documented(NOTE)
@pytest.mark.parametrize(
    ("content_type", "train", "words"),
    [
        ("text/csv", b"price,size\n1,2\n", "Unable to parse csv: rows 1-1000, file /opt/ml/"),
        ("text/csv", PLANE.bytes, "Unable to parse csv: rows 1-1000, file /opt/ml/"),
        ("application/x-recordio-protobuf", b"1,2\n", "Requested content-type is 'application/"),
        ("csv", b"1,2\n", "No iterator has been registered for ContentType ('csv', '1.0')"),
        ("text/csv", b"1,2\n1,\n", "Found missing (NaN) values."),
        (None, jobs.data([[np.nan]], [1]).bytes, "Found missing (NaN) values."),
        (None, jobs.data([[1]], [np.inf]).bytes, "Found infinite floating"),
        (None, recordio.dumps(ONE), "Label size on train dataset found to be 0."),
        (
            None,
            recordio.dumps(ONE, np.ones(1)),
            "tensors of float64 (expected Float32 tensors only)",
        ),
        (None, recordio.dumps(np.array([[1]]), ONE[0]), "tensors of int64"),
        (None, b"", "No data was found in the data channel 'train'."),
    ],
    ids=[
        "header",
        "binary",
        "text",
        "type",
        "empty-cell",
        "nan",
        "infinity",
        "no-label",
        "float64-label",
        "int64",
        "empty",
    ],
)
def test_a_wrong_file_fails_the_job(
    tmp_path: Path, content_type: str | None, train: bytes, words: str
) -> None:
    """A header, another format or dtype, NaN, infinity, no label and no record are told apart."""
    ended = jobs.run(tmp_path, "regressor", train, content_type=content_type)
    assert (ended.code, ended.errors) == (2, "")
    assert ended.failure is not None
    assert words in ended.failure


@pytest.mark.documented(NOTE)
@pytest.mark.parametrize("name", ["validation", "test"])
def test_other_channels_must_fit_the_training_data(tmp_path: Path, name: str) -> None:
    """A width that differs is told for the channel that has it, also when feature_dim is auto."""
    narrow = jobs.data(PLANE.features[:, :4], PLANE.labels)
    channels = {"train": PLANE.bytes, name: narrow.bytes}
    programs.prepare(tmp_path, {"predictor_type": "regressor"}, channels)
    ended = programs.run(tmp_path, "linear-learner", "train")
    assert ended.failure is not None
    assert f"feature_dim hyperparameter '5' doesn't match {name} data dimensionality '4'" in (
        ended.failure
    )


@pytest.mark.assumed(NOTE)
@pytest.mark.parametrize(
    ("kind", "labels", "words"),
    [
        ("binary_classifier", [0, 1, 2], "must be 0 or 1 .* but found 2"),
        ("binary_classifier", [0, 1, 0.5], "must be 0 or 1 .* but found 0.5"),
        ("binary_classifier", [-1, 1, 1], "must be 0 or 1 .* but found -1"),
        ("multiclass_classifier", [0, 1, 3], "from 0 to num_classes - 1 = 2 .* but found 3"),
        ("multiclass_classifier", [0, 1, 1.5], "must be integers .* but found 1.5"),
    ],
)
def test_labels_must_fit_the_predictor_type(
    tmp_path: Path, kind: str, labels: list[float], words: str
) -> None:
    """A label that is no class of the job is named."""
    train = jobs.data(np.ones((3, 1)), labels)
    ended = jobs.run(tmp_path, kind, train, num_classes=3)
    assert ended.code == 2
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(ended.failure)


def test_channels_are_train_validation_and_test(tmp_path: Path) -> None:
    """Another channel, and none called train, fail the job."""
    values = {"predictor_type": "regressor"}
    programs.prepare(tmp_path / "a", values, {"train": PLANE.bytes, "extra": PLANE.bytes})
    assert "'extra'" in str(programs.run(tmp_path / "a", "linear-learner", "train").failure)
    programs.prepare(tmp_path / "b", values, {"validation": PLANE.bytes})
    assert "channel 'train'" in str(programs.run(tmp_path / "b", "linear-learner", "train").failure)


@pytest.mark.parametrize(
    ("name", "value"),
    [("_num_gpus", "1"), ("_kvstore", "dist_sync"), ("_num_kv_servers", "2"),
     ("_enable_profiler", "true")],
)  # fmt: skip
def test_what_would_not_be_honoured_is_refused_by_name(
    tmp_path: Path, name: str, value: str
) -> None:
    """A setting that nothing here acts on fails the job instead of being ignored."""
    values = {"predictor_type": "regressor", name: value}
    programs.prepare(tmp_path, values, {"train": PLANE.bytes})
    ended = programs.run(tmp_path, "linear-learner", "train")
    assert ended.failure == (
        f"Customer Error: The value '{value}' of the '{name}' hyperparameter is not supported by "
        "this implementation of the algorithm."
    )


def test_several_hosts_are_refused(tmp_path: Path) -> None:
    """Training on two hosts fails by name."""
    programs.prepare(tmp_path, {"predictor_type": "regressor"}, {"train": PLANE.bytes})
    resources = {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}
    (tmp_path / "input/config/resourceconfig.json").write_text(json.dumps(resources))
    assert "Training on 2 hosts" in str(programs.run(tmp_path, "linear-learner", "train").failure)


def test_a_training_that_diverges_says_so(tmp_path: Path) -> None:
    """A learning rate beyond reason ends in a failure, not in a model of NaNs."""
    ended = jobs.run(
        tmp_path, "regressor", PLANE, optimizer="sgd", learning_rate=1e30, num_models=1, epochs=5
    )
    assert "diverged" in str(ended.failure)
    assert (ended.code, ended.errors) == (2, "")


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/dg/"
    "your-algorithms-training-algo-running-container.html"
)
def test_sigterm_saves_the_best_model_so_far(tmp_path: Path) -> None:
    """A job that is stopped ends in good order, with a model that predicts."""
    values = {
        "predictor_type": "regressor", "epochs": 10**7, "early_stopping_patience": 10**7,
        "mini_batch_size": 10,
    }  # fmt: skip
    plane = jobs.plane(500)
    programs.prepare(tmp_path, values, {"train": plane.bytes})
    process = subprocess.Popen(
        programs.command("linear-learner", "train"),
        env=programs.environment(tmp_path), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "epoch=3, train mse_objective" in line:
                process.send_signal(signal.SIGTERM)
                break
        rest = process.stdout.read()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stdout.close()
    assert "Training was asked to stop." in rest
    assert "#train_score (algo-1) : ('mse', " in rest
    found = model.load((tmp_path / "model" / model.ARTIFACT).read_bytes())
    assert ((found.scores(plane.features) - plane.labels) ** 2).mean() < plane.labels.var() / 4
    assert not (tmp_path / "output" / "failure").exists()


def test_a_ragged_csv_names_the_batch(tmp_path: Path) -> None:
    """The rows in the message are those of the mini-batch that the line is in."""
    text = csv.dumps(PLANE.features, PLANE.labels) + b"1,2\n"
    ended = jobs.run(tmp_path, "regressor", text, content_type="text/csv", mini_batch_size=20)
    assert "Unable to parse csv: rows 41-60, file" in str(ended.failure)
