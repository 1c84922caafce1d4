"""How much memory a function's processes use."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

MEGABYTE = 1024 * 1024


def resident(pid: int) -> int:
    """Bytes that a process and its descendants hold at this moment; 0 if it has ended."""
    if sys.platform != "linux":
        return sum(_resident_by_psutil(pid))
    return sum(_kilobytes(each, b"VmRSS:") for each in _family(pid)) * 1024


def peak(pid: int) -> int:
    """The most bytes that the process itself has held so far; what it holds now where nobody counts."""
    if sys.platform != "linux":
        return next(_resident_by_psutil(pid), 0)
    return _kilobytes(pid, b"VmHWM:") * 1024


def _family(pid: int) -> Iterator[int]:
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        yield parent
        with contextlib.suppress(OSError):  # it has ended, or the kernel does not tell
            for task in Path(f"/proc/{parent}/task").iterdir():
                waiting += map(int, (task / "children").read_bytes().split())


def _kilobytes(pid: int, name: bytes) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return 0
    _, found, rest = status.partition(b"\n" + name)
    return int(rest.split(None, 1)[0]) if found else 0


def _resident_by_psutil(pid: int) -> Iterator[int]:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        yield process.memory_info().rss
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                yield child.memory_info().rss
