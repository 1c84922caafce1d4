"""The refusals that the model does not tell, from model_exceptions.toml: missing, existing, busy, finished.

Each function takes the operation that refuses and the ARN of what it refuses over, and returns the error
to raise; a resource without an entry is a LookupError, a mistake of ours.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness.cloud.errors import AwsError


@dataclass(frozen=True)
class Entry:
    """One refusal. `operations` is empty where it holds for all that have no entry of their own."""

    situation: str
    resource: str
    code: str
    text: str
    source: str
    operations: tuple[str, ...] = ()
    assumed: bool = False


@cache
def _file() -> dict[str, Any]:
    path = Path(__file__).with_name("model_exceptions.toml")
    return tomllib.loads(path.read_text("utf-8"))


@cache
def entries() -> tuple[Entry, ...]:
    """Every entry, in the order of the file."""
    return tuple(
        Entry(**{**raw, "operations": tuple(raw.get("operations", ()))}) for raw in _file()["entry"]
    )


@cache
def _index() -> Mapping[tuple[str, str, str | None], Entry]:
    return {
        (entry.situation, entry.resource, operation): entry
        for entry in entries()
        for operation in entry.operations or (None,)
    }


def not_found(operation: str, arn: str, *, name: str | None = None) -> AwsError:
    """`operation` needs what `arn` names, and there is none; `name` as the request has it."""
    return _refusal("not_found", operation, arn, name)


def already_exists(operation: str, arn: str, *, name: str | None = None) -> AwsError:
    """`operation` would make what exists already; `name` as the request has it."""
    return _refusal("exists", operation, arn, name)


def busy(
    operation: str, arn: str, *, status: str = "", target: str = "", allowed: Sequence[str] = ()
) -> AwsError:
    """What `arn` names is in `status`, which does not allow `operation` (only `allowed` would)."""
    return _refusal(
        "busy", operation, arn, None, status=status, target=target, allowed=", ".join(allowed)
    )


def finished(operation: str, arn: str, *, status: str) -> AwsError:
    """`operation` would stop a job that is over, in `status`."""
    return _refusal("finished", operation, arn, None, status=status)


def in_use(operation: str, arn: str, *, status: str) -> AwsError:
    """`operation` would delete a job that is not over, in `status`."""
    return _refusal("unfinished", operation, arn, None, status=status)


def limit_exceeded(
    quota: str, *, limit: int, current: int, delta: int, unit: str = "Instances"
) -> AwsError:
    """A quota of the account, by its name in Service Quotas, would be exceeded."""
    return _general(
        "limit_exceeded", quota=quota, limit=limit, current=current, delta=delta, unit=unit
    )


def instance_type_unavailable(use: str, instance_type: str) -> AwsError:
    """The instance type exists but not here; `use` is the resource type of an ARN (training-job)."""
    return _general("instance_type_unavailable", use=use, instance_type=instance_type)


def _refusal(situation: str, operation: str, arn: str, name: str | None, **fields: str) -> AwsError:
    _, _, _, _, account, tail = arn.split(":", 5)
    resource, _, last = tail.partition("/")
    index = _index()
    entry = index.get((situation, resource, operation)) or index.get((situation, resource, None))
    if entry is None:
        raise LookupError(f"no text for {situation} of {resource} in {operation}")
    text = entry.text.format(arn=arn, name=name or last, account=account, **fields)
    return AwsError(entry.code, text)


def _general(key: str, **fields: object) -> AwsError:
    entry = _file()[key]
    return AwsError(entry["code"], entry["text"].format(**fields))
