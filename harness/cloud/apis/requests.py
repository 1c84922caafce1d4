"""A request to an API as the gateway sees it, before any API has been looked at."""

import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from harness.cloud.http import HEADER_NAMES

# Never seen by an integration (docs/notes/apis.md, "Headers").
_DROPPED = frozenset(
    (
        *("connection", "content-length", "content-md5", "expect", "max-forwards"),
        *("proxy-authenticate", "server", "te", "trailer", "transfer-encoding", "upgrade"),
        "www-authenticate",
    )
)
# These names are written in one way, however they were sent.
_FIXED_NAMES = {"authorization": "Authorization", "user-agent": "User-Agent", "host": "Host"}


@dataclass(frozen=True)
class ApiRequest:
    """One request. `headers` and `query` keep order and repetition; `body` is None if there is none."""

    method: str
    headers: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...]
    raw_query: str
    body: bytes | None
    source_ip: str
    port: int
    scheme: str
    protocol: str
    received: datetime
    id: str
    extended_id: str
    trace_id: str
    scope: Mapping[str, Any] = field(repr=False, compare=False)

    def header(self, name: str) -> str | None:
        """The last value of a header, whatever the case of its name."""
        found = None
        for key, value in self.headers:
            if key.lower() == name.lower():
                found = value
        return found

    def parameter(self, name: str) -> str | None:
        """The last value of a query parameter."""
        found = None
        for key, value in self.query:
            if key == name:
                found = value
        return found

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty if there is none."""
        return (self.header("Content-Type") or "").split(";", 1)[0].strip().lower()

    @property
    def host(self) -> str:
        """The host that was asked."""
        return self.header("Host") or ""


def read(scope: Mapping[str, Any], body: bytes, received: datetime) -> ApiRequest:
    """The request of an ASGI scope."""
    headers = tuple(_headers(scope))
    server = scope.get("server") or ("127.0.0.1", 80)
    raw_query = scope["query_string"].decode("latin-1")
    return ApiRequest(
        method=scope["method"],
        headers=headers,
        query=tuple(query_parameters(raw_query)),
        raw_query=raw_query,
        body=body or None,
        source_ip=(scope.get("client") or ("127.0.0.1", 0))[0],
        port=server[1] or 80,
        scheme=scope.get("scheme", "http"),
        protocol=f"HTTP/{scope.get('http_version', '1.1')}",
        received=received,
        id=str(uuid.uuid4()),
        extended_id=f"{secrets.token_urlsafe(11)}=",
        trace_id=_trace_id(headers, received),
        scope=scope,
    )


def _headers(scope: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    raw = scope["headers"]
    extension = scope.get("extensions", {}).get(HEADER_NAMES, {})
    names = extension.get("names") or [name for name, _ in raw]
    for name, (lower, value) in zip(names, raw, strict=True):
        key = lower.decode("latin-1")
        if key not in _DROPPED:
            yield _FIXED_NAMES.get(key, name.decode("latin-1")), _text(value)


def _text(value: bytes) -> str:
    """A header's value: UTF-8 where it is, else byte by byte."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def query_parameters(raw: str) -> Iterator[tuple[str, str]]:
    """The parameters of a query string, decoded; a plus is a space. A name alone has an empty value."""
    for item in raw.split("&"):
        if item:
            name, _, value = item.partition("=")
            yield unquote_plus(name), unquote_plus(value)


def _trace_id(headers: tuple[tuple[str, str], ...], received: datetime) -> str:
    for name, value in headers:
        if name.lower() == "x-amzn-trace-id":
            for item in value.split(";"):
                if item.strip().startswith("Root="):
                    return item.strip()
    return f"Root=1-{int(received.timestamp()):08x}-{secrets.token_hex(12)}"
