"""The rules of the house that no linter knows."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCENARIOS_MAY_IMPORT = ("harness.checks", "harness.formats", "harness.targets")


def _sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _imports(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_a_module_is_named_for_what_it_does() -> None:
    """No module or folder is called utils, helpers, common or manager."""
    vague = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
    found = [
        path
        for path in _sources("harness", "scenarios", "tests")
        if vague & {*path.with_suffix("").parts}
    ]
    assert found == []


@pytest.mark.parametrize("source", _sources("scenarios"), ids=lambda path: path.stem)
def test_a_scenario_sees_targets_and_checks_only(source: Path) -> None:
    """A scenario reads like a lesson: of this project it imports targets, checks and formats."""
    ours = [name for name in _imports(source) if name.partition(".")[0] == "harness"]
    assert [name for name in ours if not name.startswith(SCENARIOS_MAY_IMPORT)] == []


@pytest.mark.parametrize("source", _sources("tests"), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_test_says_what_holds(source: Path) -> None:
    """Each test function has a docstring that begins with a sentence."""
    functions = [
        node
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]
    mute = [
        node.name
        for node in functions
        if "." not in (ast.get_docstring(node) or "").partition("\n\n")[0]
    ]
    assert mute == []


def test_the_constraints_are_exact_and_come_from_nowhere_in_particular() -> None:
    """Each line pins one package, once, by version alone."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin)] == []
    assert len({pin.partition("==")[0] for pin in pins}) == len(pins)


def test_each_dependency_is_pinned_and_explained() -> None:
    """What pyproject.toml asks for stands in constraints.txt, and its reason in docs/dependencies.md."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text("utf-8"), re.M)
    why = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    for requirement in project["dependencies"]:
        name = re.match(r"[\w-]+", requirement)[0]  # type: ignore[index]
        assert name.replace("_", "-").lower() in pinned
        assert re.search(rf"\b{name}\b", why), name
    for extra in project["optional-dependencies"]:
        assert f"| `{extra}` |" in why


def test_what_two_sdks_want_differently_their_extras_pin() -> None:
    """An extra's package stands in constraints.txt, or it is named exactly and stands there not at all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text("utf-8"), re.M)
    for extra, requirements in project["optional-dependencies"].items():
        for requirement in requirements:
            name, exact = re.fullmatch(r"([\w-]+)(?:\[\w+\])?(==[\d.]+)?.*", requirement).groups()  # type: ignore[union-attr]
            assert (name in pinned) is not bool(exact), f"{extra}: {requirement}"
