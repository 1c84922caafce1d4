"""One JSON text, as RFC 8259 has it and not as Python's json does: the place of whatever is wrong.

See docs/notes/json.md.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NoReturn

from harness.formats.errors import FormatError
from harness.formats.lines import BYTE_ORDER_MARK

_CONSTANT = re.compile(r"NaN|-?Infinity")
_COLON = re.compile(r"[ \t\r\n]*+:")
_TOKEN = re.compile(
    r'"(?:[^"\\]++|\\.)*+"|NaN|-?Infinity|-?[0-9]++(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+|[{}\[\]]',
    re.DOTALL,
)
_EXPECTING = "Expecting "
_SHOWN = 20


class _RepeatedKey(Exception):
    pass


class _Constant(Exception):
    pass


def dumps(value: Any, *, allow_nan: bool = False) -> bytes:
    """Encode a value in ASCII, on one line, spaced as `json.dumps` spaces it.

    `allow_nan` writes NaN and Infinity, as the SDK does, though they are not JSON. FormatError for
    what JSON cannot hold, keys that are no strings and values that contain themselves included.
    """
    try:
        text = json.dumps(value, allow_nan=allow_nan)
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"a value that cannot be written: {error}", expected="JSON") from None
    _check_keys(value)
    return text.encode("ascii")


def _check_keys(value: Any) -> None:
    # json.dumps writes 1 and "1" as the same key, and what comes back is another object.
    waiting: list[Sequence[Any]] = [[value]]
    while waiting:
        for found in waiting.pop():
            if isinstance(found, dict):
                for key in found:
                    if not isinstance(key, str):
                        raise FormatError(f"the key {key!r}", expected="keys that are strings")
                waiting.append(list(found.values()))
            elif isinstance(found, list | tuple):
                waiting.append(found)


def loads(
    data: bytes, *, allow_nan: bool = False, lenient: bool = False, line: int = 1, offset: int = 0
) -> Any:
    """The value of a JSON text in UTF-8.

    `allow_nan` takes NaN, Infinity and -Infinity for numbers, as the SDK writes them. `lenient` lets
    pass what most readers do: a byte order mark, and keys that occur twice (the last one counts).
    FormatError with line, column and byte for anything else; `line` and `offset` say where `data`
    stands in a larger text.
    """
    place = _Place(data, line, offset)
    if data.startswith(BYTE_ORDER_MARK):
        if not lenient:
            raise place.error(0, "a byte order mark", "JSON")
        place = _Place(data[len(BYTE_ORDER_MARK) :], line, offset + len(BYTE_ORDER_MARK))
    try:
        return _decoder(allow_nan, lenient).decode(place.text)
    except json.JSONDecodeError as error:
        _refuse(place, error)
    except _RepeatedKey:
        at, key = _first_repeated_key(place.text)
        raise place.error(at, f"the key {_shortened(key)} a second time", "distinct keys") from None
    except _Constant:
        at, name = _first(place.text, _CONSTANT)
        raise place.error(at, f"{name}, which is not JSON", "a number") from None
    except RecursionError:
        raise place.error(
            _deepest(place.text), "values nested too deeply", "fewer levels"
        ) from None
    except ValueError:
        # Python refuses to make an integer of so many digits.
        most = sys.get_int_max_str_digits()
        at, _ = _first(place.text, re.compile(rf"-?[0-9]{{{most + 1},}}+"))
        raise place.error(at, f"an integer of more than {most} digits", "a number") from None


@cache
def _decoder(allow_nan: bool, lenient: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=None if lenient else _distinct,
        parse_constant=None if allow_nan else _no_constant,
    )


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedKey
    return found


def _no_constant(name: str) -> NoReturn:
    raise _Constant(name)


class _Place:
    """A text and where it stands in a larger one: turns positions in it into errors."""

    def __init__(self, data: bytes, line: int, offset: int) -> None:
        self._line = line
        self._offset = offset
        try:
            self.text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.text = data[: error.start].decode("utf-8")
            raise self.error(
                len(self.text), f"the byte {data[error.start]:#04x}", "UTF-8"
            ) from None

    def error(self, at: int, problem: str, expected: str) -> FormatError:
        before = self.text[:at]
        return FormatError(
            problem,
            expected=expected,
            line=self._line + before.count("\n"),
            column=at - before.rfind("\n"),
            offset=self._offset + len(before.encode()),
        )


def _refuse(place: _Place, error: json.JSONDecodeError) -> NoReturn:
    if not error.msg.startswith(_EXPECTING):
        problem = error.msg.removesuffix(" at").removesuffix(" starting")
        raise place.error(error.pos, f"{problem[0].lower()}{problem[1:]}", "JSON") from None
    rest = place.text[error.pos :]
    problem = f"found {_shortened(rest)}" if rest else "the text ends"
    raise place.error(error.pos, problem, error.msg.removeprefix(_EXPECTING)) from None


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


# What follows looks for the place of a fault that Python's reader found but does not place.


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    for match in _TOKEN.finditer(text):
        yield match.start(), match.group()


def _first(text: str, wanted: re.Pattern[str]) -> tuple[int, str]:
    """The first token that is `wanted`: never inside a string."""
    return next(found for found in _tokens(text) if wanted.fullmatch(found[1]))


def _first_repeated_key(text: str) -> tuple[int, str]:
    objects: list[set[str]] = []
    for at, token in _tokens(text):
        if token == "{":
            objects.append(set())
        elif token == "}":
            objects.pop()
        elif token.startswith('"') and _COLON.match(text, at + len(token)):
            key = json.loads(token)
            if key in objects[-1]:
                return at, key
            objects[-1].add(key)
    raise AssertionError("no key occurs twice")


def _deepest(text: str) -> int:
    depth = most = place = 0
    for at, token in _tokens(text):
        if token in "[{":
            depth += 1
            if depth > most:
                most, place = depth, at
        elif token in "]}":
            depth -= 1
    return place
