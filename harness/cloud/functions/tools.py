"""What execution environments work with, in one record."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from harness.cloud.backing.functions import Functions
from harness.cloud.backing.logs import LogStore
from harness.cloud.clock import Clock
from harness.cloud.functions.code_store import CodeStore
from harness.cloud.functions.limits import Limits
from harness.containers.process_engine import ProcessEngine

T = TypeVar("T")


class InThread(Protocol):
    """Has something that takes time done by a thread."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """What `work` returns or raises."""


@dataclass(frozen=True)
class Tools:
    """`call` has a function called in the event loop, from any thread; `in_thread` is for the loop itself.

    `engine` and `bootstrap` (the program of a managed runtime) are made when they are first asked for.
    """

    functions: Functions
    logs: LogStore
    clock: Clock
    limits: Limits
    code: CodeStore
    folder: Path
    endpoint_url: Callable[[], str]
    engine: Callable[[], ProcessEngine]
    bootstrap: Callable[[], Path]
    call: Callable[..., None]
    in_thread: InThread
