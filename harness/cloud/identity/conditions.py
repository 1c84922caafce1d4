"""The condition operators of policies (docs/notes/permissions.md, "Conditions")."""

import base64
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from harness.cloud.identity.matching import Context, Pattern

# Whether one value of a request passes, in the context of the whole request.
Test = Callable[[str, Context], bool]

_VARIABLE_OR_COLON = re.compile(r"\$\{[^{}]*\}|:")
_OPERATOR = re.compile(
    r"(?:(?P<quantifier>ForAllValues|ForAnyValue):)?(?P<name>[A-Za-z]+?)(?P<if_exists>IfExists)?"
)


class UnknownOperator(ValueError):
    """No condition operator has this name."""


@dataclass(frozen=True)
class Condition:
    """One key of a Condition block: the values of a request are held against each of the policy's."""

    key: str
    tests: Sequence[Test]
    negated: bool = False
    quantifier: str | None = None
    if_exists: bool = False

    def holds(self, context: Context) -> bool:
        """Whether the request's values of the key meet it."""
        values = context.get(self.key, ())
        if self.quantifier == "ForAllValues" and values in ((), ("",)):
            return True
        if not values:
            return self.if_exists or (self.negated and self.quantifier is None)
        if self.quantifier is None:
            return any(self._matches(value, context) for value in values) != self.negated
        passed = (self._matches(value, context) != self.negated for value in values)
        return all(passed) if self.quantifier == "ForAllValues" else any(passed)

    def _matches(self, value: str, context: Context) -> bool:
        return any(test(value, context) for test in self.tests)


@dataclass(frozen=True)
class KeyIsAbsent:
    """`Null`: whether the key is there at all; `answers` are the policy's values."""

    key: str
    answers: frozenset[bool]

    def holds(self, context: Context) -> bool:
        """Whether the key is absent where it must be, or there where it must be."""
        return (not context.get(self.key)) in self.answers


def condition(
    name: str, key: str, values: Sequence[str], *, variables: bool
) -> Condition | KeyIsAbsent:
    """The condition of one operator and key. Raises UnknownOperator."""
    found = _OPERATOR.fullmatch(name)
    if found is not None and found["name"] == "Null" and not (found[1] or found["if_exists"]):
        return KeyIsAbsent(key.lower(), frozenset(value.lower() == "true" for value in values))
    if found is None or found["name"] not in _OPERATORS:
        raise UnknownOperator(name)
    make, negated = _OPERATORS[found["name"]]
    return Condition(
        key=key.lower(),
        tests=tuple(make(value, variables) for value in values),
        negated=negated,
        quantifier=found["quantifier"],
        if_exists=found["if_exists"] is not None,
    )


# Each makes the test of one value of a policy. What is no number, date or address there, or in a
# request, equals nothing.


def _equals(text: str, variables: bool) -> Test:
    return Pattern(text, variables=variables, wildcards=False).matches


def _like(text: str, variables: bool) -> Test:
    return Pattern(text, variables=variables).matches


def _equals_ignoring_case(text: str, variables: bool) -> Test:
    pattern = Pattern(text, variables=variables, wildcards=False)

    def test(value: str, context: Context) -> bool:
        wanted = pattern.text(context)
        return wanted is not None and wanted.lower() == value.lower()

    return test


def _arn(text: str, variables: bool) -> Test:
    parts = [Pattern(part, variables=variables) for part in _components(text)]

    def test(value: str, context: Context) -> bool:
        found = value.split(":", 5)
        return len(found) == len(parts) and all(
            pattern.matches(part, context) for pattern, part in zip(parts, found, strict=True)
        )

    return test


def _components(text: str) -> list[str]:
    """The parts of an ARN, at most six; a colon within `${...}` divides nothing."""
    colons = [found.start() for found in _VARIABLE_OR_COLON.finditer(text) if found[0] == ":"][:5]
    starts = [0, *(colon + 1 for colon in colons)]
    return [text[start:end] for start, end in zip(starts, [*colons, len(text)], strict=True)]


def _binary(text: str, variables: bool) -> Test:
    wanted = _decoded(text)
    return lambda value, context: wanted is not None and _decoded(value) == wanted


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def _address(text: str, variables: bool) -> Test:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return _never

    def test(value: str, context: Context) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return test


def _never(value: str, context: Context) -> bool:
    return False


def _compared(
    read: Callable[[str], Any], holds: Callable[[Any, Any], bool]
) -> Callable[[str, bool], Test]:
    def make(text: str, variables: bool) -> Test:
        wanted = read(text)

        def test(value: str, context: Context) -> bool:
            found = read(value)
            return found is not None and wanted is not None and holds(found, wanted)

        return test

    return make


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _date(text: str) -> datetime | None:
    """A W3C form of ISO 8601, or seconds since the epoch. Four digits are a year."""
    try:
        if re.fullmatch(r"\d{4}(-\d\d)?", text):
            return datetime(int(text[:4]), int(text[5:] or 1), 1, tzinfo=UTC)
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return datetime.fromtimestamp(float(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _boolean(text: str, variables: bool) -> Test:
    return _equals_ignoring_case(text, variables)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}

_OPERATORS: Mapping[str, tuple[Callable[[str, bool], Test], bool]] = {
    "StringEquals": (_equals, False),
    "StringNotEquals": (_equals, True),
    "StringEqualsIgnoreCase": (_equals_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_equals_ignoring_case, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (_arn, False),
    "ArnNotEquals": (_arn, True),
    "ArnLike": (_arn, False),
    "ArnNotLike": (_arn, True),
    "Bool": (_boolean, False),
    "BinaryEquals": (_binary, False),
    "IpAddress": (_address, False),
    "NotIpAddress": (_address, True),
    **{f"Numeric{name}": (_compared(_number, test), False) for name, test in _COMPARISONS.items()},
    **{f"Date{name}": (_compared(_date, test), False) for name, test in _COMPARISONS.items()},
    "NumericNotEquals": (_compared(_number, operator.eq), True),
    "DateNotEquals": (_compared(_date, operator.eq), True),
}
