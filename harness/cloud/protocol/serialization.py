"""Results of our own operations into JSON 1.1 answers, which must be what the model promises."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from harness.cloud.protocol.models import Shape


class MalformedAnswer(Exception):
    """A result that is not what the model promises: our fault, so an InternalFailure."""


def serialize_json(shape: Shape | None, result: Mapping[str, Any] | None) -> bytes:
    """The body for `result`: None left out, timestamps as epoch seconds with milliseconds.

    Without an output shape the body is empty. Raises MalformedAnswer for a member that the shape
    does not have, a required one that is missing, or a value of another type.
    """
    if shape is None:
        if result:
            raise MalformedAnswer(f"the operation has no output, yet there is {sorted(result)}")
        return b""
    return json.dumps(_structure(shape, result or {}, shape.name), separators=(",", ":")).encode()


def _value(shape: Shape, value: Any, place: str) -> Any:
    return _SERIALIZERS[shape.type](shape, value, place)


def _structure(shape: Shape, value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(shape, value, place)
    members = shape.members
    out = {}
    for name, content in value.items():
        if content is None:
            continue
        member = members.get(name)
        if member is None:
            raise MalformedAnswer(f"{place} has no member {name!r}")
        out[member.wire_name] = _value(member.shape, content, f"{place}.{name}")
    missing = [name for name in shape.required if value.get(name) is None]
    if missing:
        raise MalformedAnswer(f"{place} lacks {', '.join(sorted(missing))}")
    return out


def _list(shape: Shape, value: Any, place: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _wrong(shape, value, place)
    return [_value(shape.member, v, f"{place}[{n}]") for n, v in enumerate(value)]


def _map(shape: Shape, value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(shape, value, place)
    return {
        _string(shape.key, k, f"{place} key"): _value(shape.value, v, f"{place}[{k!r}]")
        for k, v in value.items()
    }


def _string(shape: Shape, value: Any, place: str) -> str:
    if not isinstance(value, str) or (shape.enum and value not in shape.enum_set):
        raise _wrong(shape, value, place)
    return value


def _integer(shape: Shape, value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(shape, value, place)
    return value


def _float(shape: Shape, value: Any, place: str) -> float | str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(shape, value, place)
    number = float(value)
    if math.isfinite(number):
        return number
    # JSON has no such numbers; AWS's protocol writes them as strings.
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _boolean(shape: Shape, value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(shape, value, place)
    return value


def _timestamp(shape: Shape, value: Any, place: str) -> float:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _wrong(shape, value, place)
    return round(value.timestamp(), 3)


_SERIALIZERS: dict[str, Callable[[Shape, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
}


def _wrong(shape: Shape, value: Any, place: str) -> MalformedAnswer:
    return MalformedAnswer(f"{place} is {value!r}, not a {shape.type} ({shape.name})")
