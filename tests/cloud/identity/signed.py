"""Requests that botocore's signers signed, in the form in which an ASGI server hands them over."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote, urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import strategies as st

from harness.cloud.identity.authentication import Authenticator, Caller
from harness.cloud.identity.keys import Key
from harness.cloud.identity.sigv4 import read

HOST = "127.0.0.1:4566"
REGION = "us-east-1"
USER = Credentials("AKIAUSER000000000000", "a/secret+of=the user")
SESSION = Credentials("ASIASESSION000000000", "another secret", "the token/+= of the session")
KEYS = {
    USER.access_key: Key(
        USER.secret_key, None, "123456789012", "arn:aws:iam::123456789012:user/u", False
    ),
    SESSION.access_key: Key(
        SESSION.secret_key,
        SESSION.token,
        "210987654321",
        "arn:aws:sts::210987654321:assumed-role/r/s",
        False,
    ),
}


@dataclass(frozen=True)
class Received:
    """A request as it arrives: header names in lower case, the path and query as they were sent."""

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def scope(self) -> dict[str, Any]:
        """The ASGI scope, as far as signatures care."""
        return {
            "type": "http",
            "method": self.method,
            "path": self.path.decode("latin-1"),
            "raw_path": self.path,
            "query_string": self.query,
            "headers": list(self.headers),
        }

    @property
    def date(self) -> datetime:
        """When it says that it was signed."""
        return read(self.headers, self.query).date

    def header(self, name: bytes) -> bytes:
        """The value of a header that is there."""
        return dict(self.headers)[name]

    def with_header(self, name: bytes, value: bytes | None) -> Self:
        """The same request with another value of a header; None takes it away."""
        kept = tuple(pair for pair in self.headers if pair[0] != name)
        return replace(self, headers=kept if value is None else (*kept, (name, value)))

    def authorized(self, old: bytes, new: bytes) -> Self:
        """The same request with a part of its Authorization header replaced."""
        value = self.header(b"authorization")
        assert old in value
        return self.with_header(b"authorization", value.replace(old, new, 1))


def signed(
    method: str = "POST",
    path: str = "/",
    body: bytes = b"{}",
    headers: tuple[tuple[str, str], ...] = (),
    *,
    credentials: Credentials = USER,
    service: str = "sagemaker",
    region: str = REGION,
    expires: int | None = None,
) -> Received:
    """A request signed now, in its headers, or in its query if it `expires` (seconds)."""
    request = AWSRequest(method, f"http://{HOST}{path}", data=body)
    for name, value in headers:
        request.headers.add_header(name, value)
    if expires is None:
        SigV4Auth(credentials, service, region).add_auth(request)
    else:
        SigV4QueryAuth(credentials, service, region, expires).add_auth(request)
    assert request.url is not None
    return received(method, request.url, list(request.headers.items()), body)


def received(method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> Received:
    """A request as a server reads it; the HTTP client adds the Host header."""
    parts = urlsplit(url)
    wire = [
        (name.lower().encode(), value.strip(" \t").encode("latin-1")) for name, value in headers
    ]
    return Received(
        method,
        parts.path.encode() or b"/",
        parts.query.encode(),
        ((b"host", parts.netloc.encode()), *wire),
        body,
    )


def authenticate(
    request: Received, service: str | None = None, *, age: float = 0, keys: dict[str, Key] = KEYS
) -> Caller:
    """Have a request checked `age` seconds after it says that it was signed."""
    at = datetime.fromtimestamp(request.date.timestamp() + age, UTC)
    return Authenticator(keys.get, lambda: at).authenticate(request.scope, request.body, service)


_segments = st.sampled_from(["", ".", "..", "endpoints", "e%2Ff", "a+b", "a:b@c"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=6
).map(lambda text: quote(text, safe=""))

paths = st.lists(_segments, max_size=5).map(lambda segments: "/" + "/".join(segments))

_encoded = st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(
    lambda text: quote(text, safe="-_.~")
)

queries = st.lists(st.tuples(_encoded.filter(bool), _encoded), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)

# Latin-1 as HTTP allows it; spaces inside, which the signature counts once.
_header_values = st.text(
    st.sampled_from(" \t")
    | st.characters(min_codepoint=0x21, max_codepoint=0x7E)
    | st.characters(min_codepoint=0xA1, max_codepoint=0xFF),
    max_size=12,
)

header_lists = st.lists(
    st.tuples(
        st.sampled_from(["X-Amz-Target", "Content-Type", "Accept", "X-Custom", "x-amz-meta-a_b"]),
        _header_values,
    ),
    max_size=5,
).map(tuple)
