"""Texts of policies, with wildcards and policy variables, matched against what a request says."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# What is known of a request, by condition key in lower case: their names are not case-sensitive.
# A key that is absent has no value at all.
Context = Mapping[str, tuple[str, ...]]

_WILDCARD = r"(?P<wildcard>[*?])"
_VARIABLE = r"\$\{(?P<special>[*?$])\}|\$\{(?P<name>[^{},*?$]+)(?:,\s*'(?P<default>[^']*)')?\}"
_TOKENS = {
    False: re.compile(_WILDCARD),
    True: re.compile(f"{_VARIABLE}|{_WILDCARD}"),
}


@dataclass(frozen=True)
class Variable:
    """A policy variable, `${aws:username}`: the condition key in lower case, and what stands in if it is absent."""

    key: str
    default: str | None = None

    def value(self, context: Context) -> str | None:
        """What it stands for; None if it has no value (a key of several values cannot be a variable)."""
        values = context.get(self.key, ())
        return values[0] if len(values) == 1 else self.default


class _Piece(NamedTuple):
    """What stands between two asterisks: a literal, or an expression for one with question marks; of a fixed length."""

    length: int
    literal: str
    expression: re.Pattern[str] | None = None

    def stands_at(self, text: str, start: int) -> bool:
        if self.expression is None:
            return text.startswith(self.literal, start)
        return self.expression.match(text, start) is not None

    def find(self, text: str, start: int, end: int) -> int:
        if self.expression is None:
            return text.find(self.literal, start, end)
        found = self.expression.search(text, start, end)
        return found.start() if found else -1


# A literal, a variable, or None for any one character.
_Atom = str | Variable | None


class Pattern:
    """A text of a policy, made once and matched often, in a time that does not explode with its stars."""

    def __init__(self, text: str, *, variables: bool, wildcards: bool = True) -> None:
        self._between = tuple(_between_stars(text, variables, wildcards))
        self._pieces: tuple[_Piece, ...] | None = None
        if not any(isinstance(atom, Variable) for atoms in self._between for atom in atoms):
            self._pieces = self._filled({})

    def matches(self, text: str, context: Context) -> bool:
        """Whether it matches the whole of `text`. One with a variable that has no value matches nothing."""
        pieces = self._pieces or self._filled(context)
        return pieces is not None and _fits(pieces, text)

    def text(self, context: Context) -> str | None:
        """The text itself, for one without wildcards; None if a variable in it has no value."""
        pieces = self._pieces or self._filled(context)
        return None if pieces is None else pieces[0].literal

    def _filled(self, context: Context) -> tuple[_Piece, ...] | None:
        pieces = []
        for atoms in self._between:
            texts: list[str] = []
            for atom in atoms:
                text = atom.value(context) if isinstance(atom, Variable) else atom or "?"
                if text is None:
                    return None
                texts.append(text)
            pieces.append(_piece(texts, [atom is None for atom in atoms]))
        return tuple(pieces)


def _between_stars(text: str, variables: bool, wildcards: bool) -> Iterator[list[_Atom]]:
    atoms: list[_Atom] = []
    end = 0
    for token in _TOKENS[variables].finditer(text):
        found = token.groupdict()
        if end < token.start():
            atoms.append(text[end : token.start()])
        end = token.end()
        if found.get("name"):
            atoms.append(Variable(found["name"].strip().lower(), found["default"]))
        elif found.get("special") or not wildcards:
            atoms.append(found.get("special") or token[0])
        elif token[0] == "?":
            atoms.append(None)
        else:
            yield atoms
            atoms = []
    if end < len(text):
        atoms.append(text[end:])
    yield atoms


def _piece(texts: Sequence[str], wild: Sequence[bool]) -> _Piece:
    literal = "".join(texts)
    if not any(wild):
        return _Piece(len(literal), literal)
    parts = ("." if one else re.escape(text) for text, one in zip(texts, wild, strict=True))
    return _Piece(len(literal), literal, re.compile("".join(parts), re.DOTALL))


def _fits(pieces: Sequence[_Piece], text: str) -> bool:
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return len(text) == first.length and first.stands_at(text, 0)
    position, end = first.length, len(text) - last.length
    if end < position or not (first.stands_at(text, 0) and last.stands_at(text, end)):
        return False
    # Leftmost is best: what a piece leaves over is for the star after it.
    for piece in pieces[1:-1]:
        position = piece.find(text, position, end)
        if position < 0:
            return False
        position += piece.length
    return True
