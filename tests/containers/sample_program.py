"""A module program for the engine tests: what it does is told by its first argument."""

import atexit
import hashlib
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path


def main(argv: Sequence[str]) -> object:
    """Do what `argv[0]` names and return, or leave, as that does."""
    return ACTIONS[argv[0]](argv)


def _echo(argv: Sequence[str]) -> int:
    print("argv", *argv)
    print("cwd", Path.cwd())
    print("stdin", repr(sys.stdin.read()))
    print("environ", *sorted(f"{name}={value}" for name, value in os.environ.items()))
    print("sys.argv", *sys.argv)
    return 0


def _code(argv: Sequence[str]) -> int:
    return int(argv[1])


def _crash(argv: Sequence[str]) -> int:
    raise RuntimeError("this program crashes")


def _leave_with_text(argv: Sequence[str]) -> int:
    sys.exit("leaving with a text")


def _nothing(argv: Sequence[str]) -> None:
    return None


def _both_streams(argv: Sequence[str]) -> int:
    for number in range(200):
        print(f"line {number}", file=sys.stdout if number % 3 else sys.stderr)
    return 0


def _threads_and_exits(argv: Sequence[str]) -> int:
    atexit.register(print, "said at exit")
    main_thread = threading.current_thread()

    def speak() -> None:
        print("main still runs:", main_thread.is_alive())

    threading.Thread(target=speak).start()
    return 0


def _dice(argv: Sequence[str]) -> int:
    print(
        random.random(),
        sys.modules["numpy"].random.random(),
        hashlib.sha1(os.urandom(9)).hexdigest(),
    )
    return 0


def _hash(argv: Sequence[str]) -> int:
    print(hash("harness"))
    return 0


def _xgboost(argv: Sequence[str]) -> int:
    import xgboost

    xgboost.XGBClassifier()
    print("a classifier can be made")
    return 0


def _train_a_tree(argv: Sequence[str]) -> int:
    import numpy
    import xgboost

    data = xgboost.DMatrix(numpy.eye(50), label=numpy.arange(50.0))
    xgboost.train({"nthread": 2, "tree_method": "hist"}, data, num_boost_round=3)
    print("trained")
    return 0


def _sleep(argv: Sequence[str]) -> int:
    print("ready")
    signal.pause()
    return 0


ACTIONS: dict[str, Callable[[Sequence[str]], object]] = {
    "echo": _echo,
    "code": _code,
    "crash": _crash,
    "leave with a text": _leave_with_text,
    "nothing": _nothing,
    "both streams": _both_streams,
    "threads and exits": _threads_and_exits,
    "dice": _dice,
    "hash": _hash,
    "xgboost": _xgboost,
    "train a tree": _train_a_tree,
    "sleep": _sleep,
}
