"""The HTTP front of a served model: /ping, /execution-parameters and /invocations on uvicorn.

LIMITATIONS: one process, one model; predictions run in a pool of as many threads as there are cores.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import uvicorn
import uvicorn.lifespan.off
import uvicorn.protocols.http.h11_impl

# Imported here, not on first use, so that a forked worker has them already.
with suppress(ImportError):
    import httptools  # noqa: F401
    import uvicorn.protocols.http.httptools_impl
with suppress(ImportError):
    import uvicorn.loops.uvloop

PORT = "SAGEMAKER_BIND_TO_PORT"
HOST = "SAGEMAKER_BIND_TO_HOST"
MAX_CONTENT_LENGTH = "MAX_CONTENT_LENGTH"
DEFAULT_MAX_CONTENT_LENGTH = 6291456


@dataclass(frozen=True)
class Invocation:
    """A request for predictions: never with an empty body. Header names are in lower case."""

    body: bytes
    content_type: str | None
    accept: str | None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What /invocations sends back."""

    body: bytes
    content_type: str
    status: int = 200


class Refusal(Exception):
    """A request that is answered with an error: HTTP `status`, `text` of the body, a line to log."""

    def __init__(self, status: int, text: str, log: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.log = log or f"{status}: {text}"


class UnusableModel(Exception):
    """The model cannot be loaded; /ping and /invocations answer 500 with this text."""


class Predictor(Protocol):
    """A loaded model."""

    def invoke(self, invocation: Invocation) -> Answer:
        """Predict; called from several threads at a time. Raises Refusal."""


@dataclass(frozen=True)
class ModelLocation:
    """Where a served program finds its model: `model_dir`, the image's `version`, its environment."""

    model_dir: Path
    environment: Mapping[str, str]
    version: str | None = None


class _Unloaded:
    """Stands for a model that could not be loaded."""

    def __init__(self, text: str) -> None:
        self.text = text

    def invoke(self, invocation: Invocation) -> Answer:
        raise Refusal(500, self.text)


Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]

_METHODS = {
    "/ping": ("GET", "HEAD"),
    "/execution-parameters": ("GET", "HEAD"),
    "/invocations": ("POST",),
}


class Application:
    """The ASGI application around one predictor."""

    def __init__(self, predictor: Predictor, limit: int, workers: int) -> None:
        self._predictor = predictor
        self._limit = limit
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="predict")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        allowed = _METHODS.get(scope["path"])
        if allowed is None:
            await _send(send, 404, b"Not Found")
        elif scope["method"] not in allowed:
            await _send(
                send, 405, b"Method Not Allowed", headers=[(b"allow", ", ".join(allowed).encode())]
            )
        elif scope["path"] == "/invocations":
            await self._invocations(scope, receive, send)
        elif scope["path"] == "/ping":
            await self._ping(send)
        else:
            parameters = {
                "MaxConcurrentTransforms": self._workers,
                "BatchStrategy": "MULTI_RECORD",
                "MaxPayloadInMB": self._limit // 1024**2,
            }
            await _send(send, 200, json.dumps(parameters).encode(), "application/json")

    async def _ping(self, send: Send) -> None:
        if isinstance(self._predictor, _Unloaded):
            await _send(send, 500, self._predictor.text.encode())
        else:
            await _send(send, 200, b"")

    async def _invocations(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        body = await _body(receive, self._limit, headers.get("content-length"))
        if body is None:
            return
        if len(body) > self._limit:
            await _send(send, 413, b"Request Entity Too Large")
            return
        if not body:
            await _send(send, 204, b"")
            return
        invocation = Invocation(
            body, headers.get("content-type") or None, headers.get("accept") or None, headers
        )
        answer = await asyncio.get_running_loop().run_in_executor(
            self._pool, self._invoke, invocation
        )
        await _send(send, answer.status, answer.body, answer.content_type)

    def _invoke(self, invocation: Invocation) -> Answer:
        try:
            return self._predictor.invoke(invocation)
        except Refusal as refusal:
            print(refusal.log, file=sys.stderr, flush=True)
            return Answer(refusal.text.encode(), "text/plain; charset=utf-8", refusal.status)
        except Exception:
            traceback.print_exc()
            sys.stderr.flush()
            return Answer(b"Internal Server Error", "text/plain; charset=utf-8", 500)

    def close(self) -> None:
        """Wait for predictions under way."""
        self._pool.shutdown()


async def _body(receive: Receive, limit: int, announced: str | None) -> bytes | None:
    """The whole body, or a little more than `limit` of one that is too long; None if the client left."""
    if announced is not None and announced.isdigit() and int(announced) > limit:
        return bytes(limit + 1)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit or not message.get("more_body", False):
            return b"".join(parts)


async def _send(
    send: Send,
    status: int,
    body: bytes,
    content_type: str = "text/plain; charset=utf-8",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    sent = list(headers or ())
    if status != 204:
        sent.append((b"content-length", str(len(body)).encode()))
        sent.append((b"content-type", content_type.encode("latin-1")))
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


class _Server(uvicorn.Server):
    """uvicorn without its ticks: SIGTERM and SIGINT wake it, requests under way end, then it leaves."""

    async def main_loop(self) -> None:
        leave = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, leave.set)
        await leave.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections:
            await asyncio.sleep(0.005)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(load: Callable[[ModelLocation], Predictor], location: ModelLocation) -> int:
    """Load the model and answer requests until SIGTERM or SIGINT; the exit code.

    Listens on SAGEMAKER_BIND_TO_HOST (0.0.0.0) and SAGEMAKER_BIND_TO_PORT (8080).
    """
    environment = location.environment
    try:
        port = int(environment.get(PORT) or 8080)
        limit = int(environment.get(MAX_CONTENT_LENGTH) or DEFAULT_MAX_CONTENT_LENGTH)
    except ValueError as error:
        print(f"{PORT} and {MAX_CONTENT_LENGTH} are integers: {error}", file=sys.stderr, flush=True)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    predictor = _load(load, location)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Whoever started us may hold the port bound, without listening, so that nobody else gets it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((environment.get(HOST) or "0.0.0.0", port))
    except OSError as error:
        print(f"Cannot listen on port {port}: {error}", file=sys.stderr, flush=True)
        return 1
    application = Application(predictor, limit, os.cpu_count() or 1)
    config = uvicorn.Config(
        application,
        lifespan="off",
        interface="asgi3",
        ws="none",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
    )
    with listener:
        _Server(config).run(sockets=[listener])
    application.close()
    return 0


def _leave(number: int, frame: object) -> None:
    raise SystemExit(0)


def _load(load: Callable[[ModelLocation], Predictor], location: ModelLocation) -> Predictor:
    try:
        return load(location)
    except UnusableModel as error:
        print(f"Unable to load model: {error}", file=sys.stderr, flush=True)
        return _Unloaded(str(error))
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        return _Unloaded("unable to load model")
