"""Values of a mapping template: how they are printed, and the methods that they have.

They are those of Java's texts, lists and maps; the list is closed, so no template reaches into Python.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import regex

from harness.cloud.apis.templates.errors import TemplateError

# A template's regular expression may take this long on one value.
REGEX_SECONDS = 1.0

Methods: TypeAlias = Mapping[str, Callable[..., Any]]


class JsonList(list[Any]):
    """A list out of a JSON document: it is printed as JSON, where a template's own is as Java prints it."""


@dataclass(frozen=True)
class Tool:
    """`$input`, `$util` and the like: values by property and functions by method."""

    properties: Mapping[str, Any]
    methods: Methods


def from_json(value: Any) -> Any:
    """A parsed JSON document, its lists such that they print as JSON."""
    if isinstance(value, dict):
        return {name: from_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return JsonList(from_json(item) for item in value)
    return value


def text_of(value: Any) -> str:
    """A value as it stands in a text; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, JsonList):
        return to_json(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}={_inner(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_inner(v) for v in value) + "]"
    return "" if isinstance(value, Tool) else str(value)


def _inner(value: Any) -> str:
    return "null" if value is None else text_of(value)


def to_json(value: Any) -> str:
    """A value as compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def method_of(value: Any, name: str) -> Callable[..., Any]:
    """The method `name`, bound to its value. Raises TemplateError if there is none."""
    if isinstance(value, Tool):
        if name in value.methods:
            return value.methods[name]
    else:
        for kind, methods in _METHODS:
            if isinstance(value, kind) and name in methods:
                function = methods[name]
                return lambda *arguments: function(value, *arguments)
    raise TemplateError(f"there is no method {name}() here")


def property_of(value: Any, name: str) -> Any:
    """What stands under a name; null if nothing does."""
    if isinstance(value, Tool):
        return value.properties.get(name)
    return value.get(name) if isinstance(value, Mapping) else None


def item_of(value: Any, key: Any) -> Any:
    """`value[key]`; null if there is nothing."""
    if isinstance(value, Mapping):
        return value.get(key if isinstance(key, str) else text_of(key))
    if isinstance(value, list) and isinstance(key, int) and not isinstance(key, bool):
        return value[key] if -len(value) <= key < len(value) else None
    return None


def _list_get(value: list[Any], index: Any) -> Any:
    if not isinstance(index, int) or not 0 <= index < len(value):
        raise TemplateError(f"a list of {len(value)} has no element {index!r}")
    return value[index]


def _add(value: list[Any], *arguments: Any) -> bool:
    if len(arguments) == 2 and isinstance(arguments[0], int):
        value.insert(*arguments)
    else:
        (item,) = arguments
        value.append(item)
    return True


def _put(value: dict[str, Any], key: Any, item: Any) -> Any:
    before = value.get(text_of(key))
    value[text_of(key)] = item
    return before


def _put_all(value: dict[str, Any], other: Any) -> None:
    if not isinstance(other, Mapping):
        raise TemplateError("putAll() wants a map")
    value.update(other)


def _replace_all(value: str, pattern: str, replacement: str) -> str:
    # Java writes groups of a replacement as $1; a backslash makes the next character plain.
    plain = regex.sub(r"\\(.)|\$(\d)", lambda m: m[1] or f"\\g<{m[2]}>", replacement)
    escaped = plain if "\\g<" in plain else plain.replace("\\", "\\\\")
    return str(_regex(regex.sub, pattern, escaped, value))


def _regex(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments, timeout=REGEX_SECONDS)
    except TimeoutError:
        raise TemplateError(f"the expression {arguments[0]!r} takes too long") from None
    except regex.error as error:
        raise TemplateError(f"the expression {arguments[0]!r} is wrong: {error}") from None


def _split(value: str, pattern: str, limit: int = 0) -> list[str]:
    parts: list[str] = _regex(regex.split, pattern, value, max(0, limit - 1))
    while limit == 0 and len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def _slice(value: str, start: int, end: int | None = None) -> str:
    stop = len(value) if end is None else end
    if not 0 <= start <= stop <= len(value):
        raise TemplateError(f"a text of {len(value)} characters has no part {start} to {stop}")
    return value[start:stop]


def _text_equals(value: str, other: Any) -> bool:
    return isinstance(other, str) and value == other


_TEXT: Methods = {
    "charAt": lambda value, index: _slice(value, index, index + 1),
    "concat": lambda value, other: value + other,
    "contains": lambda value, other: other in value,
    "endsWith": lambda value, other: value.endswith(other),
    "equals": _text_equals,
    "equalsIgnoreCase": lambda value, other: value.lower() == text_of(other).lower(),
    "indexOf": lambda value, other: value.find(other),
    "isEmpty": lambda value: not value,
    "lastIndexOf": lambda value, other: value.rfind(other),
    "length": len,
    "matches": lambda value, pattern: _regex(regex.fullmatch, pattern, value) is not None,
    "replace": lambda value, old, new: value.replace(old, new),
    "replaceAll": _replace_all,
    "split": _split,
    "startsWith": lambda value, other: value.startswith(other),
    "substring": _slice,
    "toLowerCase": lambda value: value.lower(),
    "toUpperCase": lambda value: value.upper(),
    "trim": lambda value: value.strip(),
}
_LIST: Methods = {
    "add": _add,
    "contains": lambda value, item: item in value,
    "get": _list_get,
    "isEmpty": lambda value: not value,
    "size": len,
}
_MAP: Methods = {
    "containsKey": lambda value, key: text_of(key) in value,
    "entrySet": lambda value: [{"key": k, "value": v} for k, v in value.items()],
    "get": lambda value, key: value.get(text_of(key)),
    "isEmpty": lambda value: not value,
    "keySet": lambda value: list(value),
    "put": _put,
    "putAll": _put_all,
    "remove": lambda value, key: value.pop(text_of(key), None),
    "size": len,
    "values": lambda value: list(value.values()),
}
_ANY: Methods = {"toString": text_of, "equals": lambda value, other: value == other}
# Entries of a map have these as well; a map's own keys come first in Velocity, too.
_ENTRY: Methods = {
    "getKey": lambda value: value.get("key"),
    "getValue": lambda value: value.get("value"),
}
_METHODS: Sequence[tuple[type, Methods]] = (
    (str, _TEXT),
    (list, _LIST),
    (dict, _MAP),
    (dict, _ENTRY),
    (object, _ANY),
)
