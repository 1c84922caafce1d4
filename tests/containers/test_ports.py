"""A port that is kept for a serving program."""

import asyncio
import http.client
import http.server
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from harness.containers.ports import Reservation

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ports are not kept")


@pytest.fixture
def reservation() -> Iterator[Reservation]:
    """A port for one test."""
    reservation = Reservation()
    yield reservation
    reservation.release()


def get(address: tuple[str, int]) -> int:
    """The status of GET /."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


def test_http_server(reservation: Reservation) -> None:
    """http.server can listen on a kept port."""
    with http.server.HTTPServer(reservation.address, http.server.BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert get(reservation.address) == 501
        thread.join()


def test_werkzeug(reservation: Reservation) -> None:
    """Werkzeug's server, which is Flask's, can."""
    from werkzeug.serving import make_server
    from werkzeug.wrappers import Response

    server = make_server(*reservation.address, Response("hello", 202))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    assert get(reservation.address) == 202
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_uvicorn(reservation: Reservation, loop: str) -> None:
    """Uvicorn can, on either loop."""
    host, port = reservation.address

    async def application(scope: object, receive: object, send: Callable[..., object]) -> None:
        await send({"type": "http.response.start", "status": 203, "headers": []})  # type: ignore[misc]
        await send({"type": "http.response.body"})  # type: ignore[misc]

    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    config = uvicorn.Config(application, host, port, lifespan="off", log_config=None, loop=loop)
    server = Server(config)

    def serve() -> None:
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(server.serve())

    thread = threading.Thread(target=serve)
    thread.start()
    assert started.wait(30)
    assert get(reservation.address) == 203
    server.should_exit = True
    thread.join()


@linux
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_any_address(reservation: Reservation, family: socket.AddressFamily) -> None:
    """A program that listens on all addresses can have the port too."""
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0" if family == socket.AF_INET else "::", reservation.address[1]))
        listener.listen()


@linux
def test_in_another_process(reservation: Reservation) -> None:
    """The program is another process; that makes no difference."""
    code = (
        "import http.server, sys; "
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.BaseHTTPRequestHandler)"
    )
    command = [sys.executable, "-c", code, str(reservation.address[1])]
    assert subprocess.run(command, check=False).returncode == 0


@linux
@pytest.mark.parametrize("reuse", [0, 1])
def test_nobody_else_is_given_it(reservation: Reservation, reuse: int) -> None:
    """The kernel gives a kept port to nobody who asks for any, neither to listen nor to connect."""
    taken = reservation.address[1]
    with socket.socket() as target, socket.socket() as other, socket.socket() as client:
        target.bind(("127.0.0.1", 0))
        target.listen()
        for asking in (other, client):
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            only(asking, taken)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="Cannot assign"):
            client.connect(target.getsockname())
        reservation.release()
        other.bind(("127.0.0.1", 0))
        assert other.getsockname()[1] == taken


def only(asking: socket.socket, port: int) -> None:
    """Let the kernel choose for `asking` from one port only (IP_LOCAL_PORT_RANGE, since Linux 6.3)."""
    try:
        asking.setsockopt(socket.IPPROTO_IP, 51, struct.pack("=I", port << 16 | port))
    except OSError:
        pytest.xfail(
            "this kernel chooses from all ports; that it never takes a bound one cannot be shown"
        )


def test_release(reservation: Reservation) -> None:
    """A released port is anybody's."""
    reservation.release()
    with socket.socket() as other:
        other.bind(reservation.address)
    reservation.release()
