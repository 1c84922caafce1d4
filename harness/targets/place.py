"""An open target: what a scenario and its runner find there."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.targets.capabilities import Capability


@dataclass(frozen=True)
class Machine:
    """Where a local place leaves its traces: the process whose children and ports are its own, its folder.

    A child process with `standing` in its command line belongs to the place as long as it is open.
    """

    pid: int
    folder: Path
    standing: str | None = None


@dataclass(frozen=True)
class Place:
    """One open target.

    `boto` is the boto3 session that everything goes through; `role` an execution role's ARN; `bucket` an
    existing bucket in the same region; `machine` is None where nothing runs on this machine; `faults`
    tells the internal failures that the place has had so far.
    """

    target: str
    boto: Any
    region: str
    account: str
    role: str
    bucket: str
    endpoint_url: str | None = None
    machine: Machine | None = None
    faults: Callable[[], Sequence[BaseException]] = tuple


class Target(Protocol):
    """A kind of place where scenarios run."""

    @property
    def name(self) -> str:
        """As `--target` has it."""

    @property
    def region(self) -> str:
        """The region in which it opens."""

    @property
    def offers(self) -> frozenset[Capability]:
        """What can be done there."""

    def open(self) -> AbstractContextManager[Place]:
        """Get the place ready; leaving the context gives back everything that was taken."""
