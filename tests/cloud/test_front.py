"""Whatever arrives at the port gets an answer of AWS's shape, and the cloud lives on."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cloud.app import CONTROL_PLANE_BODY_BYTES
from harness.cloud.local_cloud import CloudAlreadyRunning, LocalCloud

JSON = "application/x-amz-json-1.1"


class Wire:
    """Raw HTTP to a cloud: signed by botocore, but of any shape."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.address = urlsplit(url).netloc

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        sign_for: str | None = "sagemaker",
        credentials: Credentials | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """One request; status, headers (lower case) and body of its answer."""
        headers = dict(headers or {})
        if sign_for is not None:
            request = AWSRequest(method, self.url + path, headers=headers, data=body)
            SigV4Auth(credentials or Credentials("test", "test"), sign_for, "us-east-1").add_auth(
                request
            )
            headers = dict(request.headers.items())
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def operation(
        self, operation: str, body: bytes, **arguments: Any
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        """One operation of the control plane with a body of any bytes."""
        status, headers, answer = self.send(
            "POST",
            "/",
            body,
            {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": JSON},
            **arguments,
        )
        return status, headers, json.loads(answer)


@pytest.fixture
def wire(cloud: LocalCloud) -> Wire:
    """Raw HTTP to the module's cloud."""
    return Wire(cloud.url)


@pytest.mark.documented("notes/wire.md#errors")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"", "SerializationException"),
        (b"[]", "SerializationException"),
        (b"null", "SerializationException"),
        (b"\xff\xfe", "SerializationException"),
        (b'{"ModelName": 7}', "SerializationException"),
        (b'{"ModelName": {"a": 1}}', "SerializationException"),
        (b"{}", "ValidationException"),
        (b'{"ModelName": "not a name!"}', "ValidationException"),
        (b'{"ModelName": "m"}', "ValidationException"),
        (b"[" * 100_000, "SerializationException"),
    ],
)
def test_bad_bodies_are_the_callers_fault(wire: Wire, body: bytes, code: str) -> None:
    """Malformed JSON, wrong types and violations are 400 with the code that AWS has for them."""
    status, headers, answer = wire.operation("DescribeModel", body)
    assert (400, code) == (status, answer["__type"])
    assert answer["message"]
    assert headers["x-amzn-requestid"]


@pytest.mark.documented("notes/wire.md#errors")
@pytest.mark.parametrize(
    "target", ["SageMaker.NoSuchOperation", "Elsewhere.ListModels", "", "SageMaker."]
)
def test_an_unknown_operation_is_refused(wire: Wire, target: str) -> None:
    """A target that names no operation of the model is UnknownOperationException."""
    status, _, body = wire.send("POST", "/", b"{}", {"X-Amz-Target": target, "Content-Type": JSON})
    assert (status, json.loads(body)["__type"]) == (400, "UnknownOperationException")


def test_an_operation_that_is_not_ours_is_refused_by_name(wire: Wire) -> None:
    """What would pretend to run something says that it does not exist here, and is not retried."""
    status, _, answer = wire.operation("CreateCluster", b'{"ClusterName": "c"}')
    assert (status, answer["__type"]) == (400, "UnsupportedOperation")
    assert "CreateCluster" in answer["message"]


@pytest.mark.documented("notes/signing.md#refusals")
def test_an_unsigned_request_is_refused(wire: Wire) -> None:
    """Control plane, runtime and Lambda's Invoke want a signature; each refuses in its own wire form."""
    status, _, answer = wire.operation("ListModels", b"{}", sign_for=None)
    assert (status, answer["__type"]) == (400, "MissingAuthenticationTokenException")
    for path in ("/endpoints/e/invocations", "/2015-03-31/functions/f/invocations"):
        status, headers, _ = wire.send("POST", path, b"x", sign_for=None)
        assert status == 403
        assert headers["x-amzn-errortype"].startswith("MissingAuthenticationTokenException")


@pytest.mark.documented("notes/signing.md#refusals")
def test_a_wrong_signature_is_refused(wire: Wire) -> None:
    """An unknown key and a wrong secret are told apart."""
    _, _, answer = wire.operation("ListModels", b"{}", credentials=Credentials("nobody", "test"))
    assert answer["__type"] == "UnrecognizedClientException"
    _, _, answer = wire.operation("ListModels", b"{}", credentials=Credentials("test", "other"))
    assert answer["__type"] == "InvalidSignatureException"


@pytest.mark.assumed("notes/wire.md#errors")
def test_a_huge_body_is_refused_before_it_is_read(wire: Wire) -> None:
    """100 MB to the control plane: 413 by Content-Length alone, and while streaming without one."""
    status, _, answer = wire.operation("ListModels", b"x" * 100_000_000)
    assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")

    def chunks() -> Iterator[bytes]:
        for _ in range(2 * CONTROL_PLANE_BODY_BYTES // 65536):
            yield b"x" * 65536

    connection = http.client.HTTPConnection(wire.address, timeout=30)
    try:
        connection.request(
            "POST", "/", chunks(), {"X-Amz-Target": "SageMaker.ListModels"}, encode_chunked=True
        )
        assert connection.getresponse().status == 413
    except ConnectionError:
        pass  # it hung up in the middle, which says the same
    finally:
        connection.close()
    assert wire.operation("ListModels", b"{}")[0] == 200


def test_a_client_that_goes_away_harms_nobody(wire: Wire) -> None:
    """A connection closed in the middle of its body is forgotten."""
    host, port = wire.address.split(":")
    with socket.create_connection((host, int(port))) as sock:
        sock.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListModels\r\n"
            b"Content-Length: 1000\r\n\r\n{"
        )
    assert wire.operation("ListModels", b"{}")[0] == 200


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    operation=st.sampled_from(
        ["CreateModel", "ListModels", "DescribeEndpoint", "CreateTrainingJob", "AddTags", "Search"]
    ),
    body=st.one_of(
        st.binary(max_size=100),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "ModelName",
                            "Tags",
                            "ResourceArn",
                            "PrimaryContainer",
                            "RoleArn",
                            "MaxResults",
                        ]
                    )
                    | st.text(max_size=5),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_no_body_is_our_fault(wire: Wire, operation: str, body: bytes) -> None:
    """Any bytes get a 200 or a 400 with a code, never a 500."""
    status, _, answer = wire.operation(operation, body)
    assert status in (200, 400)
    if status == 400:
        assert answer["__type"]
        assert "message" in answer


def test_every_region_has_its_own_state(client: Callable[..., Any]) -> None:
    """A bucket apart, nothing of one region shows in another."""
    for region in ("eu-central-1", "us-west-2"):
        s3 = client("s3", region)
        s3.create_bucket(
            Bucket=f"models-{region}", CreateBucketConfiguration={"LocationConstraint": region}
        )
    image = "664544806723.dkr.ecr.eu-central-1.amazonaws.com/linear-learner:1"
    client("s3").put_object(Bucket="models-eu-central-1", Key="model.tar.gz", Body=b"x")
    client("sagemaker", "eu-central-1").create_model(
        ModelName="here",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
        PrimaryContainer={"Image": image, "ModelDataUrl": "s3://models-eu-central-1/model.tar.gz"},
    )
    names = [m["ModelName"] for m in client("sagemaker", "eu-central-1").list_models()["Models"]]
    assert names == ["here"]
    assert client("sagemaker", "us-west-2").list_models()["Models"] == []


def test_reset_empties_everything(
    cloud: LocalCloud, client: Callable[..., Any], wire: Wire
) -> None:
    """POST /moto-api/reset forgets buckets and models, and the execution role is there again."""
    client("s3").create_bucket(Bucket="reset-me")
    client("s3").put_object(Bucket="reset-me", Key="model.tar.gz", Body=b"x")
    client("sagemaker").create_model(
        ModelName="reset-me",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
        PrimaryContainer={
            "Image": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
            "ModelDataUrl": "s3://reset-me/model.tar.gz",
        },
    )
    status, _, body = wire.send("POST", "/moto-api/reset", sign_for=None)
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    assert client("sagemaker").list_models()["Models"] == []
    assert client("s3").list_buckets()["Buckets"] == []
    assert len(client("iam").list_roles()["Roles"]) == 1


def test_records_that_moto_keeps_are_its_own(client: Callable[..., Any]) -> None:
    """An experiment, which runs nothing, is created, listed and deleted through moto."""
    sagemaker = client("sagemaker")
    sagemaker.create_experiment(ExperimentName="comparison")
    listed = sagemaker.list_experiments()["ExperimentSummaries"]
    assert [summary["ExperimentName"] for summary in listed] == ["comparison"]
    sagemaker.delete_experiment(ExperimentName="comparison")


def test_one_cloud_per_process(cloud: LocalCloud) -> None:
    """A second cloud in a process would share moto's state, so it is refused."""
    with pytest.raises(CloudAlreadyRunning):
        LocalCloud().start()


def test_health(wire: Wire) -> None:
    """The health path answers without a signature."""
    status, _, body = wire.send("GET", "/_harness/health", sign_for=None)
    assert (status, json.loads(body)["status"]) == (200, "running")


def test_many_callers_at_once(client: Callable[..., Any]) -> None:
    """Sixteen threads create and describe models at the same time; nothing is lost or doubled."""
    s3, sagemaker = client("s3"), client("sagemaker")
    s3.create_bucket(Bucket="crowd")
    s3.put_object(Bucket="crowd", Key="model.tar.gz", Body=b"x")
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(5):
                name = f"crowd-{number}-{i}"
                sagemaker.create_model(
                    ModelName=name,
                    ExecutionRoleArn="arn:aws:iam::123456789012:role/service-role/SageMakerRole",
                    PrimaryContainer={
                        "Image": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
                        "ModelDataUrl": "s3://crowd/model.tar.gz",
                    },
                )
                assert name == sagemaker.describe_model(ModelName=name)["ModelName"]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    pages = sagemaker.get_paginator("list_models").paginate(NameContains="crowd")
    assert sum(len(page["Models"]) for page in pages) == 80
