"""The paths of `$input.path()` and `$input.json()`: `$.a.b`, `$['a']`, `$[0]`, `$[*]`, `$..a`.

LIMITATIONS: filters, scripts, unions and slices are refused by name.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from harness.cloud.apis.templates.errors import TemplateError

_STEP = re.compile(
    r"(?P<deep>\.\.)(?P<deep_name>[^.\[\]]+|\*)|"
    r"\.(?P<name>[^.\[\]]+)|"
    r"\.?\[\s*(?:(?P<quote>['\"])(?P<quoted>.*?)(?P=quote)|(?P<index>-?\d+)|(?P<all>\*))\s*\]"
)


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[tuple[str, Any], ...]:
    if not path.startswith("$"):
        path = f"$.{path}"
    at, steps = 1, []
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise TemplateError(f"the path {path!r} is not implemented from {path[at:]!r} on")
        if step["deep"]:
            steps.append(("deep", step["deep_name"]))
        elif step["name"] == "*" or step["all"]:
            steps.append(("all", None))
        elif step["index"] is not None:
            steps.append(("index", int(step["index"])))
        else:
            steps.append(("name", step["name"] if step["name"] is not None else step["quoted"]))
        at = step.end()
    return tuple(steps)


def find(document: Any, path: str) -> Any:
    """What a path leads to: one value or null, or a list if the path can lead to several."""
    steps = _steps(path)
    found = [document]
    for kind, argument in steps:
        found = [inner for value in found for inner in _follow(value, kind, argument)]
    if any(kind in ("deep", "all") for kind, _ in steps):
        return found
    return found[0] if found else None


def _follow(value: Any, kind: str, argument: Any) -> Iterator[Any]:
    if kind == "name":
        if isinstance(value, dict) and argument in value:
            yield value[argument]
    elif kind == "index":
        if isinstance(value, list) and -len(value) <= argument < len(value):
            yield value[argument]
    elif kind == "all":
        yield from _children(value)
    else:
        # Depth first, without recursion: a document may be nested as deeply as it likes.
        pending = [value]
        while pending:
            current = pending.pop()
            if argument == "*":
                yield from _children(current)
            elif isinstance(current, dict) and argument in current:
                yield current[argument]
            pending.extend(reversed(list(_children(current))))


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value
