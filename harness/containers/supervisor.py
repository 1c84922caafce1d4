"""A small process above each program: ends all its descendants when it ends or the cloud does.

It speaks over one socket, `control`. It says, in lines of JSON, {"pid": n} and then {"code": n} or
{"signal": n}, or {"error": text} if there was nothing to start. It obeys T (SIGTERM to the program)
and K (end everything), and takes the end of the stream for K: that is how it learns that the cloud
is gone.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from harness.containers import program
from harness.containers.kinship import adopt_orphans, end, end_children
from harness.containers.launch import Launch, receive_launch

TERMINATE = b"T"
KILL = b"K"


def supervise(launch: Launch, control: int, log: int) -> NoReturn:
    """Run one program to its end. `control` and `log` are this process's own descriptors."""
    try:
        _say(control, _supervise(launch, control, log))
    except Exception as error:
        end_children()
        _say(control, {"error": f"{type(error).__name__}: {error}"})
    program.leave(0)


def _supervise(launch: Launch, control: int, log: int) -> dict[str, int]:
    adopt_orphans()
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    supervisor = os.getpid()
    # What ends the program may come before it is ready for it: held back, it is not lost to our dispositions.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    pid = os.fork()
    if pid == 0:
        program.become(launch, log, supervisor)  # does not return
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.close(log)
    with contextlib.suppress(OSError):  # the child does the same; whoever comes first
        os.setpgid(pid, pid)
    _say(control, {"pid": pid})
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while (status := _status(pid)) is None:
        for descriptor, _ in poll.poll():
            if descriptor == woken:
                os.read(woken, 4096)
            elif not _obey(control, pid):
                poll.unregister(control)
    end_children()
    return {"code": status} if status >= 0 else {"signal": -status}


def _obey(control: int, pid: int) -> bool:
    """Carry out what the cloud says; False when everything is being ended."""
    try:
        commands = os.read(control, 64)
    except ConnectionError:
        commands = b""
    if not commands or KILL in commands:
        end(pid)
        return False
    if TERMINATE in commands:
        os.kill(pid, signal.SIGTERM)
    return True


def _status(pid: int) -> int | None:
    """Exit code or minus the signal once the program and its group have ended, else None."""
    if sys.platform != "linux":  # os.waitid came to macOS with Python 3.13
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            return None
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(status)
    while (dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
        if dead.si_pid == pid:
            # Until the program is waited for, its number belongs to nobody else.
            end(pid)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.waitpid(dead.si_pid, 0)
    return None


def _say(control: int, words: dict[str, int] | dict[str, str]) -> None:
    with contextlib.suppress(OSError):  # the cloud is gone
        os.write(control, json.dumps(words).encode("ascii") + b"\n")


def main(arguments: Sequence[str]) -> NoReturn:
    """A supervisor that was spawned, not forked: it hears over `control` what to run."""
    control, log = (int(argument) for argument in arguments)
    channel = socket.socket(fileno=control)
    try:
        launch, _ = receive_launch(channel, 0)
    except ConnectionError:
        program.leave(0)
    channel.detach()
    supervise(launch, control, log)
