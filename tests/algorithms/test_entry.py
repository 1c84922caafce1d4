"""The command line of the built-in images' programs."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.algorithms import entry
from tests.algorithms import programs


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["linear-learner"],
        ["linear-learner", "predict"],
        ["linear-learner", "train", "now"],
        ["linear-learner", "--version"],
    ],
)
def test_a_wrong_command_line_is_explained(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Anything but ALGORITHM train|serve prints the usage and is exit code 64."""
    assert entry.main(argv) == 64
    assert capsys.readouterr().err.startswith("usage: ")


@pytest.mark.parametrize("name", ["nothing", "first-party", "contract", "../x", "entry", "", "a.b"])
def test_what_is_no_algorithm_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Only packages that can train and serve are algorithms."""
    assert entry.main([name, "train"]) == 64
    assert f"There is no algorithm called {name!r}." in capsys.readouterr().err


def test_the_entry_alone_imports_no_algorithm() -> None:
    """Algorithms are imported when they are asked for."""
    code = (
        "import sys, harness.algorithms.entry;"
        "print([n for n in sys.modules if 'linear_learner' in n or 'xgboost' in n])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_importing_a_program_starts_no_thread() -> None:
    """A process that has only imported what trains and serves can be forked safely."""
    code = (
        "import threading, harness.algorithms.entry;"
        "from harness.algorithms.linear_learner import inference, training;"
        "print(threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_the_version_reaches_the_program(tmp_path: Path) -> None:
    """`--version V` may stand before the command; linear-learner has one version and ignores it."""
    programs.prepare(tmp_path, {}, {})
    ended = programs.run(tmp_path, "linear-learner", "--version", "1", "train")
    assert ended.code == 2
    assert ended.failure is not None
    assert "predictor_type" in ended.failure
