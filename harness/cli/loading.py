"""Loads scenarios for the command line; what is wrong with one becomes two lines."""

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from harness.cli.problem import Problem
from harness.runs import scenarios


def load_all(names: Iterable[str], where: Sequence[Path]) -> list[scenarios.Scenario]:
    """The scenarios of these names."""
    return [_load(name, where) for name in dict.fromkeys(names)]


@contextmanager
def quietly(stream: io.TextIOBase | None = None) -> Iterator[None]:
    """What the SDK prints at import, its notice about v3 first of all, goes to `stream`, or nowhere."""
    os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
    stream = stream or io.StringIO()
    with redirect_stdout(stream), redirect_stderr(stream):
        yield


def checked_folders(own: Sequence[Path]) -> list[Path]:
    """The user's folders, which must exist, and the project's."""
    for folder in own:
        if not folder.is_dir():
            raise Problem(
                f"there is no folder {str(folder)!r}", "give a folder that holds scenarios"
            )
    return scenarios.folders(own)


def _load(name: str, where: Sequence[Path]) -> scenarios.Scenario:
    try:
        return scenarios.load(name, where)
    except scenarios.ScenarioNotFound:
        there = ", ".join(scenarios.names(where))
        raise Problem(f"there is no scenario {name!r}", f"there is: {there}") from None
    except scenarios.BadScenario as error:
        missing = isinstance(error.__cause__, ModuleNotFoundError)
        advice = (
            f"install what it imports: pip install 'sagemaker-harness[sdk2]' ({error.__cause__})"
            if missing
            else "docs/writing-scenarios.md says what a scenario has"
        )
        raise Problem(str(error), advice) from None
