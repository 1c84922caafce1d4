"""Policy documents: JSON read into statements that can be asked whether they apply to a request.

LIMITATIONS: NotPrincipal excludes whoever it names and, if it names an account, everybody in it.
"""

import enum
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from harness.cloud.identity.conditions import Condition, KeyIsAbsent, UnknownOperator, condition
from harness.cloud.identity.matching import Context, Pattern
from harness.cloud.identity.principals import Principal, Reach

log = logging.getLogger(__name__)

_VERSIONS = ("2008-10-17", "2012-10-17")
_ELEMENTS = frozenset(
    {
        *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
        *("Resource", "NotResource", "Condition"),
    }
)


class Kind(enum.Enum):
    """Where a document is attached, which decides what its statements must have."""

    IDENTITY = enum.auto()
    RESOURCE = enum.auto()
    TRUST = enum.auto()


class MalformedPolicy(ValueError):
    """The document is not of the policy language's grammar; the text says what is wrong."""


@dataclass(frozen=True)
class Question:
    """May `principal` do `action` (`service:Operation`) to `resource` (an ARN, or `*` for none in particular)?"""

    principal: Principal
    action: str
    resource: str
    context: Context

    @cached_property
    def folded_action(self) -> str:
        """The action in lower case: actions have no case."""
        return self.action.lower()


@dataclass(frozen=True)
class _Choice:
    """The patterns of an element, or of its negation (NotAction, NotResource)."""

    patterns: Sequence[Pattern]
    negated: bool

    def includes(self, text: str, context: Context) -> bool:
        for pattern in self.patterns:
            if pattern.matches(text, context):
                return not self.negated
        return self.negated


@dataclass(frozen=True)
class Statement:
    """One statement. None for what its kind of document does not have."""

    actions: _Choice
    resources: _Choice | None
    principals: Sequence[tuple[str, str]] | None
    principals_negated: bool
    conditions: Sequence[Condition | KeyIsAbsent]

    def reach(self, question: Question) -> Reach:
        """Whether it applies to the question, and how directly it names the principal."""
        context = question.context
        # Most statements are about other actions.
        if not self.actions.includes(question.folded_action, context):
            return Reach.NONE
        if self.resources is not None and not self.resources.includes(question.resource, context):
            return Reach.NONE
        if not all(c.holds(context) for c in self.conditions):
            return Reach.NONE
        return self._names(question.principal)

    def _names(self, principal: Principal) -> Reach:
        if self.principals is None:
            return Reach.DIRECT
        reach = max(
            (principal.reached_by(kind, name) for kind, name in self.principals), default=Reach.NONE
        )
        if self.principals_negated:
            return Reach.DIRECT if reach is Reach.NONE else Reach.NONE
        return reach


@dataclass(frozen=True)
class Policy:
    """A document's statements."""

    allowing: Sequence[Statement] = ()
    denying: Sequence[Statement] = ()

    def denies(self, question: Question) -> bool:
        """Whether a Deny applies to it."""
        return any(s.reach(question) is not Reach.NONE for s in self.denying)

    def allows(self, question: Question) -> Reach:
        """How directly an Allow applies to it; NONE if none does. What a Deny says is another matter."""
        reached = Reach.NONE
        for statement in self.allowing:
            reached = max(reached, statement.reach(question))
            if reached is Reach.DIRECT:
                break
        return reached


@lru_cache(maxsize=1024)
def policy(document: str, kind: Kind = Kind.IDENTITY) -> Policy:
    """The policy of a document. One that is malformed, which AWS would not have stored, allows nothing.

    Nor does an empty text, which stands for a document that is gone.
    """
    try:
        return parse(document, kind) if document else Policy()
    except MalformedPolicy as error:
        log.warning("a policy is malformed and allows nothing: %s", error)
        return Policy()


def parse(document: str, kind: Kind) -> Policy:
    """Read a document. Raises MalformedPolicy."""
    try:
        content = json.loads(document, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise MalformedPolicy(f"it is no JSON: {error}") from error
    _check(isinstance(content, dict), "it is no JSON object")
    _check(not content.keys() - {"Version", "Id", "Statement"}, "it has unknown elements")
    version = content.get("Version", _VERSIONS[0])
    _check(version in _VERSIONS, "its Version is unknown")
    _check("Statement" in content, "it has no Statement")
    statements = content["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    _check(isinstance(statements, list), "its Statement is no list")
    read = [_statement(s, kind, variables=version == _VERSIONS[1]) for s in statements]
    return Policy(
        allowing=tuple(statement for statement, allows in read if allows),
        denying=tuple(statement for statement, allows in read if not allows),
    )


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    _check(len(content) == len(pairs), "an element stands twice")
    return content


def _check(holds: bool, complaint: str) -> None:
    if not holds:
        raise MalformedPolicy(complaint)


def _statement(content: Any, kind: Kind, variables: bool) -> tuple[Statement, bool]:
    """The statement, and whether it allows."""
    _check(isinstance(content, dict), "a statement is no JSON object")
    _check(not content.keys() - _ELEMENTS, "a statement has unknown elements")
    _check(content.get("Effect") in ("Allow", "Deny"), "an Effect is neither Allow nor Deny")
    action, texts = _one_of(content, "Action")
    actions = _Choice(
        tuple(Pattern(text.lower(), variables=False) for text in texts), action == "NotAction"
    )
    resources = None
    if kind is Kind.TRUST:
        _check(not content.keys() & {"Resource", "NotResource"}, "a trust policy has a Resource")
    else:
        resource, texts = _one_of(content, "Resource")
        resources = _Choice(
            tuple(Pattern(text, variables=variables) for text in _with_completed(texts)),
            resource == "NotResource",
        )
    principals, negated = None, False
    if kind is Kind.IDENTITY:
        _check(not content.keys() & {"Principal", "NotPrincipal"}, "it names a Principal")
    else:
        (element,) = _exactly_one(content, "Principal")
        principals, negated = tuple(_principals(content[element])), element == "NotPrincipal"
    statement = Statement(
        actions=actions,
        resources=resources,
        principals=principals,
        principals_negated=negated,
        conditions=tuple(_conditions(content.get("Condition", {}), variables)),
    )
    return statement, content["Effect"] == "Allow"


def _exactly_one(content: Mapping[str, Any], element: str) -> list[str]:
    found = [name for name in (element, f"Not{element}") if name in content]
    _check(len(found) == 1, f"a statement must have one of {element} and Not{element}")
    return found


def _one_of(content: Mapping[str, Any], element: str) -> tuple[str, list[str]]:
    (name,) = _exactly_one(content, element)
    return name, _texts(content[name], name)


def _texts(value: Any, name: str) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    _check(all(isinstance(text, str) for text in texts), f"{name} is no text or list of texts")
    return texts


def _with_completed(resources: Sequence[str]) -> Iterator[str]:
    """The resources, and each incomplete ARN also with asterisks for what is missing."""
    for resource in resources:
        yield resource
        missing = 5 - resource.count(":")
        if resource.startswith("arn:") and missing > 0:
            yield resource + ":*" * missing


def _principals(value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        _check(value == "*", "a Principal that is a text must be *")
        yield "AWS", "*"
        return
    _check(isinstance(value, dict), "a Principal is neither * nor an object")
    for kind, names in value.items():
        for name in _texts(names, "Principal"):
            yield kind, name


def _conditions(block: Any, variables: bool) -> Iterable[Condition | KeyIsAbsent]:
    _check(isinstance(block, dict), "a Condition is no object")
    for name, keys in block.items():
        _check(isinstance(keys, dict), f"{name} is no object")
        for key, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            try:
                texts = [_condition_value(value) for value in listed]
                yield condition(name, key, texts, variables=variables)
            except UnknownOperator:
                raise MalformedPolicy(f"there is no condition operator {name}") from None


def _condition_value(value: Any) -> str:
    # Quotation marks may be left out around numbers and true and false.
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    _check(isinstance(value, str), "the value of a condition is no text, number or boolean")
    text: str = value
    return text
