"""A slow, plain reading of the policy language, straight from documents, to hold the evaluator against.

It knows the operators of strings, Null, the qualifiers, and policy variables; nothing is compiled or cached.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

Context = Mapping[str, tuple[str, ...]]


def glob(pattern: str, text: str) -> bool:
    """Whether a pattern with `*` and `?` is the whole of a text, by a regular expression."""
    wild = {"*": ".*", "?": "."}
    return re.fullmatch("".join(wild.get(c, re.escape(c)) for c in pattern), text, re.S) is not None


def listed(value: Any) -> list[Any]:
    """What may stand alone or in a list."""
    return value if isinstance(value, list) else [value]


def filled(text: str, context: Context) -> str | None:
    """A text with the values of its variables, whose wildcards are hidden; None where there is no value."""
    for name in re.findall(r"\$\{([^}]*)\}", text):
        values = context.get(name.lower(), ())
        if len(values) != 1:
            return None
        text = text.replace("${" + name + "}", values[0].replace("*", "\0").replace("?", "\1"))
    return text


def glob_filled(pattern: str, text: str, context: Context) -> bool:
    """A pattern with variables; the values of these have no wildcards."""
    ready = filled(pattern, context)
    return ready is not None and glob(ready, text.replace("*", "\0").replace("?", "\1"))


def reaches(pattern: str, resource: str, context: Context) -> bool:
    """A pattern of Resource; one that begins an ARN stands for all that follows."""
    parts = pattern.split(":")
    completed = ":".join([*parts, *["*"] * (6 - len(parts))])
    ways = [pattern, completed] if parts[0] == "arn" and len(parts) > 1 else [pattern]
    return any(glob_filled(way, resource, context) for way in ways)


def holds(operator: str, key: str, wanted: Sequence[str], context: Context) -> bool:
    """One key of a Condition block."""
    found = context.get(key.lower(), ())
    if operator == "Null":
        return any((word == "true") == (not found) for word in wanted)
    quantifier, _, plain = operator.rpartition(":")
    plain, if_exists, _ = plain.partition("IfExists")
    if not found:
        if quantifier == "ForAllValues" or if_exists:
            return True
        return quantifier == "" and "Not" in plain
    if quantifier == "ForAllValues" and found == ("",):
        return True

    def one(value: str, text: str) -> bool:
        ready = filled(text, context)
        if ready is None:
            return False
        hidden = value.replace("*", "\0").replace("?", "\1")
        if plain.endswith("Like"):
            return glob(ready, hidden)
        literal = ready.replace("\0", "*").replace("\1", "?")
        if plain.endswith("IgnoreCase"):
            return literal.lower() == value.lower()
        return literal == value

    if quantifier == "":
        some = any(one(value, text) for value in found for text in wanted)
        return some != ("Not" in plain)
    passed = [any(one(value, text) for text in wanted) != ("Not" in plain) for value in found]
    return all(passed) if quantifier == "ForAllValues" else any(passed)


def applies(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    """Whether action, resource and condition of a statement fit; its principals are another matter."""
    element = "Action" if "Action" in statement else "NotAction"
    if any(glob(p.lower(), action.lower()) for p in listed(statement[element])) == (
        element == "NotAction"
    ):
        return False
    element = "Resource" if "Resource" in statement else "NotResource"
    if any(reaches(p, resource, context) for p in listed(statement[element])) == (
        element == "NotResource"
    ):
        return False
    return all(
        holds(operator, key, [str(v) for v in listed(values)], context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def effects(document: str, action: str, resource: str, context: Context) -> set[str]:
    """The effects of the statements that apply."""
    return {
        statement["Effect"]
        for statement in listed(json.loads(document)["Statement"])
        if applies(statement, action, resource, context)
    }


ACTIONS = ("sagemaker:InvokeEndpoint", "sagemaker:CreateModel", "s3:GetObject")
RESOURCES = (
    "arn:aws:sagemaker:us-east-1:123456789012:endpoint/anna-1",
    "arn:aws:sagemaker:us-east-1:123456789012:model/anna",
    "arn:aws:s3:::data/anna/x*y",
    "*",
)
KEYS = ("aws:username", "aws:RequestTag/team", "aws:TagKeys")
VALUES = ("anna", "Anna", "red", "x*", "")

_actions = st.sampled_from([*ACTIONS, *map(str.upper, ACTIONS)])
_resources = st.sampled_from(
    [*RESOURCES, "arn:aws:sagemaker:*:*:endpoint/*", "arn:aws:s3:::data/${aws:username}/*"]
)


@st.composite
def patterns(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text, often with a part of it replaced by a wildcard."""
    text = draw(texts)
    if draw(st.booleans()):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, len(text)))
        if "${" not in text[:end] or "}" in text[start:]:
            wild = draw(st.sampled_from(["*", "?", "*?", "**"]))
            cut = text[:start] + wild + text[end:]
            # Half a variable would be another question.
            text = cut if cut.count("${") == cut.count("}") else text
    return text


def _one_or_more(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return texts | st.lists(texts, min_size=1, max_size=3)


_operators = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "ForAllValues:", "ForAnyValue:"]),
        st.sampled_from(
            [
                *("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
                *("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
            ]
        ),
        st.sampled_from(["", "IfExists"]),
    ),
)
_wanted = _one_or_more(patterns(st.sampled_from([*VALUES, "${aws:username}", "${aws:TagKeys}"])))
_blocks: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    _operators, st.dictionaries(st.sampled_from(KEYS), _wanted, max_size=2), max_size=2
) | st.just({}) | st.builds(
    lambda key, word: {"Null": {key: word}}, st.sampled_from(KEYS), st.sampled_from(["true", "false"])
)  # fmt: skip


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    """A statement of an identity-based policy."""
    return {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(
            _one_or_more(patterns(_actions))
        ),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(
            _one_or_more(patterns(_resources))
        ),
        "Condition": draw(_blocks),
    }


def documents() -> st.SearchStrategy[str]:
    """A whole document, with a statement or a list of them."""
    content = statements() | st.lists(statements(), max_size=3)
    return content.map(lambda s: json.dumps({"Version": "2012-10-17", "Statement": s}))


contexts: st.SearchStrategy[dict[str, tuple[str, ...]]] = st.fixed_dictionaries(
    {},
    optional={
        "aws:username": st.tuples(st.sampled_from(VALUES)),
        "aws:requesttag/team": st.tuples(st.sampled_from(VALUES)),
        "aws:tagkeys": st.lists(st.sampled_from(VALUES), max_size=3).map(tuple),
    },
)
