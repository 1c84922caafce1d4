"""The page that says what the claims about AWS rest on."""

from pathlib import Path

import pytest

from tests.evidence import Evidence
from tests.fidelity import Difference, differences, page


def test_the_page_lists_what_is_assumed_before_what_is_documented() -> None:
    """Differences come first, then assumptions; each claim has its sentence and its source."""
    claims = [
        Evidence("documented", "sagemaker:CreateModel", "tests/a.py::test_x_y", "A model is made."),
        Evidence("assumed", "notes/a.md#b", "tests/a.py::test_y", "Guessed."),
    ]
    known = [Difference("memory", "State is lost.", "It is in memory.", "harness/cloud")]
    text = page(claims, known)
    places = [
        text.index(part)
        for part in (
            "* **memory**: State is lost. It is in memory. (`harness/cloud`)",
            "* y: Guessed. ([a.md#b](notes/a.md#b))",
            "* x y: A model is made. (`sagemaker:CreateModel`)",
        )
    ]
    assert places == sorted(places)


def test_a_parametrized_claim_stands_once() -> None:
    """Equal claims of one test are one line."""
    claim = Evidence("recorded", "notes/a.md#b", "tests/a.py::test_x", "Seen.")
    assert page([claim, claim], []).count("Seen.") == 1


def test_the_known_differences_are_complete() -> None:
    """The project's own list loads: each entry has all its fields, an id of its own and a place."""
    differences()


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ('[[difference]]\nid="a"', "a: .*missing"),
        ('[[difference]]\nid="a"\nsentence="s"\nwhy="w"\nwhere="nowhere"', "a: no nowhere"),
        ('[[difference]]\nid="a"\nsentence="s"\nwhy="w"\nwhere="."\n' * 2, "a stands twice"),
    ],
)
def test_an_unsound_list_of_differences_is_refused(
    tmp_path: Path, entries: str, complaint: str
) -> None:
    """Incomplete entries, places that don't exist and repeated ids are named."""
    path = tmp_path / "differences.toml"
    path.write_text(entries)
    with pytest.raises(ValueError, match=complaint):
        differences(path)
