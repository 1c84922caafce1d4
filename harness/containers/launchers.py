"""Two ways to a supervisor: forked by the fork server, or spawned. Both end with the engine."""

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from harness.containers import fork_server
from harness.containers.launch import Launch, interpreter, send_farewell, send_launch

_PATIENCE = 20.0
"""Seconds that a process gets to end once its socket is closed."""

Wait = Callable[[], None]
"""Waits for one ended supervisor, where that is for us to do."""


class Launcher(Protocol):
    """Starts supervisors."""

    def warm(self) -> None:
        """Begin what makes `launch` quick; returns at once."""

    def launch(self, launch: Launch, ours: socket.socket, theirs: socket.socket, log: int) -> Wait:
        """Have a supervisor started that speaks over copies of `theirs` and `log`.

        BrokenPipeError: it was not, and may be the next time.
        """

    def close(self) -> None:
        """End what this started, after supervisors, whose control sockets are closed."""

    def forget(self) -> None:
        """In a fork of the engine's process: let go of what belongs to the engine."""


class ForkServerLauncher:
    """Keeps one fork server; a new one takes the place of one that died."""

    def __init__(
        self,
        preload: Sequence[str],
        scratch: Path | None,
        watch: Callable[[int, Callable[[], None]], None],
    ) -> None:
        self._preload = tuple(preload)
        self._scratch = str(scratch or "")
        self._watch = watch
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._asked = False

    def warm(self) -> None:
        """Start the server; it imports while we go on."""
        with self._lock:
            self._reach()

    def launch(self, launch: Launch, ours: socket.socket, theirs: socket.socket, log: int) -> Wait:
        """Have a supervisor started (Launcher.launch)."""
        with self._lock:
            channel = self._reach()
            self._asked = True
            try:
                send_launch(channel, launch, [theirs.fileno(), log])
            except ConnectionError as error:
                self._leave()
                raise BrokenPipeError("the fork server has ended") from error
        return lambda: None  # the supervisor is the fork server's child

    def close(self) -> None:
        """End what this started (Launcher.close)."""
        with self._lock:
            if self._server is not None and not self._asked and not self._is_ready():
                self._server.kill()  # it only imports
            self._leave()

    def forget(self) -> None:
        """In a fork of the engine's process: let go of the engine's (Launcher.forget)."""
        if self._channel is not None:
            os.close(self._channel.detach())

    def _reach(self) -> socket.socket:
        """The channel to a living server."""
        if self._server is not None and self._server.poll() is not None:
            self._leave()
        if self._channel is not None:
            return self._channel
        self._channel, theirs = socket.socketpair()
        self._asked = False
        with theirs:
            arguments = (str(theirs.fileno()), str(os.getpid()), self._scratch, *self._preload)
            server = self._server = subprocess.Popen(
                interpreter("harness.containers.fork_server:main", *arguments),
                env=fork_server.environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the cloud, which then ends us in good order
            )
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # a kernel before 5.3
                self._watch(os.pidfd_open(server.pid), lambda: self._bury(server))
        return self._channel

    def _bury(self, server: subprocess.Popen[bytes]) -> None:
        """The server died unasked: it is waited for at once, its successor starts when needed."""
        with self._lock:
            if server is self._server:
                self._leave()

    def _leave(self) -> None:
        if self._channel is not None:
            send_farewell(self._channel)
            self._channel.close()
        if self._server is not None:
            _await_end(self._server)
        self._channel = self._server = None

    def _is_ready(self) -> bool:
        assert self._channel is not None
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        return bool(poll.poll(0))


class SpawnLauncher:
    """A new interpreter for each supervisor, and one more for each module program."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._supervisors: list[subprocess.Popen[bytes]] = []

    def warm(self) -> None:
        """Nothing makes a spawn quicker."""

    def launch(self, launch: Launch, ours: socket.socket, theirs: socket.socket, log: int) -> Wait:
        """Have a supervisor started (Launcher.launch)."""
        arguments = (str(theirs.fileno()), str(log))
        supervisor = subprocess.Popen(
            interpreter("harness.containers.supervisor:main", *arguments),
            env=fork_server.environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno(), log],
            start_new_session=True,
        )
        with self._lock:
            self._supervisors.append(supervisor)

        def wait() -> None:
            _await_end(supervisor)
            with self._lock, contextlib.suppress(ValueError):
                self._supervisors.remove(supervisor)

        with contextlib.suppress(ConnectionError):  # it is seen by the silence that follows
            send_launch(ours, in_own_interpreter(launch), [])
        return wait

    def close(self) -> None:
        """End what this started (Launcher.close)."""
        with self._lock:
            for supervisor in self._supervisors:
                _await_end(supervisor)
            self._supervisors.clear()

    def forget(self) -> None:
        """In a fork of the engine's process: let go of the engine's (Launcher.forget)."""


def in_own_interpreter(launch: Launch) -> Launch:
    """The same program, without a fork that has its modules already."""
    if launch.module is None:
        return launch
    # Where no locale is set, an interpreter sets this.
    coerced = "" if "LC_CTYPE" in launch.environment else "LC_CTYPE"
    argv = interpreter(
        "harness.containers.program:run_module", coerced, launch.module, *launch.argv
    )
    return Launch(None, argv, launch.environment, launch.cwd)


def _await_end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that is about to end; one that is not is killed."""
    patience = _PATIENCE
    if sys.platform == "linux" and process.poll() is None:
        # Popen.wait looks again and again; this is told.
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(process.pid)
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            poll.poll(patience * 1000)
            os.close(handle)
            patience = 0
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
