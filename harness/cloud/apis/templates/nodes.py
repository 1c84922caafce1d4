"""A mapping template that has been read: its parts as frozen records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Literal:
    """A number, a text in single quotes, true, false or null."""

    value: Any


@dataclass(frozen=True)
class Interpolated:
    """A text in double quotes, which is a template itself."""

    parts: "Block"


@dataclass(frozen=True)
class ListOf:
    """`[a, b]`."""

    items: Sequence["Expression"]


@dataclass(frozen=True)
class MapOf:
    """`{"a": 1}`."""

    items: Sequence[tuple["Expression", "Expression"]]


@dataclass(frozen=True)
class Range:
    """`[first..last]`."""

    first: "Expression"
    last: "Expression"


@dataclass(frozen=True)
class Not:
    """`!a`."""

    operand: "Expression"


@dataclass(frozen=True)
class Binary:
    """`a + b`, `a == b`, `a && b`."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class Property:
    """`.name`."""

    name: str


@dataclass(frozen=True)
class Index:
    """`[key]`."""

    key: "Expression"


@dataclass(frozen=True)
class Call:
    """`.name(arguments)`."""

    name: str
    arguments: Sequence["Expression"]


Step: TypeAlias = Property | Index | Call


@dataclass(frozen=True)
class Reference:
    """`$name.step.step`; in a text what has no value leaves nothing."""

    name: str
    steps: Sequence[Step] = ()


Expression: TypeAlias = Literal | Interpolated | ListOf | MapOf | Range | Not | Binary | Reference


@dataclass(frozen=True)
class Set:
    """`#set($target = value)`."""

    target: Reference
    value: Expression


@dataclass(frozen=True)
class If:
    """`#if(condition) ... #elseif(condition) ... #else ... #end`."""

    branches: Sequence[tuple[Expression, "Block"]]
    otherwise: "Block"


@dataclass(frozen=True)
class ForEach:
    """`#foreach($name in items) ... #end`."""

    name: str
    items: Expression
    body: "Block"


@dataclass(frozen=True)
class Break:
    """`#break`, which ends the loop around it, and `#stop`, which ends the template."""

    everything: bool


Block: TypeAlias = Sequence[str | Reference | Set | If | ForEach | Break]
