"""`python -m tests.loopback CMD ...`: a command where loopback is the only network (Linux)."""

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def enter() -> None:
    """Move this process into a network of its own, with loopback up and nothing else.

    Raises:
        OSError: the kernel does not let this user have one.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWNET if uid == 0 else CLONE_NEWUSER | CLONE_NEWNET
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if uid != 0:  # keep the user's own ids in the new user namespace
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            Path("/proc/self", name).write_text(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16xH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[0]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def main(arguments: list[str]) -> int:
    """Run the command in the place of this process; where there is no such machine, say so.

    In CI that is a failure, elsewhere it is not.
    """
    try:
        if sys.platform != "linux":
            raise OSError("only Linux has network namespaces")
        enter()
    except OSError as error:
        print(f"not run without a network: {error}", file=sys.stderr)
    else:
        os.execvp(arguments[0], arguments)
    return int("CI" in os.environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
