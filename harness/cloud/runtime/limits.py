"""The runtime's limits, read from limits.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Limits:
    """What InvokeEndpoint enforces: sizes in bytes, times in seconds, texts in characters."""

    payload_bytes: int
    container_seconds: float
    message_characters: int

    @classmethod
    def current(cls) -> Self:
        """The documented values of today."""
        table = tomllib.loads((Path(__file__).parent / "limits.toml").read_text())
        return cls(**{name: entry["value"] for name, entry in table.items()})
