"""Lambda's limits, read from limits.toml, and how functions are run here."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Limits:
    """What Invoke and the execution environments enforce: sizes in bytes, times in seconds, counts."""

    request_bytes: int
    event_bytes: int
    response_bytes: int
    unzipped_bytes: int
    tail_bytes: int
    concurrency: int
    init_seconds: float
    retries: int
    retry_seconds: float
    event_seconds: float
    queued_bytes: int
    idle_seconds: float
    idle_environments: int
    environment_seconds: float

    @classmethod
    def current(cls) -> Self:
        """The values of today."""
        table = tomllib.loads((Path(__file__).parent / "limits.toml").read_text())
        return cls(**{name: entry["value"] for name, entry in table.items()})


@dataclass(frozen=True)
class Settings:
    """How functions are run: within which limits, and whether by awslambdaric's extension module."""

    limits: Limits = field(default_factory=Limits.current)
    native_client: bool = True
