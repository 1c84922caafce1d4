"""The texts that built-in containers print about data they cannot use, from `diagnosis.toml`."""

import tomllib
from functools import cache
from pathlib import Path


@cache
def _texts() -> dict[str, dict[str, str]]:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        return tomllib.load(file)


def names() -> tuple[str, ...]:
    """Every diagnosis there is."""
    return tuple(_texts())


def evidence(name: str) -> str:
    """How sure a text is: `recorded`, `source_code` or `assumed`."""
    return _texts()[name]["evidence"]


def say(name: str, **values: object) -> str:
    """The text of a diagnosis. KeyError for a name, or a value that the text needs, that is not there."""
    return _texts()[name]["text"].format(**values)
