"""The fork server: what it imports, and what its forks are like."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.containers import fork_server
from harness.containers.process_engine import ProcessEngine
from harness.containers.spec import Exit, Program
from tests.containers.engine_contract import MODULE, Runner
from tests.containers.processes import children, threads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is none")


def test_one_thread() -> None:
    """With all its imports the server has one thread: a fork of several would inherit locked locks."""
    with ProcessEngine() as engine:
        engine.warm()
        (server,) = children(os.getpid())
        libraries = Path(f"/proc/{server}/maps")
        while "libxgboost" not in libraries.read_text():
            os.sched_yield()
        assert threads(server) == 1


@pytest.fixture(scope="module")
def engine() -> Iterator[ProcessEngine]:
    """An engine whose fork server imports what it imports for a cloud."""
    with ProcessEngine() as engine:
        yield engine


@pytest.fixture
def runner(engine: ProcessEngine, tmp_path: Path) -> Runner:
    """Starts containers."""
    return Runner(engine, tmp_path)


def test_start_during_imports(engine: ProcessEngine, runner: Runner) -> None:
    """A start that comes while the server imports is carried out."""
    engine.warm()
    assert runner.run(Program(MODULE, ("code", "3")))[0] == Exit(code=3)


def test_missing_modules_are_no_fault(tmp_path: Path) -> None:
    """What cannot be imported beforehand is left to the program that needs it."""
    with ProcessEngine(preload=("no_such_module", "tests.containers.broken_module")) as engine:
        assert Runner(engine, tmp_path).run(Program(MODULE, ("nothing",)))[0].ok


def test_randomness(runner: Runner) -> None:
    """Two forks do not draw the same random numbers."""
    first, second = (
        runner.run(Program(MODULE, ("dice",)))[1].messages[0].split() for _ in range(2)
    )
    for one, other in zip(first, second, strict=True):
        assert one != other


def test_xgboost_in_full(runner: Runner) -> None:
    """A program that is no built-in algorithm has xgboost with its scikit-learn classes."""
    assert runner.run(Program(MODULE, ("xgboost",)))[1].messages == ["a classifier can be made"]


def test_environment_of_server() -> None:
    """The server, whose forks show its environment under /proc, gets nothing secret."""
    own = {"AWS_SECRET_ACCESS_KEY": "x", "PATH": "/bin", "PYTHONPATH": "hooks", "COVERAGE_RUN": "1"}
    assert fork_server.environment(own) == {
        "PATH": "/bin",
        "COVERAGE_RUN": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }


def test_openmp_in_forks(runner: Runner) -> None:
    """OpenMP works in every fork: the server itself never used it."""
    for _ in range(2):
        exit, log = runner.run(Program(MODULE, ("train a tree",)))
        assert (exit, log.messages) == (Exit(code=0), ["trained"])


def test_interrupted_program(runner: Runner) -> None:
    """A module program dies of SIGINT as a Python program does."""
    container, log = runner.start(Program(MODULE, ("sleep",)))
    log.wait_for(lambda text: text == "ready")
    os.kill(container.pid, signal.SIGINT)
    assert container.wait() == Exit(signal=signal.SIGINT)
    assert log.messages[-1] == "KeyboardInterrupt"
