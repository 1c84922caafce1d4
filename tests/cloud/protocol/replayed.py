"""Real boto3 clients whose requests go no further than botocore's last step before the socket."""

from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.config import Config

ENDPOINT = "http://localhost:4580"
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class _Raw:
    """What botocore reads a body from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> list[bytes]:
        return [self._body]

    def read(self, amount: int | None = None) -> bytes:
        body, self._body = self._body, b""
        return body


def scope_of(request: AWSPreparedRequest) -> dict[str, Any]:
    """The ASGI scope that a server makes of a prepared request."""
    parts = urlsplit(request.url)
    headers = [
        (name.lower().encode("latin-1"), _bytes(value)) for name, value in request.headers.items()
    ]
    if not any(name == b"host" for name, _ in headers):
        headers.append((b"host", parts.netloc.encode()))
    return {
        "type": "http",
        "method": request.method,
        "path": parts.path,
        "raw_path": parts.path.encode("latin-1"),
        "query_string": parts.query.encode("latin-1"),
        "headers": headers,
    }


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1")


@cache
def _client(service: str) -> tuple[Any, list[Callable[[AWSPreparedRequest], Answer]]]:
    made = boto3.session.Session("test", "test").client(
        service,
        "us-east-1",
        endpoint_url=ENDPOINT,
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )
    answers: list[Callable[[AWSPreparedRequest], Answer]] = []

    def respond(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        status, headers, body = answers[-1](request)
        names: Any = HeadersDict()
        for name, value in headers:
            names[name.decode()] = value.decode("latin-1")
        return AWSResponse(request.url, status, names, _Raw(body))

    made.meta.events.register("before-send", respond)
    return made, answers


def client(service: str, answer: Callable[[AWSPreparedRequest], Answer]) -> Any:
    """The client of `service`, without retries; from now on it takes its answers from `answer`."""
    made, answers = _client(service)
    answers[:] = [answer]
    return made
