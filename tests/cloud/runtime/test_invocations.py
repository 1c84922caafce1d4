"""InvokeEndpoint: what reaches the container, what comes back, and every way to fail."""

import base64
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cloud.local_cloud import LocalCloud
from harness.cloud.runtime.limits import Limits
from harness.cloud.runtime.router import (
    LEAST_OUTSTANDING_REQUESTS,
    Destination,
    Pool,
    Route,
    Worker,
)
from tests.cloud.conftest import ACCOUNT, REGION

NO_RETRIES = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
LIMIT = Limits.current().payload_bytes
TAIL = (
    "See https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logEventViewer:"
    "group=/aws/sagemaker/Endpoints/Obedient-1 in account 123456789012 for more information."
)


@pytest.fixture(scope="module")
def runtime(client: Callable[..., Any]) -> Any:
    """A client of the runtime that sends once and checks nothing."""
    return client("sagemaker-runtime", config=NO_RETRIES)


def order(**what: Any) -> bytes:
    """A body that tells the model what to do."""
    return json.dumps(what).encode()


def refused(call: Callable[[], Any]) -> dict[str, Any]:
    """The error answer of a call."""
    with pytest.raises(ClientError) as caught:
        call()
    response: dict[str, Any] = caught.value.response  # type: ignore[assignment]
    return response


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=5000).filter(lambda body: not body.strip().startswith(b"{")))
def test_the_body_arrives_as_it_was_sent(runtime: Any, endpoint: str, body: bytes) -> None:
    """Any bytes reach the container unchanged."""
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body)
    assert base64.b64decode(json.loads(answer["Body"].read())["body"]) == body


@pytest.mark.documented("notes/invocations.md#headers")
def test_headers_go_both_ways(runtime: Any, endpoint: str) -> None:
    """Content type, accept and custom attributes reach the container; its own come back."""
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint,
        Body=b"1,2",
        ContentType="text/csv; label_size=0",
        Accept="text/csv, application/json",
        CustomAttributes="trace=42",
        InferenceId="id-1",
    )
    seen = json.loads(answer["Body"].read())["headers"]
    assert seen["content-type"] == "text/csv; label_size=0"
    assert seen["accept"] == "text/csv, application/json"
    assert seen["x-amzn-sagemaker-custom-attributes"] == "trace=42"
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert "CustomAttributes" not in answer
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint,
        Body=order(headers={"X-Amzn-SageMaker-Custom-Attributes": "own", "Content-Type": "a/b"}),
    )
    assert answer["Body"].read() == b""
    assert (answer["CustomAttributes"], answer["ContentType"]) == ("own", "a/b")


@pytest.mark.documented("notes/invocations.md#model-errors")
@pytest.mark.parametrize(
    ("status", "side"), [(400, "client"), (415, "client"), (500, "server"), (503, "server")]
)
def test_a_failing_model_is_a_model_error(
    runtime: Any, endpoint: str, status: int, side: str
) -> None:
    """A status other than 2xx is ModelError 424 with the container's status, text and log."""
    answer = refused(
        lambda: runtime.invoke_endpoint(
            EndpointName=endpoint, Body=order(status=status, body="no such column")
        )
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["OriginalStatusCode"] == status
    assert answer["OriginalMessage"] == "no such column"
    assert answer["LogStreamArn"].endswith("log-group:/aws/sagemaker/Endpoints/Obedient-1")
    assert answer["Error"]["Message"] == (
        f'Received {side} error ({status}) from primary with message "no such column". {TAIL}'
    )


@pytest.mark.documented("sagemaker-runtime:Message")
def test_a_long_failure_is_cut(runtime: Any, endpoint: str) -> None:
    """The message stays within 2,048 characters and keeps the sentence about the log."""
    answer = refused(
        lambda: runtime.invoke_endpoint(EndpointName=endpoint, Body=order(status=500, size=100_000))
    )
    assert len(answer["Error"]["Message"]) <= 2048
    assert answer["Error"]["Message"].endswith(TAIL)


@pytest.mark.documented("notes/invocations.md#limits")
def test_the_payload_limit_is_exact(runtime: Any, endpoint: str) -> None:
    """A body of exactly the limit passes; one byte more is a plain 413 that names the limit."""
    body = order(body="ok").ljust(LIMIT)
    assert runtime.invoke_endpoint(EndpointName=endpoint, Body=body)["Body"].read() == b"ok"
    refusal = refused(lambda: runtime.invoke_endpoint(EndpointName=endpoint, Body=body + b" "))
    assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert refusal["Error"]["Message"] == f"HTTP content length exceeded {LIMIT} bytes."


@pytest.mark.documented("notes/invocations.md#model-errors")
def test_an_answer_over_the_limit_is_not_loaded(runtime: Any, endpoint: str) -> None:
    """A container that answers too much is a client error (413) of the container."""
    answer = refused(
        lambda: runtime.invoke_endpoint(EndpointName=endpoint, Body=order(size=LIMIT + 1))
    )
    assert answer["Error"]["Message"] == (
        f"Received client error (413) from primary and could not load the entire response body. {TAIL}"
    )


@pytest.mark.documented("notes/invocations.md#invocations-that-find-no-model")
@pytest.mark.parametrize("name", ["absent", "obedient-1"])
def test_an_endpoint_that_is_not_there(runtime: Any, endpoint: str, name: str) -> None:
    """An unknown name, or a known one in another case, is not found, in the runtime's own code."""
    answer = refused(lambda: runtime.invoke_endpoint(EndpointName=name, Body=b""))
    assert answer["Error"]["Code"] == "ValidationError"
    assert answer["Error"]["Message"] == f"Endpoint {name} of account 123456789012 not found."


@pytest.mark.assumed("notes/invocations.md#invocations-that-find-no-model")
def test_a_variant_that_is_not_there(runtime: Any, endpoint: str) -> None:
    """An unknown TargetVariant is the caller's mistake."""
    answer = refused(
        lambda: runtime.invoke_endpoint(EndpointName=endpoint, Body=b"", TargetVariant="Other")
    )
    assert answer["Error"]["Code"] == "ValidationError"


@pytest.mark.documented("sagemaker-runtime:InvokeEndpointInput")
@pytest.mark.parametrize(
    "members",
    [{"CustomAttributes": "x" * 1025}, {"InferenceId": "x" * 65}, {"TargetVariant": "-"}],
)
def test_headers_are_validated(runtime: Any, endpoint: str, members: dict[str, str]) -> None:
    """A header that the model does not allow is a ValidationError."""
    answer = refused(lambda: runtime.invoke_endpoint(EndpointName=endpoint, Body=b"", **members))
    assert answer["Error"]["Code"] == "ValidationError"


@pytest.mark.parametrize("members", [{"SessionId": "NEW_SESSION"}, {"InferenceComponentName": "c"}])
def test_what_is_not_offered_is_refused_by_name(
    runtime: Any, endpoint: str, members: dict[str, str]
) -> None:
    """A member that is not honoured is not ignored either."""
    answer = refused(lambda: runtime.invoke_endpoint(EndpointName=endpoint, Body=b"", **members))
    assert next(iter(members)) in answer["Error"]["Message"]


def test_a_worker_that_dies_is_replaced(
    cloud: LocalCloud, runtime: Any, endpoint: str, client: Callable[..., Any]
) -> None:
    """The request that it held fails as the model's error; the endpoint answers again afterwards."""
    answer = refused(lambda: runtime.invoke_endpoint(EndpointName=endpoint, Body=order(die=True)))
    assert answer["Error"]["Code"] == "ModelError"
    patient = client(
        "sagemaker-runtime", config=Config(retries={"total_max_attempts": 10, "mode": "standard"})
    )
    assert patient.invoke_endpoint(EndpointName=endpoint, Body=b"1")["Body"].read()


@pytest.fixture
def unreachable() -> Iterator[Callable[[Pool], Worker]]:
    """`unreachable(pool)`: a worker, in no pool yet, to which nobody can connect; suspected, it leaves `pool`."""
    with socket.socket() as sock:
        # Taken, so that nobody else has it, but not listening.
        sock.bind(("127.0.0.1", 0))

        def make(pool: Pool) -> Worker:
            worker = Worker(sock.getsockname(), "i-unreachable")

            def leave() -> None:
                assert pool.remove(worker)

            worker.suspect = leave
            return worker

        yield make


@pytest.mark.assumed("notes/invocations.md#invocations-that-find-no-model")
def test_what_was_not_sent_goes_to_another_worker(
    cloud: LocalCloud, runtime: Any, endpoint: str, unreachable: Callable[[Pool], Worker]
) -> None:
    """A worker that cannot be reached costs no request while its variant has another; alone it is 503."""
    lease = cloud.router.acquire(ACCOUNT, REGION, endpoint)
    cloud.router.release(lease)
    alive = Worker(lease.address, "i-alive", in_flight=1)
    pool = Pool("A", strategy=LEAST_OUTSTANDING_REQUESTS)
    pool.add(alive)
    dead = unreachable(pool)
    # The one that holds nothing is asked first.
    pool.add(dead)
    cloud.router.switch(ACCOUNT, REGION, "Patched", Route((Destination(pool, 1.0),)))
    try:
        assert runtime.invoke_endpoint(EndpointName="Patched", Body=b"1")["Body"].read()
        assert pool.workers == (alive,)
        pool.remove(alive)
        pool.add(dead)
        answer = refused(lambda: runtime.invoke_endpoint(EndpointName="Patched", Body=b"1"))
        assert answer["Error"]["Code"] == "ServiceUnavailable"
        assert (dead.in_flight, alive.in_flight) == (0, 1)
    finally:
        cloud.router.remove(ACCOUNT, REGION, "Patched")
