"""A signature's age, the key behind it, its session token, and the body that it covers."""

import hashlib
import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.errors import AwsError
from harness.cloud.identity.authentication import Authenticator
from tests.cloud.identity.signed import (
    HOST,
    KEYS,
    REGION,
    SESSION,
    USER,
    Received,
    authenticate,
    received,
    signed,
)

INVALID_TOKEN = (
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
)


def refusal(request: Received, *, age: float = 0) -> tuple[str, str]:
    """Code and text with which a request is refused."""
    with pytest.raises(AwsError) as caught:
        authenticate(request, age=age)
    assert caught.value.status == 400
    return caught.value.code, caught.value.message


class _Empty:
    """The body of an answer."""

    def stream(self) -> list[bytes]:
        """No bytes."""
        return [b"{}"]


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def sent_by_client(service: str, operation: str, **arguments: object) -> Received:
    """What a client of botocore's sends for an operation."""
    client = botocore.session.Session().create_client(
        service,
        REGION,
        endpoint_url=f"http://{HOST}",
        aws_access_key_id=SESSION.access_key,
        aws_secret_access_key=SESSION.secret_key,
        aws_session_token=SESSION.token,
    )
    sent: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders(), _Empty())

    client.meta.events.register("before-send", answer)  # type: ignore[arg-type]  # a stub's view
    getattr(client, operation)(**arguments)
    client.close()
    (request,) = sent
    headers = [(name, _text(value)) for name, value in request.headers.items()]
    body = request.body or b""
    assert isinstance(body, bytes)
    return received(request.method, request.url, headers, body)


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"
)
def test_a_client_of_the_control_plane_is_known() -> None:
    """A request that botocore's client of `sagemaker` sends is accepted, and not with another body."""
    request = sent_by_client("sagemaker", "list_models", NameContains="a")
    assert authenticate(request, "sagemaker").access_key_id == SESSION.access_key
    assert refusal(replace(request, body=b"{}"))[0] == "InvalidSignatureException"


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"
)
def test_a_client_of_the_runtime_is_known() -> None:
    """A request that botocore's client of `sagemaker-runtime` sends is accepted, headers and all."""
    request = sent_by_client(
        "sagemaker-runtime",
        "invoke_endpoint",
        EndpointName="an-endpoint",
        Body=bytes(range(256)),
        ContentType="text/csv",
        CustomAttributes="trace=1, more  of it",
    )
    assert request.path == b"/endpoints/an-endpoint/invocations"
    assert authenticate(request, "sagemaker").access_key_id == SESSION.access_key
    changed = request.with_header(b"x-amzn-sagemaker-custom-attributes", b"trace=2")
    assert refusal(changed)[0] == "InvalidSignatureException"


@pytest.mark.recorded("notes/signing.md#age")
def test_a_signature_of_more_than_a_quarter_of_an_hour_ago_is_refused() -> None:
    """Fifteen minutes are still good, a second more is not; the text says by how much."""
    request = signed()
    authenticate(request, age=900)
    now = request.date + timedelta(seconds=901)
    assert refusal(request, age=901) == (
        "InvalidSignatureException",
        f"Signature expired: {request.date:%Y%m%dT%H%M%SZ} is now earlier than "
        f"{request.date + timedelta(seconds=1):%Y%m%dT%H%M%SZ} ({now:%Y%m%dT%H%M%SZ} - 15 min.)",
    )


@pytest.mark.recorded("notes/signing.md#age")
def test_a_signature_from_the_future_is_refused() -> None:
    """A clock may run fifteen minutes ahead, a second more is refused."""
    request = signed()
    authenticate(request, age=-900)
    now = request.date - timedelta(seconds=901)
    assert refusal(request, age=-901) == (
        "InvalidSignatureException",
        f"Signature not yet current: {request.date:%Y%m%dT%H%M%SZ} is still later than "
        f"{request.date - timedelta(seconds=1):%Y%m%dT%H%M%SZ} ({now:%Y%m%dT%H%M%SZ} + 15 min.)",
    )


def test_wall_time_counts_unless_told_otherwise() -> None:
    """An authenticator without a clock of its own accepts what was signed just now."""
    request = signed()
    caller = Authenticator(KEYS.get).authenticate(request.scope, request.body)
    assert caller.access_key_id == USER.access_key


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_http_s_date_will_do(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request may carry Date instead of X-Amz-Date, which is UTC wherever the cloud runs."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        request = signed(headers=(("Date", "now"),))
        assert b"x-amz-date" not in dict(request.headers)
        caller = Authenticator(KEYS.get).authenticate(request.scope, request.body)
        assert caller.access_key_id == USER.access_key
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.recorded("notes/signing.md#keys")
def test_an_unknown_key_is_refused() -> None:
    """A key that the cloud has not given is an invalid token."""
    stranger = Credentials("AKIASTRANGER00000000", "x")
    assert refusal(signed(credentials=stranger)) == INVALID_TOKEN


@pytest.mark.recorded("notes/signing.md#keys")
@pytest.mark.parametrize("expires", [None, 60])
@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(SESSION.access_key, SESSION.secret_key),
        Credentials(SESSION.access_key, SESSION.secret_key, "another token"),
        Credentials(USER.access_key, USER.secret_key, "a token of nobody's"),
    ],
    ids=["none", "wrong", "unasked"],
)
def test_a_wrong_session_token_is_refused(credentials: Credentials, expires: int | None) -> None:
    """A session's requests show its token; a user's key has none to show."""
    body = b"" if expires else b"{}"
    assert refusal(signed("POST", "/", body, credentials=credentials, expires=expires)) == (
        INVALID_TOKEN
    )


@pytest.mark.recorded("notes/signing.md#keys")
def test_a_session_that_is_over_is_refused() -> None:
    """Up to its last moment a session's key signs; then its token has expired."""
    request = signed(credentials=SESSION)
    key = replace(KEYS[SESSION.access_key], expires=request.date + timedelta(seconds=60))
    keys = {SESSION.access_key: key}
    authenticate(request, age=59, keys=keys)
    for age in (60, 61):
        with pytest.raises(AwsError) as caught:
            authenticate(request, age=age, keys=keys)
        assert (caught.value.code, caught.value.message) == (
            "ExpiredTokenException",
            "The security token included in the request is expired",
        )


@pytest.mark.recorded("notes/signing.md#what-is-checked")
def test_what_is_checked_first_is_told_first() -> None:
    """Of an old request of an unknown key with a wrong signature the age is told, then the key."""
    stranger = signed(credentials=Credentials("AKIASTRANGER00000000", "x"))
    assert refusal(stranger, age=1000)[1].startswith("Signature expired")
    assert refusal(replace(stranger, body=b"other")) == INVALID_TOKEN


@pytest.mark.documented("notes/signing.md#the-body")
@given(body=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60), max_size=4))
def test_a_body_may_come_in_pieces(body: bytes, cuts: list[int]) -> None:
    """However the body is cut, it is the body that was signed."""
    request = signed(body=body)
    pending = Authenticator(KEYS.get).begin(request.scope, "sagemaker")
    places = sorted({0, len(body), *(min(cut, len(body)) for cut in cuts)})
    for start, end in pairwise(places):
        pending.update(body[start:end])
    assert pending.finish().access_key_id == USER.access_key


@pytest.mark.documented("notes/signing.md#the-body")
def test_a_declared_hash_lets_the_signature_be_checked_before_the_body() -> None:
    """With X-Amz-Content-SHA256 a wrong signature is refused before any of the body has come."""
    digest = hashlib.sha256(b"body").hexdigest()
    request = signed(body=b"body", headers=(("X-Amz-Content-SHA256", digest),))
    authenticator = Authenticator(KEYS.get)
    with pytest.raises(AwsError, match="does not match"):
        authenticator.begin(replace(request, method="GET").scope)
    pending = authenticator.begin(request.scope)
    pending.update(b"body")
    assert pending.finish().access_key_id == USER.access_key


@pytest.mark.assumed("notes/signing.md#the-body")
def test_the_body_must_have_the_declared_hash() -> None:
    """A body of another hash is refused when it has come, as is one that claims to be unsigned."""
    digest = hashlib.sha256(b"body").hexdigest()
    request = signed(body=b"body", headers=(("X-Amz-Content-SHA256", digest),))
    assert refusal(replace(request, body=b"other")) == (
        "InvalidSignatureException",
        "The value of X-Amz-Content-SHA256 is not the hash of the request's body.",
    )
    unsigned = signed(body=b"body", headers=(("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"),))
    assert refusal(unsigned)[0] == "InvalidSignatureException"


@pytest.mark.documented("notes/signing.md#the-body")
def test_s3_may_leave_the_body_unsigned() -> None:
    """UNSIGNED-PAYLOAD, which S3's clients send over TLS, holds for any body of S3's."""
    request = signed(
        body=b"body", headers=(("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"),), service="s3"
    )
    assert authenticate(replace(request, body=b"other")).access_key_id == USER.access_key
