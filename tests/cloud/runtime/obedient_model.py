"""A container that answers as the body asks: {"status", "headers", "body", "size", "hang", "die"}; else it echoes."""

import base64
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        """Healthy."""
        self.answer(200, {}, b"")

    def do_POST(self) -> None:
        """Do as the body says."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            order = json.loads(body)
        except ValueError:
            order = None
        if not isinstance(order, dict):
            seen = {
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": base64.b64encode(body).decode(),
            }
            self.answer(200, {"Content-Type": "application/json"}, json.dumps(seen).encode())
            return
        if order.get("die"):
            os._exit(9)
        if order.get("hang"):
            threading.Event().wait()
        content = order.get("body", "").encode() + b"x" * order.get("size", 0)
        self.answer(order.get("status", 200), order.get("headers", {}), content)

    def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        """Send it."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Daemon threads: one that hangs does not keep the container."""

    daemon_threads = True


address = (
    os.environ.get("SAGEMAKER_BIND_TO_HOST", "0.0.0.0"),
    int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")),
)
Server(address, Handler).serve_forever()
