"""Scenarios are found in folders and refused with a reason when they cannot be played."""

from pathlib import Path

import pytest

from harness.runs import scenarios
from harness.runs.scenarios import BadScenario, ScenarioNotFound
from harness.targets import Capability

GOOD = '''"""What it plays.

More.
"""
NEEDS = {"training"}
def play(lab): ...
'''


def write(folder: Path, name: str, text: str = GOOD) -> None:
    """A file of a scenario."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)


def test_the_projects_scenarios_are_there() -> None:
    """The lessons that come with the project load, and their needs are capabilities."""
    where = scenarios.folders()
    names = scenarios.names(where)
    assert {"rainfall", "boston_housing_deploy", "boston_housing_update"} <= set(names)
    for name in names:
        assert Capability.TRAINING in scenarios.load(name, where).needs


def test_a_users_folder_comes_first(tmp_path: Path) -> None:
    """A file of the same name in the user's folder is played instead; hyphens count as underscores."""
    write(tmp_path, "rainfall")
    write(tmp_path, "_private")
    where = scenarios.folders([tmp_path])
    assert scenarios.load("rainfall", where).title == "What it plays."
    assert scenarios.load("boston-housing-deploy", where).name == "boston_housing_deploy"
    assert scenarios.load("rainfall", where).needs == {Capability.TRAINING}
    assert "_private" not in scenarios.names(where)
    with pytest.raises(ScenarioNotFound):
        scenarios.load("nowhere", where)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD.replace("def play(lab): ...", ""), "has no function play"),
        (GOOD.replace("(lab)", "()"), "has no function play"),
        (GOOD.replace('NEEDS = {"training"}', ""), "has no NEEDS"),
        (GOOD.replace('{"training"}', '"training"'), "has no NEEDS"),
        (GOOD.replace("training", "gpu"), "needs 'gpu' is no capability; there are: training"),
        (GOOD[GOOD.index("NEEDS") :], "has no docstring"),
        ("import nowhere_at_all", "does not import: ModuleNotFoundError"),
        ("def play(lab) ...", "does not import: SyntaxError"),
    ],
)
def test_a_bad_scenario_says_what_is_wrong(tmp_path: Path, text: str, reason: str) -> None:
    """The error names the file and the fault."""
    write(tmp_path, "bad", text)
    with pytest.raises(BadScenario, match=reason) as raised:
        scenarios.load("bad", [tmp_path])
    assert str(tmp_path / "bad.py") in str(raised.value)
