"""Which members of an operation's input are honoured, which are ignored, and that the rest is refused.

A path is `Member.Member`, `List[].Member` for elements; a path stands for all that lies below it.
honoured_members.toml and ignored_members.toml are the lists.
"""

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.cloud.sagemaker.refusals import refusal


@dataclass(frozen=True)
class Members:
    """The members of one operation that may be sent. `only` has the values that are honoured, where not all are."""

    honoured: frozenset[str]
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)

    def knows(self, path: str) -> bool:
        """Whether the path itself stands on one of the lists."""
        return path in self.honoured or path in self.only or path in self.ignored

    def unsupported(self, value: Any, path: str = "") -> Iterator[str]:
        """What `value` holds that is neither honoured nor ignored, as texts for an error."""
        if path in self.only:
            if value not in self.only[path]:
                known = ", ".join(_as_json(item) for item in self.only[path])
                yield f"{path} other than {known}"
        elif path and self.knows(path):
            return
        elif isinstance(value, Mapping):
            for name, member in value.items():
                yield from self.unsupported(member, f"{path}.{name}" if path else name)
        elif isinstance(value, list):
            for element in value:
                yield from self.unsupported(element, f"{path}[]")
        else:
            yield path


@functools.cache
def members_of(operation: str) -> Members:
    """The lists of one operation. Raises KeyError for one that has none."""
    folder = Path(__file__).parent
    entry = _read(folder / "honoured_members.toml")[operation]
    return Members(
        frozenset(entry["honoured"]),
        {path: tuple(values) for path, values in entry.get("only", {}).items()},
        _read(folder / "ignored_members.toml").get(operation, {}),
    )


def refuse_unsupported(operation: str, request: Mapping[str, Any]) -> None:
    """Raise a ValidationException that names every member of `request` which would be neither honoured nor ignored."""
    found = dict.fromkeys(members_of(operation).unsupported(request))
    if found:
        raise refusal("members_not_here", operation=operation, members="; ".join(found))


@functools.cache
def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def _as_json(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
