"""A WSGI application (moto's) behind ASGI.

Not a2wsgi, because moto needs what that leaves out: the path as it was sent (RAW_URI: S3 keys with %2F),
header names with an underscore (S3 metadata), and one lock around every call.
"""

import asyncio
import io
import logging
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.sax.saxutils import escape

from harness.cloud.http import BodyTooLarge, Receive, Response, Scope, Send, read_into

log = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# The largest object of one PUT (S3 user guide, "Uploading objects").
MAX_BODY_BYTES = 5 * 1024**3
SPOOL_BYTES = 1024 * 1024
_NOT_FORWARDED = {b"expect", b"transfer-encoding"}


class WsgiMount:
    """Serves `application()`; it is made when the first request arrives, `lock` is held during each call."""

    def __init__(
        self,
        application: Callable[[], Application],
        lock: threading.RLock,
        pool: ThreadPoolExecutor,
        preserved_names_key: str,
    ) -> None:
        self._application = application
        self._lock = lock
        self._pool = pool
        self._preserved_names_key = preserved_names_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as body:
            try:
                size = await read_into(body, scope, receive, MAX_BODY_BYTES)
            except BodyTooLarge:
                await Response.text(413, "The body is larger than the largest object.").send(send)
                return
            body.seek(0)
            environ = self._environ(scope, body, size)
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._pool, self._call, environ)
        await response.send(send, head_only=scope["method"] == "HEAD")

    async def run(self, function: Callable[..., None], *arguments: object) -> None:
        """Have `function` called by a thread of the application's."""
        await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    def _call(self, environ: Environ) -> Response:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None
        ) -> Callable[[bytes], object]:
            started[:] = [(status, headers)]
            return io.BytesIO().write

        try:
            application = self._application()
            with self._lock:
                chunks = application(environ, start_response)
                try:
                    body = b"".join(chunks)
                finally:
                    close = getattr(chunks, "close", None)
                    if close is not None:
                        close()
        except NotImplementedError as error:
            return not_implemented(environ, str(error))
        except AttributeError as error:
            # moto looks up the host of a service that it does not know in a table of None.
            if "'NoneType' object has no attribute" in str(error):
                return not_implemented(environ, str(error))
            return self._fault(environ, error)
        except Exception as error:
            return self._fault(environ, error)
        status, headers = started[0]
        return Response(
            int(status.split(" ", 1)[0]),
            [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            body,
        )

    @staticmethod
    def _fault(environ: Environ, error: Exception) -> Response:
        log.error(
            "moto failed on %s %s", environ["REQUEST_METHOD"], environ["RAW_URI"], exc_info=error
        )
        return _refusal(environ, 500, "InternalFailure", f"moto: {type(error).__name__}: {error}")

    def _environ(self, scope: Scope, body: Any, size: int) -> Environ:
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        server = scope.get("server") or ("localhost", 80)
        client = scope.get("client") or ("127.0.0.1", 0)
        environ: Environ = {
            "REQUEST_METHOD": scope["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "RAW_URI": raw_path.decode("latin-1")
            + ("?" + query.decode("latin-1") if query else ""),
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": client[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(size),
        }
        self._add_headers(environ, scope["headers"])
        return environ

    def _add_headers(
        self, environ: MutableMapping[str, Any], headers: Iterable[tuple[bytes, bytes]]
    ) -> None:
        preserved: dict[str, str] = {}
        headers = list(headers)
        dashed = {_environ_key(name) for name, _ in headers if b"_" not in name}
        for raw_name, raw_value in headers:
            if raw_name in _NOT_FORWARDED or raw_name == b"content-length":
                continue
            key, value = _environ_key(raw_name), raw_value.decode("latin-1")
            if b"_" in raw_name:
                # As moto's own server: an underscore may not stand in for a dash.
                if not raw_name.startswith(b"x-amz-meta-") or key in dashed:
                    continue
                preserved[key] = raw_name.decode("latin-1")
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        environ[self._preserved_names_key] = preserved


def _environ_key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key == "CONTENT_TYPE" else f"HTTP_{key}"


def not_implemented(environ: Environ, why: str) -> Response:
    """Say that moto has no such operation. 501, which no SDK retries."""
    target = (
        environ.get("HTTP_X_AMZ_TARGET") or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    )
    message = f"This local cloud (moto) does not implement {target}. {why}".strip()
    return _refusal(environ, 501, "NotImplemented", message)


def _refusal(environ: Environ, status: int, code: str, message: str) -> Response:
    """An error in the wire form of the service that was asked: Query and S3 speak XML, the others JSON."""
    error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return Response.xml(status, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>")
    if "/s3/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
        return Response.xml(status, f"<Error>{error}</Error>")
    return Response.json(
        status, {"__type": code, "message": message}, [(b"x-amzn-errortype", code.encode())]
    )
