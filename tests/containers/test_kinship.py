"""Ending a family of processes: what the supervisor does, tried in a process of its own."""

import subprocess
import sys

import pytest

from harness.containers import kinship
from tests.containers.processes import state

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux only")

FAMILY = """
import os, signal, subprocess, sys
from harness.containers.kinship import adopt_orphans, end, end_children
adopt_orphans()
sleeper = [sys.executable, "-c", "import signal; print('ready', flush=True); signal.pause()"]
def start(**how):
    child = subprocess.Popen(sleeper, stdout=subprocess.PIPE, **how)
    child.stdout.readline()
    return child.pid
"""


def in_family(code: str) -> list[str]:
    """Run `code` in a process that adopts orphans; the words that it prints."""
    command = [sys.executable, "-c", FAMILY + code]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    return done.stdout.split()


def test_spared_children() -> None:
    """All children end but those to be spared, who keep theirs; nobody is left to be waited for."""
    spared, doomed, adopted = in_family(
        """
spared, doomed = start(start_new_session=True), start()
code = f"import subprocess; print(subprocess.Popen({sleeper!r}, stdout=subprocess.DEVNULL, start_new_session=True).pid)"
adopted = int(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE).stdout.split()[-1])
end_children({spared})
print(spared, doomed, adopted, flush=True)
assert os.waitpid(-1, os.WNOHANG) == (0, 0)
os.kill(spared, 9); assert os.waitpid(-1, 0)[0] == spared
"""
    )
    assert state(int(doomed)) is None
    assert state(int(adopted)) is None
    assert state(int(spared)) is None


def test_own_group_survives() -> None:
    """A child in this process's own group ends alone."""
    assert in_family("child = start()\nassert end(child)\nos.waitpid(child, 0)\nprint('here')") == [
        "here"
    ]


def test_nobody_to_end() -> None:
    """Without children, and for a process that is gone, there is nothing to do."""
    assert in_family(
        "child = start()\nos.kill(child, 9)\nos.waitpid(child, 0)\nprint(end(child))\nend_children()"
    ) == ["True"]


def test_ways_to_find_children() -> None:
    """The list of children is the same from the kernel's own list, from /proc and, for other systems, from ps."""
    found = in_family(
        """
from harness.containers import kinship
children = sorted([start(), start(start_new_session=True)])
print(sorted(kinship._children()) == children)
print(sorted(pid for pid, parent in kinship._parents_from_proc() if parent == os.getpid()) == children)
print(kinship._living_descendants(os.getpid()) == children)
end_children()
"""
    )
    assert found == ["True"] * 3


def test_descendants_by_ps() -> None:
    """From ps, grandchildren are found through their parents, and the dead are left out."""
    found = in_family(
        """
from harness.containers import kinship
code = f"import subprocess, signal; print(subprocess.Popen({sleeper!r}).pid, flush=True); signal.pause()"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
grandchild = int(child.stdout.readline())
dead = os.fork() or os._exit(0)
os.waitid(os.P_PID, dead, os.WEXITED | os.WNOWAIT)
print(kinship._living_descendants(os.getpid()) == sorted([child.pid, grandchild]))
end_children()
"""
    )
    assert found == ["True"]


def test_dying_with_a_stranger() -> None:
    """A process whose parent is gone already when it wants to die with it dies at once."""
    code = "import os; from harness.containers.kinship import die_with; die_with(os.getpid())"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == -9
    assert kinship.end(2**22 + 1), "a number beyond the largest pid belongs to nobody"
