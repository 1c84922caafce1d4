"""What is left of containers when a process of the engine's is killed: nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.containers.process_engine import ProcessEngine
from harness.containers.spec import Exit, Program
from tests.containers.engine_contract import DAEMON, DEAF, GRANDCHILD, SLEEPER, Runner, python
from tests.containers.processes import (
    PATIENCE,
    children,
    marked,
    parent,
    state,
    wait_until_gone,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def engine() -> Iterator[ProcessEngine]:
    """An engine for one test."""
    with ProcessEngine(preload=()) as engine:
        yield engine


@pytest.fixture
def runner(engine: ProcessEngine, tmp_path: Path) -> Runner:
    """Starts containers."""
    return Runner(engine, tmp_path)


def kill_cloud(folder: Path, *arguments: str) -> None:
    """Run a cloud with containers in a process of its own and SIGKILL it; returns when all are gone."""
    cloud = subprocess.Popen(
        [sys.executable, "-m", "tests.containers.cloud_that_dies", str(folder), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert cloud.stdout is not None
    family = [int(pid) for pid in cloud.stdout.readline().split()]
    assert len(family) == 11, (
        "4 programs and their supervisors, a grandchild, a daemon, the fork server"
    )
    assert len(marked(str(folder))) == 6
    for pid in family:
        assert state(pid) in ("S", "R")
    cloud.kill()
    cloud.wait(PATIENCE)
    cloud.stdout.close()
    for pid in family:
        wait_until_gone(pid)
    assert marked(str(folder)) == []


def test_cloud_killed(tmp_path: Path) -> None:
    """When the cloud dies by SIGKILL, all containers, their descendants and the cloud's folder are gone."""
    kill_cloud(tmp_path)
    assert not (tmp_path / "scratch").exists()


def test_cloud_killed_after_fork(tmp_path: Path) -> None:
    """A child that the cloud's own process forked, and that lives on, keeps nothing alive."""
    kill_cloud(tmp_path, "fork")
    (survivor,) = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and is_survivor(entry, tmp_path)
    ]
    os.kill(survivor, signal.SIGKILL)
    wait_until_gone(survivor)


def is_survivor(process: Path, folder: Path) -> bool:
    """Whether a process was called with `folder`."""
    try:
        return str(folder).encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False


def test_folder_stays_when_engine_is_closed(tmp_path: Path) -> None:
    """An engine that is closed leaves its folder to its owner."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with ProcessEngine(scratch, preload=()) as engine:
        Runner(engine, tmp_path).run(Program(arguments=("true",)))
    assert scratch.exists()


def test_fork_server_killed(engine: ProcessEngine, runner: Runner) -> None:
    """When the fork server dies, containers go on, the next start has a new one, and there is no zombie."""
    first, log = runner.start(
        python(
            "import os, signal\n"
            "signal.signal(signal.SIGUSR1, lambda *_: print('alive'))\n"
            "print('ready')\n"
            "while True: signal.pause()"
        )
    )
    log.wait_for(lambda text: text == "ready")
    (server,) = children(os.getpid())
    os.kill(server, signal.SIGKILL)
    wait_until_gone(server)
    os.kill(first.pid, signal.SIGUSR1)
    log.wait_for(lambda text: text == "alive")
    assert runner.run(python("print('second')"))[1].messages == ["second"]
    (successor,) = children(os.getpid())
    assert successor != server
    assert first.wait(0) is None
    assert first.stop(PATIENCE) == Exit(signal=15)


def test_fork_server_killed_again_and_again(runner: Runner) -> None:
    """A start that meets a fork server which has just died is not lost."""
    for number in range(10):
        for server in children(os.getpid()):
            os.kill(server, signal.SIGKILL)
        exit, log = runner.run(python(f"print({number})"))
        assert (exit, log.messages) == (Exit(code=0), [str(number)])


@pytest.mark.parametrize("code", [GRANDCHILD, DAEMON])
def test_supervisor_killed(runner: Runner, code: str) -> None:
    """When somebody kills a supervisor, its container has ended by SIGKILL and no descendant is left."""
    container, log = runner.start(python(f"{code}\n{SLEEPER}"))
    log.wait_for(lambda text: text == "ready")
    descendant = int(log.messages[0].split()[-1])
    os.kill(parent(container.pid), signal.SIGKILL)
    assert container.wait(PATIENCE) == Exit(signal=9)
    wait_until_gone(container.pid)
    wait_until_gone(descendant)


def test_supervisor_killed_after_fork_server(runner: Runner) -> None:
    """When fork server and supervisor are killed, the program dies all the same, by the kernel's hand."""
    container, log = runner.start(python(DEAF))
    log.wait_for(lambda text: text == "ready")
    (server,) = children(os.getpid())
    for pid in (server, parent(container.pid)):
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
    wait_until_gone(container.pid)
    assert container.wait(PATIENCE) == Exit(signal=9)


def test_other_containers_survive_death_of_supervisor(runner: Runner) -> None:
    """The end of one supervisor is no other container's business."""
    other, log = runner.start(python(f"{GRANDCHILD}\n{SLEEPER}"))
    log.wait_for(lambda text: text == "ready")
    grandchild = int(log.messages[0].split()[-1])
    for _ in range(3):
        container, _ = runner.start(python(SLEEPER))
        os.kill(parent(container.pid), signal.SIGKILL)
        assert container.wait(PATIENCE) == Exit(signal=9)
        wait_until_gone(container.pid)
    assert other.wait(0) is None
    assert state(grandchild) == "S"
    assert other.kill() == Exit(signal=9)


def test_interrupt_from_terminal(runner: Runner) -> None:
    """Ctrl-C reaches neither fork server nor programs: they are in sessions of their own."""
    container, _ = runner.start(python(SLEEPER))
    sessions = {
        os.getsid(pid) for pid in (container.pid, parent(container.pid), *children(os.getpid()))
    }
    assert os.getsid(0) not in sessions
    container.kill()
