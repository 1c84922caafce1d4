"""The engine that runs containers as processes of this machine: no Docker, no isolation, quick.

LIMITATIONS: programs see the machine's file system and network; what stands for /opt/ml is the
folder that SAGEMAKER_BASE_DIR names; a serving program must listen where SAGEMAKER_BIND_TO_PORT
says.
"""

import contextlib
import json
import logging
import os
import queue
import socket
import sys
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.containers import fork_server, launchers
from harness.containers.launch import Launch
from harness.containers.ports import Reservation
from harness.containers.pump import Feed, Pump
from harness.containers.spec import ContainerSpec, Exit, LogSink, Splitter
from harness.containers.supervisor import KILL, TERMINATE

BASE_DIR = "SAGEMAKER_BASE_DIR"
PORT = "SAGEMAKER_BIND_TO_PORT"
HOST = "SAGEMAKER_BIND_TO_HOST"

_TRIES = 3
_PATIENCE = 60.0
"""Seconds that a supervisor gets to say that its program has started: imports are part of that."""

# Read when an interpreter or a library is loaded: in a fork they would come too late.
_FOR_LOADERS = ("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "LD_", "DYLD_", "MALLOC_", "PYTHON")
_HONOURED_IN_A_FORK = ("PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE")

_log = logging.getLogger(__name__)


class EngineError(RuntimeError):
    """A container cannot be started."""


class EngineClosed(EngineError):
    """The engine is closed."""


class ProcessContainer:
    """A program under its supervisor (spec.Container). All methods may be called from any thread.

    `wait`, `stop` and `kill` must not be called from a log sink: they wait for the log.
    """

    def __init__(
        self, spec: ContainerSpec, pid: int, address: tuple[str, int] | None, control: socket.socket
    ) -> None:
        self.spec = spec
        self.pid = pid
        self.address = address
        self._control = control
        self._exit: Exit | None = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[Exit], None]] = []
        self._calls: queue.SimpleQueue[Callable[[], None] | None] | None = None
        self._asked_to_stop = False

    def wait(self, timeout: float | None = None) -> Exit | None:
        """Wait up to `timeout` seconds; None if it still runs. At an Exit the log is complete."""
        self._ended.wait(timeout)
        return self._exit

    def stop(self, grace: float) -> Exit:
        """SIGTERM to the program, SIGKILL to whatever is left after `grace` seconds."""
        with self._lock:
            asked, self._asked_to_stop = self._asked_to_stop, True
        if not asked:
            self._command(TERMINATE)
        return self.wait(grace) or self.kill()

    def kill(self) -> Exit:
        """End the program and all its descendants at once."""
        self.begin_kill()
        self._ended.wait()
        assert self._exit is not None
        return self._exit

    def begin_kill(self) -> None:
        """As `kill`, but return at once."""
        self._command(KILL)

    def add_exit_callback(self, callback: Callable[[Exit], None]) -> None:
        """Have `callback` called once, in the engine's thread for callbacks, after the end."""
        with self._lock:
            if self._calls is None:
                self._callbacks.append(callback)
            else:
                self._call(callback)

    def set_exit(self, exit: Exit, calls: queue.SimpleQueue[Callable[[], None] | None]) -> None:
        """The program has ended and its log is delivered; callbacks go to the queue `calls`."""
        with self._lock:
            self._exit = exit
            self._calls = calls
            self._ended.set()
            for callback in self._callbacks:
                self._call(callback)
            self._callbacks.clear()

    def forget(self) -> None:
        """In a fork of the engine's process: let go of the socket."""
        if self._control.fileno() >= 0:
            os.close(self._control.detach())

    def _call(self, callback: Callable[[Exit], None]) -> None:
        assert self._calls is not None
        assert self._exit is not None
        exit = self._exit
        self._calls.put(lambda: callback(exit))

    def _command(self, command: bytes) -> None:
        with contextlib.suppress(OSError):  # it has ended
            self._control.send(command)


class ProcessEngine:
    """Runs containers as processes (spec.Engine).

    `close` it; should the process die instead, all that it started dies with it. `preload`: modules
    that the fork server imports beforehand. `scratch`: a folder that is removed when this process
    dies without closing the engine. `spawn`: do without the fork server, as where it cannot be.
    """

    def __init__(
        self,
        scratch: Path | None = None,
        *,
        preload: Sequence[str] = fork_server.PRELOAD,
        spawn: bool = sys.platform != "linux",
    ) -> None:
        self._lock = threading.Condition()
        self._closed = False
        self._containers: set[ProcessContainer] = set()
        self._starting: set[socket.socket] = set()
        self._pump = Pump()
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._caller = threading.Thread(
            target=self._make_calls, name="container-exits", daemon=True
        )
        self._caller.start()
        self.spawns = spawn
        self._launcher: launchers.Launcher = (
            launchers.SpawnLauncher()
            if spawn
            else launchers.ForkServerLauncher(preload, scratch, self._pump.watch)
        )
        _open_engines.add(self)

    def warm(self) -> None:
        """Start the fork server, if there is none; returns at once."""
        with self._lock:
            self._check_open()
        self._launcher.warm()

    def start(
        self, spec: ContainerSpec, log: LogSink, splitter: Splitter | None = None
    ) -> ProcessContainer:
        """Start a program (Engine.start); returns when it runs, before it is ready for anything.

        Raises:
            EngineError: it cannot be started. A program that does not exist is no such error: its
            exit
                code is 127 (126 if it cannot be executed) and its log says why, as from a shell.
            EngineClosed: the engine is closed, or was closed meanwhile.
            ValueError: an argument or the environment is none that a process can have.
        """
        reservation = Reservation() if spec.contract and spec.command == "serve" else None
        try:
            launch = _launch(spec, reservation)
            for _ in range(_TRIES):
                with contextlib.suppress(BrokenPipeError):
                    return self._start(spec, log, splitter, launch, reservation)
            raise EngineError(f"{spec.name}: the supervisor ends before it starts anything")
        except BaseException:
            if reservation is not None:
                reservation.release()
            raise

    def close(self) -> None:
        """End every container, the fork server and the engine's threads. May be called again."""
        with self._lock:
            self._closed = True
            for control in self._starting:
                with contextlib.suppress(OSError):
                    control.shutdown(socket.SHUT_RDWR)
            for container in self._containers:
                container.begin_kill()
            while self._starting or self._containers:
                self._lock.wait()
        self._launcher.close()
        self._pump.close()
        self._calls.put(None)
        if threading.current_thread() is not self._caller:
            self._caller.join()
        _open_engines.discard(self)

    def __enter__(self) -> "ProcessEngine":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _start(
        self,
        spec: ContainerSpec,
        log: LogSink,
        splitter: Splitter | None,
        launch: Launch,
        reservation: Reservation | None,
    ) -> ProcessContainer:
        with self._lock:
            self._check_open()
            ours, theirs = socket.socketpair()
            output, into = os.pipe()
            self._starting.add(ours)
        try:
            try:
                wait = self._launcher.launch(launch, ours, theirs, into)
            finally:
                theirs.close()
                os.close(into)
            pid, rest = self._first_words(spec, ours)
            container = ProcessContainer(
                spec, pid, reservation.address if reservation is not None else None, ours
            )
        except BaseException:
            ours.close()
            os.close(output)
            with self._lock:
                self._starting.discard(ours)
                self._lock.notify_all()
            raise

        def ended(words: dict[str, Any] | None) -> None:
            self._on_end(container, words, reservation, wait)

        with self._lock:
            self._starting.discard(ours)
            self._containers.add(container)
            if self._closed:
                container.begin_kill()
        self._pump.attend(Feed(output, ours, log, ended, rest, splitter))
        return container

    def _first_words(self, spec: ContainerSpec, control: socket.socket) -> tuple[int, bytes]:
        """The program's pid, and what the supervisor may have said after it."""
        control.settimeout(_PATIENCE)
        heard = b""
        while b"\n" not in heard:
            try:
                piece = control.recv(4096)
            except TimeoutError:
                raise EngineError(f"{spec.name}: not started in {_PATIENCE:.0f} seconds") from None
            except OSError:
                piece = b""
            if not piece:
                with self._lock:
                    self._check_open()
                raise BrokenPipeError
            heard += piece
        control.settimeout(None)
        line, _, rest = heard.partition(b"\n")
        words = json.loads(line)
        if "pid" not in words:
            raise EngineError(f"{spec.name}: {words['error']}")
        return words["pid"], rest

    def _on_end(
        self,
        container: ProcessContainer,
        words: dict[str, Any] | None,
        reservation: Reservation | None,
        wait: launchers.Wait,
    ) -> None:
        if reservation is not None:
            reservation.release()
        # No last words: the supervisor was killed, and what was below it by the fork server.
        words = words if words is not None and "error" not in words else {"signal": 9}
        exit = Exit(words.get("code"), words.get("signal"))
        self._calls.put(wait)
        container.set_exit(exit, self._calls)
        with self._lock:
            self._containers.discard(container)
            self._lock.notify_all()

    def _make_calls(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call()
            except Exception:
                _log.exception("a callback for the end of a container failed")

    def _check_open(self) -> None:
        if self._closed:
            raise EngineClosed("the engine is closed")

    def forget(self) -> None:
        """In a fork of this process: let go of sockets that must close when it dies."""
        self._closed = True
        self._launcher.forget()
        for container in self._containers:
            container.forget()
        for control in self._starting:
            os.close(control.detach())


def _launch(spec: ContainerSpec, reservation: Reservation | None) -> Launch:
    environment = dict(spec.environment)
    if spec.contract:
        environment[BASE_DIR] = str(spec.root)
    if reservation is not None:
        host, port = reservation.address
        environment |= {HOST: host, PORT: str(port)}
    argv = [*spec.program.arguments, spec.command]
    _check_texts(spec.name, argv, environment)
    launch = Launch(spec.program.module, argv, environment, str(spec.root))
    late = [name for name in environment if name.startswith(_FOR_LOADERS)]
    return launchers.in_own_interpreter(launch) if set(late) - {*_HONOURED_IN_A_FORK} else launch


def _check_texts(name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
    for text in (*argv, *environment, *environment.values()):
        if "\0" in text:
            raise ValueError(f"{name}: {text!r} contains a zero byte")
    for variable in environment:
        if not variable or "=" in variable:
            raise ValueError(f"{name}: no environment variable can be called {variable!r}")


_open_engines: "weakref.WeakSet[ProcessEngine]" = weakref.WeakSet()


def _forget_engines() -> None:
    for engine in _open_engines:
        engine.forget()


os.register_at_fork(after_in_child=_forget_engines)
