"""The last steps of a process on its way to become a container's program."""

import atexit
import contextlib
import importlib
import io
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from harness.containers.kinship import die_with
from harness.containers.launch import Launch

_NOT_FOUND = 127
_NOT_EXECUTABLE = 126
_TRUTHS = ("xgboost",)
"""Packages that were imported while others were hidden from them (fork_server)."""


def become(launch: Launch, log: int, supervisor: int) -> NoReturn:
    """Turn this freshly forked process into the program; it prints to the descriptor `log`."""
    code = 1
    try:
        os.setpgid(0, 0)
        die_with(supervisor)
        _reset_signals(for_python=launch.module is not None)
        _connect(log)
        os.chdir(launch.cwd)
        os.umask(0o022)
        os.environ.clear()
        os.environ.update(launch.environment)
        if launch.module is None:
            code = _execute(launch.argv)
        else:
            _renew()
            code = _call(launch.module, launch.argv)
    except BaseException:
        traceback.print_exc()
    leave(code)


def run_module(arguments: Sequence[str]) -> NoReturn:
    """Call a module in an interpreter of its own, as `become` does in a fork.

    Arguments: an environment variable that the interpreter may have set, the module, those of its main.
    """
    added, module, *argv = arguments
    os.environ.pop(added, None)
    _connect_python_streams()
    leave(_call(module, argv))


def leave(code: int) -> NoReturn:
    """End the process with what it printed, without what its parent planned for its own exit."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _reset_signals(*, for_python: bool) -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):  # the C library keeps some for itself
            signal.signal(number, signal.SIG_DFL)
    if for_python:  # as a Python begins
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _connect(log: int) -> None:
    """Standard streams on /dev/null and `log`, every other descriptor closed."""
    empty = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate((empty, log, log)):
        os.dup2(source, target)
    for name in Path("/dev/fd").iterdir():
        if int(name.name) > 2:
            with contextlib.suppress(OSError):
                os.close(int(name.name))
    _connect_python_streams()


def _connect_python_streams() -> None:
    # Line by line: a log shows each line when it is said, and the streams keep their order.
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    sys.stdout = _line_writer(1, "surrogateescape")
    sys.stderr = _line_writer(2, "backslashreplace")


def _line_writer(descriptor: int, errors: str) -> io.TextIOWrapper:
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", errors, line_buffering=True)


def _execute(argv: list[str]) -> int:
    try:
        os.execvp(argv[0], argv)  # a path is looked up in the program's own PATH
    except OSError as error:
        print(f"exec: {argv[0]!r}: {error.strerror}", file=sys.stderr)
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE


def _renew() -> None:
    """Undo what makes a fork differ from a process that began with this environment."""
    time.tzset()
    random.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _call(module: str, argv: Sequence[str]) -> int:
    sys.argv = [module, *argv]
    if not module.startswith("harness.algorithms."):
        for name in [name for name in sys.modules if name.partition(".")[0] in _TRUTHS]:
            del sys.modules[name]
    try:
        code: object = importlib.import_module(module).main(list(argv))
    except SystemExit as leaving:
        code = leaving.code
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
        code = 1
    _finish()
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def _finish() -> None:
    """What an interpreter does after main: wait for threads, make the atexit calls."""
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()
    atexit._run_exitfuncs()
