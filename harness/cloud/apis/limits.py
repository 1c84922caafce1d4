"""The data plane's limits, read from limits.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class ApiLimits:
    """What the data plane enforces: sizes in bytes, times in seconds."""

    body_bytes: int
    event_bytes: int
    answer_bytes: int
    rest_integration_seconds: float
    http_integration_seconds: float

    @classmethod
    def current(cls) -> Self:
        """The documented values of today."""
        table = tomllib.loads((Path(__file__).parent / "limits.toml").read_text())
        return cls(**{name: entry["value"] for name, entry in table.items()})
