"""The servers under comparison, each a child process, and a client that can ask before they listen."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

CREDENTIALS = ("test", "test")
REGION = "us-east-1"


@dataclass(frozen=True)
class Peer:
    """A server: its name in the table and the command that starts it on a port."""

    name: str
    command: tuple[str, ...]

    def start(self, port: int) -> subprocess.Popen[bytes]:
        """Start it; the caller stops it."""
        return subprocess.Popen(
            [part.format(port=port) for part in self.command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


HARNESS = str(Path(sys.executable).with_name("harness"))
CLOUD = Peer("local cloud", (HARNESS, "up", "--port", "{port}"))
MOTO = Peer("moto_server", (sys.executable, "-m", "moto.server", "-p", "{port}"))


def ministack() -> Peer | None:
    """MiniStack on loopback alone, if its command is to be found; it is no dependency of ours."""
    command = shutil.which("ministack")
    if command is None:
        return None
    settings = ("BIND_HOST=127.0.0.1", "GATEWAY_PORT={port}", "EDGE_PORT={port}")
    return Peer("MiniStack", ("env", *settings, command))


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def signed(
    service: str, path: str, body: bytes, headers: Mapping[str, str], port: int
) -> dict[str, str]:
    """The headers of a request, signed by botocore."""
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest(
        "POST" if body else "GET",
        f"http://127.0.0.1:{port}{path}",
        data=body,
        headers=dict(headers),
    )
    auth = S3SigV4Auth if service == "s3" else SigV4Auth
    auth(Credentials(*CREDENTIALS), service, REGION).add_auth(request)
    return dict(request.headers.items())


def ask_until_answered(
    port: int, path: str, body: bytes, headers: Mapping[str, str], give_up: float = 30.0
) -> bytes:
    """Repeat a request until someone listens; the answer's body."""
    end = time.perf_counter() + give_up
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=give_up)
        try:
            connection.request("POST" if body else "GET", path, body or None, dict(headers))
            return connection.getresponse().read()
        except ConnectionError:
            if time.perf_counter() > end:
                raise
            time.sleep(0.002)
        finally:
            connection.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it started."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running(peer: Peer) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A started server that listens: its URL and process."""
    port = free_port()
    process = peer.start(port)
    try:
        end = time.perf_counter() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except ConnectionError:
                if time.perf_counter() > end:
                    raise
                time.sleep(0.01)
        yield f"http://127.0.0.1:{port}", process
    finally:
        stop(process)


def resident_bytes(process: subprocess.Popen[bytes]) -> int:
    """Resident memory of a process and all its descendants, in bytes."""
    root = psutil.Process(process.pid)
    total: int = sum(p.memory_info().rss for p in [root, *root.children(recursive=True)])
    return total
