"""Scenarios: found in folders, loaded by path, checked at import."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from harness import _bundle
from harness.targets.capabilities import Capability, UnknownCapability, capabilities
from harness.targets.lab import Lab


class BadScenario(Exception):
    """A scenario that cannot be played; the message says which file and what is wrong with it."""


class ScenarioNotFound(LookupError):
    """No folder holds a scenario of this name."""


@dataclass(frozen=True)
class Scenario:
    """A lesson: its name, the first line of its docstring, what it needs, and how it is played."""

    name: str
    title: str
    needs: frozenset[Capability]
    play: Callable[[Lab], None]
    path: Path

    @property
    def source(self) -> str:
        """The Python text of the lesson."""
        return self.path.read_text("utf-8")

    @property
    def fixtures(self) -> Path:
        """Where fixtures of its own would be."""
        return self.path.parent / "fixtures"


def folders(own: Iterable[Path] = ()) -> list[Path]:
    """The user's folders, then the project's."""
    return [*own, _bundle.directory("scenarios")]


def names(where: Sequence[Path]) -> list[str]:
    """The names of all scenarios, in order; a file of the same name in an earlier folder wins."""
    found: dict[str, Path] = {}
    for folder in where:
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("_"):
                found.setdefault(path.stem, path)
    return sorted(found)


def load(name: str, where: Sequence[Path]) -> Scenario:
    """The scenario called `name` (hyphens count as underscores).

    Raises ScenarioNotFound, or BadScenario for one that does not import, has no `play(lab)`, no
    docstring, or needs something that is no capability.
    """
    stem = name.replace("-", "_")
    for folder in where:
        path = folder / f"{stem}.py"
        if path.is_file():
            return _scenario(stem, path)
    raise ScenarioNotFound(name)


def _scenario(name: str, path: Path) -> Scenario:
    module = _module(name, path)
    play = getattr(module, "play", None)
    if not callable(play) or len(inspect.signature(play).parameters) != 1:
        raise BadScenario(f"{path} has no function play(lab)")
    if not module.__doc__:
        raise BadScenario(f"{path} has no docstring; its first line is the scenario's title")
    needs = getattr(module, "NEEDS", None)
    if not isinstance(needs, (set, frozenset)):
        raise BadScenario(f"{path} has no NEEDS, the set of capabilities that it needs")
    try:
        known = capabilities(needs)
    except UnknownCapability as error:
        raise BadScenario(f"{path} needs {error}") from None
    return Scenario(name, module.__doc__.strip().splitlines()[0], known, play, path)


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"harness_scenario_{name}", path)
    if spec is None or spec.loader is None:
        raise BadScenario(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickling look a module up by its name.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        raise BadScenario(f"{path} does not import: {type(error).__name__}: {error}") from error
    return module
