"""Requests and answers of first-party algorithms."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.algorithms.first_party import inference
from harness.algorithms.serving import Invocation, Refusal
from harness.formats import recordio
from harness.formats.records import Array

NOTE = "notes/first-party-algorithms.md#inference"
SHAPES = "notes/first-party-algorithms.md#request-shapes"
ROWS = [[1.0, 2.5], [3.0, 4.0]]
KINDS = ["application/json", "application/jsonlines", "application/x-recordio-protobuf"]


def read(body: bytes | object, content_type: str | None = "application/json") -> Array:
    """The features of a request, dense."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = inference.features(Invocation(raw, content_type, None))
    return found if isinstance(found, np.ndarray) else np.asarray(found.toarray())


def lines(*instances: object) -> bytes:
    """JSON Lines."""
    return "\n".join(json.dumps(instance) for instance in instances).encode()


FLAT = [{"features": row} for row in ROWS]
NESTED = [{"data": {"features": {"values": row}}} for row in ROWS]


@pytest.mark.documented(SHAPES)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"instances": FLAT}, None),
        ({"instances": FLAT, "configuration": {}}, "application/json"),
        ({"instances": NESTED}, "application/json; charset=utf-8"),
        ({"instances": [FLAT[0], NESTED[1]]}, "Application/JSON"),
        ({"instances": [{"features": {"values": row}} for row in ROWS]}, "application/json"),
        ({"instances": [{"data": {"features": row}} for row in ROWS]}, "application/json"),
        (lines(*FLAT), "application/jsonlines"),
        (lines(FLAT[0], NESTED[1]) + b"\n\n", "application/jsonlines"),
        (b"1,2.5\n3,4", "text/csv"),
        (b"1,2.5\r\n3,4\r\n", "text/csv; charset=utf-8"),
        (b"9,1,2.5\n9,3,4\n", "text/csv;label_size=1"),
        (recordio.dumps(np.array(ROWS)), "application/x-recordio-protobuf"),
    ],
)
def test_every_documented_shape_is_read(body: object, content_type: str | None) -> None:
    """JSON in each of its shapes, JSON Lines, CSV and recordIO give the same features."""
    found = read(body, content_type)
    assert found.tolist() == ROWS
    assert found.dtype == np.float32


@pytest.mark.documented(SHAPES)
def test_sparse_instances_are_read() -> None:
    """Keys, shape and values place numbers among zeros; dense instances may stand beside them."""
    thin = {"data": {"features": {"keys": [2, 0], "shape": [3], "values": [5, 6]}}}
    assert read({"instances": [thin, {"features": [1, 2, 3]}]}).tolist() == [[6, 0, 5], [1, 2, 3]]
    assert read(
        {"instances": [{"data": {"features": {"keys": [], "shape": [2], "values": []}}}]}
    ).tolist() == [[0, 0]]


def sparse(**tensor: Any) -> dict[str, object]:
    """A request of one sparse instance."""
    return {"instances": [{"data": {"features": tensor}}]}


@pytest.mark.documented(NOTE)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b"[" * 100_000, "application/json"),
        ([], "application/json"),
        ({}, "application/json"),
        ({"instances": {}}, "application/json"),
        ({"instances": []}, "application/json"),
        ({"instances": [1]}, "application/json"),
        ({"instances": [None]}, "application/json"),
        ({"instances": ["features"]}, "application/json"),
        ({"instances": [{}]}, "application/json"),
        ({"instances": [{"data": []}]}, "application/json"),
        ({"instances": [{"features": 1}]}, "application/json"),
        ({"instances": [{"features": ["1"]}]}, "application/json"),
        ({"instances": [{"features": [True]}]}, "application/json"),
        ({"instances": [{"features": [10**400]}]}, "application/json"),
        ({"instances": [{"features": [1]}, {"features": [1, 2]}]}, "application/json"),
        (sparse(keys=[3], shape=[3], values=[1]), "application/json"),
        (sparse(keys=[-1], shape=[3], values=[1]), "application/json"),
        (sparse(keys=[1, 1], shape=[3], values=[1, 2]), "application/json"),
        (sparse(keys=[0], shape=[3], values=[]), "application/json"),
        (sparse(keys=[0], values=[1]), "application/json"),
        (sparse(keys=[0], shape=[2**60], values=[1]), "application/json"),
        (sparse(keys=[0], shape=[1, 1], values=[1]), "application/json"),
        (sparse(keys="0", shape=[1], values=[1]), "application/json"),
        (b"a,b\n", "text/csv"),
        (b"1,2\n3\n", "text/csv"),
        (b"1,2\n", "text/csv;label_size=-1"),
        (b"1,2\n", "text/csv;label_size=3"),
        (b"nonsense", "application/x-recordio-protobuf"),
        (b"{}\n{", "application/jsonlines"),
        (b"\n", "application/jsonlines"),
    ],
)
def test_a_payload_that_does_not_fit_is_400_with_one_text(body: object, content_type: str) -> None:
    """Whatever is wrong with the body, the caller learns only that; the log has the reason."""
    with pytest.raises(Refusal) as caught:
        read(body, content_type)
    assert (caught.value.status, caught.value.text) == (400, "unable to evaluate payload provided")
    assert " ERROR " in caught.value.log
    assert "Customer Error: " in caught.value.log


@given(st.binary(max_size=60), st.sampled_from([*KINDS, "text/csv"]))
@example(b'{"instances": [{"features": [1e999]}]}', "application/json")
def test_any_body_is_features_or_a_refusal(body: bytes, content_type: str) -> None:
    """No body can break the front end."""
    try:
        assert read(body, content_type).ndim == 2
    except Refusal as refusal:
        assert refusal.status == 400  # noqa: PT017


@pytest.mark.documented(NOTE)
def test_an_unknown_content_type_is_415() -> None:
    """The text names the type."""
    with pytest.raises(Refusal) as caught:
        read(b"<x/>", "application/xml")
    assert (caught.value.status, caught.value.text) == (
        415,
        "content-type application/xml not supported",
    )


@pytest.mark.documented(NOTE)
@pytest.mark.parametrize(
    ("accept", "default", "chosen"),
    [
        (None, None, "application/json"),
        ("*/*", None, "application/json"),
        ("application/jsonlines", None, "application/jsonlines"),
        ("text/csv, application/json", None, "application/json"),
        ("application/x-recordio-protobuf", None, "application/x-recordio-protobuf"),
        ("application/json;verbose=true", None, "application/json"),
        ("Application/JSON", None, "application/json"),
        (None, "application/jsonlines", "application/jsonlines"),
        ("*/*", "application/jsonlines", "application/jsonlines"),
        ("application/json", "application/jsonlines", "application/json"),
    ],
)
def test_the_answer_has_the_first_accepted_type_on_offer(
    accept: str | None, default: str | None, chosen: str
) -> None:
    """A list in Accept is gone through; without one, or with */*, the default is taken."""
    environment = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": default} if default else {}
    assert inference.accepted(Invocation(b"", None, accept), environment, KINDS) == chosen


@pytest.mark.assumed(NOTE)
def test_an_accept_with_nothing_on_offer_is_406() -> None:
    """What cannot be answered as wanted is refused."""
    with pytest.raises(Refusal) as caught:
        inference.accepted(Invocation(b"", None, "text/csv"), {}, KINDS)
    assert caught.value.status == 406


@pytest.mark.recorded(NOTE)
def test_json_has_pythons_spacing_and_no_newline() -> None:
    """The recorded body of one prediction has 48 bytes."""
    score = float(np.float32(17.303707122802734))
    answer = inference.answer([{"score": score}], "application/json")
    assert answer.body == b'{"predictions": [{"score": 17.303707122802734}]}'
    assert (len(answer.body), answer.content_type) == (48, "application/json")


@pytest.mark.documented(SHAPES)
def test_json_lines_has_a_line_per_record() -> None:
    """Each prediction is a line, and each line ends."""
    answer = inference.answer([{"score": 1.0}, {"score": 2.0}], "application/jsonlines")
    assert answer.body == b'{"score": 1.0}\n{"score": 2.0}\n'


@pytest.mark.documented(SHAPES)
def test_protobuf_has_a_record_per_prediction() -> None:
    """The fields of a prediction are labels in float32."""
    predictions: list[inference.Prediction] = [
        {"score": [0.25, 0.75], "predicted_label": 1},
        {"score": 0.5},
    ]
    answer = inference.answer(predictions, "application/x-recordio-protobuf")
    first, second = inference.messages(answer.body)
    assert list(first.label["score"].float32_tensor.values) == [0.25, 0.75]
    assert list(first.label["predicted_label"].float32_tensor.values) == [1.0]
    assert list(second.label["score"].float32_tensor.values) == [0.5]
    assert dict(first.features) == {}


def test_another_envelope_may_be_chosen() -> None:
    """Pca has projections, randomcutforest scores."""
    answer = inference.answer([{"projection": [1.0]}], "application/json", "projections")
    assert json.loads(answer.body) == {"projections": [{"projection": [1.0]}]}
