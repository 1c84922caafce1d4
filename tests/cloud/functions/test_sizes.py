"""How large a request and an answer may be."""

import http.client
import json

import pytest

from harness.cloud.local_cloud import LocalCloud
from tests.cloud.functions.conftest import Lambdas
from tests.cloud.test_front import Wire

NOTE = "notes/functions.md"
LARGEST_REQUEST, LARGEST_ANSWER = 6_291_456, 6_291_556


@pytest.mark.recorded(f"{NOTE}#limits")
def test_the_largest_request(lambdas: Lambdas, obedient: str) -> None:
    """A request of six megabytes arrives and comes back."""
    payload = json.dumps("x" * (LARGEST_REQUEST - 2)).encode()
    assert lambdas.invoke(obedient, Payload=payload).payload == payload


@pytest.mark.documented(f"{NOTE}#limits")
def test_a_request_that_is_too_large(lambdas: Lambdas, obedient: str) -> None:
    """One byte more is refused with 413."""
    error = lambdas.refusal(obedient, Payload=json.dumps("x" * (LARGEST_REQUEST - 1)))
    assert error["Error"] == {
        "Code": "RequestEntityTooLargeException",
        "Message": "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
    }
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_huge_request_is_refused_before_it_is_read(cloud: LocalCloud) -> None:
    """A client that announces too much is refused at once, signed or not."""
    connection = http.client.HTTPConnection(Wire(cloud.url).address, timeout=30)
    connection.putrequest("POST", "/2015-03-31/functions/f/invocations")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert answer.getheader("x-amzn-errortype") == "RequestEntityTooLargeException"
    connection.close()


@pytest.mark.recorded(f"{NOTE}#limits")
def test_the_largest_answer(lambdas: Lambdas, obedient: str) -> None:
    """An answer may be a hundred bytes larger than a request."""
    assert len(lambdas.do(obedient, "bytes", LARGEST_ANSWER).payload) == LARGEST_ANSWER


@pytest.mark.recorded(f"{NOTE}#limits")
def test_an_answer_that_is_too_large(lambdas: Lambdas, obedient: str) -> None:
    """A larger answer is an error of the function, the second time as the first."""
    for _ in range(2):
        result = lambdas.do(obedient, "bytes", LARGEST_ANSWER + 1)
        assert (result.status, result.error) == (200, "Unhandled")
        assert result.json == {
            "errorMessage": "Response payload size exceeded maximum allowed payload size "
            "(6291556 bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        }
    assert lambdas.do(obedient, "bytes", 10).error is None


def test_an_error_that_is_too_large(lambdas: Lambdas, obedient: str) -> None:
    """An exception with a huge text is told to be too large."""
    name = lambdas.create("def handler(event, context): raise ValueError('x' * 7_000_000)")
    assert lambdas.invoke(name, {}).json["errorType"] == "Function.ResponseSizeTooLarge"
