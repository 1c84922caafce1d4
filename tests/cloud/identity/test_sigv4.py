"""What botocore signs is accepted; what was changed afterwards is not."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.errors import AwsError
from harness.cloud.identity import sigv4
from tests.cloud.identity.signed import (
    KEYS,
    REGION,
    SESSION,
    USER,
    Received,
    authenticate,
    header_lists,
    paths,
    queries,
    received,
    signed,
)

MISMATCH = "The request signature we calculated does not match the signature you provided."


def refusal(request: Received, service: str | None = None, *, age: float = 0) -> tuple[str, str]:
    """Code and text with which a request is refused."""
    with pytest.raises(AwsError) as caught:
        authenticate(request, service, age=age)
    assert caught.value.status == 400
    return caught.value.code, caught.value.message


def joined(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=paths,
    query=queries,
    headers=header_lists,
    body=st.binary(max_size=40),
    credentials=st.sampled_from([USER, SESSION]),
    region=st.sampled_from(["us-east-1", "eu-central-1", "us-gov-west-1"]),
    service=st.sampled_from(["sagemaker", "lambda"]),
)
def test_what_botocore_signs_is_accepted(
    method: str,
    path: str,
    query: str,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    credentials: Credentials,
    region: str,
    service: str,
) -> None:
    """Whatever path, query, headers and body: a signature in the headers tells who sent it, for which region."""
    request = signed(
        method,
        joined(path, query),
        body,
        headers,
        credentials=credentials,
        region=region,
        service=service,
    )
    caller = authenticate(request, service)
    key = KEYS[credentials.access_key]
    assert (caller.access_key_id, caller.region) == (credentials.access_key, region)
    assert (caller.account, caller.principal_arn) == (key.account, key.principal_arn)
    assert not caller.administrator


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"
)
@given(
    path=paths,
    query=queries,
    credentials=st.sampled_from([USER, SESSION]),
    expires=st.integers(1, 604800),
)
def test_a_presigned_request_is_accepted(
    path: str, query: str, credentials: Credentials, expires: int
) -> None:
    """A signature in the query is as good as one in the headers, until it expires."""
    request = signed("GET", joined(path, query), b"", credentials=credentials, expires=expires)
    assert b"authorization" not in dict(request.headers)
    assert authenticate(request, "sagemaker").access_key_id == credentials.access_key
    assert authenticate(request, age=expires).access_key_id == credentials.access_key
    assert refusal(request, age=expires + 1)[1].startswith("Signature expired: ")


def flipped(request: Received) -> Received:
    """The first digit of the signature is another."""
    signature = request.header(b"authorization").rpartition(b"Signature=")[2]
    other = (b"0" if signature[:1] != b"0" else b"1") + signature[1:]
    return request.authorized(signature, other)


TAMPERINGS: dict[str, Callable[[Received], Received]] = {
    "method": lambda r: replace(r, method="PATCH"),
    "path": lambda r: replace(r, path=r.path + b"x"),
    "a slash at the end": lambda r: replace(r, path=b"/endpoints/f"),
    "query added": lambda r: replace(r, query=r.query + b"&more=1"),
    "query changed": lambda r: replace(r, query=b"a=2&b=2"),
    "query dropped": lambda r: replace(r, query=b""),
    "body changed": lambda r: replace(r, body=r.body + b" "),
    "body dropped": lambda r: replace(r, body=b""),
    "header changed": lambda r: r.with_header(b"x-amz-target", b"SageMaker.DeleteModel"),
    "header doubled": lambda r: replace(r, headers=(*r.headers, (b"x-amz-target", b"again"))),
    "header dropped": lambda r: r.with_header(b"x-amz-target", None),
    "host": lambda r: r.with_header(b"host", b"elsewhere"),
    "signature": flipped,
    "signature of other letters": lambda r: r.authorized(b"Signature=", b"Signature=\xe9"),
    "region": lambda r: r.authorized(b"/us-east-1/", b"/us-west-2/"),
    "service": lambda r: r.authorized(b"/sagemaker/", b"/s3/"),
    "signed headers": lambda r: r.authorized(b";x-amz-target", b""),
    "another's key": lambda r: r.authorized(b"AKIAUSER000000000000", b"AKIAOTHER00000000000"),
}


@pytest.mark.recorded("notes/signing.md#wrong-signatures")
@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_what_was_changed_after_signing_is_refused(tampering: str) -> None:
    """Each part of a request is covered by its signature."""
    request = signed(
        path="/endpoints/f/?a=1&b=2", headers=(("X-Amz-Target", "SageMaker.ListModels"),)
    )
    other = replace(KEYS[USER.access_key], secret="another")
    keys = {**KEYS, "AKIAOTHER00000000000": other}
    authenticate(request, keys=keys)
    with pytest.raises(AwsError) as caught:
        authenticate(TAMPERINGS[tampering](request), keys=keys)
    assert caught.value.code == "InvalidSignatureException"
    assert caught.value.message.startswith(MISMATCH)


@pytest.mark.recorded("notes/signing.md#wrong-signatures")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"X-Amz-Expires=60", b"X-Amz-Expires=600"),
        (b"us-east-1", b"us-west-2"),
        (b"name=value", b"name=other"),
        (b"X-Amz-Signature=", b"X-Amz-Signature=0"),
    ],
)
def test_a_presigned_request_cannot_be_changed(old: bytes, new: bytes) -> None:
    """Its life, region and parameters are covered by the signature in the query."""
    request = signed("GET", "/?name=value", b"", expires=60)
    assert old in request.query
    changed = replace(request, query=request.query.replace(old, new))
    assert refusal(changed)[0] == "InvalidSignatureException"
    assert refusal(changed)[1].startswith(MISMATCH)


@pytest.mark.recorded("notes/signing.md#wrong-signatures")
@given(data=st.data(), body=st.binary(min_size=1, max_size=40))
def test_any_other_body_is_refused(data: st.DataObject, body: bytes) -> None:
    """A body that is not the one that was signed is refused, whichever it is."""
    request = signed(body=body)
    other = data.draw(st.binary(max_size=40).filter(lambda other: other != body))
    assert refusal(replace(request, body=other))[0] == "InvalidSignatureException"


def unsigned(**headers: str) -> Received:
    """A request with headers of any shape."""
    return received(
        "POST",
        "http://127.0.0.1:4566/",
        [(name.replace("_", "-"), value) for name, value in headers.items()],
        b"{}",
    )


def headers_refusal(authorization: str, date: str | None = "20260301T120000Z") -> tuple[str, str]:
    """Code and text for a request with these headers."""
    request = unsigned(Authorization=authorization)
    if date is not None:
        request = request.with_header(b"x-amz-date", date.encode())
    with pytest.raises(AwsError) as caught:
        sigv4.read(request.headers, b"")
    return caught.value.code, caught.value.message


@pytest.mark.recorded("notes/signing.md#unsigned-requests")
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer abc"}, {"Authorization": ""}])
def test_an_unsigned_request_is_told_so(headers: dict[str, str]) -> None:
    """Without a signature, or with credentials of another scheme, the token is missing."""
    with pytest.raises(AwsError) as caught:
        sigv4.read(unsigned(**headers).headers, b"a=1")
    error = caught.value
    assert (error.code, error.message) == (
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    )


CREDENTIAL = "Credential=AKIA/20260301/us-east-1/sagemaker/aws4_request"


@pytest.mark.recorded("notes/signing.md#incomplete-signatures")
@pytest.mark.parametrize(
    ("authorization", "text"),
    [
        (
            "AWS4-HMAC-SHA256 nothing",
            "'nothing' not a valid key=value pair (missing equal-sign) in Authorization header: "
            "'AWS4-HMAC-SHA256 nothing'.",
        ),
        (
            f"AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host",
            "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            "AWS4-HMAC-SHA256",
            "Authorization header requires 'Credential' parameter. Authorization header requires "
            "'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "
            "Authorization=AWS4-HMAC-SHA256",
        ),
        (
            f"AWS4-HMAC-SHA999 {CREDENTIAL}, SignedHeaders=host, Signature=00",
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA999'.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=00",
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, got 'a/b/c/d'",
        ),
    ],
)
def test_an_incomplete_signature_is_told_so(authorization: str, text: str) -> None:
    """What is missing or malformed in the Authorization header is named."""
    assert headers_refusal(authorization) == ("IncompleteSignatureException", text)


@pytest.mark.recorded("notes/signing.md#incomplete-signatures")
@pytest.mark.parametrize("date", ["201", "soon", "20261399T000000Z", "2026-03-01T12:00:00Z"])
def test_a_date_of_another_form_is_told_so(date: str) -> None:
    """The time must be in ISO 8601's basic format, or HTTP's."""
    complete = f"AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=00"
    assert headers_refusal(complete, date) == (
        "IncompleteSignatureException",
        f"Date must be in ISO-8601 'basic format'. Got '{date}'. "
        "See http://en.wikipedia.org/wiki/ISO_8601",
    )
    code, message = headers_refusal(complete, None)
    assert code == "IncompleteSignatureException"
    assert "either a 'X-Amz-Date' or a 'Date' header" in message


@pytest.mark.recorded("notes/signing.md#wrong-signatures")
@pytest.mark.parametrize(
    ("credential", "signed_headers", "text"),
    [
        (
            "AKIA/20260301/us-east-1/sagemaker/aws4_request",
            "x-amz-date",
            "'Host' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "AKIA/20260301/US EAST/sagemaker/aws4_request".replace(" ", "_"),
            "host",
            "Credential should be scoped to a valid region, not 'US_EAST'. ",
        ),
        (
            "AKIA/20260301/us-east-1/sagemaker/aws5",
            "host",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. ",
        ),
        (
            "AKIA/20260228/us-east-1/sagemaker/aws4_request",
            "host",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            "HTTP: '20260228' != '20260301', from '20260301T120000Z'.",
        ),
    ],
)
def test_a_wrong_scope_is_told_so(credential: str, signed_headers: str, text: str) -> None:
    """Region, terminator and date of the scope, and that the host is signed, are checked by name."""
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed_headers}, Signature=00"
    )
    assert headers_refusal(authorization) == ("InvalidSignatureException", text)


@pytest.mark.recorded("notes/signing.md#wrong-signatures")
def test_a_scope_of_another_service_is_refused() -> None:
    """A signature for S3 opens nothing of SageMaker's."""
    request = signed(service="s3", headers=(("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"),))
    assert refusal(request, "sagemaker") == (
        "InvalidSignatureException",
        "Credential should be scoped to correct service: 'sagemaker'. ",
    )


@pytest.mark.recorded("notes/signing.md#incomplete-signatures")
@pytest.mark.parametrize(
    "name", ["X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"]
)
def test_a_presigned_request_must_be_complete(name: str) -> None:
    """Each parameter of the query that is missing is named."""
    query = signed("GET", body=b"", expires=60).query.replace(name.encode() + b"=", b"X=")
    with pytest.raises(AwsError) as caught:
        sigv4.read((), query)
    assert caught.value.code == "IncompleteSignatureException"
    assert f"must include '{name}'." in caught.value.message


@pytest.mark.assumed("notes/signing.md#age")
@pytest.mark.parametrize("expires", ["0", "-1", "604801", "1e3", "²", "9" * 5000, ""])
def test_a_presigned_request_lives_for_seven_days_at_most(expires: str) -> None:
    """Its seconds are a number between 1 and 604800."""
    query = signed("GET", body=b"", expires=60).query
    query = query.replace(b"X-Amz-Expires=60", b"X-Amz-Expires=" + expires.encode())
    with pytest.raises(AwsError) as caught:
        sigv4.read((), query)
    assert caught.value.code == "IncompleteSignatureException"


@pytest.mark.recorded("notes/signing.md#refusals")
def test_two_signatures_are_one_too_many() -> None:
    """A request that is signed in its headers and in its query is refused."""
    request = replace(signed(), query=signed("GET", body=b"", expires=60).query)
    with pytest.raises(AwsError) as caught:
        sigv4.read(request.headers, request.query)
    assert caught.value.code == "InvalidSignatureException"


_names = st.sampled_from([b"authorization", b"x-amz-date", b"date", b"host", b"x"])
_parts = st.sampled_from(
    [
        *"=,/ ;&%",
        *("AWS4-HMAC-SHA256", "Credential", "Signature", "SignedHeaders", "host"),
        *("X-Amz-", "Algorithm", "Date", "Expires", CREDENTIAL),
        *("20260301T120000Z", "Sun, 1 Mar 2026 12:00:00"),
    ]
)
_fragments = st.lists(_parts | st.text(st.characters(max_codepoint=0xFF), max_size=5), max_size=12)
_bytes = _fragments.map(lambda parts: "".join(parts).encode("latin-1"))


@given(headers=st.lists(st.tuples(_names, _bytes), max_size=4), query=_bytes)
def test_no_signature_is_our_fault(headers: list[tuple[bytes, bytes]], query: bytes) -> None:
    """Whatever stands in the headers and the query is a signature or one of the refusals."""
    request = Received("GET", b"/", query, tuple(headers), b"")
    refused = None
    try:
        signature = sigv4.read(request.headers, request.query)
        sigv4.check(signature, "secret", sigv4.canonical_request(signature, request.scope, ""))
    except AwsError as error:
        refused = error.code
    assert refused in {
        "MissingAuthenticationTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
    }


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"
)
def test_the_example_of_the_documentation() -> None:
    """AWS's published example (IAM's ListUsers of 2015) has the published signature."""
    headers = (
        (b"content-type", b"application/x-www-form-urlencoded; charset=utf-8"),
        (b"host", b"iam.amazonaws.com"),
        (b"x-amz-date", b"20150830T123600Z"),
        (
            b"authorization",
            b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            b"SignedHeaders=content-type;host;x-amz-date, "
            b"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
    )
    request = Received("GET", b"/", b"Action=ListUsers&Version=2010-05-08", headers, b"")
    key = replace(KEYS[USER.access_key], secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    assert authenticate(request, "iam", keys={"AKIDEXAMPLE": key}).region == REGION
