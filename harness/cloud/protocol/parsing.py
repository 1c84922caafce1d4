"""JSON 1.1 requests into typed Python, by the model.

Timestamps become aware datetimes, blobs bytes; unknown members and nulls are left out.
LIMITATIONS: of several faults the first in the body is reported; AWS gives no text where the JSON
itself is malformed, here it says what is wrong.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from harness.cloud.errors import AwsError
from harness.cloud.protocol.models import Shape

# The deepest shape of the model that is not recursive has 9 levels; SearchExpression may nest.
MAXIMUM_DEPTH = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ARTICLES = {"integer": "an Integer", "long": "a Long", "float": "a Float", "double": "a Double"}
_INTEGER_BOUNDS = {"integer": 2**31, "long": 2**63}
# Smithy's words for a float that JSON's numbers cannot express.
_SPECIAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_TRUE, _FALSE = {"true", "yes", "y", "t", "1"}, {"false", "no", "n", "f", "0"}


def parse_json(shape: Shape, body: bytes) -> dict[str, Any]:
    """The members of `shape`, a structure, in `body`; raises SerializationException (400)."""
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        raise _fault("The request body is nested too deeply.") from None
    except UnicodeDecodeError:
        raise _fault("The request body is not UTF-8.") from None
    except ValueError as error:  # also an integer of thousands of digits
        raise _fault(f"The request body is not valid JSON: {error}") from None
    if isinstance(content, list):
        raise _fault("Start of list found where not expected")
    if not isinstance(content, dict):
        raise _fault("The request body is not a JSON object.")
    parsed: dict[str, Any] = _structure(shape, content, 0)
    return parsed


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _fault(message: str) -> AwsError:
    return AwsError("SerializationException", message)


def _value(shape: Shape, value: object, depth: int) -> Any:
    return _PARSERS[shape.type](shape, value, depth + 1)


def _structure(shape: Shape, value: object, depth: int) -> dict[str, Any]:
    if depth > MAXIMUM_DEPTH:
        raise _fault("The request body is nested too deeply.")
    if not isinstance(value, dict):
        raise _fault(_START_OF_LIST if isinstance(value, list) else "Expected null")
    members = shape.members_by_wire_name
    parsed = {}
    for name, content in value.items():
        member = members.get(name)
        if member is not None and content is not None:
            parsed[member.name] = _value(member.shape, content, depth)
    return parsed


def _list(shape: Shape, value: object, depth: int) -> list[Any]:
    if not isinstance(value, list):
        raise _fault(_START_OF_STRUCTURE if isinstance(value, dict) else "Expected list or null")
    # A null among the elements stays, for validation to refuse it by its place.
    return [None if v is None else _value(shape.member, v, depth) for v in value]


def _map(shape: Shape, value: object, depth: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _fault(_START_OF_LIST if isinstance(value, list) else "Expected map or null")
    return {
        _string(shape.key, k, depth): None if v is None else _value(shape.value, v, depth)
        for k, v in value.items()
    }


def _string(shape: Shape, value: object, depth: int) -> str:
    if not isinstance(value, str):
        raise _mismatch(value, "a String")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise _fault("The request body holds half of a surrogate pair.") from None
    return value


def _integer(shape: Shape, value: object, depth: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(value, _ARTICLES[shape.type])
    bound = _INTEGER_BOUNDS[shape.type]
    # Java's narrowing of a number with a fraction: towards zero.
    if not -bound <= value < bound:
        raise _mismatch(value, _ARTICLES[shape.type])
    return int(value)


def _float(shape: Shape, value: object, depth: int) -> float:
    if isinstance(value, str) and value in _SPECIAL_FLOATS:
        return _SPECIAL_FLOATS[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(value, _ARTICLES[shape.type])
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise _mismatch(value, _ARTICLES[shape.type])
    return number


def _boolean(shape: Shape, value: object, depth: int) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise _mismatch(value, "an Boolean")  # AWS's grammar
    raise _mismatch(value, "a Boolean")


def _timestamp(shape: Shape, value: object, depth: int) -> datetime:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
        except (ValueError, OverflowError):
            raise _mismatch(value, "milliseconds since epoch") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(value, "milliseconds since epoch")
    try:
        return _EPOCH + timedelta(seconds=value)
    except (OverflowError, ValueError):
        raise _mismatch(value, "milliseconds since epoch") from None


def _blob(shape: Shape, value: object, depth: int) -> bytes:
    if not isinstance(value, str):
        raise _mismatch(value, "a Blob")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _mismatch(value, "a Blob") from None


_START_OF_LIST = "Start of list found where not expected"
_START_OF_STRUCTURE = "Start of structure or map found where not expected."


def _mismatch(value: object, target: str) -> AwsError:
    """AWS's words: its JSON reader's name of the token, and what it cannot become."""
    if isinstance(value, list):
        return _fault(_START_OF_LIST)
    if isinstance(value, dict):
        return _fault(_START_OF_STRUCTURE)
    if isinstance(value, bool):
        token = "TRUE_VALUE" if value else "FALSE_VALUE"
    else:
        token = "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
    return _fault(f"{token} can not be converted to {target}")


_PARSERS: dict[str, Callable[[Shape, object, int], Any]] = {
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
    "blob": _blob,
}
