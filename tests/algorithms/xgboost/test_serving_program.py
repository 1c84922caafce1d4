"""The served program over HTTP, as a child process: what the SDK and the runtime meet."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from harness.algorithms.xgboost import artifact
from tests.algorithms.xgboost.jobs import (
    BOSTON_ROUNDS,
    Job,
    Served,
    boston,
    boston_csv,
    run,
    served,
)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A trained job."""
    made = Job(tmp_path_factory.mktemp("job")).channel("train", {"a.csv": boston_csv(0, 506)})
    assert run(made, "1.7-1", BOSTON_ROUNDS).code == 0
    return made


@pytest.fixture(scope="module")
def endpoint(job: Job) -> Iterator[Served]:
    """The job's model, served."""
    with served(job.base, "1.7-1") as running:
        yield running


def expected(job: Job, rows: int) -> list[float]:
    """What the artifact says."""
    table = xgb.DMatrix(boston()[0][:rows].astype(np.float32))
    found: list[float] = artifact.load(job.model).booster.predict(table).tolist()
    return found


def body(rows: int) -> bytes:
    """Rows of Boston housing without their labels."""
    return "\n".join(",".join(map(repr, row)) for row in boston()[0][:rows].tolist()).encode()


@pytest.mark.documented("notes/xgboost.md#serving")
def test_it_answers_a_ping_and_says_how_it_likes_to_be_called(endpoint: Served) -> None:
    """200 without a body, and JSON."""
    assert (endpoint.get("/ping").status, endpoint.get("/ping").body) == (200, b"")
    parameters = json.loads(endpoint.get("/execution-parameters").body)
    assert parameters["BatchStrategy"] == "MULTI_RECORD"
    assert parameters["MaxPayloadInMB"] == 6
    assert parameters["MaxConcurrentTransforms"] >= 1


@pytest.mark.documented("notes/xgboost.md#answers")
def test_csv_in_csv_out(endpoint: Served, job: Job) -> None:
    """A line per row, the charset in the content type."""
    reply = endpoint.invoke(body(5))
    assert (reply.status, reply.content_type) == (200, "text/csv; charset=utf-8")
    assert reply.body.decode() == "".join(f"{value}\n" for value in expected(job, 5))


@pytest.mark.documented("notes/xgboost.md#answers")
def test_json_out(endpoint: Served, job: Job) -> None:
    """When asked for."""
    reply = endpoint.invoke(body(2), accept="application/json")
    assert reply.content_type == "application/json"
    assert json.loads(reply.body) == {
        "predictions": [{"score": value} for value in expected(job, 2)]
    }


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize(
    ("sent", "content_type", "accept", "status", "text"),
    [
        (b"", "text/csv", None, 204, ""),
        (b"a,b", "text/csv", None, 415, "could not convert string to float: 'a'"),
        (
            b"1,2",
            "application/json",
            None,
            415,
            "application/json is not an accepted ContentType: csv,",
        ),
        (
            b"1,2",
            "text/csv; label_size=0",
            None,
            415,
            "Optional parameter label_size must be equal to 1",
        ),
        (b"1,2", "text/csv", "image/png", 406, "Accept type image/png is not supported."),
        (b"1," * 20 + b"1", "text/csv", None, 400, "Unable to evaluate payload provided: "),
    ],
)
def test_each_refusal_has_its_status(
    endpoint: Served, sent: bytes, content_type: str, accept: str | None, status: int, text: str
) -> None:
    """And the text that says why; the endpoint lives on."""
    reply = endpoint.invoke(sent, content_type, accept)
    assert reply.status == status
    assert text in reply.body.decode()
    assert endpoint.invoke(body(1)).status == 200


@pytest.mark.documented("notes/xgboost.md#answers")
def test_an_old_version_serves_its_own_artifact(tmp_path: Path) -> None:
    """Trained and served as 0.90-1: a pickle, and commas."""
    job = Job(tmp_path).channel("train", {"a.csv": boston_csv(0, 506)})
    assert run(job, "0.90-1", BOSTON_ROUNDS).code == 0
    with served(tmp_path, "0.90-1") as endpoint:
        reply = endpoint.invoke(body(4))
        assert reply.body.decode() == ",".join(map(str, expected(job, 4)))


@pytest.mark.documented("notes/xgboost.md#answers")
def test_a_batch_transform_is_told_by_the_environment(job: Job) -> None:
    """SAGEMAKER_BATCH: a line per row, Accept ignored."""
    with served(job.base, "1.2-1", SAGEMAKER_BATCH="true") as endpoint:
        reply = endpoint.invoke(body(3), accept="application/json")
        assert reply.body.decode() == "".join(f"{value}\n" for value in expected(job, 3))


@pytest.mark.assumed("notes/xgboost.md#serving-of-a-folder-without-a-usable-model")
def test_a_model_that_cannot_be_loaded_is_said_on_every_path(tmp_path: Path) -> None:
    """500, with the reason."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "xgboost-model").write_bytes(b"junk")
    with served(tmp_path, "1.7-1") as endpoint:
        assert endpoint.get("/ping").status == 500
        reply = endpoint.invoke(body(1))
        assert reply.status == 500
        assert reply.body.decode().startswith(
            "Unable to load model: Model xgboost-model cannot be loaded:"
        )
