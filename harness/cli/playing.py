"""`harness run`: play scenarios, show how they go, write what came of it."""

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.cli.loading import checked_folders, load_all, quietly
from harness.cli.pace import checked_pace
from harness.cli.problem import Problem
from harness.runs import scenarios
from harness.targets import catalogue

INTERRUPTED = 130


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    names: tuple[str, ...]
    everything: bool
    target: str
    folders: tuple[Path, ...]
    report: Path | None
    json: Path | None
    region: str
    pace: str
    verbose: bool


def play(options: Options) -> int:
    """Play what was asked for; the exit code."""
    if options.everything == bool(options.names):
        raise Problem(
            "names and --all exclude each other"
            if options.names
            else "name the scenarios to play, or say --all",
            "harness list shows the scenarios",
        )
    try:
        target = catalogue.find(options.target, region=options.region, pace=options.pace)
    except catalogue.TargetNotThere as error:
        raise Problem(str(error), "choose it with --target") from None
    checked_pace(options.pace)
    where = checked_folders(options.folders)
    for path in filter(None, (options.report, options.json and options.json.parent)):
        _make(path)

    from harness.cli.progress import progress
    from harness.runs.runner import run
    from harness.runs.transcript import Transcript

    with ExitStack() as stack:
        listener = stack.enter_context(progress(sys.stdout, verbose=options.verbose))
        transcript = Transcript(listener.echo if options.verbose else None)
        # The SDK's loggers take hold of the streams when they are made.
        with quietly(transcript):
            chosen = options.names or scenarios.names(where)
            lessons = load_all(chosen, where)
        ledger = stack.enter_context(_ledger(options.report))
        result = run(
            lessons,
            target,
            listener,
            ledger_path=ledger,
            named=frozenset(lesson.name for lesson in lessons if options.names),
            transcript=transcript,
        )
    listener.summary(result)
    if options.json:
        options.json.write_text(json.dumps(result.to_json(), indent=2) + "\n", "utf-8")
    if options.report:
        from harness.runs.report import write_report

        print(f"Report: {write_report(result, options.report)}")
    if result.interrupted:
        return INTERRUPTED
    return 0 if result.passed else 1


class _ledger(ExitStack):  # noqa: N801 - used as a function
    """The ledger's path: in the report's folder, where it stays, or in one that goes."""

    def __init__(self, report: Path | None) -> None:
        super().__init__()
        self._report = report

    def __enter__(self) -> Path:  # type: ignore[override]
        super().__enter__()
        if self._report is not None:
            return self._report / "ledger.jsonl"
        folder = self.enter_context(tempfile.TemporaryDirectory(prefix="harness-ledger-"))
        return Path(folder) / "ledger.jsonl"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"cannot make the folder {str(folder)!r}: {error.strerror}", "choose another place"
        ) from None
    if not os.access(folder, os.W_OK):
        raise Problem(f"cannot write into {str(folder)!r}", "choose another place")
