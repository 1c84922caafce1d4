"""A process that imports what programs need, and forks a supervisor for each container (Linux).

It has one thread, runs no program itself and loads no model: a fork of a process in which OpenMP
has worked hangs. It ends when its socket does, after all supervisors; what a dead supervisor left,
it ends.
"""

import contextlib
import gc
import importlib
import os
import pkgutil
import select
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from harness.containers.kinship import adopt_orphans, end_children
from harness.containers.launch import Farewell, receive_launch
from harness.containers.opt_ml import remove_tree
from harness.containers.supervisor import supervise

READY = b"R"
PRELOAD = (
    "harness.algorithms.entry",
    "numpy",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.loops.uvloop",
    "uvicorn.lifespan.off",
    "xgboost",
    "harness.algorithms.*",
)
"""What the built-in algorithms need, in the order of import; a name with .* is a package in full."""

_LAST_BREATH = 10
"""Seconds in which a process whose sockets are closed ends."""
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")

_HIDDEN = ("pandas", "sklearn")
"""xgboost imports them for wrappers that no built-in algorithm uses: most of its time."""


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """What the server inherits of the engine's `own` environment: its forks show it under /proc."""
    kept = {name: own[name] for name in own if name in _INHERITED or name.startswith("COVERAGE_")}
    return {
        **kept,
        # OpenBLAS starts its threads when it is loaded, unless it is to have one only.
        "OPENBLAS_NUM_THREADS": "1",
        # Containers share the cores, and threads that wait in a loop take them from each other.
        "OMP_WAIT_POLICY": "PASSIVE",
    }


class _Server:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._supervisors: set[int] = set()
        self.dismissed = False
        """The engine said that it closes."""
        self._woken, self._wake = os.pipe()
        for descriptor in (self._woken, self._wake):
            os.set_blocking(descriptor, False)

    def run(self, modules: Sequence[str]) -> None:
        """Import `modules` one by one, then serve; requests in between are not kept waiting."""
        adopt_orphans()
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for module in _in_full(modules):
            if not self._serve(timeout=0):
                return
            _import(module)
        gc.collect()
        gc.freeze()
        with contextlib.suppress(BrokenPipeError):
            self._channel.send(READY)
        while self._serve(timeout=None):
            pass

    def finish(self) -> None:
        """Wait until every supervisor has ended."""
        while self._supervisors:
            pid, status = os.waitpid(-1, 0)
            self._bury(pid, status)

    def _serve(self, timeout: int | None) -> bool:
        """Answer what has come; False when the engine is gone."""
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while events := poll.poll(timeout):
            ready = [descriptor for descriptor, _ in events]
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._wait_for_dead()
            if self._channel.fileno() in ready and not self._start():
                return False
            if timeout is None:
                break
        return True

    def _start(self) -> bool:
        try:
            launch, (control, log) = receive_launch(self._channel, 2)
        except ConnectionError as error:
            self.dismissed = isinstance(error, Farewell)
            return False
        try:
            pid = os.fork()
        except OSError as error:  # too many processes: the engine hears it from the closed socket
            print(f"fork: {error.strerror}", file=sys.stderr)
            pid = -1
        if pid == 0:
            self._channel.detach()
            os.setsid()
            supervise(launch, control, log)
        os.close(control)
        os.close(log)
        if pid > 0:
            self._supervisors.add(pid)
        return True

    def _wait_for_dead(self) -> None:
        while self._supervisors:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._bury(pid, status)

    def _bury(self, pid: int, status: int) -> None:
        self._supervisors.discard(pid)
        if status != 0:  # its program and what belongs to it are our children now
            end_children(spare=self._supervisors)


def _in_full(modules: Sequence[str]) -> Iterator[str]:
    for module in modules:
        package, _, rest = module.rpartition(".")
        if rest != "*":
            yield module
        elif _import(package):
            for found in pkgutil.walk_packages(sys.modules[package].__path__, f"{package}."):
                if not found.name.endswith(".__main__"):
                    yield found.name


def _import(module: str) -> bool:
    """Import `module`; what cannot be imported is the concern of the program that needs it."""
    absent = [name for name in _HIDDEN if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        importlib.import_module(module)
    except Exception:
        return False
    finally:
        for name in absent:
            del sys.modules[name]
    return True


def main(arguments: Sequence[str]) -> NoReturn:
    """Serve the engine. Arguments: the descriptor of a socket, the engine's pid, a folder, modules to import.

    The folder, if its name is not empty, is removed when the engine dies without a farewell.
    """
    descriptor, engine, scratch, *modules = arguments
    lifeline = _lifeline(int(engine))
    server = _Server(socket.socket(fileno=int(descriptor)))
    server.run(modules)
    server.finish()
    if scratch and not server.dismissed and _is_over(lifeline):
        remove_tree(Path(scratch))
    sys.exit(0)


def _lifeline(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except OSError:  # it is dead already, or an old kernel
        return None


def _is_over(lifeline: int | None) -> bool:
    """Whether the engine's process has ended; its sockets close a little before that."""
    if lifeline is None:
        return False
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    return bool(poll.poll(_LAST_BREATH * 1000))
