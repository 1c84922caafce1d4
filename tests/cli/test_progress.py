"""What the terminal shows: plain lines in a pipe, a live line for a person, tables at the end."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.checks import CheckResult, Status
from harness.cli.progress import LiveProgress, Progress, progress
from harness.runs.results import Explanation, Outcome, RunResult, ScenarioResult
from harness.runs.scenarios import Scenario
from harness.runs.steps import Step

LESSON = Scenario("lesson", "Title with [brackets].", frozenset(), lambda lab: None, Path("x"))
WRONG = CheckResult("label", Status.FAILED, "Label first.", "line 1 [bold]begins[/]", "source")
RIGHT = CheckResult("rows", Status.PASSED, "Rows stay.", "3 rows", "source")
TRAINING = Step("training", "job-1", 0.0, 1.25, status="InProgress", detail="Downloading")


def console(terminal: bool = False) -> Console:
    """A console that keeps what it is given."""
    return Console(
        file=io.StringIO(), force_terminal=terminal, width=100, highlight=False, color_system=None
    )


def shown(console: Console) -> str:
    """What it was given."""
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def result_of(*scenarios: ScenarioResult, **changes: object) -> RunResult:
    """A run of these."""
    return RunResult("id", "embedded", "us-east-1", "2026", 1.0, scenarios, **changes)  # type: ignore[arg-type]


def test_a_pipe_gets_a_line_for_each_thing_that_is_over() -> None:
    """Beginnings and what moves make no line, ends make one; only checks that fail are told."""
    out = console()
    listener = Progress(out)
    listener.begins(LESSON, 1, 2)
    listener.step(TRAINING)
    ended = Step("training", "job-1", 0.0, 2.0, status="Completed", ended=True)
    listener.step(ended)
    listener.step(ended)
    listener.step(Step("invoking", "e", 0.0, 0.5, count=3, ended=True))
    listener.step(Step("deploying", "e", 1.0, 0.5, status="Failed", ended=True))
    listener.check(RIGHT)
    listener.check(WRONG)
    listener.phase("looking")
    listener.ends(ScenarioResult("lesson", "t", Outcome.FAILED, 1.0, error="why"))
    listener.ends(ScenarioResult("lesson", "t", Outcome.PASSED, 1.0, checks=(RIGHT,)))
    listener.ends(ScenarioResult("other", "t", Outcome.NOT_OFFERED, 0.0, missing=("logs",)))
    assert shown(out).splitlines() == [
        "lesson Title with [brackets]. (1 of 2)",
        "  trained job-1  2.0 s",
        "  invoked e  0.5 s, 3 calls",
        "  deployed e Failed  0.5 s",
        "  ✗ label line 1 [bold]begins[/]",
        "  ✗ failed: why",
        "  ✓ 1 checks held, nothing left, 1.0 s",
        "  other not offered: the target does not offer logs",
    ]


def test_the_summary_names_everything_that_is_wrong() -> None:
    """Reasons, the log's line, leftovers of scenarios and of the run, an interruption; long texts are cut."""
    out = console()
    explanation = Explanation("group", "stream", "the telling line")
    failed = ScenarioResult(
        "bad", "t", Outcome.FAILED, 1.0, checks=(RIGHT, WRONG), leftovers=("s3 object b/k",),
        error="x" * 1000, explanations=(explanation,),
    )  # fmt: skip
    good = ScenarioResult("good", "t", Outcome.PASSED, 2.0, checks=(RIGHT,))
    Progress(out).summary(result_of(good, failed, interrupted=True, leftovers=("machine port 1",)))
    text = shown(out)
    for words in (
        "good", "✓  3 rows", "✗  line 1 [bold]begins[/]", "1 of 2", "x" * 400 + " ...", "passed",
        "log stream: the telling line", "left behind: s3 object b/k", "failed", "nothing",
        "left on this machine: machine port 1", "interrupted: what had been created was taken down",
    ):  # fmt: skip
        assert words in text, words
    assert "x" * 401 not in text


def test_a_terminal_sees_what_is_going_on() -> None:
    """The live part shows steps with their seconds, or the phase, and nothing when all is over."""
    out = console(terminal=True)
    listener = LiveProgress(out)

    def live() -> str:
        with out.capture() as capture:
            out.print(listener._render())
        return capture.get()

    assert live().strip() == ""
    listener.phase("opening embedded")
    assert "opening embedded" in live()
    listener.begins(LESSON, 1, 1)
    listener.step(TRAINING)
    assert "training job-1" in live()
    assert "Downloading" in live()
    listener.step(Step("invoking", "e", 0.0, count=7))
    both = live()
    assert "training job-1" in both
    assert "7 calls" in both
    listener.step(Step("uploading to", "s3://b", 0.0))
    assert "invoking" not in live()
    listener.step(Step("training", "job-1", 0.0, 2.0, status="Completed", ended=True))
    assert "training job-1" not in live()
    listener.phase("looking for what is left")
    assert "uploading" not in live()


@pytest.mark.parametrize("verbose", [True, False])
def test_a_stream_that_is_no_terminal_gets_plain_lines(verbose: bool) -> None:
    """No control characters; with --verbose what scenarios print comes through as it is."""
    stream = io.StringIO()
    with progress(stream, verbose=verbose) as listener:
        assert not isinstance(listener, LiveProgress)
        listener.begins(LESSON, 1, 1)
        listener.echo("[0] train-rmse: 1\n")
    assert stream.getvalue() == "lesson Title with [brackets]. (1 of 1)\n[0] train-rmse: 1\n"


def test_a_live_terminal_is_left_clean() -> None:
    """When the run is over the live part is gone and the lines stay."""
    out = console(terminal=True)
    listener = LiveProgress(out)
    with listener.running():
        listener.phase("opening embedded")
        listener.begins(LESSON, 1, 1)
    assert "lesson Title with [brackets]. (1 of 1)" in shown(out)
