"""A trained model over HTTP: every content type in, every content type out, and what is refused."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from harness.algorithms import mxnet_format
from harness.algorithms.first_party import inference
from harness.algorithms.linear_learner import model
from harness.algorithms.linear_learner.model import Model
from harness.formats import csv, recordio
from harness.formats.errors import FormatError
from tests.algorithms import programs
from tests.algorithms.linear_learner import jobs
from tests.algorithms.programs import Served, serving

NOTE = "notes/linear-learner.md#answers"
ARTIFACT = "notes/linear-learner.md#artifact"
SHAPES = "notes/first-party-algorithms.md#request-shapes"
SERVE = programs.command("linear-learner", "serve")
ROWS = jobs.plane(7, seed=11).features


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> jobs.Trained:
    """A regression on five features."""
    return jobs.train(tmp_path_factory.mktemp("ml"), "regressor", jobs.plane(200), epochs=2)


@pytest.fixture(scope="module")
def regressor(trained: jobs.Trained) -> Iterator[Served]:
    """The same, served."""
    with serving(trained.ended.base, SERVE) as served:
        yield served


def bodies() -> list[tuple[str, bytes]]:
    """The same records in every content type."""
    instances = [{"features": row} for row in ROWS.astype(float).tolist()]
    return [
        ("text/csv", csv.dumps(ROWS)),
        ("application/json", json.dumps({"instances": instances}).encode()),
        ("application/jsonlines", "\n".join(map(json.dumps, instances)).encode()),
        ("application/x-recordio-protobuf", recordio.dumps(ROWS)),
        ("application/x-recordio-protobuf", recordio.dumps(sparse.csr_matrix(ROWS))),
    ]


@pytest.mark.documented(SHAPES)
@pytest.mark.parametrize(
    ("content_type", "body"), bodies(), ids=["csv", "json", "jsonlines", "recordio", "sparse"]
)
def test_every_content_type_has_the_same_scores(
    regressor: Served, trained: jobs.Trained, content_type: str, body: bytes
) -> None:
    """One score per record, in order, whatever the request is written in."""
    reply = regressor.invoke(body, content_type)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    scores = [prediction["score"] for prediction in reply.json["predictions"]]
    assert np.array_equal(np.array(scores, np.float32), trained.model.scores(ROWS))
    assert all(list(prediction) == ["score"] for prediction in reply.json["predictions"])


@pytest.mark.documented(SHAPES)
def test_every_accept_has_the_same_scores(regressor: Served, trained: jobs.Trained) -> None:
    """JSON, JSON Lines and recordIO out have the same numbers; CSV is not offered."""
    body, expected = csv.dumps(ROWS), trained.model.scores(ROWS).tolist()
    lines = regressor.invoke(body, "text/csv", "application/jsonlines")
    assert [json.loads(line)["score"] for line in lines.body.splitlines()] == expected
    protobuf = regressor.invoke(body, "text/csv", "application/x-recordio-protobuf")
    records = inference.messages(protobuf.body)
    assert [record.label["score"].float32_tensor.values[0] for record in records] == expected
    listed = regressor.invoke(body, "text/csv", "text/csv, application/json")
    assert listed.headers["content-type"] == "application/json"
    assert regressor.invoke(body, "text/csv", "text/csv").status == 406


def test_a_record_scores_the_same_alone_and_among_others(
    regressor: Served, trained: jobs.Trained
) -> None:
    """Batches do not change a score in its last bit."""
    together = regressor.invoke(csv.dumps(ROWS), "text/csv").json["predictions"]
    alone = [regressor.invoke(csv.dumps(row[None]), "text/csv").json["predictions"] for row in ROWS]
    assert [single for (single,) in alone] == together


@pytest.mark.documented("notes/first-party-algorithms.md#inference")
@pytest.mark.parametrize(
    "body", [b"1,2,3\n", b"a,b,c,d,e\n", b"1,2,3,4,nan\n", b"1,2,3,4,1e99\n", b"{}"]
)
def test_a_payload_that_does_not_fit_is_400(regressor: Served, body: bytes) -> None:
    """A wrong number of features, words, NaN and infinities have the one text."""
    reply = regressor.invoke(body, "text/csv")
    assert (reply.status, reply.body) == (400, b"unable to evaluate payload provided")
    assert regressor.ask("GET", "/ping").status == 200


@pytest.mark.recorded("notes/first-party-algorithms.md#inference")
def test_the_log_says_what_was_wrong_with_a_payload(trained: jobs.Trained) -> None:
    """The reason for a 400 stands in the log, in the container's words."""
    with serving(trained.ended.base, SERVE) as served:
        served.invoke(b"1,2,3,4\n", "text/csv")
        _, _, errors = served.end()
    assert (
        "Customer Error: The feature dimension of the input: 4 does not match the feature dimension "
        "of the model: 5. Please fix the input and try again."
    ) in errors


@pytest.mark.documented("notes/first-party-algorithms.md#inference")
def test_other_content_types_and_empty_bodies(regressor: Served) -> None:
    """415 names the content type; an empty body is 204; without a type the body is JSON."""
    reply = regressor.invoke(b"x", "application/xml")
    assert (reply.status, reply.body) == (415, b"content-type application/xml not supported")
    assert regressor.invoke(b"", "text/csv").status == 204
    body = json.dumps({"instances": [{"features": [0, 0, 0, 0, 0]}]}).encode()
    assert regressor.ask("POST", "/invocations", body).status == 200


@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html")
def test_a_binary_classifier_answers_with_score_and_label(tmp_path: Path) -> None:
    """Scores are probabilities; labels are integers, 1 from the calibrated threshold on."""
    data = jobs.two_classes(300)
    found = jobs.train(tmp_path, "binary_classifier", data, epochs=2)
    with serving(tmp_path, SERVE) as served:
        told = served.invoke(csv.dumps(data.features), "text/csv").json["predictions"]
    assert all(list(one) == ["score", "predicted_label"] for one in told)
    assert all(type(one["predicted_label"]) is int and 0 < one["score"] < 1 for one in told)
    assert all((one["score"] >= found.model.threshold) == one["predicted_label"] for one in told)
    right = np.mean([one["predicted_label"] for one in told] == data.labels)
    assert right == found.scores("train")["binary_classification_accuracy"]


@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html")
def test_a_multiclass_classifier_answers_with_a_score_per_class(tmp_path: Path) -> None:
    """Scores add up to 1 and the label is that of the largest; protobuf has all of them."""
    data = jobs.three_classes(200)
    jobs.train(tmp_path, "multiclass_classifier", data, num_classes=3, epochs=2)
    body = csv.dumps(data.features)
    with serving(tmp_path, SERVE) as served:
        told = served.invoke(body, "text/csv").json["predictions"]
        accept = "application/x-recordio-protobuf"
        records = inference.messages(served.invoke(body, "text/csv", accept).body)
    assert all(sum(one["score"]) == pytest.approx(1, abs=1e-5) for one in told)
    assert [one["predicted_label"] for one in told] == [np.argmax(one["score"]) for one in told]
    assert [list(r.label["score"].float32_tensor.values) for r in records] == [
        one["score"] for one in told
    ]
    labels = [record.label["predicted_label"].float32_tensor.values[0] for record in records]
    assert labels == [one["predicted_label"] for one in told]


@pytest.mark.recorded(ARTIFACT)
def test_the_artifact_is_a_zip_that_mxnet_would_load(trained: jobs.Trained) -> None:
    """The names of the files, of the arrays and of the nodes are the container's."""
    members = trained.members()
    assert list(members) == [
        "additional-params.json", "manifest.json", "mx-mod-symbol.json", "mx-mod-0000.params",
    ]  # fmt: skip
    arrays = mxnet_format.loads(members["mx-mod-0000.params"])
    assert isinstance(arrays, dict)
    assert {name: array.shape for name, array in arrays.items()} == {
        "arg:fc0_weight": (1, 5), "arg:fc0_bias": (1,),
    }  # fmt: skip
    by_hand = (
        ROWS.astype(float) @ arrays["arg:fc0_weight"][0].astype(float) + arrays["arg:fc0_bias"]
    )
    assert by_hand == pytest.approx(trained.model.scores(ROWS), rel=1e-6)
    symbol = json.loads(members["mx-mod-symbol.json"])
    assert symbol["nodes"][-1] == {
        "op": "LinearRegressionOutput", "name": "out", "inputs": [[3, 0, 0], [4, 0, 0]],
    }  # fmt: skip


def test_a_saved_model_is_loaded_as_it_was(tmp_path: Path) -> None:
    """Weights, bias, threshold and kind survive."""
    weights = np.array([[1, -2], [0.5, 3]], np.float32)
    saved = Model("multiclass_classifier", "softmax_loss", weights, np.ones(2, np.float32), 0.125)
    found = model.load(saved.save(tmp_path).read_bytes())
    assert (found.predictor_type, found.loss, found.threshold) == (
        "multiclass_classifier", "softmax_loss", 0.125,
    )  # fmt: skip
    assert np.array_equal(found.weights, weights)
    assert found.bias.tolist() == [1, 1]


def _artifacts(good: bytes, directory: Path) -> Iterator[bytes]:
    yield b"no zip"
    yield good[: len(good) // 2]
    wrong: dict[str, dict[str, Any]] = {
        "without": {"additional-params.json": b"{}"},
        "other": {"mx-mod-0000.params": b"x"},
        "nameless": {"mx-mod-0000.params": mxnet_format.dumps([np.ones(1)])},
        "shape": {"mx-mod-0000.params": mxnet_format.dumps(
            {"arg:fc0_weight": np.ones((2, 2)), "arg:fc0_bias": np.ones(3)})},
    }  # fmt: skip
    with zipfile.ZipFile(directory / "good", "w") as archive:
        archive.writestr("x", "y")
    yield (directory / "good").read_bytes()
    for name, changed in wrong.items():
        path = directory / name
        (directory / "source").write_bytes(good)
        with zipfile.ZipFile(directory / "source") as old, zipfile.ZipFile(path, "w") as new:
            for member in old.namelist():
                new.writestr(member, changed.get(member, old.read(member)))
        yield path.read_bytes()


def test_what_is_no_model_is_a_format_error(trained: jobs.Trained, tmp_path: Path) -> None:
    """Broken and foreign artifacts are refused, each in words."""
    good = (trained.ended.base / "model" / model.ARTIFACT).read_bytes()
    for data in _artifacts(good, tmp_path):
        with pytest.raises(FormatError, match=r"artifact|weights|byte"):
            model.load(data)


@pytest.mark.documented("notes/first-party-algorithms.md#inference")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "unable to load model"),
        (b"", "Unable to load model. Model size is 0 bytes"),
        (b"broken", "unable to load model"),
    ],
)
def test_without_a_model_the_health_check_fails(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    """/ping is 500 and names the reason; the program stays until it is ended."""
    (tmp_path / "model").mkdir()
    if content is not None:
        (tmp_path / "model" / model.ARTIFACT).write_bytes(content)
    with serving(tmp_path, SERVE) as served:
        reply = served.ask("GET", "/ping")
        code, _, errors = served.end()
    assert reply.status == 500
    assert reply.body.decode().startswith(words)
    assert code == 0
    assert "Traceback" not in errors
