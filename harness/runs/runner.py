"""Plays scenarios on a target, one after another, and proves that nothing is left of them."""

import contextlib
import os
import platform
import secrets
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from botocore.exceptions import ClientError

import harness
from harness import _bundle
from harness.checks import CheckResult, Status, nothing_left, status_path_legal
from harness.runs import ledger as ledgers
from harness.runs import machine_look
from harness.runs.calls import Calls
from harness.runs.explanations import explain
from harness.runs.inventory import Inventory, Item
from harness.runs.ledger import Ledger
from harness.runs.resources import Resource
from harness.runs.results import Outcome, Prediction, RunResult, ScenarioResult
from harness.runs.scenarios import Scenario
from harness.runs.steps import Step, Steps
from harness.runs.teardown import teardown
from harness.runs.transcript import Transcript
from harness.targets.lab import Lab, Verdict
from harness.targets.place import Machine, Place, Target

# How long what ends by itself (a deleted endpoint's processes) may take before it counts as left.
PATIENCE = 15.0
_LOOK_AGAIN = 0.1
_KEPT_KINDS = frozenset({("sagemaker", "TrainingJobSummaries")})
_KEPT_LOGS = "/aws/sagemaker/"


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


class _Interrupted(KeyboardInterrupt):
    """Ctrl-C, or SIGTERM."""


def run(
    scenarios: Sequence[Scenario],
    target: Target,
    listener: Listener,
    *,
    ledger_path: Path,
    named: frozenset[str] = frozenset(),
    transcript: Transcript | None = None,
    patience: float = PATIENCE,
) -> RunResult:
    """Play the scenarios that the target offers; whatever happens, what they created is deleted.

    Ctrl-C and SIGTERM end the scenario that runs, not the teardown. `patience` is how many seconds
    what ends by itself may take before it counts as left.
    """
    run_id = secrets.token_hex(4)
    started, began = datetime.now(UTC), time.monotonic()
    transcript = transcript or Transcript()
    results: list[ScenarioResult] = []
    interrupted, left_after_close = False, frozenset[Item]()
    offered = [scenario for scenario in scenarios if scenario.needs <= target.offers]
    for scenario in scenarios:
        if scenario not in offered:
            missing = sorted(scenario.needs - target.offers)
            results.append(
                ScenarioResult(
                    scenario.name, scenario.title, Outcome.NOT_OFFERED, 0.0, missing=tuple(missing)
                )
            )
            listener.ends(results[-1])
    with contextlib.ExitStack() as stack:
        signals = stack.enter_context(_Signals())
        stack.enter_context(contextlib.redirect_stdout(transcript))
        stack.enter_context(contextlib.redirect_stderr(transcript))
        ledger = stack.enter_context(Ledger(ledger_path, run_id))
        if offered:
            listener.phase(f"opening {target.name}")
            children_before = machine_look.look_at_process(os.getpid())
            with target.open() as place:
                play = _Playing(place, run_id, ledger, listener, transcript, signals, patience)
                for number, scenario in enumerate(offered, 1):
                    listener.begins(scenario, number, len(offered))
                    result = play.scenario(scenario)
                    results.append(result)
                    listener.ends(result)
                    if signals.interrupted:
                        interrupted = True
                        break
            if place.machine is not None:
                listener.phase("looking for what is left on this machine")
                left_after_close = _wait_until_gone(
                    partial(_left_on, place.machine, children_before), patience
                )
    order = {scenario.name: index for index, scenario in enumerate(scenarios)}
    return RunResult(
        run_id=run_id,
        target=target.name,
        region=getattr(target, "region", ""),
        started=started.isoformat(timespec="seconds"),
        seconds=time.monotonic() - began,
        scenarios=tuple(sorted(results, key=lambda result: order[result.name])),
        named=named,
        versions=_versions(),
        interrupted=interrupted,
        leftovers=tuple(sorted(str(item) for item in left_after_close)),
    )


@dataclass
class _Notes:
    """What a scenario states: checks, and predictions to be drawn."""

    listener: Listener
    checks: list[CheckResult]
    predictions: list[Prediction]

    def check(self, verdict: Verdict) -> None:
        status = Status.PASSED if verdict.passed else Status.FAILED
        result = CheckResult(verdict.name, status, verdict.sentence, verdict.detail, verdict.source)
        self.checks.append(result)
        self.listener.check(result)

    def prediction(self, title: str, actual: Sequence[float], predicted: Sequence[float]) -> None:
        self.predictions.append(Prediction(title, tuple(actual), tuple(predicted)))


class _Playing:
    """One open place and the scenarios that are played there."""

    def __init__(
        self,
        place: Place,
        run_id: str,
        ledger: Ledger,
        listener: Listener,
        transcript: Transcript,
        signals: "_Signals",
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
        self._clients = _Clients(place)
        self._inventory = Inventory(self._clients, buckets=[place.bucket])

    def scenario(self, scenario: Scenario) -> ScenarioResult:
        """Play one, take it down, look at what is left."""
        self._listener.phase("looking at what is there before")
        before = self._look(())
        began = time.monotonic()
        notes = _Notes(self._listener, [], [])
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
            except _Interrupted:
                error = "interrupted"
            except (Exception, SystemExit) as raised:
                error = _one_line(raised)
                trace = "".join(traceback.format_exception(raised))
        seconds = time.monotonic() - began
        for fault in self._place.faults()[faults:]:
            # Worse than whatever the lesson saw of it.
            error = f"the target had an internal failure: {_one_line(fault)}"
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
                    item for item in self._look(services) - before if not _is_kept(item)
                )
            )
            # What runs for a resource that was left is no second leftover.
            left = frozenset(item for item in left if item.service != machine_look.SERVICE) or left
        self._listener.phase("taking down what it created")
        entries = [
            entry
            for entry in ledgers.read(self._ledger.path)
            if entry.scenario == self._ledger.scenario
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
        return _wait_until_gone(look, self._patience, self._ends_by_itself)

    def _ends_by_itself(self, found: frozenset[Item]) -> bool:
        """Whether all of it is an endpoint's end, or processes whose resources are gone."""
        for item in found:
            if item.kind == "Endpoints":
                if not self._is_being_deleted(item.name):
                    return False
            elif item.service != machine_look.SERVICE and not _is_kept(item):
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


class _Clients:
    """Clients of a place that are not watched."""

    def __init__(self, place: Place) -> None:
        import boto3

        keys = place.boto.get_credentials().get_frozen_credentials()
        self._session = boto3.Session(
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.token,
            region_name=place.region,
        )
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]


class _Signals:
    """Turns SIGINT and SIGTERM into an exception while a scenario plays, and keeps them for later else."""

    def __init__(self) -> None:
        self.interrupted = False
        self._raising = False

    def __enter__(self) -> "_Signals":
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def raised(self) -> Iterator[None]:
        """Signals are raised inside, also one that came before."""
        if self.interrupted:
            raise _Interrupted
        self._raising = True
        try:
            yield
        finally:
            self._raising = False

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupted = True
        if self._raising:
            self._raising = False
            raise _Interrupted


def _left_on(machine: Machine, before: frozenset[Item]) -> frozenset[Item]:
    """What a place that is closed has left on this machine."""
    return machine_look.look(machine, closed=True) - before


def _wait_until_gone(
    look: Callable[[], frozenset[Item]],
    patience: float,
    worth_it: Callable[[frozenset[Item]], bool] = lambda _found: True,
) -> frozenset[Item]:
    """What `look` finds at last: nothing, or what is there when patience ends or waiting is no use."""
    deadline = time.monotonic() + patience
    while (found := look()) and time.monotonic() < deadline and worth_it(found):
        time.sleep(_LOOK_AGAIN)
    return found


def _is_kept(item: Item) -> bool:
    """What AWS's own lessons leave: records of jobs and logs."""
    return (item.service, item.kind) in _KEPT_KINDS or (
        item.service == "logs" and _KEPT_LOGS in item.name
    )


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _versions() -> dict[str, str]:
    found = {"harness": harness.__version__, "python": platform.python_version()}
    for package in ("sagemaker", "boto3", "moto"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def failed_to_load(name: str, message: str) -> ScenarioResult:
    """The result of a scenario that could not even be loaded."""
    return replace(ScenarioResult(name, name, Outcome.FAILED, 0.0), error=message)
