"""The metrics of linear-learner and the regular expressions that find them in its log."""

import tomllib
from pathlib import Path


def _load() -> tuple[tuple[str, str], ...]:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        definitions = tomllib.load(file)["definitions"]
    return tuple(
        (entry["name"].replace("{data}", data), entry["regex"].replace("{data}", data))
        for entry in definitions
        for data in entry["data"]
    )


METRIC_DEFINITIONS: tuple[tuple[str, str], ...] = _load()
"""Name and regular expression of each metric that the service adds to a training job."""
