"""Plays one scenario at an open place: the lesson, its teardown, and the look at what is left."""

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from botocore.exceptions import ClientError

from harness import _bundle
from harness.checks import CheckResult, Status, nothing_left, status_path_legal
from harness.runs import ledger as ledgers
from harness.runs import machine_look
from harness.runs.calls import Calls
from harness.runs.clients import Clients
from harness.runs.explanations import explain
from harness.runs.interruption import Interrupted, Signals
from harness.runs.inventory import Inventory, Item
from harness.runs.ledger import Ledger
from harness.runs.leftovers import is_kept, wait_until_gone
from harness.runs.resources import Resource
from harness.runs.results import Outcome, Prediction, ScenarioResult
from harness.runs.scenarios import Scenario
from harness.runs.steps import Step, Steps
from harness.runs.teardown import teardown
from harness.runs.transcript import Transcript
from harness.targets.lab import Lab, Verdict
from harness.targets.place import Place


class Listener(Protocol):
    """Is told what happens, as it happens; from any thread."""

    def begins(self, scenario: Scenario, number: int, of: int) -> None:
        """A scenario begins."""

    def step(self, step: Step) -> None:
        """A step began, moved or ended."""

    def check(self, check: CheckResult) -> None:
        """A check was made."""

    def phase(self, text: str) -> None:
        """Something between the lesson's own steps."""

    def ends(self, result: ScenarioResult) -> None:
        """A scenario ended."""


@dataclass
class Notes:
    """What a scenario states: checks, and predictions to be drawn."""

    listener: Listener
    checks: list[CheckResult]
    predictions: list[Prediction]

    def check(self, verdict: Verdict) -> None:
        """Keep the result of a check, and tell it."""
        status = Status.PASSED if verdict.passed else Status.FAILED
        result = CheckResult(verdict.name, status, verdict.sentence, verdict.detail, verdict.source)
        self.checks.append(result)
        self.listener.check(result)

    def prediction(self, title: str, actual: Sequence[float], predicted: Sequence[float]) -> None:
        """Keep predicted and actual values."""
        self.predictions.append(Prediction(title, tuple(actual), tuple(predicted)))


class Playing:
    """One open place and the scenarios that are played there."""

    def __init__(
        self,
        place: Place,
        run_id: str,
        ledger: Ledger,
        listener: Listener,
        transcript: Transcript,
        signals: Signals,
        patience: float,
    ) -> None:
        self._place = place
        self._run_id = run_id
        self._ledger = ledger
        self._listener = listener
        self._transcript = transcript
        self._signals = signals
        self._patience = patience
        # Clients of our own: what the runner does is no part of the lesson.
        self._clients = Clients(place)
        self._inventory = Inventory(self._clients, buckets=[place.bucket])

    def scenario(self, scenario: Scenario) -> ScenarioResult:
        """Play one, take it down, look at what is left."""
        self._listener.phase("looking at what is there before")
        before = self._look(())
        began = time.monotonic()
        notes = Notes(self._listener, [], [])
        steps = Steps(self._listener.step)
        lab = Lab(
            self._place,
            run_id=self._run_id,
            notebook=notes,
            fixtures=[scenario.fixtures, _bundle.directory("fixtures")],
        )
        self._ledger.scenario = scenario.name
        self._transcript.take()
        faults = len(self._place.faults())
        error, trace = None, None
        with Calls(self._place.boto, self._ledger, steps) as calls:
            try:
                with self._signals.raised():
                    scenario.play(lab)
            except Interrupted:
                error = "interrupted"
            except (Exception, SystemExit) as raised:
                error = one_line(raised)
                trace = "".join(traceback.format_exception(raised))
        seconds = time.monotonic() - began
        for fault in self._place.faults()[faults:]:
            # Worse than whatever the lesson saw of it.
            error = f"the target had an internal failure: {one_line(fault)}"
            trace = "".join(traceback.format_exception(fault))
        for (kind, name), statuses in sorted(steps.statuses.items()):
            notes.check(status_path_legal(kind, name, statuses))
        finished = steps.finish()
        explanations = explain(self._clients("logs"), finished) if error else []
        left = self._left(before, calls.services, lesson_failed=error is not None)
        notes.check(nothing_left(left, looked_at=self._looked_at()))
        passed = error is None and not left and all(check.passed for check in notes.checks)
        return ScenarioResult(
            name=scenario.name,
            title=scenario.title,
            status=Outcome.PASSED if passed else Outcome.FAILED,
            seconds=seconds,
            checks=tuple(notes.checks),
            leftovers=tuple(left),
            steps=tuple(finished),
            predictions=tuple(notes.predictions),
            error=error,
            traceback=trace,
            explanations=tuple(explanations),
            output=self._transcript.take(),
        )

    def _left(
        self, before: frozenset[Item], services: set[str], *, lesson_failed: bool
    ) -> list[str]:
        """What the lesson left though it ended well, and what is there even after the teardown."""
        left: frozenset[Item] = frozenset()
        if not lesson_failed:
            self._listener.phase("looking for what the lesson left")
            left = self._wait_until_gone(
                lambda: frozenset(
                    item for item in self._look(services) - before if not is_kept(item)
                )
            )
            # What runs for a resource that was left is no second leftover.
            left = frozenset(item for item in left if item.service != machine_look.SERVICE) or left
        self._listener.phase("taking down what it created")
        entries = [
            entry
            for entry in ledgers.read(self._ledger.path)
            if (entry.run, entry.scenario) == (self._run_id, self._ledger.scenario)
        ]
        teardown(self._clients, entries, existed=before, told=self._told)
        self._listener.phase("looking for what is left")
        still = self._wait_until_gone(lambda: self._look(services) - before)
        return sorted(
            [f"{item} (deleted by the run)" for item in left - still]
            + [str(item) for item in still]
        )

    def _wait_until_gone(self, look: Callable[[], frozenset[Item]]) -> frozenset[Item]:
        """As the function of this name, but wait only for what ends by itself."""
        return wait_until_gone(look, self._patience, self._ends_by_itself)

    def _ends_by_itself(self, found: frozenset[Item]) -> bool:
        """Whether all of it is an endpoint's end, or processes whose resources are gone."""
        for item in found:
            if item.kind == "Endpoints":
                if not self._is_being_deleted(item.name):
                    return False
            elif item.service != machine_look.SERVICE and not is_kept(item):
                return False
        return True

    def _is_being_deleted(self, arn: str) -> bool:
        name = arn.rsplit("/", 1)[-1]
        try:
            answer = self._clients("sagemaker").describe_endpoint(EndpointName=name)
        except ClientError:
            return True
        return bool(answer["EndpointStatus"] == "Deleting")

    def _look(self, services: "set[str] | tuple[()]") -> frozenset[Item]:
        found = self._inventory.look(services)
        if self._place.machine is not None:
            found |= machine_look.look(self._place.machine)
        return found

    def _looked_at(self) -> str:
        services = sorted({service for service, _ in self._inventory.asked})
        machine = ", processes, ports and files" if self._place.machine is not None else ""
        return f"{len(self._inventory.asked)} listings of {', '.join(services)}{machine}"

    def _told(self, resource: Resource) -> None:
        self._listener.phase(f"deleting {resource}")


def one_line(error: BaseException) -> str:
    """The exception's type and text, without line ends."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
