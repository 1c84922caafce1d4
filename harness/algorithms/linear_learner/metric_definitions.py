"""The metrics of linear-learner and the regular expressions that find them in its log."""

import tomllib
from pathlib import Path


def _load() -> tuple[tuple[str, str], ...]:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        table = tomllib.load(file)
    each = (
        (f"{data}:{name}", regex.replace("{data}", data))
        for name, regex in table["each"].items()
        for data in ("train", "validation", "test")
    )
    return (*each, *table["once"].items())


METRIC_DEFINITIONS: tuple[tuple[str, str], ...] = _load()
"""Name and regular expression of each metric that the service adds to a training job."""
