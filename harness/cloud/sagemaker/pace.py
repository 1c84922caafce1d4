"""How long the phases of jobs and endpoints take besides their work: as fast as possible, or as on a real account."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from harness.cloud.clock import Clock
from harness.cloud.interruption import Interruption


@dataclass(frozen=True)
class Pace:
    """Seconds per phase (pace.toml)."""

    name: str = "fastest"
    seconds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def named(cls, name: str) -> Self:
        """The pace of this name in pace.toml. Raises KeyError."""
        table = tomllib.loads((Path(__file__).parent / "pace.toml").read_text("utf-8"))
        return cls(name, table[name])

    def spend(self, phase: str, clock: Clock, interruption: Interruption) -> None:
        """Let the time of `phase` pass on `clock`, or less if interrupted."""
        interruption.pause(self.seconds.get(phase, 0), clock)
