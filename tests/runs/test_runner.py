"""A run: what passes, what fails and is named, and that in each case nothing stays behind."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import pytest

from harness.checks import CheckResult, no_header
from harness.runs import ledger as ledgers
from harness.runs.results import Outcome, RunResult, ScenarioResult
from harness.runs.runner import run
from harness.runs.scenarios import Scenario
from harness.runs.steps import Step
from harness.targets import Capability, Lab, Place
from harness.targets.embedded import Embedded


@dataclass
class Told:
    """Keeps what a listener is told."""

    began: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def begins(self, scenario: Scenario, number: int, of: int) -> None:
        """A scenario begins."""
        self.began.append(f"{scenario.name} {number}/{of}")

    def step(self, step: Step) -> None:
        """A step."""
        self.steps.append(step)

    def check(self, check: CheckResult) -> None:
        """A check."""
        self.checks.append(check)

    def phase(self, text: str) -> None:
        """Something in between."""
        self.phases.append(text)

    def ends(self, result: ScenarioResult) -> None:
        """A scenario ended."""
        self.ended.append(f"{result.name} {result.status}")


@dataclass(frozen=True)
class Elsewhere:
    """The embedded target, offering less."""

    offers: frozenset[Capability] = frozenset()
    name: str = "elsewhere"
    region: str = "us-east-1"

    def open(self) -> AbstractContextManager[Place]:
        """As the embedded target."""
        return Embedded().open()


def lesson(
    name: str, play: Callable[[Lab], None], needs: Sequence[Capability] = (Capability.TRAINING,)
) -> Scenario:
    """A scenario that is no file."""
    return Scenario(name, f"Title of {name}.", frozenset(needs), play, Path("/nowhere") / name)


def played(tmp_path: Path, *lessons: Scenario, told: Told | None = None) -> RunResult:
    """Run them on the embedded target."""
    return run(lessons, Embedded(), told or Told(), ledger_path=tmp_path / "ledger.jsonl")


def reasons(result: RunResult) -> dict[str, list[str]]:
    """Why scenarios failed."""
    return {one.name: one.reasons for one in result.scenarios if one.status is Outcome.FAILED}


def tidy(lab: Lab) -> None:
    """Creates something and deletes it."""
    s3 = lab.boto.client("s3")
    s3.put_object(Bucket=lab.bucket, Key="k", Body=b"")
    s3.delete_object(Bucket=lab.bucket, Key="k")
    lab.check(no_header("1,2\n"))
    lab.plot_predictions("rows", [1, 2], [1, 2])
    print("what the learner sees")


def forgetful(lab: Lab) -> None:
    """Leaves an object and a role."""
    lab.boto.client("s3").put_object(Bucket=lab.bucket, Key="forgotten", Body=b"")
    lab.boto.client("iam").create_role(RoleName="forgotten", AssumeRolePolicyDocument="{}")


def wrong(lab: Lab) -> None:
    """States a check that does not hold, and goes on."""
    assert lab.check(no_header("MEDV,CRIM\n")) is False


def crashing(lab: Lab) -> None:
    """Creates something and fails."""
    lab.boto.client("s3").put_object(Bucket=lab.bucket, Key="crashed", Body=b"")
    raise RuntimeError("a mistake\nof two lines")


def leaving(lab: Lab) -> None:
    """Ends the way a script does."""
    raise SystemExit(3)


def test_each_failure_is_named_and_the_others_pass(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A failed check, an exception and leftovers fail their own scenarios, with the reason, and no other."""
    told = Told()
    result = played(
        tmp_path,
        lesson("tidy", tidy),
        lesson("forgetful", forgetful),
        lesson("wrong", wrong),
        lesson("crashing", crashing),
        lesson("leaving", leaving),
        lesson("tidy_again", tidy),
        told=told,
    )
    assert not result.passed
    assert result.leftovers == ()
    found = reasons(result)
    assert set(found) == {"forgetful", "wrong", "crashing", "leaving"}
    assert found["wrong"] == ["no_header: line 1 holds 'MEDV'"]
    assert found["crashing"] == ["RuntimeError: a mistake of two lines"]
    assert found["leaving"] == ["SystemExit: 3"]
    by_name = {one.name: one for one in result.scenarios}
    assert by_name["forgetful"].leftovers == (
        "iam Roles arn:aws:iam::123456789012:role/forgotten (deleted by the run)",
        "s3 object sagemaker-us-east-1-123456789012/forgotten (deleted by the run)",
    )
    assert found["forgetful"][0].startswith("nothing_left: still there: iam Roles")
    crashed = by_name["crashing"]
    assert crashed.leftovers == ()
    assert "in crashing" in str(crashed.traceback)
    assert by_name["tidy"].output == "what the learner sees\n"
    assert by_name["tidy"].predictions[0].actual == (1.0, 2.0)
    assert [step.verb for step in by_name["tidy"].steps] == ["uploading to"]
    assert told.began[0] == "tidy 1/6"
    assert told.ended[-1] == "tidy_again passed"
    assert "deleting Role forgotten" in told.phases
    assert capfd.readouterr().out == ""


def test_the_ledger_of_a_run_stays(tmp_path: Path) -> None:
    """Every resource of every scenario is in it, confirmed."""
    played(tmp_path, lesson("tidy", tidy), lesson("crashing", crashing))
    entries = ledgers.read(tmp_path / "ledger.jsonl")
    assert [(entry.scenario, str(entry.resource), entry.confirmed) for entry in entries] == [
        ("tidy", "Object sagemaker-us-east-1-123456789012/k", True),
        ("crashing", "Object sagemaker-us-east-1-123456789012/crashed", True),
    ]


def test_a_process_a_port_or_a_file_that_stays_is_a_leftover(tmp_path: Path) -> None:
    """What a lesson leaves on the machine is found though no service knows of it."""
    kept: list[object] = []

    def starts_a_server(lab: Lab) -> None:
        import socket
        import subprocess
        import sys
        import tempfile

        kept.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        kept.append(socket.create_server(("127.0.0.1", 0)))
        kept.append(tempfile.mkdtemp(prefix="stays-"))

    try:
        result = run(
            [lesson("starts", starts_a_server)],
            Embedded(),
            Told(),
            ledger_path=tmp_path / "ledger.jsonl",
            patience=0.2,
        )
    finally:
        kept[1].close()  # type: ignore[attr-defined]
        process = kept[0]
        process.stdin.close()  # type: ignore[attr-defined]
        process.wait()  # type: ignore[attr-defined]
    (scenario,) = result.scenarios
    kinds = [leftover.split()[1] for leftover in scenario.leftovers]
    assert sorted(kinds) == ["file", "port", "process"]
    # The folder went with the target; the process and the port are the lesson's and are told again.
    assert [leftover.split()[1] for leftover in result.leftovers] == ["port", "process"]


def test_a_failed_job_is_explained_by_its_log(tmp_path: Path) -> None:
    """The result carries the line of the container's log that says why, with group and stream."""

    def bad_data(lab: Lab) -> None:
        from sagemaker.estimator import Estimator
        from sagemaker.inputs import TrainingInput

        body = b"price,rooms\n24.0,6\n"
        lab.boto.client("s3").put_object(Bucket=lab.bucket, Key="bad/x.csv", Body=body)
        estimator = Estimator(
            image_uri=lab.image("xgboost", "1.7-1"),
            role=lab.role,
            instance_count=1,
            instance_type=lab.instance_type("training"),
            sagemaker_session=lab.session,
            hyperparameters={"num_round": 1, "objective": "reg:squarederror"},
        )
        where = TrainingInput(f"s3://{lab.bucket}/bad/", content_type="csv")
        estimator.fit({"train": where}, job_name=lab.name("bad"))

    (scenario,) = played(tmp_path, lesson("bad_data", bad_data)).scenarios
    assert str(scenario.error).startswith("UnexpectedStatusException: Error for Training job bad-")
    (found,) = scenario.explanations
    assert found.group == "/aws/sagemaker/TrainingJobs"
    assert found.stream.startswith("bad-")
    assert "header line 'price,rooms" in found.line
    assert [step.failed for step in scenario.steps if step.verb == "training"] == [True]
    assert scenario.leftovers == ()


def test_an_internal_failure_of_the_target_fails_the_lesson(tmp_path: Path) -> None:
    """Though the lesson itself ended well, the fault is told, with its traceback."""
    faults: list[BaseException] = [ValueError("an old one")]

    class Faulty:
        """The embedded target, with a fault while the lesson plays."""

        name, region, offers = "faulty", "us-east-1", frozenset(Capability)

        @contextmanager
        def open(self) -> Iterator[Place]:
            """As the embedded target."""
            with Embedded().open() as place:
                yield replace(place, faults=lambda: tuple(faults))

    def trips(lab: Lab) -> None:
        faults.append(KeyError("inside"))

    told = Told()
    lessons = [lesson("trips", trips), lesson("tidy", tidy)]
    result = run(lessons, Faulty(), told, ledger_path=tmp_path / "ledger.jsonl")
    assert reasons(result) == {"trips": ["the target had an internal failure: KeyError: 'inside'"]}


def test_what_a_target_lacks_is_not_offered(tmp_path: Path) -> None:
    """A scenario that needs more is reported as such, not played; alone it makes no pass."""
    told = Told()
    scenario = lesson("tidy", tidy)
    result = run([scenario], Elsewhere(), told, ledger_path=tmp_path / "l")
    (only,) = result.scenarios
    assert (only.status, only.reasons) == (
        Outcome.NOT_OFFERED, ["the target does not offer training"],
    )  # fmt: skip
    assert not result.passed
    assert told.began == []
    assert told.phases == []
    both = run(
        [scenario, replace(scenario, name="free", needs=frozenset())],
        Elsewhere(),
        told,
        ledger_path=tmp_path / "l",
    )
    assert both.passed


def test_a_run_leaves_no_process_and_no_variable(tmp_path: Path) -> None:
    """After a run this process has the children and the environment that it had before."""
    before = set(psutil.Process().children(recursive=True)), dict(os.environ)
    assert played(tmp_path, lesson("tidy", tidy)).passed
    assert (set(psutil.Process().children(recursive=True)), dict(os.environ)) == before
