"""Lambda's operations that run a function, as boto3 writes them; and its errors, as boto3 reads them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cloud.errors import AwsError
from harness.cloud.protocol import rest
from harness.cloud.protocol.errors import LAMBDA_SERVICE, error_response
from tests.cloud.protocol.generated import Shape, service_model, values
from tests.cloud.protocol.replayed import Answer, client, scope_of

OPERATIONS = {
    "Invoke": ("invoke", "Payload"),
    "InvokeAsync": ("invoke_async", "InvokeArgs"),
    "InvokeWithResponseStream": ("invoke_with_response_stream", "Payload"),
}
MODEL = service_model(LAMBDA_SERVICE)
EXCEPTIONS = [n for n in MODEL.shape_names if MODEL.shape_for(n).metadata.get("exception")]
NOTE = "notes/functions.md"


@st.composite
def invocations(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An operation and a request that its model allows, without the body."""
    name = draw(st.sampled_from(sorted(OPERATIONS)))
    shape: Shape = MODEL.operation_model(name).input_shape
    members = {key: shape.members[key] for key in shape.members if key != OPERATIONS[name][1]}
    # Base64 in boto3's hands: any bytes.
    texts = st.binary(max_size=20).map(lambda data: data.hex())
    chosen = draw(st.lists(st.sampled_from(sorted(members)), unique=True))
    return name, {
        key: draw(texts if key == "ClientContext" else values(members[key]).filter(_is_sent))
        for key in sorted({"FunctionName", *chosen})
    }


def _is_sent(value: object) -> bool:
    text = str(value)
    return text.isascii() and text.isprintable() and text == text.strip() != ""


@settings(suppress_health_check=list(HealthCheck))
@given(invocations())
@pytest.mark.documented("lambda:Invoke")
def test_what_boto3_sends_arrives(invocation: tuple[str, dict[str, Any]]) -> None:
    """Members are read from the path, the query and the headers that boto3 made of them."""
    operation, request = invocation
    found: list[tuple[str, dict[str, Any]]] = []

    def answer(prepared: Any) -> Answer:
        found.append(rest.bind(scope_of(prepared), rest.LAMBDA))
        return 202, [], b""

    call, payload = OPERATIONS[operation]
    getattr(client(LAMBDA_SERVICE, answer), call)(**request, **{payload: b"{}"})
    assert found == [(operation, request)]


@given(
    error=st.none() | st.just("Unhandled"),
    tail=st.none() | st.binary(max_size=50).map(lambda data: data.hex()),
    version=st.sampled_from(["$LATEST", "1", "77"]),
)
@pytest.mark.documented("lambda:InvocationResponse")
def test_boto3_reads_the_members_of_an_answer(
    error: str | None, tail: str | None, version: str
) -> None:
    """What goes into headers comes out of boto3 as members; None is no header."""
    result = {"FunctionError": error, "LogResult": tail, "ExecutedVersion": version}

    def answer(_: Any) -> Answer:
        return 200, rest.response_headers("Invoke", result, rest.LAMBDA), b"1"

    response = client(LAMBDA_SERVICE, answer).invoke(FunctionName="f")
    assert response.pop("Payload").read() == b"1"
    response.pop("ResponseMetadata")
    members = {name: value for name, value in result.items() if value is not None}
    assert response == {"StatusCode": 200, **members}


@pytest.mark.recorded(f"{NOTE}#errors")
@pytest.mark.parametrize("code", EXCEPTIONS)
def test_an_error_is_read_back(code: str) -> None:
    """Code, text, the member that holds it, whose fault it is, and the status of the model come back."""

    def answer(_: Any) -> Answer:
        return error_response(AwsError(code, "a text", 418), "1", "rest-json", LAMBDA_SERVICE)

    with pytest.raises(ClientError) as caught:
        client(LAMBDA_SERVICE, answer).invoke(FunctionName="f")
    response: dict[str, Any] = caught.value.response  # type: ignore[assignment]
    shape: Shape = MODEL.shape_for(code)
    status = shape.metadata["error"]["httpStatusCode"]
    assert response["Error"] == {"Code": code, "Message": "a text"}
    (holder,) = {"Message", "message"} & set(shape.members)
    assert response[holder] == "a text"
    assert response["Type"] == ("User" if status < 500 else "Service")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.recorded(f"{NOTE}#errors")
def test_further_fields_of_an_error() -> None:
    """What an error has besides its text stands beside it, in its own words."""
    error = AwsError(
        "TooManyRequestsException", "Rate Exceeded.", fields={"Reason": "R", "Type": "T"}
    )
    status, _, body = error_response(error, "1", "rest-json", LAMBDA_SERVICE)
    assert (status, json.loads(body)) == (
        429,
        {"message": "Rate Exceeded.", "Reason": "R", "Type": "T"},
    )
