"""Plays scenarios on a target, one after another, and proves that nothing is left of them."""

import contextlib
import os
import platform
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path

import harness
from harness.runs import machine_look
from harness.runs.interruption import Signals
from harness.runs.inventory import Item
from harness.runs.ledger import Ledger
from harness.runs.leftovers import PATIENCE, wait_until_gone
from harness.runs.playing import Listener, Playing
from harness.runs.results import Outcome, RunResult, ScenarioResult
from harness.runs.scenarios import Scenario
from harness.runs.transcript import Transcript
from harness.targets.place import Machine, Target


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
        signals = stack.enter_context(Signals())
        stack.enter_context(contextlib.redirect_stdout(transcript))
        stack.enter_context(contextlib.redirect_stderr(transcript))
        ledger = stack.enter_context(Ledger(ledger_path, run_id))
        if offered:
            listener.phase(f"opening {target.name}")
            children_before = machine_look.look_at_process(os.getpid())
            with target.open() as place:
                play = Playing(place, run_id, ledger, listener, transcript, signals, patience)
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
                left_after_close = wait_until_gone(
                    partial(_left_on, place.machine, children_before), patience
                )
    order = {scenario.name: index for index, scenario in enumerate(scenarios)}
    return RunResult(
        run_id=run_id,
        target=target.name,
        region=target.region,
        started=started.isoformat(timespec="seconds"),
        seconds=time.monotonic() - began,
        scenarios=tuple(sorted(results, key=lambda result: order[result.name])),
        named=named,
        versions=_versions(),
        interrupted=interrupted,
        leftovers=tuple(sorted(str(item) for item in left_after_close)),
    )


def _left_on(machine: Machine, before: frozenset[Item]) -> frozenset[Item]:
    """What a place that is closed has left on this machine."""
    return machine_look.look(machine, closed=True) - before


def _versions() -> dict[str, str]:
    found = {"harness": harness.__version__, "python": platform.python_version()}
    for package in ("sagemaker", "boto3", "moto"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found
