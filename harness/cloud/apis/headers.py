"""Headers on their way through the gateway: what is dropped, renamed or refused, and bytes of the wire."""

import re
from collections.abc import Iterable

Header = tuple[str, str]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# An integration's headers of these names are the client's under another one (docs/notes/apis.md, "Headers").
_REMAPPED: tuple[str, ...] = ("connection", "content-length", "date", "server")
_REMAPPED_UNLESS_PROXY = (
    *("authorization", "content-md5", "expect", "host", "max-forwards", "proxy-authenticate"),
    *("trailer", "upgrade", "user-agent", "www-authenticate"),
)
_REMAPPED_FROM_HTTP_PROXY = ("x-amzn-requestid",)
_DROPPED: tuple[str, ...] = ("transfer-encoding",)
_DROPPED_FROM_HTTP_PROXY = ("content-encoding", "via")

# What of the client's headers no HTTP integration gets, besides what no integration gets.
_NOT_FORWARDED = frozenset({"content-encoding", "host", "via", "x-amzn-trace-id"})
# What not even requestParameters can write to an HTTP integration.
_NEVER_SENT = frozenset({"connection", "expect", "proxy-authenticate", "te", "via"})

# No requestParameters may write these headers of an integration's request.
UNWRITABLE = frozenset({"content-length", "transfer-encoding"})
UNWRITABLE_TO_LAMBDA = UNWRITABLE | {
    *("authorization", "connection", "expect", "proxy-authenticate", "te")
}


def wire_header(name: str, value: str) -> tuple[bytes, bytes]:
    """A header as ASGI sends it; characters beyond ASCII as UTF-8, line ends as blanks."""
    clean = _UNSENDABLE.sub(" ", value)
    return name.lower().encode("ascii", "replace"), clean.encode("utf-8", "replace").strip()


def sendable(name: str) -> bool:
    """Whether a header may have this name."""
    return _TOKEN.fullmatch(name) is not None


def to_client(headers: Iterable[Header], integration_type: str) -> list[Header]:
    """An integration's headers as the client gets them."""
    remapped, dropped = _REMAPPED, _DROPPED
    if not integration_type.endswith("_PROXY"):
        remapped += _REMAPPED_UNLESS_PROXY
    if integration_type == "HTTP_PROXY":
        remapped += _REMAPPED_FROM_HTTP_PROXY
        dropped += _DROPPED_FROM_HTTP_PROXY
    kept = []
    for name, value in headers:
        lower = name.lower()
        if lower in remapped:
            kept.append((f"x-amzn-Remapped-{name}", value))
        elif lower not in dropped and sendable(name):
            kept.append((name, value))
    return kept


def of_client(headers: Iterable[Header]) -> dict[str, str]:
    """The client's headers as an HTTP integration gets them, repeated ones joined."""
    forwarded: dict[str, str] = {}
    for name, value in headers:
        if name.lower() not in _NOT_FORWARDED:
            forwarded[name] = f"{forwarded[name]},{value}" if name in forwarded else value
    return forwarded


def over(base: dict[str, str], written: dict[str, str]) -> dict[str, str]:
    """`base` with the headers of `written` in place of its own, whatever the case of their names."""
    names = {name.lower() for name in written}
    kept = {name: value for name, value in base.items() if name.lower() not in names}
    return kept | {
        name: value for name, value in written.items() if name.lower() not in _NEVER_SENT
    }
