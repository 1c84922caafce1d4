"""What an engine is asked to run and what it gives back: the seam of cloud and containers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Program:
    """What an image is on this machine.

    A `module` is importable and has `main(argv) -> int`; it runs in a fork of the fork server as
    `main([*arguments, command])`. Without a module, `arguments` is the head of an argv to execute.
    """

    module: str | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContainerSpec:
    """One container to start. `root` is the directory that stands for /opt/ml.

    Without the SageMaker `contract` the program is told nothing of /opt/ml and has no address; `root`
    is where it begins.
    """

    name: str
    image: str
    program: Program
    command: str
    environment: Mapping[str, str]
    root: Path
    hosts: tuple[str, ...] = ("algo-1",)
    current_host: str = "algo-1"
    contract: bool = True


@dataclass(frozen=True)
class Exit:
    """How a program ended: exactly one of `code` and `signal` is set."""

    code: int | None = None
    signal: int | None = None

    @property
    def ok(self) -> bool:
        """True for exit code 0."""
        return self.code == 0

    @property
    def shell_code(self) -> int:
        """The exit code as Docker reports it: 128 + n for a program ended by signal n."""
        return self.code if self.code is not None else 128 + (self.signal or 0)


@dataclass(frozen=True)
class LogLine:
    """A line of a container's output; `timestamp` is wall time in milliseconds since the epoch."""

    timestamp: int
    message: str


LogSink = Callable[[Sequence[LogLine]], None]


class Splitter(Protocol):
    """Makes lines of the bytes that one program prints."""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""

    def finish(self) -> list[str]:
        """What is left at the end."""


class Container(Protocol):
    """A started container."""

    @property
    def spec(self) -> ContainerSpec:
        """What it was started from."""

    @property
    def pid(self) -> int:
        """The process id of the program itself."""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of a serving container, None for any other."""

    def wait(self, timeout: float | None = None) -> Exit | None:
        """Wait up to `timeout` seconds; None if it still runs. At an Exit the log is complete."""

    def stop(self, grace: float) -> Exit:
        """SIGTERM to the program, SIGKILL to all after `grace` seconds. May be called again."""

    def kill(self) -> Exit:
        """End the program and all its descendants at once."""

    def add_exit_callback(self, callback: Callable[[Exit], None]) -> None:
        """Have `callback` called once, from a thread of the engine, when the program has ended."""


class Engine(Protocol):
    """Something that runs containers."""

    def start(
        self, spec: ContainerSpec, log: LogSink, splitter: Splitter | None = None
    ) -> Container:
        """Start one container; `log` receives its lines in order, in batches.

        `splitter` makes lines of its output, where they are not simply lines of text.
        """

    def warm(self) -> None:
        """Begin whatever makes the next start quick; returns at once."""

    def close(self) -> None:
        """End every container and everything the engine itself started."""
