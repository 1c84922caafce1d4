"""Hyperparameters of first-party algorithms: a table of what is allowed, merging with defaults, errors.

The table is a TOML file, one entry per hyperparameter: `default` (a string), `required`, and what its
value may be: `enum`, `boolean`, `integer` or `number` (with `minimum`, `maximum`, `above`, `below`),
each with `auto` (or `balanced`) where that word is allowed too.
See docs/notes/first-party-algorithms.md#hyperparameters.
"""

import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.algorithms.first_party.errors import CustomerError

_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}

Value = str | int | float | bool | None


class Table:
    """The hyperparameters of one algorithm."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._entries: dict[str, dict[str, Any]] = tomllib.load(file)

    @property
    def names(self) -> tuple[str, ...]:
        """Every hyperparameter, hidden ones too."""
        return tuple(self._entries)

    def entry(self, name: str) -> Mapping[str, Any]:
        """What the table says about one hyperparameter."""
        return self._entries[name]

    @property
    def defaults(self) -> dict[str, str]:
        """The defaults, as the container's own file has them."""
        return {
            name: entry["default"] for name, entry in self._entries.items() if "default" in entry
        }

    def check(self, merged: Mapping[str, str]) -> dict[str, Value]:
        """The values, typed; `auto` and absent ones are None. CustomerError as the container words it."""
        missing = [
            name
            for name, entry in self._entries.items()
            if entry.get("required") and name not in merged
        ]
        if missing:
            raise CustomerError(
                f"No value(s) were specified for {_quoted(missing)} which are required hyperparameter(s)",
                caused_by=("ValidationError", f"'{missing[0]}' is a required property"),
            )
        unknown = [name for name in merged if name not in self._entries]
        if unknown:
            verb = "was" if len(unknown) == 1 else "were"
            found = f"({_quoted(unknown)} {verb} unexpected)"
            raise CustomerError(
                f"Additional hyperparameters are not allowed {found}",
                caused_by=("ValidationError", f"Additional properties are not allowed {found}"),
            )
        return {
            name: self._value(name, merged[name]) if name in merged else None
            for name in self._entries
        }

    def _value(self, name: str, text: str) -> Value:
        entry = self._entries[name]
        if entry.get("auto") and text == "auto":
            return None
        if entry.get("balanced") and text == "balanced":
            return text
        if "enum" in entry:
            if text not in entry["enum"]:
                words = ["auto", *entry["enum"]] if entry.get("auto") else entry["enum"]
                raise self._refused(name, text, words)
            return text
        if "boolean" in entry:
            if text.lower() not in _BOOLEANS:
                words = ["auto", "true", "false"] if entry.get("auto") else ["true", "false"]
                raise self._refused(name, text, words)
            return _BOOLEANS[text.lower()]
        if "integer" in entry:
            number: float | None = int(text) if _INTEGER.fullmatch(text) else None
            limits, kind = entry["integer"], "an integer"
        elif "number" in entry:
            number = float(text) if _NUMBER.fullmatch(text) else None
            limits, kind = entry["number"], "a number"
        else:
            return text
        if number is None or not _within(number, limits):
            raise self._out_of_range(name, text, kind, limits, entry)
        return number

    def _refused(self, name: str, text: str, words: list[str]) -> CustomerError:
        return CustomerError(
            f"The value '{text}' is not valid for the '{name}' hyperparameter which accepts one of the "
            f"following: {_quoted(words)}",
            caused_by=("ValidationError", f"'{text}' is not one of {words}"),
        )

    def _out_of_range(
        self, name: str, text: str, kind: str, limits: Mapping[str, float], entry: Mapping[str, Any]
    ) -> CustomerError:
        low = limits.get("minimum", limits.get("above"))
        high = limits.get("maximum", limits.get("below"))
        if low is not None and high is not None:
            phrase = f"{kind} between {low} and {high}"
        elif low is not None:
            phrase = f"{kind} greater than {low}"
        elif high is not None:
            phrase = f"{kind} less than {high}"
        else:
            phrase = kind
        pattern = "[0-9]+" if "integer" in entry else r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?"
        for word in ("balanced", "auto"):
            if entry.get(word):
                pattern = f"{word}|{pattern}"
        return CustomerError(
            f"The value '{text}' is not valid for the '{name}' hyperparameter which expects one of the "
            f"following: {phrase}; or a string which matches the pattern '^({pattern})$'",
            caused_by=("ValidationError", f"'{text}' is not valid under any of the given schemas"),
        )


def _within(number: float, limits: Mapping[str, float]) -> bool:
    return (
        math.isfinite(number)
        and ("minimum" not in limits or number >= limits["minimum"])
        and ("maximum" not in limits or number <= limits["maximum"])
        and ("above" not in limits or number > limits["above"])
        and ("below" not in limits or number < limits["below"])
    )


def _quoted(words: list[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
