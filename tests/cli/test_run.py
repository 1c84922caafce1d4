"""`harness run` and `list`: exit codes, what is named, files, and Ctrl-C."""

import json
import signal
from pathlib import Path

import psutil
import pytest

from harness.runs import ledger as ledgers
from tests.cli.commands import harness, started

SCENARIO = '''"""{title}"""
from harness import checks
NEEDS = {{"training"}}
def play(lab):
    {body}
'''


def write(folder: Path, name: str, body: str) -> None:
    """A scenario of the user's own."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(SCENARIO.format(title=f"Plays {name}.", body=body))


GOOD = 'lab.check(checks.no_header("1,2"))'
WRONG = 'lab.check(checks.no_header("a,b"))'
LEFT = 'lab.boto.client("s3").put_object(Bucket=lab.bucket, Key="forgotten", Body=b"")'


def test_a_run_that_passes(tmp_path: Path) -> None:
    """Exit code 0, the JSON's shape, the report's files, a table with the result; no leftover in TMPDIR."""
    write(tmp_path / "own", "good", GOOD)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = harness(
        "run", "good", "--scenarios", tmp_path / "own", "--json", tmp_path / "deep" / "out.json",
        "--report", tmp_path / "report", changes={"TMPDIR": str(scratch)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads((tmp_path / "deep" / "out.json").read_text())
    assert (result["target"], result["scenarios"][0]["status"]) == ("embedded", "passed")
    assert [check["name"] for check in result["scenarios"][0]["checks"]] == [
        "no_header",
        "nothing_left",
    ]
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "junit.xml", "ledger.jsonl", "report.html", "report.json",
    ]  # fmt: skip
    assert "2 of 2" in done.stdout
    assert list(scratch.iterdir()) == []


def test_a_failing_check_and_a_leftover_are_named(tmp_path: Path) -> None:
    """Exit code 1; both scenarios and what is wrong with them are on the terminal and in the JSON."""
    write(tmp_path, "wrong", WRONG)
    write(tmp_path, "leaves", LEFT)
    done = harness("run", "wrong", "leaves", "--scenarios", tmp_path, "--json", tmp_path / "o.json")
    assert done.returncode == 1
    assert "wrong: no_header: line 1 holds 'a'" in done.stdout
    assert "left behind: s3 object sagemaker-us-east-1-123456789012/forgotten" in done.stdout
    scenarios = {
        one["name"]: one for one in json.loads((tmp_path / "o.json").read_text())["scenarios"]
    }
    assert {one["status"] for one in scenarios.values()} == {"failed"}
    assert len(scenarios["leaves"]["leftovers"]) == 1
    assert scenarios["wrong"]["leftovers"] == []


def test_the_list_shows_needs_and_targets(tmp_path: Path) -> None:
    """The project's scenarios and the user's, what they need and where they can be played."""
    write(tmp_path, "mine", GOOD)
    done = harness("list", "--scenarios", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("mine", "Plays mine.", "rainfall", "boston_housing_update", "embedded"):
        assert words in done.stdout


@pytest.mark.parametrize(
    ("arguments", "what", "advice"),
    [
        (("run",), "name the scenarios to play, or say --all", "harness list"),
        (("run", "x", "--all"), "names and --all exclude each other", "harness list"),
        (("run", "nowhere"), "there is no scenario 'nowhere'", "there is: boston_housing_deploy"),
        (("run", "--all", "--target", "aws"), "target 'aws' is planned", "--target"),
        (("run", "--all", "--target", "localstack"), "target 'localstack' is planned", "--target"),
        (("run", "--all", "--target", "local-mode"), "target 'local-mode' is planned", "--target"),
        (("run", "--all", "--target", "moon"), "there is no target 'moon'", "--target"),
        (("run", "--all", "--pace", "slow"), "there is no pace 'slow'", "fastest or realistic"),
        (("run", "--all", "--scenarios", "/nowhere"), "there is no folder '/nowhere'", "folder"),
        (("run", "--all", "--report", "/dev/null/x"), "cannot make the folder", "another place"),
        (("list", "--scenarios", "/nowhere"), "there is no folder '/nowhere'", "folder"),
    ],
)
def test_a_wrong_command_line_is_two_lines(
    arguments: tuple[str, ...], what: str, advice: str
) -> None:
    """One line says what happened, one what to do; exit code 2, no traceback, nothing on standard output."""
    done = harness(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert what in lines[0]
    assert advice in lines[1]


def test_a_scenario_that_does_not_import_is_two_lines(tmp_path: Path) -> None:
    """The file and the fault are named; a package that is missing comes with how to install it."""
    (tmp_path / "broken.py").write_text('"""T."""\nimport nowhere_at_all\n')
    done = harness("run", "broken", "--scenarios", tmp_path)
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert "broken.py does not import: ModuleNotFoundError" in first
    assert "pip install" in second


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """In the middle of a training job: the job is stopped and deleted, the results are written, code 130."""
    write(
        tmp_path,
        "long",
        'import threading; from tests.runs.test_teardown import train; lab.fixture("nothing") if False else None\n'
        '    train(lab.boto, lab, lab.name("long"), 10_000_000)\n'
        f"    open({str(tmp_path / 'training')!r}, 'w').close()\n"
        "    print('TRAINING', flush=True); threading.Event().wait()",
    )
    write(tmp_path, "never", GOOD)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    running = started(
        "run", "long", "never", "--scenarios", tmp_path, "--json", tmp_path / "out.json", "--report",
        tmp_path / "report", "--verbose",
        folder=Path(__file__).parents[2], changes={"TMPDIR": str(scratch)},
    )  # fmt: skip
    assert running.stdout is not None
    heard = []
    for line in running.stdout:
        heard.append(line)
        if "TRAINING" in line:
            break
    assert heard[-1:] == ["TRAINING\n"], "".join(heard)
    family = psutil.Process(running.pid).children(recursive=True)
    assert family
    running.send_signal(number)
    rest = running.communicate(timeout=60)[0]
    assert running.returncode == 130, rest
    result = json.loads((tmp_path / "out.json").read_text())
    assert [(one["name"], one["status"]) for one in result["scenarios"]] == [("long", "failed")]
    assert result["interrupted"] is True
    assert (result["scenarios"][0]["leftovers"], result["leftovers"]) == ([], [])
    kinds = [entry.resource.kind for entry in ledgers.read(tmp_path / "report" / "ledger.jsonl")]
    assert kinds == ["Object", "TrainingJob"]
    assert [process for process in family if process.is_running()] == []
    assert list(scratch.iterdir()) == []
