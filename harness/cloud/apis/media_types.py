"""Media types: which of them an API treats as binary."""

from collections.abc import Iterable


def matches(media_type: str, patterns: Iterable[str]) -> bool:
    """Whether a type without parameters is one of `patterns`, where `*` stands for any half."""
    kind, _, subtype = media_type.lower().partition("/")
    for pattern in patterns:
        wanted_kind, _, wanted_subtype = pattern.strip().lower().partition("/")
        if wanted_kind in ("*", kind) and wanted_subtype in ("*", subtype):
            return True
    return False


def first_accepted(accept: str | None) -> str:
    """The first media type of an Accept header, which is the one that counts; `*/*` without a header."""
    return (accept or "*/*").split(",", 1)[0].split(";", 1)[0].strip().lower()


def wants_binary(accept: str | None, patterns: Iterable[str]) -> bool:
    """Whether the client takes binary data, by its Accept header."""
    patterns = tuple(patterns)
    wanted = first_accepted(accept)
    return "*/*" in patterns or (wanted != "*/*" and matches(wanted, patterns))
