"""What is asked of a supervisor, as a message over a socket with file descriptors."""

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


def receive_launch(channel: socket.socket, expected: int) -> tuple[Launch, list[int]] | None:
    """The next message with its `expected` descriptors; None when the sender is gone."""
    flags = socket.MSG_CMSG_CLOEXEC if sys.platform == "linux" else 0
    header, descriptors, _, _ = socket.recv_fds(channel, _HEADER, expected, flags)
    header += _receive(channel, _HEADER - len(header)) if header else b""
    body = _receive(channel, int.from_bytes(header, "big")) if len(header) == _HEADER else b""
    if not body or len(descriptors) != expected:
        for descriptor in descriptors:
            os.close(descriptor)
        return None
    return Launch(**json.loads(body)), descriptors


def _receive(channel: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        piece = channel.recv(min(size - len(parts), 1 << 16))
        if not piece:
            return b""
        parts += piece
    return bytes(parts)


def interpreter(entry: str, *arguments: str) -> list[str]:
    """The argv of a new Python that calls `entry` ("module:function") with a list of `arguments`.

    It finds all modules that this process finds, and uses UTF-8 whatever the locale.
    """
    module, _, function = entry.partition(":")
    code = (  # "" is the working directory, which is the program's
        "import os, sys; own = [place for place in sys.path if place]; "
        "other = sys.argv.pop(1).split(os.pathsep); "
        "sys.path[:] = own + [place for place in other if place not in own]; "
        f"from {module} import {function} as entry; entry(sys.argv[1:])"
    )
    path = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
    return [sys.executable, "-X", "utf8", "-c", code, path, *arguments]
