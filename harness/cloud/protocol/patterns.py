"""Java's regular expressions, in which AWS's models are written, by way of the `regex` module."""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

# Far above what a pattern needs for a value within its length; a hostile value holds no thread.
TIMEOUT_SECONDS = 0.5

_LINE_TERMINATORS = r"\n\r\u0085\u2028\u2029"

# Java's predefined and POSIX classes are ASCII unless asked otherwise: java.util.regex.Pattern,
# "Predefined character classes" and "POSIX character classes (US-ASCII only)".
_CLASSES = {
    "d": "0-9",
    "D": r"\x00-/:-\U0010ffff",
    "w": "a-zA-Z_0-9",
    "W": r"\x00-/:-@\[-^`{-\U0010ffff",
    "s": r"\x20\t\n\x0b\f\r",
    "S": r"\x00-\x08\x0e-\x1f!-\U0010ffff",
    "p{Alnum}": "a-zA-Z0-9",
    "p{Alpha}": "a-zA-Z",
    "p{ASCII}": r"\x00-\x7f",
    "p{Blank}": r"\x20\t",
    "p{Cntrl}": r"\x00-\x1f\x7f",
    "p{Digit}": "0-9",
    "p{Graph}": "!-~",
    "p{Lower}": "a-z",
    "p{Print}": r"\x20-~",
    "p{Punct}": r"!-/:-@\[-`{-~",
    "p{Space}": r"\x20\t\n\x0b\f\r",
    "p{Upper}": "A-Z",
    "p{XDigit}": "0-9a-fA-F",
}

_TOKEN = re.compile(
    r"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<escape>\\(?:p\{\w+\}|.))"
    r"|(?P<other>[\s\S])"
)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` matches, as `Matcher.matches()` has it.

    A match that takes longer than TIMEOUT_SECONDS counts as none.
    """
    try:
        return compiled(pattern).fullmatch(text, timeout=TIMEOUT_SECONDS) is not None
    except TimeoutError:
        return False


@cache
def compiled(pattern: str) -> "regex.Pattern[str]":
    """The pattern for `regex`; raises its `error` for what does not translate."""
    import regex  # 20 ms, which a process that validates no string need not spend

    return regex.compile(translated(pattern))


def translated(pattern: str) -> str:
    """`pattern`, a Java regular expression, in the dialect of `regex`."""
    out: list[str] = []
    in_class = False
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token["pair"]:
            # A surrogate pair is one character to Java's Pattern.
            text = bytes.fromhex(text[2:6] + text[8:12]).decode("utf-16-be")
        elif token["escape"]:
            text = _escape(text, in_class)
        elif text == "[":
            in_class = True
        elif text == "]":
            in_class = False
        elif text == "." and not in_class:
            text = f"[^{_LINE_TERMINATORS}]"
        out.append(text)
    return "".join(out)


def _escape(text: str, in_class: bool) -> str:
    if text == r"\z":
        return r"\Z"
    characters = _CLASSES.get(text[1:])
    if characters is None:
        return text
    return characters if in_class else f"[{characters}]"
