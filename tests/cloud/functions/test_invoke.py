"""Invoke by boto3: what arrives in a function, and what its caller sees."""

import base64
import json
import string
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloud.conftest import ACCOUNT, REGION
from tests.cloud.functions.conftest import Client, Lambdas, zipped

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
NOTE = "notes/functions.md"

# Doubles that JSON's readers and writers agree on, and no NaN.
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(event=VALUES)
@pytest.mark.recorded(f"{NOTE}#answers")
def test_any_event_comes_back(lambdas: Lambdas, obedient: str, event: Any) -> None:
    """A function that returns its event answers with equal JSON, whatever it is."""
    result = lambdas.invoke(obedient, {"event": event})
    assert result.json == {"event": event}
    assert (result.status, result.error, result.version) == (200, None, "$LATEST")


@pytest.mark.assumed(f"{NOTE}#answers")
def test_without_a_payload(lambdas: Lambdas, obedient: str) -> None:
    """An invocation without a payload hands the function an empty object."""
    answer = lambdas.client.invoke(FunctionName=obedient)
    assert answer["Payload"].read() == b"{}"


@pytest.mark.recorded(f"{NOTE}#answers")
def test_a_function_that_returns_nothing(lambdas: Lambdas, obedient: str) -> None:
    """None is answered as null; an Event is answered at once, without a payload."""
    assert lambdas.do(obedient, "print", []).payload == b"null"
    event = lambdas.do(obedient, "print", [], InvocationType="Event")
    assert (event.status, event.payload, event.version) == (202, b"", None)


@pytest.mark.recorded(f"{NOTE}#answers")
@pytest.mark.parametrize(
    ("kind", "status", "payload"),
    [("RequestResponse", 200, b"{}"), ("Event", 202, b""), ("DryRun", 204, b"")],
)
def test_kinds_of_invocation(
    lambdas: Lambdas, obedient: str, kind: str, status: int, payload: bytes
) -> None:
    """Each kind of invocation has its status; only the one that waits has a payload."""
    result = lambdas.invoke(obedient, {}, InvocationType=kind)
    assert (result.status, result.payload) == (status, payload)


@pytest.mark.documented("lambda:InvokeAsync")
def test_invoke_async(lambdas: Lambdas, obedient: str) -> None:
    """The old asynchronous operation accepts an event."""
    assert lambdas.client.invoke_async(FunctionName=obedient, InvokeArgs=b"{}")["Status"] == 202


@pytest.mark.recorded(f"{NOTE}#context")
def test_context(lambdas: Lambdas) -> None:
    """The context names the version, its ARN as it was invoked, memory, log and request."""
    name = lambdas.create(Publish=True, Timeout=10)
    result = lambdas.do(name, "context", Qualifier="1")
    context = result.json
    assert result.version == "1"
    assert 0 < context.pop("remaining") <= 10_000
    stream = context.pop("log_stream_name")
    assert "/[1]" in stream
    assert context == {
        "aws_request_id": result.request_id,
        "invoked_function_arn": f"{ARN}{name}:1",
        "function_version": "1",
        "function_name": name,
        "memory_limit_in_mb": "128",
        "log_group_name": f"/aws/lambda/{name}",
        "client_context": None,
    }


@pytest.mark.recorded(f"{NOTE}#context")
def test_client_context(lambdas: Lambdas, obedient: str) -> None:
    """The client context is decoded for the function, on however many lines it was written."""
    context = {"custom": {"foo": "bär"}, "client": {"snap": ["crackle", "pop"]}, "env": {"a": "b"}}
    encoded = base64.b64encode(json.dumps(context, indent=1).encode()).decode()
    seen = lambdas.do(obedient, "context", ClientContext=encoded).json["client_context"]
    assert seen == {"custom": {"foo": "bär"}, "env": {"a": "b"}}


@pytest.mark.assumed(f"{NOTE}#context")
@pytest.mark.parametrize("context", ["no base64!", "bm8ganNvbg==", "W10=", "e30=" * 1000])
def test_bad_client_context(lambdas: Lambdas, obedient: str, context: str) -> None:
    """A client context that is no JSON object in Base64, or too long, is refused."""
    error = lambdas.refusal(obedient, ClientContext=context)
    assert error["Error"]["Code"] == "InvalidRequestContentException"


@pytest.mark.documented("lambda:InvocationRequest.FunctionName")
@pytest.mark.parametrize(
    ("function", "qualifier", "arn"),
    [
        ("obedient", None, "obedient"),
        ("obedient", "$LATEST", "obedient:$LATEST"),
        ("obedient:$LATEST", None, "obedient:$LATEST"),
        ("obedient:$LATEST", "$LATEST", "obedient:$LATEST"),
        (f"{ACCOUNT}:function:obedient", None, "obedient"),
        (f"{ACCOUNT}:obedient", None, "obedient"),
        ("function:obedient:$LATEST", None, "obedient:$LATEST"),
        (f"{ARN}obedient", None, "obedient"),
        (f"{ARN}obedient:$LATEST", None, "obedient:$LATEST"),
        (f"{ARN}obedient", "$LATEST", "obedient:$LATEST"),
    ],
)
@pytest.mark.usefixtures("obedient")
def test_names(lambdas: Lambdas, function: str, qualifier: str | None, arn: str) -> None:
    """A name, a partial ARN and a whole one mean the same; the function sees the qualifier that was asked for."""
    arguments = {"Qualifier": qualifier} if qualifier else {}
    context = lambdas.do(function, "context", **arguments).json
    assert context["invoked_function_arn"] == ARN + arn


@pytest.mark.recorded(f"{NOTE}#errors")
@pytest.mark.parametrize(
    ("function", "qualifier", "wanted"),
    [
        ("doesnotexist", None, "doesnotexist:$LATEST"),
        ("obedient", "non-existent-alias", "obedient:non-existent-alias"),
        ("obedient:7", None, "obedient:7"),
        (f"{ARN}doesnotexist", "7", "doesnotexist:7"),
    ],
)
@pytest.mark.parametrize("kind", ["RequestResponse", "Event", "DryRun"])
@pytest.mark.usefixtures("obedient")
def test_a_function_that_is_not_there(
    lambdas: Lambdas, function: str, qualifier: str | None, wanted: str, kind: str
) -> None:
    """ResourceNotFoundException names the ARN, with the qualifier that it was looked for by."""
    arguments = {"Qualifier": qualifier} if qualifier else {}
    error = lambdas.refusal(function, InvocationType=kind, **arguments)
    message = f"Function not found: {ARN}{wanted}"
    assert error["Error"] == {"Code": "ResourceNotFoundException", "Message": message}
    assert (error["Message"], error["Type"]) == (message, "User")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.assumed(f"{NOTE}#errors")
@pytest.mark.usefixtures("obedient")
def test_names_that_contradict(lambdas: Lambdas) -> None:
    """Two different qualifiers, or a region that is not the request's, are refused."""
    error = lambdas.refusal("obedient:1", Qualifier="2")["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    error = lambdas.refusal(f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:obedient")["Error"]
    assert error == {
        "Code": "ResourceNotFoundException",
        "Message": "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    }


@pytest.mark.documented("lambda:InvocationRequest.FunctionName")
@pytest.mark.parametrize("name", ["no spaces", "a:b:c:d", "ü", "x" * 257])
def test_names_that_the_model_forbids(lambdas: Lambdas, name: str) -> None:
    """What cannot be a function's name is a ValidationException that repeats it."""
    error = lambdas.refusal(name)
    assert error["Error"]["Code"] == "ValidationException"
    assert f"'{name}' at 'functionName'" in error["Error"]["Message"]
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.documented("lambda:InvocationType")
def test_kinds_that_the_model_forbids(lambdas: Lambdas, obedient: str) -> None:
    """What is no kind of invocation is a ValidationException."""
    error = lambdas.refusal(obedient, InvocationType="Later")["Error"]
    assert error["Message"] == (
        "1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy "
        "constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
    )


PLACE = (
    "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
    "line: 1, column: {}]"
)


@pytest.mark.recorded(f"{NOTE}#errors")
@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt", "Invalid UTF-8 start byte 0x87" + PLACE.format(3)),
        (
            b"\x99\xeb,j\x07\xa1zYh",
            "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, "
            "Number, Array, Object or token 'null', 'true' or 'false')" + PLACE.format(1),
        ),
    ],
)
@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_payloads_that_are_no_json(
    lambdas: Lambdas, obedient: str, payload: bytes, complaint: str, kind: str
) -> None:
    """InvalidRequestContentException tells in the words of AWS's parser what is wrong, and where."""
    error = lambdas.refusal(obedient, Payload=payload, InvocationType=kind)
    message = (
        "Could not parse request body into json: Could not parse payload into json: " + complaint
    )
    assert error["Error"] == {"Code": "InvalidRequestContentException", "Message": message}
    assert (error["message"], error["Type"]) == (message, "User")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(payload=st.binary(min_size=1) | st.text(string.printable, min_size=1).map(str.encode))
@pytest.mark.assumed(f"{NOTE}#errors")
def test_any_payload(lambdas: Lambdas, obedient: str, payload: bytes) -> None:
    """Whatever the payload is, the function answers, or it is refused as no JSON."""
    try:
        event = json.loads(payload.decode(), parse_constant=int)  # which takes no NaN
    except (ValueError, RecursionError):
        error = lambdas.refusal(obedient, Payload=payload)["Error"]
        assert error["Code"] == "InvalidRequestContentException"
    else:
        assert lambdas.invoke(obedient, Payload=payload).json == event


def test_what_is_not_run_here(lambdas: Lambdas, client: Client) -> None:
    """Another language's runtime, a container image, a stream and a tenant are refused by name."""
    node = lambdas.create({"index.js": "exports.handler = async () => 1"}, Runtime="nodejs22.x")
    error = lambdas.refusal(node)["Error"]
    assert error["Code"] == "UnsupportedOperation"
    assert "nodejs22.x" in error["Message"]
    image = lambdas.create(
        PackageType="Image", Code={"ImageUri": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/i:1"}
    )
    assert "PackageType Image" in lambdas.refusal(image)["Error"]["Message"]
    for kind in ("Event", "DryRun"):
        assert lambdas.refusal(node, InvocationType=kind)["Error"]["Code"] == "UnsupportedOperation"
    assert "TenantId" in lambdas.refusal("obedient", TenantId="t")["Error"]["Message"]
    with pytest.raises(ClientError, match="does not implement InvokeWithResponseStream"):
        lambdas.client.invoke_with_response_stream(FunctionName="obedient")


@pytest.mark.recorded(f"{NOTE}#context")
def test_request_ids(lambdas: Lambdas, obedient: str) -> None:
    """The id in the answer's header is the one that the function and its log have."""
    result = lambdas.do(obedient, "log", "RequestId log message", LogType="Tail")
    assert result.json == result.request_id
    start, printed, logged, end, report = result.log
    assert start == f"START RequestId: {result.request_id} Version: $LATEST\n"
    assert printed == "Lambda log message - print function\n"
    kind, _, request_id, message = logged.split("\t")
    assert (kind, request_id, message) == ("[INFO]", result.request_id, "RequestId log message\n")
    assert end == f"END RequestId: {result.request_id}\n"
    assert report.startswith(f"REPORT RequestId: {result.request_id}\tDuration: ")


def test_other_regions(client: Client, lambdas: Lambdas) -> None:
    """A function lives in its region, and says so."""
    other = Lambdas(
        lambda service, **arguments: client(service, "eu-west-1", **arguments), lambdas.role
    )
    name = other.create(FunctionName="elsewhere")
    environment = other.do(name, "environment").json
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert lambdas.refusal(name)["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.recorded(f"{NOTE}#answers")
def test_code_from_s3(lambdas: Lambdas, client: Client) -> None:
    """A deployment package may lie in a bucket."""
    s3 = client("s3")
    s3.create_bucket(Bucket="packages")
    s3.put_object(
        Bucket="packages", Key="a/b.zip", Body=zipped({"handler.py": "handler = lambda e, c: [e]"})
    )
    name = lambdas.create(Code={"S3Bucket": "packages", "S3Key": "a/b.zip"})
    assert lambdas.invoke(name, {"foo": "bar with 'quotes\""}).json == [
        {"foo": "bar with 'quotes\""}
    ]


@pytest.mark.recorded(f"{NOTE}#answers")
def test_handler_in_a_submodule(lambdas: Lambdas) -> None:
    """A handler may be in a package, named with slashes or dots."""
    files = {
        "package/__init__.py": "",
        "package/def/__init__.py": "",
        "package/def/main.py": "def handler(event, context): return event",
    }
    for handler in ("package/def/main.handler", "package.def.main.handler"):
        assert lambdas.invoke(lambdas.create(files, Handler=handler), {"a": 1}).json == {"a": 1}
