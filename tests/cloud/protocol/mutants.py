"""Requests with one fault, made from valid ones, each with the violations that it must be told of.

The wording is written down here a second time, from docs/notes/validation.md; patterns are judged by `re`.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.cloud.protocol.generated import Shape, python_pattern

LONGEST = 5000  # longer values would only make the tests slow
_NUMBERS = ("integer", "long", "float", "double")
_COLLECTIONS = ("structure", "list", "map")


@dataclass(frozen=True)
class Mutant:
    """A request with one fault and the violations that name it, in order."""

    request: dict[str, Any]
    violations: list[str]


class _Fault:
    """A place in the request and the shape of what stands there."""

    def __init__(self, root: dict[str, Any], keys: tuple[Any, ...], path: str) -> None:
        self.root, self.keys, self.path = root, keys, path

    def inside(self, key: object, path: str) -> "_Fault":
        return _Fault(self.root, (*self.keys, key), path)

    def replaced(self, value: object, violations: list[str]) -> Mutant:
        """The request with `value` in this place; None takes it away."""
        request = copy.deepcopy(self.root)
        parent: Any = request
        for key in self.keys[:-1]:
            parent = parent[key]
        if value is None:
            del parent[self.keys[-1]]
        else:
            parent[self.keys[-1]] = value
        return Mutant(request, violations)

    def says(self, shape: Shape, value: str | None, constraint: str) -> str:
        text = "" if shape.metadata.get("sensitive") else f" '{value}'"
        printed = " null" if value is None else text
        return f"Value{printed} at '{self.path}' failed to satisfy constraint: {constraint}"


def mutants(shape: Shape, request: dict[str, Any]) -> list[Mutant]:
    """Every mutant of `request`, a valid value of `shape`."""
    return list(_structure(shape, request, _Fault(request, (), "")))


def _structure(shape: Shape, value: dict[str, Any], place: _Fault) -> Iterator[Mutant]:
    for name, content in value.items():
        lower = name[0].lower() + name[1:]
        inner = place.inside(name, f"{place.path}.{lower}" if place.path else lower)
        member = shape.members[name]
        if name in shape.required_members:
            yield inner.replaced(None, [inner.says(member, None, "Member must not be null")])
        yield from _value(member, content, inner)


def _value(shape: Shape, value: Any, place: _Fault) -> Iterator[Mutant]:
    if shape.type_name == "structure":
        yield from _structure(shape, value, place)
        return
    if shape.type_name == "list":
        yield from _list(shape, value, place)
    elif shape.type_name == "map":
        yield from _map(shape, value, place)
    else:
        for wrong, constraints in _wrong_scalars(shape, value):
            yield place.replaced(wrong, [place.says(shape, str(wrong), c) for c in constraints])


def _wrong_scalars(shape: Shape, value: Any) -> Iterator[tuple[Any, list[str]]]:
    """Values that a scalar shape does not allow, each with the constraints that it breaks."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    candidates: list[Any] = []
    if shape.type_name == "string":
        candidates = ["", "\n", "no such value", f"{value}\n"]
        if high is not None and high < LONGEST:
            candidates.append(((value or "a") * (high + 1))[: high + 1])
    elif shape.type_name in _NUMBERS:
        kind = int if shape.type_name in ("integer", "long") else float
        candidates = [kind(bound) for bound in (low and low - 1, high and high + 1) if bound]
        # Large floats print in another form, which test_java.py looks at.
        candidates = [number for number in candidates if abs(number) < 10**7 or kind is int]
    for candidate in candidates:
        if broken := _broken(shape, candidate):
            yield candidate, broken


def _broken(shape: Shape, value: Any) -> list[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    size = value if shape.type_name in _NUMBERS else len(value)
    pattern = shape.metadata.get("pattern")
    enum = shape.metadata.get("enum", [])
    return [
        text
        for text, broken in zip(
            _texts(shape),
            (
                high is not None and size > high,
                low is not None and size < low,
                pattern is not None and not _fits(pattern, value),
                bool(enum) and value not in enum,
            ),
            strict=True,
        )
        if broken
    ]


def _fits(pattern: str, value: str) -> bool:
    text = python_pattern(pattern)
    if text != pattern:
        # Only a part of what the pattern allows is known here, so do not judge by it.
        return "\n" not in value
    return re.fullmatch(text, value, re.ASCII) is not None


def _texts(shape: Shape) -> tuple[str, str, str, str]:
    metadata = shape.metadata
    measure = "value" if shape.type_name in _NUMBERS else "length"
    return (
        f"Member must have {measure} less than or equal to {metadata.get('max')}",
        f"Member must have {measure} greater than or equal to {metadata.get('min')}",
        f"Member must satisfy regular expression pattern: {metadata.get('pattern')}",
        f"Member must satisfy enum value set: [{', '.join(metadata.get('enum', []))}]",
    )


def _owed(shape: Shape) -> str:
    """Everything that a scalar inside a collection must satisfy."""
    owes = (key in shape.metadata for key in ("max", "min", "pattern", "enum"))
    return ", ".join(text for text, owed in zip(_texts(shape), owes, strict=True) if owed)


def _list(shape: Shape, value: list[Any], place: _Fault) -> Iterator[Mutant]:
    element = shape.member
    if shape.metadata.get("min"):
        yield place.replaced([], [place.says(shape, "[]", _texts(shape)[1])])
    high = shape.metadata.get("max")
    if value and high is not None and high <= 100 and element.type_name not in _COLLECTIONS:
        many = [value[0]] * (high + 1)
        printed = f"[{', '.join(_printed(element, v) for v in many)}]"
        yield place.replaced(many, [place.says(shape, printed, _texts(shape)[0])])
    for n, content in enumerate(value):
        if element.type_name in _COLLECTIONS:
            yield from _value(element, content, place.inside(n, f"{place.path}.{n + 1}.member"))
            continue
        for wrong, _ in _wrong_scalars(element, content):
            faulty = [*value[:n], wrong, *value[n + 1 :]]
            printed = f"[{', '.join(_printed(element, v) for v in faulty)}]"
            constraint = f"Member must satisfy constraint: [{_owed(element)}]"
            yield place.replaced(faulty, [place.says(shape, printed, constraint)])


def _map(shape: Shape, value: dict[str, Any], place: _Fault) -> Iterator[Mutant]:
    if shape.metadata.get("min"):
        yield place.replaced({}, [place.says(shape, "{}", _texts(shape)[1])])
    for key, content in value.items():
        if shape.value.type_name in _COLLECTIONS:
            yield from _value(shape.value, content, place.inside(key, f"{place.path}.{key}.member"))
            continue
        for wrong, _ in _wrong_scalars(shape.value, content):
            faulty = {**value, key: wrong}
            constraint = f"Map value must satisfy constraint: [{_owed(shape.value)}]"
            yield place.replaced(faulty, [_of_map(place, shape, faulty, constraint)])
        for wrong, _ in _wrong_scalars(shape.key, key):
            if wrong not in value:
                faulty = {wrong if k == key else k: v for k, v in value.items()}
                constraint = f"Map keys must satisfy constraint: [{_owed(shape.key)}]"
                yield place.replaced(faulty, [_of_map(place, shape, faulty, constraint)])


def _of_map(place: _Fault, shape: Shape, value: dict[str, Any], constraint: str) -> str:
    entries = (f"{k}={_printed(shape.value, v)}" for k, v in value.items())
    return place.says(shape, f"{{{', '.join(entries)}}}", constraint)


def _printed(shape: Shape, value: Any) -> str:
    return str(value).lower() if shape.type_name == "boolean" else str(value)
