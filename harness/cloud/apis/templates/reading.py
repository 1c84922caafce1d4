"""Reading a mapping template: Velocity 1.7 without macros, #include, #parse and #evaluate.

https://velocity.apache.org/engine/1.7/user-guide.html
"""

import re
from functools import lru_cache

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
    Step,
)

_REFERENCE = re.compile(r"\$!?(?P<brace>\{)?(?P<name>[A-Za-z_][\w-]*)")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w-]*")
_DIRECTIVE = re.compile(
    r"#(?:\{(?P<braced>else|end)\}|(?P<name>set|if|elseif|foreach)[ \t]*\(|(?P<bare>else|end|break|stop)\b)"
)
_MISSING = re.compile(r"#(?P<name>macro|include|parse|evaluate|define)\b")
_PLAIN = re.compile(r"[^$#\\]+")
_LINE_END = re.compile(r"[ \t]*\r?\n")
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?!\.?\w)")
_WORDS = {"true": True, "false": False, "null": None}
# By how tightly they bind, the loosest first.
_OPERATORS = (
    {"||": "||", "or": "||"},
    {"&&": "&&", "and": "&&"},
    {"==": "==", "eq": "==", "!=": "!=", "ne": "!="},
    {"<=": "<=", "le": "<=", ">=": ">=", "ge": ">=", "<": "<", "lt": "<", ">": ">", "gt": ">"},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/", "%": "%"},
)
# Deeper than any template is, and well within what Python's stack holds.
MAX_DEPTH = 60


@lru_cache(maxsize=256)
def read(template: str) -> Block:
    """The parts of a template. Raises TemplateError."""
    reader = _Reader(template)
    block, ended_by = reader.block(())
    assert not ended_by
    return block


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def block(self, enders: tuple[str, ...]) -> tuple[Block, str]:
        """Parts up to one of `enders`, which is passed and returned."""
        self._enter()
        parts: list[str | Reference | Set | If | ForEach | Break] = []
        while self._at < len(self._text):
            if directive := _DIRECTIVE.match(self._text, self._at):
                name = directive["name"] or directive["bare"] or directive["braced"]
                self._at = directive.end()
                if name in enders:
                    if name != "elseif":
                        self._pass_line_end()
                    self._depth -= 1
                    return parts, name
                parts.append(self._directive(name))
            else:
                parts.append(self._text_or_reference())
        if enders:
            raise self._error("an #if or #foreach has no #end")
        self._depth -= 1
        return parts, ""

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error("it is nested too deeply")

    def _error(self, what: str) -> TemplateError:
        line = self._text.count("\n", 0, self._at) + 1
        return TemplateError(f"line {line}: {what}")

    def _pass_line_end(self) -> None:
        """What follows a directive on its line is the directive's, if it is only blank."""
        if blank := _LINE_END.match(self._text, self._at):
            self._at = blank.end()

    def _text_or_reference(self) -> str | Reference:
        text, at = self._text, self._at
        if plain := _PLAIN.match(text, at):
            self._at = plain.end()
            return plain[0]
        if text[at] == "\\":
            escaped = text[at + 1 : at + 2]
            self._at += 2 if escaped in ("$", "#") and escaped else 1
            return escaped if escaped in ("$", "#") and escaped else "\\"
        if text.startswith("##", at):
            end = text.find("\n", at)
            self._at = len(text) if end < 0 else end + 1
            return ""
        for opening, closing, kept in (("#*", "*#", False), ("#[[", "]]#", True)):
            if text.startswith(opening, at):
                end = text.find(closing, at + len(opening))
                if end < 0:
                    raise self._error(f"{opening} has no {closing}")
                self._at = end + len(closing)
                return text[at + len(opening) : end] if kept else ""
        if missing := _MISSING.match(text, at):
            raise self._error(f"#{missing['name']} is not implemented")
        if _REFERENCE.match(text, at):
            return self._reference()
        self._at += 1
        return text[at]

    def _directive(self, name: str) -> Set | If | ForEach | Break:
        if name == "set":
            target = self._reference()
            self._expect("=")
            value = self._expression()
            self._expect(")")
            self._pass_line_end()
            return Set(target, value)
        if name == "if":
            return self._if()
        if name == "foreach":
            return self._foreach()
        if name in ("break", "stop"):
            return Break(everything=name == "stop")
        raise self._error(f"#{name} stands alone")

    def _if(self) -> If:
        branches = []
        ended_by = "elseif"
        while ended_by == "elseif":
            condition = self._expression()
            self._expect(")")
            self._pass_line_end()
            body, ended_by = self.block(("elseif", "else", "end"))
            branches.append((condition, body))
        otherwise: Block = ()
        if ended_by == "else":
            otherwise, _ = self.block(("end",))
        return If(tuple(branches), otherwise)

    def _foreach(self) -> ForEach:
        variable = self._reference()
        if variable.steps or not self._word("in"):
            raise self._error("#foreach wants ($name in items)")
        items = self._expression()
        self._expect(")")
        self._pass_line_end()
        body, _ = self.block(("end",))
        return ForEach(variable.name, items, body)

    def _reference(self) -> Reference:
        self._skip_space()
        start = _REFERENCE.match(self._text, self._at)
        if start is None:
            raise self._error("a reference such as $name is expected")
        self._at = start.end()
        steps: list[Step] = []
        while (step := self._step()) is not None:
            steps.append(step)
        if start["brace"]:
            if not self._text.startswith("}", self._at):
                raise self._error("${ has no }")
            self._at += 1
        return Reference(start["name"], tuple(steps))

    def _step(self) -> Step | None:
        text, at = self._text, self._at
        if text.startswith("[", at):
            self._at += 1
            key = self._expression()
            self._expect("]")
            return Index(key)
        if not text.startswith(".", at):
            return None
        name = _IDENTIFIER.match(text, at + 1)
        if name is None:
            return None
        self._at = name.end()
        if not text.startswith("(", self._at):
            return Property(name[0])
        self._at += 1
        return Call(name[0], self._list(")"))

    def _list(self, closing: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while not self._take(closing):
            if items:
                self._expect(",")
            items.append(self._expression())
        return tuple(items)

    def _expression(self, level: int = 0) -> Expression:
        if level == len(_OPERATORS):
            return self._operand()
        left = self._expression(level + 1)
        while (operator := self._operator(level)) is not None:
            left = Binary(operator, left, self._expression(level + 1))
        return left

    def _operator(self, level: int) -> str | None:
        for written, meaning in _OPERATORS[level].items():
            if self._word(written) if written.isalpha() else self._take(written):
                return meaning
        return None

    def _operand(self) -> Expression:
        self._enter()
        try:
            return self._unnested_operand()
        finally:
            self._depth -= 1

    def _unnested_operand(self) -> Expression:
        self._skip_space()
        text, at = self._text, self._at
        if self._take("!") or self._word("not"):
            return Not(self._operand())
        if self._take("("):
            inner = self._expression()
            self._expect(")")
            return inner
        if number := _NUMBER.match(text, at):
            self._at = number.end()
            return Literal(float(number[0]) if "." in number[0] else int(number[0]))
        if text[at : at + 1] in ("'", '"') and text[at : at + 1]:
            return self._quoted(text[at])
        if self._take("["):
            return self._list_or_range()
        if self._take("{"):
            return self._map()
        for word, value in _WORDS.items():
            if self._word(word):
                return Literal(value)
        return self._reference()

    def _quoted(self, quote: str) -> Expression:
        end = self._text.find(quote, self._at + 1)
        # A quotation mark inside is written twice.
        while end >= 0 and self._text.startswith(quote, end + 1):
            end = self._text.find(quote, end + 2)
        if end < 0:
            raise self._error(f"a {quote} is not closed")
        content = self._text[self._at + 1 : end].replace(quote * 2, quote)
        self._at = end + 1
        if quote == "'" or ("$" not in content and "#" not in content):
            return Literal(content)
        inner = _Reader(content)
        inner._depth = self._depth
        return Interpolated(inner.block(())[0])

    def _list_or_range(self) -> Expression:
        if self._take("]"):
            return ListOf(())
        first = self._expression()
        if self._take(".."):
            last = self._expression()
            self._expect("]")
            return Range(first, last)
        if self._take("]"):
            return ListOf((first,))
        self._expect(",")
        return ListOf((first, *self._list("]")))

    def _map(self) -> Expression:
        items: list[tuple[Expression, Expression]] = []
        while not self._take("}"):
            if items:
                self._expect(",")
            key = self._expression()
            self._expect(":")
            items.append((key, self._expression()))
        return MapOf(tuple(items))

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _take(self, token: str) -> bool:
        self._skip_space()
        if self._text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def _word(self, word: str) -> bool:
        self._skip_space()
        found = _IDENTIFIER.match(self._text, self._at)
        if found is not None and found[0] == word:
            self._at = found.end()
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self._error(f"{token!r} is expected")
