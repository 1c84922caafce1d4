"""Invocations as boto3 writes them are understood, and boto3 understands the answers."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cloud.errors import AwsError
from harness.cloud.protocol import rest
from harness.cloud.protocol.errors import error_response
from harness.cloud.protocol.serialization import MalformedAnswer
from tests.cloud.protocol.generated import Shape, service_model, values
from tests.cloud.protocol.replayed import Answer, client, scope_of

OPERATIONS = {
    "InvokeEndpoint": "invoke_endpoint",
    "InvokeEndpointAsync": "invoke_endpoint_async",
    "InvokeEndpointWithResponseStream": "invoke_endpoint_with_response_stream",
}
# What HTTP can carry in a header and hands over unchanged: no control characters, no spaces at the ends.
_CARRIED = {"max_codepoint": 126, "min_codepoint": 32}


def scope(
    path: str = "/endpoints/e/invocations", *headers: tuple[bytes, bytes], method: str = "POST"
) -> dict[str, Any]:
    """The ASGI scope of a request with these headers."""
    return {"method": method, "path": path, "raw_path": path.encode(), "headers": list(headers)}


def refusal(request: dict[str, Any]) -> AwsError:
    """The error with which a request is refused."""
    with pytest.raises(AwsError) as caught:
        rest.bind(request)
    return caught.value


def carried(value: object) -> bool:
    """Whether HTTP hands `value` over as it is."""
    text = str(value)
    return text.isascii() and text.isprintable() and text == text.strip() != ""


@st.composite
def invocations(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An operation of the runtime and a request that its model allows, without the body."""
    name = draw(st.sampled_from(sorted(OPERATIONS)))
    shape: Shape = service_model("sagemaker-runtime").operation_model(name).input_shape
    members = {key: shape.members[key] for key in shape.members if key != "Body"}
    chosen = draw(st.lists(st.sampled_from(sorted(members)), unique=True))
    names = sorted({"EndpointName", *chosen})
    return name, {key: draw(values(members[key]).filter(carried)) for key in names}


@settings(suppress_health_check=list(HealthCheck))
@given(invocations())
@pytest.mark.documented("sagemaker-runtime:InvokeEndpoint")
def test_what_boto3_sends_arrives(invocation: tuple[str, dict[str, Any]]) -> None:
    """The members of any invocation are read from the path and the headers that boto3 made of them."""
    operation, request = invocation
    found: list[tuple[str, dict[str, Any]]] = []

    def answer(prepared: Any) -> Answer:
        found.append(rest.bind(scope_of(prepared)))
        return 202 if operation.endswith("Async") else 200, [], b"{}"

    getattr(client("sagemaker-runtime", answer), OPERATIONS[operation])(**request, Body=b"1,2")
    # What boto3 adds by itself: a content type for a body that has none.
    ((seen, members),) = found
    assert seen == operation
    assert {**members, **request} == members
    assert set(members) - set(request) <= {"ContentType"}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "ContentType": st.sampled_from(["text/csv", "application/json; charset=utf-8"]),
            "InvokedProductionVariant": st.from_regex(r"[a-z]{1,9}", fullmatch=True),
            "CustomAttributes": st.text(st.characters(**_CARRIED), max_size=30).filter(carried),  # type: ignore[arg-type]
            "NewSessionId": st.just("abc; Expires=2026-01-01T00:00:00Z"),
            "ClosedSessionId": st.none() | st.just("abc"),
        },
    )
)
@pytest.mark.documented("sagemaker-runtime:InvokeEndpointOutput")
def test_boto3_reads_the_members_of_an_answer(result: dict[str, str | None]) -> None:
    """What goes into headers comes out of boto3 as members; None is no header."""

    def answer(_: Any) -> Answer:
        return 200, rest.response_headers("InvokeEndpoint", result), b"0.5\n"

    call = client("sagemaker-runtime", answer).invoke_endpoint
    response = call(EndpointName="e", Body=b"1")
    assert response["Body"].read() == b"0.5\n"
    members = {k: v for k, v in response.items() if k not in ("Body", "ResponseMetadata")}
    assert members == {k: v for k, v in result.items() if v is not None}


@pytest.mark.documented("sagemaker-runtime:InvokeEndpointOutput.InvokedProductionVariant")
def test_the_variants_header_has_a_name_of_its_own() -> None:
    """InvokedProductionVariant is the one header without SageMaker in its name."""
    result = {"InvokedProductionVariant": "AllTraffic"}
    assert rest.response_headers("InvokeEndpoint", result) == [
        (b"x-amzn-invoked-production-variant", b"AllTraffic")
    ]


@pytest.mark.documented("sagemaker-runtime:InvokeEndpointAsync")
def test_an_asynchronous_answer_has_a_body_and_headers() -> None:
    """The id travels in JSON, the locations in headers, under 202."""
    result = {"InferenceId": "i-1", "OutputLocation": "s3://b/o", "FailureLocation": "s3://b/f"}
    (route,) = (r for r in rest.routes() if r.operation.name == "InvokeEndpointAsync")
    in_headers = {k: v for k, v in result.items() if k != "InferenceId"}

    def answer(_: Any) -> Answer:
        headers = rest.response_headers("InvokeEndpointAsync", in_headers)
        return route.operation.status, headers, rest.response_body("InvokeEndpointAsync", result)

    call = client("sagemaker-runtime", answer).invoke_endpoint_async
    response = call(EndpointName="e", InputLocation="s3://b/i")
    assert response.pop("ResponseMetadata")["HTTPStatusCode"] == 202
    assert response == result


def test_an_answer_whose_body_is_the_payload_has_no_other() -> None:
    """InvokeEndpoint's body is the container's; there is nothing to write as JSON."""
    assert rest.response_body("InvokeEndpoint", {"ContentType": "text/csv"}) == b""


@pytest.mark.parametrize(
    ("result", "complaint"),
    [
        ({"InferenceId": "i"}, "no header for 'InferenceId'"),
        ({"CustomAttributes": "a\r\nx-evil: 1"}, "CustomAttributes cannot be a header"),
        ({"ContentType": "text/csv\0"}, "ContentType cannot be a header"),
    ],
)
def test_a_mistake_of_ours_is_found(result: dict[str, str], complaint: str) -> None:
    """A member that is none of the headers, or a value that would end one, goes no further."""
    with pytest.raises(MalformedAnswer, match=complaint):
        rest.response_headers("InvokeEndpoint", result)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/endpoints/e/invocations"),
        ("POST", "/"),
        ("POST", "/endpoints//invocations"),
        ("POST", "/endpoints/invocations"),
        ("POST", "/endpoints/e/f/invocations"),
        ("POST", "/endpoints/e/invocations/"),
        ("POST", "/endpoints/e/invocations-of-another-kind"),
        ("POST", "/endpoint/e/invocations"),
    ],
)
@pytest.mark.recorded("notes/wire.md#unknown-operations")
def test_another_path_is_no_operation(method: str, path: str) -> None:
    """What is not an operation's method and path is an unknown operation, 404."""
    error = refusal(scope(path, method=method))
    assert (error.code, error.status) == ("UnknownOperationException", 404)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda s: "/" not in s))
@pytest.mark.documented("sagemaker-runtime:InvokeEndpointInput.EndpointName")
def test_any_name_is_taken_or_refused(name: str) -> None:
    """An endpoint's name in the path is percent-decoded; what cannot be a name is a ValidationError."""

    def answer(prepared: Any) -> Answer:
        try:
            _, members = rest.bind(scope_of(prepared))
        except AwsError as error:
            return error_response(error, "1", "rest-json")
        assert members["EndpointName"] == name
        return 200, [], b""

    call = client("sagemaker-runtime", answer).invoke_endpoint
    if name.isascii() and name.isalnum() and len(name) <= 63:
        call(EndpointName=name, Body=b"")
    elif not name.isascii() or len(name) > 63 or name.startswith("-"):
        with pytest.raises(ClientError) as caught:
            call(EndpointName=name, Body=b"")
        assert caught.value.response["Error"]["Code"] == "ValidationError"
        assert f"'{name}' at 'endpointName'" in caught.value.response["Error"]["Message"]


@pytest.mark.assumed("notes/wire.md#headers")
def test_violations_stand_in_one_validation_error() -> None:
    """Wrong headers are told together, path first, in the words of the control plane."""
    error = refusal(
        scope(
            "/endpoints/-/invocations",
            (b"x-amzn-sagemaker-target-variant", b"v" * 64),
            (b"x-amzn-sagemaker-inference-id", b""),
        )
    )
    assert (error.code, error.status) == ("ValidationError", 400)
    assert error.message.startswith(
        "4 validation errors detected: Value '-' at 'endpointName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*; Value 'vvv"
    )
    assert "at 'inferenceId'" in error.message


@pytest.mark.documented("sagemaker-runtime:CustomAttributesHeader")
def test_custom_attributes_are_not_repeated() -> None:
    """The model calls them sensitive, so a message about them does not hold them."""
    error = refusal(
        scope("/endpoints/e/invocations", (b"x-amzn-sagemaker-custom-attributes", b"secret" * 200))
    )
    assert error.message == (
        "1 validation error detected: Value at 'customAttributes' failed to satisfy constraint: "
        "Member must have length less than or equal to 1024"
    )


@pytest.mark.parametrize("text", [b"soon", b"", b"1.5", b"1_000", b" 60", "٦".encode(), b"9" * 99])
@pytest.mark.assumed("notes/wire.md#headers")
def test_a_number_in_a_header_must_be_one(text: bytes) -> None:
    """A header that the model calls an integer and that is none is a SerializationException."""
    header = (b"x-amzn-sagemaker-requestttlseconds", text)
    error = refusal(scope("/endpoints/e/async-invocations", header))
    assert (error.code, error.status) == ("SerializationException", 400)


@pytest.mark.documented("sagemaker-runtime:RequestTTLSecondsHeader")
def test_a_number_in_a_header_has_its_range() -> None:
    """The time to live of an asynchronous request is at least a minute."""
    header = (b"x-amzn-sagemaker-requestttlseconds", b"59")
    error = refusal(scope("/endpoints/e/async-invocations", header))
    assert error.message == (
        "1 validation error detected: Value '59' at 'requestTTLSeconds' failed to satisfy "
        "constraint: Member must have value greater than or equal to 60"
    )


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"
)
def test_the_container_gets_its_headers() -> None:
    """Content type, accepted type and SageMaker's own headers go to the container, routing does not."""
    _, request = rest.bind(
        scope(
            "/endpoints/e/invocations",
            (b"content-type", b"text/csv"),
            (b"accept", b"application/json"),
            (b"x-amzn-sagemaker-custom-attributes", b"a=1"),
            (b"x-amzn-sagemaker-target-variant", b"v"),
            (b"authorization", b"AWS4-HMAC-SHA256 ..."),
        )
    )
    assert rest.container_headers(request) == {
        "Content-Type": "text/csv",
        "Accept": "application/json",
        "X-Amzn-SageMaker-Custom-Attributes": "a=1",
    }


def test_a_scope_without_a_raw_path_will_do() -> None:
    """Some servers hand over only the decoded path."""
    request = scope("/endpoints/e/invocations")
    del request["raw_path"]
    assert rest.bind(request) == ("InvokeEndpoint", {"EndpointName": "e"})
