"""The ledger: what a run creates, in a file, the intent before the request and the confirmation after it.

One JSON object per line. An intent is on the disk before the request leaves, so that whatever ends the
run, the file names everything that may exist.
"""

import itertools
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from harness.runs.resources import KINDS, Kind, Resource


class DamagedLedger(ValueError):
    """A line of the file is not what a ledger has; the message names the line."""


@dataclass(frozen=True)
class Entry:
    """One resource that a request was to create. `confirmed` is None while no answer came."""

    run: str
    number: int
    scenario: str
    resource: Resource
    confirmed: bool | None


class Ledger:
    """Appends to the file at `path`; may be called from any thread."""

    def __init__(self, path: Path, run_id: str) -> None:
        self.path = path
        self._run_id = run_id
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")
        self.scenario = ""

    def intend(self, service: str, operation: str, parameters: Mapping[str, Any]) -> int | None:
        """Write down what the request would create; None for a request that creates nothing."""
        kind = KINDS.get((service, operation))
        resource = kind.resource(parameters) if kind else None
        if resource is None:
            return None
        with self._lock:
            number = next(self._numbers)
            self._write(
                {
                    "entry": number,
                    "event": "intent",
                    "scenario": self.scenario,
                    "service": service,
                    "operation": operation,
                    "names": dict(resource.names),
                }
            )
        return number

    def confirm(self, number: int, *, created: bool, error: str | None = None) -> None:
        """Write down what became of the request."""
        line: dict[str, Any] = {"entry": number, "event": "created" if created else "refused"}
        if error:
            line["error"] = error
        with self._lock:
            self._write(line)

    def close(self) -> None:
        """Close the file; it stays."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _write(self, line: dict[str, Any]) -> None:
        line["run"] = self._run_id
        line["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._file.write(json.dumps(line, sort_keys=True) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def read(path: Path) -> list[Entry]:
    """The entries of a ledger, of all runs that wrote it, in order.

    A last line that was cut off counts as not written.

    Raises DamagedLedger for anything else that is no ledger.
    """
    entries: dict[tuple[str, int], Entry] = {}
    lines = path.read_text("utf-8").split("\n")
    for number, text in enumerate(lines, 1):
        if not text:
            continue
        try:
            line = json.loads(text)
            key = (line["run"], line["entry"])
            if line["event"] == "intent":
                kind: Kind = KINDS[line["service"], line["operation"]]
                resource = Resource(kind.name, tuple(sorted(line["names"].items())))
                entries[key] = Entry(*key, line["scenario"], resource, None)
            else:
                before = entries[key]
                created = {"created": True, "refused": False}[line["event"]]
                entries[key] = replace(before, confirmed=created)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if number == len(lines):
                break
            raise DamagedLedger(f"{path}, line {number}: {error!r}") from None
    return list(entries.values())
