"""What a proxied function's answer means, good and malformed."""

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cloud.apis.proxy_answers import (
    MalformedAnswer,
    ProxyAnswer,
    UndecodableBody,
    read_version_1,
    read_version_2,
)

JSON_TYPE = ("Content-Type", "application/json")
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = ("statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies", "more")


def version_1(answer: Any, binary: bool = False) -> ProxyAnswer:
    """The answer of a function that returned `answer`."""
    return read_version_1(json.dumps(answer).encode(), binary=binary)


@pytest.mark.recorded("notes/apis.md#proxy-answers")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"statusCode": 200}, ProxyAnswer(200, (JSON_TYPE,), b"")),
        ({}, ProxyAnswer(200, (JSON_TYPE,), b"")),
        (
            {"statusCode": 200, "headers": {"test-header": "value", "header-bool": True}},
            ProxyAnswer(200, (JSON_TYPE, ("test-header", "value"), ("header-bool", "true")), b""),
        ),
        ({"statusCode": 200, "headers": None}, ProxyAnswer(200, (JSON_TYPE,), b"")),
        (
            {"statusCode": 200, "body": "dGVzdC1kYXRh", "isBase64Encoded": True},
            ProxyAnswer(200, (JSON_TYPE,), b"dGVzdC1kYXRh"),
        ),
        (
            {"statusCode": 200, "body": "dGVzdC1kYXRh"},
            ProxyAnswer(200, (JSON_TYPE,), b"dGVzdC1kYXRh"),
        ),
        (
            {"statusCode": 200, "multiValueHeaders": {"test-multi": ["value1", "value2"]}},
            ProxyAnswer(200, (JSON_TYPE, ("test-multi", "value1"), ("test-multi", "value2")), b""),
        ),
        (
            {
                "statusCode": 200,
                "multiValueHeaders": {"test-multi": ["value-multi"]},
                "headers": {"test-multi": "value-solo"},
            },
            ProxyAnswer(
                200, (JSON_TYPE, ("test-multi", "value-multi"), ("test-multi", "value-solo")), b""
            ),
        ),
        (
            {
                "statusCode": 200,
                "multiValueHeaders": {"tesT-Multi": ["value-multi"]},
                "headers": {"test-multi": "value-solo"},
            },
            ProxyAnswer(
                200, (JSON_TYPE, ("tesT-Multi", "value-multi"), ("tesT-Multi", "value-solo")), b""
            ),
        ),
        ({"statusCode": "201"}, ProxyAnswer(201, (JSON_TYPE,), b"")),
        (
            {"headers": {"test-header": "value"}},
            ProxyAnswer(200, (JSON_TYPE, ("test-header", "value")), b""),
        ),
    ],
)
def test_recorded_answers(answer: dict[str, Any], expected: ProxyAnswer) -> None:
    """Recorded 15 November 2024: each is answered so."""
    assert expected == version_1(answer)


@pytest.mark.recorded("notes/apis.md#proxy-answers")
@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": 200, "wrongValue": "value"},
        {"statusCode": 200, "multiValueHeaders": {"test-multi-invalid": "value1"}},
        {"statusCode": "test"},
        "justAString",
    ],
)
def test_recorded_malformed_answers(answer: Any) -> None:
    """Recorded 15 November 2024: each is malformed, which the gateway makes a 502."""
    with pytest.raises(MalformedAnswer):
        version_1(answer)


@pytest.mark.assumed("notes/apis.md#proxy-answers")
@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"body": {"a": 1}},
        {"body": 7},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": 101},
        {"statusCode": True},
        {"statusCode": 200.0},
        {"headers": {"X": None}},
        {"headers": {"X": ["a"]}},
        {"headers": {"X": "a\r\nSet-Cookie: b"}},
        {"headers": {"X Y": "a"}},
        {"headers": []},
        {"multiValueHeaders": {"X": [None]}},
        {"isBase64Encoded": "true"},
    ],
)
def test_other_malformed_answers(answer: Any) -> None:
    """What HTTP cannot carry, or what is of another type than it must be."""
    with pytest.raises(MalformedAnswer):
        version_1(answer)


@pytest.mark.documented("notes/apis.md#proxy-answers")
@given(st.binary(max_size=50))
def test_base64_is_decoded_for_whoever_takes_binary(data: bytes) -> None:
    """Payload 1.0 by the request's Accept, payload 2.0 always."""
    answer = {"statusCode": 200, "body": base64.b64encode(data).decode(), "isBase64Encoded": True}
    assert data == version_1(answer, binary=True).body
    assert data == read_version_2(json.dumps(answer).encode()).body
    with pytest.raises(UndecodableBody):
        version_1({"body": "no base64!", "isBase64Encoded": True}, binary=True)


@pytest.mark.documented("notes/apis.md#proxy-answers")
def test_an_equal_pair_counts_once() -> None:
    """Of a header and value that stand in both maps, one is sent."""
    answer = version_1({"headers": {"a": "1"}, "multiValueHeaders": {"A": ["1", "2"]}})
    assert answer.headers[1:] == (("A", "1"), ("A", "2"))


@pytest.mark.documented("notes/apis.md#proxy-answers")
@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b'"Hello from Lambda!"', b"Hello from Lambda!"),
        (b'{ "message": "Hello from Lambda!" }', b'{ "message": "Hello from Lambda!" }'),
        (b"[1, 2]", b"[1, 2]"),
        (b"null", b"null"),
    ],
)
def test_version_2_infers_an_answer(payload: bytes, body: bytes) -> None:
    """Without a statusCode all of it is the body, 200, JSON."""
    assert read_version_2(payload) == ProxyAnswer(
        200, (("content-type", "application/json"),), body
    )


@pytest.mark.documented("notes/apis.md#proxy-answers")
def test_version_2_has_cookies() -> None:
    """Each becomes a header Set-Cookie of its own."""
    answer = read_version_2(
        b'{"statusCode": 201, "headers": {"content-type": "a/b"}, "cookies": ["a=1", "b=2"]}'
    )
    assert answer == ProxyAnswer(
        201, (("content-type", "a/b"), ("set-cookie", "a=1"), ("set-cookie", "b=2")), b""
    )


@given(
    answer=DOCUMENTS | st.dictionaries(st.sampled_from(KEYS), DOCUMENTS),
    binary=st.booleans(),
)
@example({"body": "\ud800", "statusCode": 200}, True)
@example({"headers": {"a": "\ud800"}}, True)
def test_no_answer_is_more_than_malformed(answer: Any, binary: bool) -> None:
    """Whatever a function returns is an answer that HTTP can carry, or one of two refusals."""
    payload = json.dumps(answer).encode()
    with contextlib.suppress(MalformedAnswer, UndecodableBody):
        _check_sendable(read_version_1(payload, binary=binary))
    with contextlib.suppress(MalformedAnswer, UndecodableBody):
        _check_sendable(read_version_2(payload))


def _check_sendable(answer: ProxyAnswer) -> None:
    assert 200 <= answer.status <= 599
    assert not any("\n" in value or "\r" in value for _, value in answer.headers)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_json_are_malformed(payload: bytes) -> None:
    """Any bytes are read or refused."""
    with contextlib.suppress(MalformedAnswer, UndecodableBody):
        read_version_1(payload, binary=False)
    with pytest.raises(MalformedAnswer):
        read_version_1(b"[" * 100_000, binary=False)
