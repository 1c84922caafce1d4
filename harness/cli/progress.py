"""What a terminal shows while scenarios play: a live line for a person, plain lines for a pipe."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from harness.checks import CheckResult
from harness.runs.results import Outcome, RunResult, ScenarioResult
from harness.runs.scenarios import Scenario
from harness.runs.steps import Step

_TIMELY = frozenset({"training", "deploying", "updating"})

# Columns of the tables where no terminal says how wide it is.
PLAIN_WIDTH = 120
LONGEST_REASON = 400

_PAST = {
    "training": "trained",
    "deploying": "deployed",
    "updating": "updated",
    "deleting": "deleted",
    "invoking": "invoked",
    "uploading to": "uploaded to",
}


@contextmanager
def progress(stream: IO[str], *, verbose: bool) -> "Iterator[Progress]":
    """A listener that prints to `stream`."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    live = console.is_terminal and not verbose
    listener = LiveProgress(console) if live else Progress(console)
    with listener.running():
        yield listener


class Progress:
    """One line per thing that is over."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._done: set[tuple[str, float]] = set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """While scenarios play."""
        yield

    def echo(self, text: str) -> None:
        """What a scenario printed."""
        self._console.out(text, end="")

    def begins(self, scenario: Scenario, number: int, of: int) -> None:
        """A scenario begins."""
        self._print(f"[bold]{scenario.name}[/] {escape(scenario.title)} ({number} of {of})")

    def step(self, step: Step) -> None:
        """A step began, moved or ended; ended ones get a line."""
        if step.ended and (step.subject, step.started) not in self._done:
            self._done.add((step.subject, step.started))
            self._print(_line(step))

    def check(self, check: CheckResult) -> None:
        """A check was made; one that did not hold gets a line."""
        if not check.passed:
            self._print(f"  [red]✗ {check.name}[/] {escape(check.detail)}")

    def phase(self, text: str) -> None:
        """Something between the lesson's own steps."""

    def ends(self, result: ScenarioResult) -> None:
        """A scenario ended."""
        self._print(_verdict(result))

    def summary(self, result: RunResult) -> None:
        """The tables at the end."""
        self._console.print()
        checks = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("scenario", "check", ""):
            checks.add_column(title, no_wrap=True)
        checks.add_column("seen", overflow="fold")
        for scenario in result.scenarios:
            name = scenario.name
            for check in scenario.checks:
                mark = "[green]✓[/]" if check.passed else "[red]✗[/]"
                checks.add_row(name, check.name, mark, escape(check.detail))
                name = ""
        self._console.print(checks)
        self._console.print()
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("scenario", "result", "checks", "left behind", "seconds"):
            table.add_column(title, justify="right" if title == "seconds" else "left")
        for scenario in result.scenarios:
            held = sum(check.passed for check in scenario.checks)
            table.add_row(
                scenario.name,
                _STATUS[scenario.status],
                f"{held} of {len(scenario.checks)}",
                "nothing" if not scenario.leftovers else f"[red]{len(scenario.leftovers)}[/]",
                f"{scenario.seconds:.1f}",
            )
        self._console.print(table)
        for scenario in result.scenarios:
            if scenario.status is not Outcome.PASSED:
                for reason in scenario.reasons:
                    self._print(f"[red]{scenario.name}[/]: {escape(_short(reason))}")
                for found in scenario.explanations:
                    self._print(f"  log {escape(found.stream)}: {escape(found.line)}")
                for leftover in scenario.leftovers:
                    self._print(f"  left behind: {escape(leftover)}")
        for leftover in result.leftovers:
            self._print(f"[red]left on this machine[/]: {escape(leftover)}")
        if result.interrupted:
            self._print("[red]interrupted[/]: what had been created was taken down")

    def _print(self, text: str) -> None:
        with self._lock:
            self._console.print(text, soft_wrap=True)


class LiveProgress(Progress):
    """The same, and below it what is going on now, with its seconds."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._now: dict[tuple[str, str], Step] = {}
        self._phase = ""
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8)
        self._spinner = Spinner("dots")

    @contextmanager
    def running(self) -> Iterator[None]:
        """While scenarios play."""
        with self._live:
            try:
                yield
            finally:
                self._now.clear()
                self._phase = ""

    def step(self, step: Step) -> None:
        """A step began, moved or ended."""
        with self._lock:
            self._phase = ""
            if step.ended:
                self._now.pop((step.verb, step.subject), None)
            else:
                if step.verb not in _TIMELY:
                    # Nobody need look at these again: they are shown until something else happens.
                    for key in [key for key in self._now if key[0] not in _TIMELY]:
                        del self._now[key]
                self._now[step.verb, step.subject] = step
        super().step(step)

    def phase(self, text: str) -> None:
        """Something between the lesson's own steps."""
        with self._lock:
            self._phase = text
            self._now.clear()

    def begins(self, scenario: Scenario, number: int, of: int) -> None:
        """A scenario begins."""
        super().begins(scenario, number, of)
        self.phase("")

    def _render(self) -> Group:
        with self._lock:
            steps, phase = list(self._now.values()), self._phase
        lines = [Text(f"  {phase}", style="dim")] if phase else []
        for step in steps:
            calls = f", {step.count} calls" if step.count > 1 else ""
            seconds = time.monotonic() - step.started
            what = step.detail or step.status
            lines.append(Text(f"  {step.verb} {step.subject}  {seconds:.1f} s {what}{calls}"))
        if not lines:
            return Group()
        grid = Table.grid(padding=(0, 1))
        grid.add_row(self._spinner, lines[0])
        for line in lines[1:]:
            grid.add_row("", line)
        return Group(grid)


_STATUS = {
    Outcome.PASSED: "[green]passed[/]",
    Outcome.FAILED: "[red]failed[/]",
    Outcome.NOT_OFFERED: "[yellow]not offered[/]",
}


def _line(step: Step) -> str:
    calls = f", {step.count} calls" if step.count > 1 else ""
    colour = "red" if step.failed else "dim"
    status = f" {step.status}" if step.failed else ""
    verb = _PAST.get(step.verb, step.verb)
    return f"  [{colour}]{verb} {escape(step.subject)}{status}  {step.seconds:.1f} s{calls}[/]"


def _verdict(result: ScenarioResult) -> str:
    if result.status is Outcome.PASSED:
        return (
            f"  [green]✓[/] {len(result.checks)} checks held, nothing left, {result.seconds:.1f} s"
        )
    if result.status is Outcome.NOT_OFFERED:
        return f"  [yellow]{result.name} not offered[/]: {escape('; '.join(result.reasons))}"
    reason = result.reasons[0] if result.reasons else ""
    return f"  [red]✗ failed[/]: {escape(_short(reason))}"


def _short(text: str) -> str:
    """A reason for the terminal; the report has all of it."""
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]} ..."
