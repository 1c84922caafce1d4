"""Resources as state machines: which moves are legal, and the one place where a move happens."""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from harness.cloud.clock import Clock


class IllegalTransition(Exception):
    """Our own mistake: a resource was about to make a move that its table does not have."""


class Gone(Exception):
    """The record was deleted or forgotten while work for it went on."""


@dataclass(frozen=True)
class Lifecycle:
    """The states of one kind of resource and the moves between them."""

    resource: str
    initial: str
    moves: Mapping[str, frozenset[str]]

    def check(self, name: str, before: str, after: str) -> None:
        """Raise IllegalTransition unless `before` -> `after` stands in the table."""
        if after not in self.moves[before]:
            raise IllegalTransition(f"{self.resource} {name}: {before} -> {after}")

    def terminal(self, state: str) -> bool:
        """Whether nothing leads out of `state`."""
        return not self.moves[state]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What every resource has. `serial` tells a record from a later one of the same name."""

    name: str
    arn: str
    created: datetime
    modified: datetime
    serial: int

    @property
    def state(self) -> str:
        """The state that the lifecycle's table speaks of."""
        return "Existing"


# A resource without a life of its own: it is there until it is deleted.
STATIC = Lifecycle("record", "Existing", {"Existing": frozenset()})

R = TypeVar("R", bound=Record)


def moment(clock: Clock) -> datetime:
    """Now, in the milliseconds that the wire carries."""
    now = clock.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Registry(Generic[R]):
    """The records of one kind in one account and region; names that differ only in case are the same.

    Every method takes the lock of `changed` itself; hold it around several calls to make them one step.
    """

    def __init__(self, lifecycle: Lifecycle, clock: Clock, changed: threading.Condition) -> None:
        self.lifecycle = lifecycle
        self._clock = clock
        self._changed = changed
        self._records: dict[str, R] = {}
        self._serials = itertools.count(1)

    def __iter__(self) -> Iterator[R]:
        with self._changed:
            return iter(list(self._records.values()))

    def next_serial(self) -> int:
        """A number that no other record of this registry has or had."""
        return next(self._serials)

    def find(self, name: str) -> R | None:
        """The record of this name, in whatever case, or None."""
        with self._changed:
            return self._records.get(name.lower())

    def current(self, record: R) -> R:
        """What `record` has become; Gone if it is no longer there."""
        with self._changed:
            now = self._records.get(record.name.lower())
            if now is None or now.serial != record.serial:
                raise Gone(record.arn)
            return now

    def add(self, record: R) -> None:
        """Put a new record in; its name must be free."""
        with self._changed:
            key = record.name.lower()
            if key in self._records or record.state != self.lifecycle.initial:
                raise IllegalTransition(f"{self.lifecycle.resource} {record.name}: added twice")
            self._records[key] = record
            self._changed.notify_all()

    def move(self, record: R, **changes: Any) -> R:
        """Change a record: checks the move, stamps it and tells whoever waits. Raises Gone, IllegalTransition."""
        with self._changed:
            before = self.current(record)
            after = replace(before, **changes, modified=max(before.modified, moment(self._clock)))
            if after.state != before.state:
                self.lifecycle.check(before.name, before.state, after.state)
            self._records[before.name.lower()] = after
            self._changed.notify_all()
            return after

    def remove(self, record: R) -> None:
        """Take a record out. Raises Gone if it is not there."""
        with self._changed:
            del self._records[self.current(record).name.lower()]
            self._changed.notify_all()

    def clear(self) -> list[R]:
        """Take every record out and return them."""
        with self._changed:
            records = list(self._records.values())
            self._records.clear()
            self._changed.notify_all()
            return records

    def wait_for(
        self, name: str, condition: Callable[[R | None], bool], timeout: float | None = None
    ) -> R | None:
        """Wait until `condition` holds for the record of this name (None: there is none) and return it.

        Raises TimeoutError after `timeout` seconds of wall time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self.find(name)), timeout):
                raise TimeoutError(f"{self.lifecycle.resource} {name}: {self.find(name)}")
            return self.find(name)
