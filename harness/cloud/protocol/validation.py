"""The model's constraints, checked on a parsed request, in the words of AWS's framework.

LIMITATIONS: violations come in the order of the model; AWS's order is not documented and varies.
"""

from collections.abc import Callable, Iterator
from typing import Any

from harness.cloud.errors import AwsError
from harness.cloud.protocol.java import to_string
from harness.cloud.protocol.models import Shape
from harness.cloud.protocol.patterns import matches

_COLLECTIONS = frozenset({"structure", "list", "map"})
_NOT_NULL = "Member must not be null"


def check(shape: Shape, parsed: dict[str, Any], code: str = "ValidationException") -> None:
    """Raise one AwsError (400) with every constraint of `shape`, a structure, that is broken."""
    violations = list(_structure(shape, parsed, ""))
    if violations:
        raise violation_error(violations, code)


def violation_error(violations: list[str], code: str) -> AwsError:
    """The answer to one or more violations."""
    plural = "" if len(violations) == 1 else "s"
    return AwsError(
        code, f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}"
    )


def violations_of(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """What `value` (None where absent though required) breaks; `path` names it in the messages."""
    if value is None:
        yield _sentence(shape, None, path, _NOT_NULL)
        return
    for constraint in _broken(shape, value):
        yield _sentence(shape, value, path, constraint)
    walk = _WALKERS.get(shape.type)
    if walk is not None:
        yield from walk(shape, value, path)


def _sentence(shape: Shape, value: Any, path: str, constraint: str) -> str:
    if value is None:
        printed = " null"
    elif shape.sensitive:
        printed = ""
    else:
        printed = f" '{to_string(shape, value)}'"
    return f"Value{printed} at '{path}' failed to satisfy constraint: {constraint}"


def _structure(shape: Shape, value: dict[str, Any], path: str) -> Iterator[str]:
    required = shape.required
    for name, member in shape.members.items():
        content = value.get(name)
        if content is not None or name in required:
            yield from violations_of(
                member.shape, content, f"{path}.{member.path}" if path else member.path
            )


def _list(shape: Shape, value: list[Any], path: str) -> Iterator[str]:
    element = shape.member
    # Scalars are one violation of their collection, which lists what its elements owe.
    if element.type not in _COLLECTIONS and not all(
        _holds(element, v) for v in value if v is not None
    ):
        owed = ", ".join(_constraints(element))
        yield _sentence(shape, value, path, f"Member must satisfy constraint: [{owed}]")
    for n, content in enumerate(value, 1):
        if content is None or element.type in _COLLECTIONS:
            yield from violations_of(element, content, f"{path}.{n}.member")


def _map(shape: Shape, value: dict[str, Any], path: str) -> Iterator[str]:
    element = shape.value
    if not all(_holds(shape.key, k) for k in value):
        owed = ", ".join(_constraints(shape.key))
        yield _sentence(shape, value, path, f"Map keys must satisfy constraint: [{owed}]")
    if element.type not in _COLLECTIONS and not all(
        _holds(element, v) for v in value.values() if v is not None
    ):
        owed = ", ".join(_constraints(element))
        yield _sentence(shape, value, path, f"Map value must satisfy constraint: [{owed}]")
    for key, content in value.items():
        if content is None or element.type in _COLLECTIONS:
            yield from violations_of(element, content, f"{path}.{key}.member")


_WALKERS: dict[str, Callable[[Shape, Any, str], Iterator[str]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
}


def _measure(shape: Shape) -> str:
    return "value" if shape.type in ("integer", "long", "float", "double") else "length"


def _maximum_text(shape: Shape) -> str:
    return f"Member must have {_measure(shape)} less than or equal to {shape.maximum}"


def _minimum_text(shape: Shape) -> str:
    return f"Member must have {_measure(shape)} greater than or equal to {shape.minimum}"


def _pattern_text(shape: Shape) -> str:
    return f"Member must satisfy regular expression pattern: {shape.pattern}"


def _enum_text(shape: Shape) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    """The constraints of `shape` itself that `value` breaks: longest, shortest, pattern, enum."""
    if shape.maximum is not None or shape.minimum is not None:
        size = value if _measure(shape) == "value" else len(value)
        # Written so that NaN breaks both.
        if shape.maximum is not None and not size <= shape.maximum:
            yield _maximum_text(shape)
        if shape.minimum is not None and not size >= shape.minimum:
            yield _minimum_text(shape)
    if shape.pattern is not None and not matches(shape.pattern, value):
        yield _pattern_text(shape)
    if shape.enum and value not in shape.enum_set:
        yield _enum_text(shape)


def _holds(shape: Shape, value: Any) -> bool:
    return next(_broken(shape, value), None) is None


def _constraints(shape: Shape) -> Iterator[str]:
    """Everything that `shape` demands, broken or not."""
    if shape.maximum is not None:
        yield _maximum_text(shape)
    if shape.minimum is not None:
        yield _minimum_text(shape)
    if shape.pattern is not None:
        yield _pattern_text(shape)
    if shape.enum:
        yield _enum_text(shape)
