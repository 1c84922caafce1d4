"""What is asked of a supervisor, as a message over a socket with file descriptors."""

import contextlib
import json
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

_HEADER = 4
_LARGEST = 64 * 1024**2


@dataclass(frozen=True)
class Launch:
    """A program to run: `module` has main(argv) -> int, without one `argv` is executed."""

    module: str | None
    argv: list[str]
    environment: dict[str, str]
    cwd: str


def send_launch(channel: socket.socket, launch: Launch, descriptors: list[int]) -> None:
    """Send `launch`; the other side gets copies of `descriptors`."""
    body = json.dumps(asdict(launch)).encode("ascii")
    if len(body) > _LARGEST:
        raise ValueError(f"a program's arguments and environment exceed {_LARGEST} bytes")
    header = len(body).to_bytes(_HEADER, "big")
    if descriptors:
        socket.send_fds(channel, [header], descriptors)
        header = b""
    channel.sendall(header + body)


class Farewell(ConnectionError):
    """The sender closes in good order."""


def send_farewell(channel: socket.socket) -> None:
    """Say that no launch will come any more."""
    with contextlib.suppress(OSError):
        channel.sendall(bytes(_HEADER))


def receive_launch(channel: socket.socket, expected: int) -> tuple[Launch, list[int]]:
    """The next message with its `expected` descriptors.

    Raises:
        Farewell: there will be none.
        ConnectionError: the sender is gone.
    """
    flags = socket.MSG_CMSG_CLOEXEC if sys.platform == "linux" else 0
    header, descriptors, _, _ = socket.recv_fds(channel, _HEADER, expected, flags)
    try:
        if not header:
            raise ConnectionResetError
        header += _receive(channel, _HEADER - len(header))
        size = int.from_bytes(header, "big")
        if not size:
            raise Farewell
        launch = Launch(**json.loads(_receive(channel, size)))
        if len(descriptors) != expected:
            raise ConnectionResetError
    except ConnectionError:
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return launch, descriptors


def _receive(channel: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        piece = channel.recv(min(size - len(parts), 1 << 16))
        if not piece:
            raise ConnectionResetError
        parts += piece
    return bytes(parts)


def interpreter(entry: str, *arguments: str) -> list[str]:
    """The argv of a new Python that calls `entry` ("module:function") with a list of `arguments`.

    It looks for modules where this process does, after its own PYTHONPATH, and uses UTF-8 whatever the locale.
    """
    module, _, function = entry.partition(":")
    code = (
        "import os, sys; own = os.environ.get('PYTHONPATH', '').split(os.pathsep); "
        "sys.path[:] = [place for place in own if place] + sys.argv.pop(1).split(os.pathsep); "
        f"from {module} import {function} as entry; entry(sys.argv[1:])"
    )
    path = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
    return [sys.executable, "-X", "utf8", "-c", code, path, *arguments]
