"""Errors on both wires, as botocore's own parsers read them back."""

import json
from typing import Any

import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.errors import AwsError
from harness.cloud.protocol.errors import error_response
from tests.cloud.protocol.generated import service_model

SERVICES = {"json": "sagemaker", "rest-json": "sagemaker-runtime"}
WIRES = sorted(SERVICES)

REFUSALS = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
]
UNMODELLED = ["SerializationException", "ThrottlingException", "ValidationException", *REFUSALS]
MODELLED = [
    (wire, name)
    for wire in WIRES
    for name in service_model(SERVICES[wire]).shape_names
    if service_model(SERVICES[wire]).shape_for(name).metadata.get("exception")
]


class Read:
    """An error answer: its parts, and what a client makes of them."""

    def __init__(self, error: AwsError, wire: str, request_id: str = "1-2-3") -> None:
        self.status, raw, self.body = error_response(error, request_id, wire)
        self.headers = {name.decode(): value.decode() for name, value in raw}
        self.json: dict[str, Any] = json.loads(self.body)
        response = {"body": self.body, "headers": self.headers, "status_code": self.status}
        parser = create_parser(wire)
        operation = "ListModels" if wire == "json" else "InvokeEndpoint"
        output = service_model(SERVICES[wire]).operation_model(operation).output_shape
        assert output is not None
        parsed = parser.parse(response, output)
        self.code, self.message = parsed["Error"]["Code"], parsed["Error"]["Message"]
        self.metadata = parsed["ResponseMetadata"]
        # The members of a modelled exception, which the client finds by the code.
        shape = service_model(SERVICES[wire]).shape_for_error_code(self.code)
        self.members = {} if shape is None else parser.parse(response, shape)


@pytest.mark.documented("notes/wire.md#errors")
@pytest.mark.parametrize(("wire", "code"), MODELLED)
def test_a_modelled_error_is_read_back(wire: str, code: str) -> None:
    """Code, text, member and the status of the model come back; 400 where the model gives none."""
    read = Read(AwsError(code, "a text"), wire)
    assert (read.code, read.message) == (code, "a text")
    assert read.members["Message"] == "a text"
    shape = service_model(SERVICES[wire]).shape_for(code)
    assert read.status == shape.metadata.get("error", {}).get("httpStatusCode", 400)


@pytest.mark.documented("notes/wire.md#errors")
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("code", UNMODELLED)
def test_an_error_beside_the_model_is_read_back(wire: str, code: str) -> None:
    """Errors that any operation may answer arrive with their code and text."""
    read = Read(AwsError(code, "a text"), wire)
    assert (read.code, read.message) == (code, "a text")


@pytest.mark.documented("notes/wire.md#errors")
@pytest.mark.parametrize("code", REFUSALS)
def test_a_refused_caller_gets_403_from_the_runtime_alone(code: str) -> None:
    """The same refusal is 400 in JSON 1.1 and 403 in rest-json."""
    assert Read(AwsError(code, "a text"), "json").status == 400
    assert Read(AwsError(code, "a text"), "rest-json").status == 403


@given(
    wire=st.sampled_from(WIRES),
    code=st.sampled_from([*UNMODELLED, "InternalFailure", "ResourceInUse"]),
    message=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    request_id=st.uuids().map(str),
)
@pytest.mark.documented("notes/wire.md#errors")
def test_any_text_survives(wire: str, code: str, message: str, request_id: str) -> None:
    """Quotes, line breaks and characters of any script arrive as they are, with the request's id."""
    read = Read(AwsError(code, message), wire, request_id)
    assert (read.code, read.message) == (code, message)
    assert read.metadata["RequestId"] == request_id
    assert read.headers["content-length"] == str(len(read.body))


@pytest.mark.parametrize(
    ("wire", "content_type"),
    [("json", "application/x-amz-json-1.1"), ("rest-json", "application/json")],
)
@pytest.mark.documented("notes/wire.md#errors")
def test_where_the_code_stands(wire: str, content_type: str) -> None:
    """JSON 1.1 has the code in the body, where alone botocore looks; rest-json in a header."""
    read = Read(AwsError("ValidationException", "a text"), wire)
    assert read.headers["content-type"] == content_type
    if wire == "json":
        assert read.json == {"__type": "ValidationException", "message": "a text"}
    else:
        assert read.headers["x-amzn-errortype"] == "ValidationException"
        assert read.json == {"message": "a text"}


@pytest.mark.recorded("notes/wire.md#errors")
def test_an_unsigned_rest_request_gets_the_answer_that_was_captured() -> None:
    """The header names the framework's namespace behind a colon, and the message is in lower case."""
    read = Read(
        AwsError("MissingAuthenticationTokenException", "Missing Authentication Token"), "rest-json"
    )
    assert read.headers["x-amzn-errortype"] == (
        "MissingAuthenticationTokenException:"
        "http://internal.amazon.com/coral/com.amazon.coral.service/"
    )
    assert read.json == {"message": "Missing Authentication Token"}


@pytest.mark.documented("sagemaker-runtime:ModelError")
def test_a_model_s_own_answer_travels_with_its_error() -> None:
    """ModelError is 424 and carries the container's status, its body and the log group."""
    fields = {
        "OriginalStatusCode": 500,
        "OriginalMessage": "boom",
        "LogStreamArn": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/e",
    }
    read = Read(AwsError("ModelError", "a text", fields=fields), "rest-json")
    assert read.status == 424
    assert fields.items() <= read.members.items()


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("status", [404, 413, 500, 503])
def test_the_status_of_an_error_beside_the_model_is_its_own(wire: str, status: int) -> None:
    """What the model does not know keeps the status that it was raised with."""
    assert Read(AwsError("RequestEntityTooLargeException", "a text", status), wire).status == status
