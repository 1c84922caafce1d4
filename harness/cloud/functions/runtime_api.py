"""The Runtime API, from which the process of one execution environment gets its events.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. LIMITATIONS: no extensions, no streamed responses.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import httptools

LOOPBACK = "127.0.0.1"
_ROOT = b"/2018-06-01/runtime/"
_REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 404: "Not Found", 413: "Too Large"}


@dataclass(frozen=True)
class Event:
    """What `next` delivers. `taken` is called when it has been."""

    request_id: str
    headers: Mapping[str, str]
    payload: bytes
    taken: Callable[[], None]


class Runtime(Protocol):
    """Who hears what the process says. All methods are called in the event loop."""

    def waits(self) -> None:
        """It asks for an event, and there is none yet."""

    def answered(self, request_id: str, payload: bytes | None) -> bool:
        """The handler returned: None if that is too large. False if this was not asked."""

    def failed(self, request_id: str, payload: bytes) -> bool:
        """The handler raised. False if this was not asked."""

    def not_initialized(self, payload: bytes) -> None:
        """The function could not be loaded."""


class RuntimeApi:
    """A server on a port of its own: the client takes no address with a path in it."""

    def __init__(self, runtime: Runtime, largest: int) -> None:
        self.runtime = runtime
        self.largest = largest
        self.address = ""
        self._server: asyncio.Server | None = None
        self.connections: set[_Connection] = set()
        self._asking: _Connection | None = None
        self._event: Event | None = None

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), LOOPBACK, 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"

    def offer(self, event: Event) -> None:
        """Give this event to who asks for the next one."""
        self._event = event
        self._deliver()

    def close(self) -> None:
        """Listen no more and end every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.abort()

    def attach(self, connection: "_Connection") -> None:
        """A connection was made."""
        self.connections.add(connection)

    def detach(self, connection: "_Connection") -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if self._asking is connection:
            self._asking = None

    def ask(self, connection: "_Connection") -> None:
        """`next`, over a connection."""
        self._asking = connection
        if self._event is None:
            self.runtime.waits()
        self._deliver()

    def _deliver(self) -> None:
        if self._asking is None or self._event is None:
            return
        connection, self._asking = self._asking, None
        event, self._event = self._event, None
        event.taken()
        connection.respond(200, event.payload, event.headers)


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with the process; a body is kept up to what a response may be."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._api.attach(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._api.detach(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.abort()

    def abort(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()

    def respond(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        """Send an answer."""
        lines = [
            f"HTTP/1.1 {status} {_REASONS[status]}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        assert self._transport is not None
        self._transport.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._url = b""
        self._body = bytearray()
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_headers_complete(self) -> None:
        if self._parser.should_upgrade():
            self.abort()

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= self._api.largest:
            self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method()
        path = self._url.removeprefix(_ROOT).decode("latin-1")
        if method == b"GET" and path == "invocation/next":
            self._api.ask(self)
        elif method == b"POST" and path == "init/error":
            self._api.runtime.not_initialized(bytes(self._body))
            self._accept()
        elif method == b"POST" and path.startswith("invocation/"):
            self._take(*path.removeprefix("invocation/").partition("/")[::2])
        else:
            self._refuse(404, "InvalidRequest", f"no operation {path}")

    def _take(self, request_id: str, what: str) -> None:
        if what not in ("response", "error"):
            self._refuse(404, "InvalidRequest", f"no operation {what}")
            return
        limit = self._api.largest
        payload = bytes(self._body) if self._size <= limit else None
        if what == "error" and payload is not None:
            known = self._api.runtime.failed(request_id, payload)
        else:
            known = self._api.runtime.answered(request_id, payload)
        if not known:
            self._refuse(400, "InvalidRequestID", "Invalid request ID")
        elif payload is None:
            complaint = f"Exceeded maximum allowed payload size ({limit} bytes)."
            self._refuse(413, "RequestEntityTooLarge", complaint)
        else:
            self._accept()

    def _accept(self) -> None:
        self.respond(202, b'{"status":"OK"}\n')

    def _refuse(self, status: int, kind: str, message: str) -> None:
        self.respond(status, json.dumps({"errorMessage": message, "errorType": kind}).encode())
