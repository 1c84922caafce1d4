"""Rendering a mapping template with the values that it is given.

LIMITATIONS: a loop makes at most 1,000 turns, as AWS's does, and a template takes a bounded number of steps.
"""

import itertools
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

from harness.cloud.apis.templates import reading
from harness.cloud.apis.templates.errors import TemplateError
from harness.cloud.apis.templates.nodes import (
    Binary,
    Block,
    Break,
    Call,
    Expression,
    ForEach,
    If,
    Index,
    Interpolated,
    ListOf,
    Literal,
    MapOf,
    Not,
    Property,
    Range,
    Reference,
    Set,
)
from harness.cloud.apis.templates.values import item_of, method_of, property_of, text_of

# "Number of iterations in a #foreach loop": https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
MAX_TURNS = 1000
MAX_STEPS = 500_000
MAX_CHARACTERS = 16 * 1024 * 1024


class _Break(Exception):
    def __init__(self, everything: bool) -> None:
        super().__init__()
        self.everything = everything


def render(template: str, names: MutableMapping[str, Any]) -> str:
    """The text of a template. `names` are its variables, which it may change. Raises TemplateError."""
    rendering = _Rendering(names)
    output: list[str] = []
    try:
        rendering.block(reading.read(template), output)
    except _Break:
        pass
    except (RecursionError, ValueError):
        # A list or map that holds itself.
        raise TemplateError("a value is nested too deeply") from None
    return "".join(output)


class _Rendering:
    def __init__(self, names: MutableMapping[str, Any]) -> None:
        self._names = names
        self._steps = 0
        self._characters = 0

    def block(self, block: Block, output: list[str]) -> None:
        for part in block:
            self._count()
            if isinstance(part, str):
                self._write(part, output)
            elif isinstance(part, Reference):
                self._write(text_of(self._value(part)), output)
            elif isinstance(part, Set):
                self._set(part)
            elif isinstance(part, If):
                self._if(part, output)
            elif isinstance(part, ForEach):
                self._foreach(part, output)
            elif isinstance(part, Break):
                raise _Break(part.everything)

    def _count(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TemplateError(f"it takes more than {MAX_STEPS} steps")

    def _write(self, text: str, output: list[str]) -> None:
        output.append(self._counted(text))

    def _counted(self, text: str) -> str:
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            raise TemplateError(f"it makes more than {MAX_CHARACTERS} characters")
        return text

    def _if(self, part: If, output: list[str]) -> None:
        for condition, body in part.branches:
            if _truth(self._value(condition)):
                self.block(body, output)
                return
        self.block(part.otherwise, output)

    def _foreach(self, part: ForEach, output: list[str]) -> None:
        before = {name: self._names.get(name) for name in (part.name, "foreach", "velocityCount")}
        items = iter(self._items(part.items))
        following = next(items, _NOTHING)
        for count in itertools.count(1):
            if following is _NOTHING:
                break
            if count > MAX_TURNS:
                raise TemplateError(f"a #foreach makes more than {MAX_TURNS} turns")
            self._names[part.name], following = following, next(items, _NOTHING)
            self._names["velocityCount"] = count
            self._names["foreach"] = {
                "count": count,
                "index": count - 1,
                "hasNext": following is not _NOTHING,
                "first": count == 1,
                "last": following is _NOTHING,
            }
            try:
                self.block(part.body, output)
            except _Break as broken:
                if broken.everything:
                    raise
                break
        self._names.update(before)

    def _items(self, expression: Expression) -> Iterable[Any]:
        if isinstance(expression, Range):
            return self._range(expression)
        value = self._value(expression)
        if isinstance(value, dict):
            return list(value.values())
        if isinstance(value, list):
            return list(value)
        return () if value is None else (value,)

    def _range(self, expression: Range) -> range:
        first, last = self._value(expression.first), self._value(expression.last)
        if not isinstance(first, int) or not isinstance(last, int):
            raise TemplateError("a range wants whole numbers")
        step = 1 if first <= last else -1
        return range(first, last + step, step)

    def _set(self, part: Set) -> None:
        value = self._value(part.value)
        if not part.target.steps:
            self._names[part.target.name] = value
            return
        *steps, last = part.target.steps
        owner = self._value(Reference(part.target.name, tuple(steps)))
        if isinstance(last, Call) or not isinstance(owner, dict | list):
            raise TemplateError(f"#set cannot write to ${part.target.name}")
        key = last.name if isinstance(last, Property) else self._value(last.key)
        if isinstance(owner, dict):
            owner[key if isinstance(key, str) else text_of(key)] = value
        elif isinstance(key, int) and 0 <= key < len(owner):
            owner[key] = value
        else:
            raise TemplateError(f"#set cannot write to element {text_of(key)!r} of a list")

    def _value(self, expression: Expression) -> Any:
        self._count()
        match expression:
            case Literal():
                return expression.value
            case Interpolated():
                output: list[str] = []
                self.block(expression.parts, output)
                return "".join(output)
            case ListOf():
                return [self._value(item) for item in expression.items]
            case MapOf():
                return {
                    text_of(self._value(key)): self._value(value) for key, value in expression.items
                }
            case Range():
                return list(itertools.islice(self._range(expression), MAX_TURNS))
            case Not():
                return not _truth(self._value(expression.operand))
            case Binary():
                return self._binary(expression)
            case Reference():
                return self._reference(expression)

    def _reference(self, reference: Reference) -> Any:
        value = self._names.get(reference.name)
        for step in reference.steps:
            if value is None:
                return None
            if isinstance(step, Property):
                value = property_of(value, step.name)
            elif isinstance(step, Index):
                value = item_of(value, self._value(step.key))
            else:
                value = self._call(value, step)
        return value

    def _call(self, value: Any, step: Call) -> Any:
        arguments = [self._value(argument) for argument in step.arguments]
        method = method_of(value, step.name)
        try:
            result = method(*arguments)
        except (TypeError, ValueError, AttributeError):
            kinds = ", ".join(_kind(argument) for argument in arguments)
            raise TemplateError(f"{_kind(value)}.{step.name}({kinds}) is not possible") from None
        return self._counted(result) if isinstance(result, str) else result

    def _binary(self, expression: Binary) -> Any:
        left = self._value(expression.left)
        if expression.operator == "&&":
            return _truth(left) and _truth(self._value(expression.right))
        if expression.operator == "||":
            return _truth(left) or _truth(self._value(expression.right))
        right = self._value(expression.right)
        if expression.operator == "==":
            return _equal(left, right)
        if expression.operator == "!=":
            return not _equal(left, right)
        if expression.operator in ("<", "<=", ">", ">="):
            return _compare(expression.operator, left, right)
        result = _calculate(expression.operator, left, right)
        return self._counted(result) if isinstance(result, str) else result


_NOTHING = object()


def _truth(value: Any) -> bool:
    """Everything but null and false is true."""
    return value is not None and value is not False


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        # Seen on AWS: null is the empty text.
        return (left in (None, "")) and (right in (None, ""))
    if isinstance(left, bool) or isinstance(right, bool) or _both_numbers(left, right):
        return bool(left == right)
    return bool(left == right) or text_of(left) == text_of(right)


def _both_numbers(left: Any, right: Any) -> bool:
    return _is_number(left) and _is_number(right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _compare(operator: str, left: Any, right: Any) -> bool:
    if not _both_numbers(left, right):
        return False
    if operator == "<":
        return bool(left < right)
    if operator == "<=":
        return bool(left <= right)
    return bool(left > right) if operator == ">" else bool(left >= right)


def _calculate(operator: str, left: Any, right: Any) -> Any:
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        return text_of(left) + text_of(right)
    if not _both_numbers(left, right):
        return None
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return _bounded(left * right)
    if right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int):
        # Java cuts towards zero.
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if operator == "/" else left - quotient * right
    return left / right if operator == "/" else left % right


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > 1024:
        raise TemplateError("a number is too large")
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names: Iterator[str] = (
        name
        for kind, name in ((str, "text"), (bool, "truth"), (list, "list"), (dict, "map"))
        if isinstance(value, kind)
    )
    return next(names, "number" if _is_number(value) else "object")
