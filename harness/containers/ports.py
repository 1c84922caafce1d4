"""Addresses for serving programs."""

import socket
import sys

LOOPBACK = "127.0.0.1"


class Reservation:
    """A free port of the loopback address that stays ours until `release`.

    On Linux the port is kept bound, without listening: the kernel then gives it to nobody who asks
    for any port, and lets a program bind to it that sets SO_REUSEADDR, as servers do. Elsewhere the
    same port cannot be bound twice, so it is free from the start and may, in theory, be lost.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((LOOPBACK, 0))
        self.address: tuple[str, int] = self._socket.getsockname()
        if sys.platform != "linux":
            self.release()

    def release(self) -> None:
        """Give the port back. May be called again."""
        self._socket.close()
