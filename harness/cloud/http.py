"""HTTP as the front sees it: reading a body within a limit, and a response to send."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RawHeaders = Sequence[tuple[bytes, bytes]]

CHUNK_BYTES = 256 * 1024

# The extension of the ASGI scope whose `names` are those of the headers as they were sent; ASGI has them in
# lower case.
HEADER_NAMES = "harness.header_names"


class BodyTooLarge(Exception):
    """The body is, or says that it is, longer than allowed. `limit` in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body exceeds {limit} bytes")
        self.limit = limit


class ClientGone(Exception):
    """The client closed the connection before the whole body had arrived."""


class _Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The first value of a header; `name` in lower case."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return None


async def read_into(body: _Writable, scope: Scope, receive: Receive, limit: int) -> int:
    """Copy the request's body into `body` and return its length in bytes.

    Raises BodyTooLarge as soon as the length is known to exceed `limit`: from Content-Length before
    anything is read (a client that sent `Expect: 100-continue` never sends the rest), otherwise
    while it streams.
    """
    declared = header(scope["headers"], b"content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge(limit)
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        body.write(chunk)
        if not message.get("more_body", False):
            return size


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The request's body in memory; raises as `read_into` does."""
    parts = _Parts()
    await read_into(parts, scope, receive, limit)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class _Parts(list[bytes]):
    def write(self, data: bytes) -> None:
        self.append(data)


@dataclass
class Response:
    """An answer: status, raw headers (names in lower case) and the whole body."""

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def json(
        cls, status: int, content: Mapping[str, Any], headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> Self:
        """An application/json answer."""
        return cls(
            status,
            [(b"content-type", b"application/json"), *headers],
            json.dumps(content).encode(),
        )

    @classmethod
    def text(cls, status: int, content: str) -> Self:
        """A text/plain answer."""
        return cls(status, [(b"content-type", b"text/plain")], content.encode())

    @classmethod
    def xml(cls, status: int, content: str) -> Self:
        """A text/xml answer."""
        return cls(status, [(b"content-type", b"text/xml")], content.encode())

    async def send(self, send: Send, head_only: bool = False) -> None:
        """Send it; with `head_only` the headers of a HEAD request alone."""
        headers = self.headers
        if not any(name == b"content-length" for name, _ in headers):
            headers = [*headers, (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        view = memoryview(b"" if head_only else self.body)
        if len(view) <= CHUNK_BYTES:
            await send({"type": "http.response.body", "body": bytes(view)})
            return
        for start in range(0, len(view), CHUNK_BYTES):
            await send(
                {
                    "type": "http.response.body",
                    "body": bytes(view[start : start + CHUNK_BYTES]),
                    "more_body": start + CHUNK_BYTES < len(view),
                }
            )
