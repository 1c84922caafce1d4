"""Processes and their descendants: adopt orphans, end a whole family, die with a parent.

LIMITATIONS: outside Linux a descendant that lost its parent and left the process group is not
found.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with(parent: int) -> None:
    """Have the kernel end this process when its `parent` ends (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def end(pid: int) -> bool:
    """SIGKILL a descendant and its process group; False if that is forbidden.

    A group is ended in one stroke, so a process that forks in a loop cannot outrun it. Nobody else
    can be in it: groups do not span sessions, and the sessions of descendants are their own.
    """
    try:
        group = os.getpgid(pid)
        if group != os.getpgrp():
            os.killpg(group, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        return False
    return True


def end_children(spare: Collection[int] = ()) -> None:
    """SIGKILL all descendants but the children in `spare` and theirs; returns when none is left.

    The caller must adopt orphans: each round ends this process's children, and theirs become the
    children of the next round. What the kernel does not let us kill (another user's) is left alone.
    """
    refused: set[int] = set()
    while True:
        doomed = [pid for pid in _children() if pid not in spare and pid not in refused]
        if not doomed:
            return
        for pid in doomed:
            if not end(pid):
                refused.add(pid)
        for pid in doomed:
            if pid not in refused:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)


def _children() -> list[int]:
    """The children of this process, dead ones that nobody waited for included (Linux).

    Elsewhere: the living descendants that are still connected to this process.
    """
    if sys.platform != "linux":
        return _living_descendants(os.getpid())
    own = Path(f"/proc/self/task/{os.getpid()}/children")
    if own.exists():  # not in kernels without CONFIG_PROC_CHILDREN
        return [int(pid) for pid in own.read_bytes().split()]
    return [pid for pid, parent in _parents_from_proc() if parent == os.getpid()]


def _living_descendants(ancestor: int) -> list[int]:
    rows = _parents_from_ps()
    family = {ancestor}
    while grown := {pid for pid, parent in rows if parent in family} - family:
        family |= grown
    return sorted(family - {ancestor})


def _parents_from_proc() -> list[tuple[int, int]]:
    rows = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name, in parentheses, may contain anything.
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                rows.append((int(entry.name), int(fields[1])))
    return rows


def _parents_from_ps() -> list[tuple[int, int]]:
    ps = subprocess.Popen(["ps", "-A", "-o", "pid=,ppid=,stat="], stdout=subprocess.PIPE)
    listing, _ = ps.communicate()
    rows = [line.split() for line in listing.decode().splitlines()]
    return [
        (int(pid), int(parent))
        for pid, parent, state in rows
        if not state.startswith("Z") and int(pid) != ps.pid
    ]
