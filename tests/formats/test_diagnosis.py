"""The texts about bad data: complete, and honest about where they come from."""

import string
import tomllib
from pathlib import Path

import pytest

from harness.formats import diagnosis

TABLE = tomllib.loads(Path(diagnosis.__file__).with_suffix(".toml").read_text("utf-8"))


@pytest.mark.parametrize("name", diagnosis.names())
def test_each_text_says_how_sure_it_is(name: str) -> None:
    """Each diagnosis has a text, a source and one of three kinds of evidence."""
    assert set(TABLE[name]) == {"text", "evidence", "source"}
    assert diagnosis.evidence(name) in ("recorded", "source_code", "assumed")


@pytest.mark.parametrize("name", diagnosis.names())
def test_each_text_is_filled_in_completely(name: str) -> None:
    """`say` puts every value that a text asks for into its place."""
    fields = {field for _, field, _, _ in string.Formatter().parse(TABLE[name]["text"]) if field}
    said = diagnosis.say(name, **{field: f"<{field}>" for field in fields})
    assert all(f"<{field}>" in said for field in fields)
    assert "{" not in said


def test_a_value_that_a_text_needs_must_be_given() -> None:
    """A text with a gap is never printed."""
    with pytest.raises(KeyError):
        diagnosis.say("missing_values")
