"""Which resource or route a path leads to. Pure functions.

A literal part comes before a `{parameter}`, that before a `{greedy+}` one; what has no method for the verb is
passed over. Values of parameters are parts of the path as it was sent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from harness.cloud.apis.definitions import Method, Resource, Route

DEFAULT_ROUTE = "$default"
_ANY = "ANY"
# The verbs that ANY stands for in a REST API.
REST_VERBS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

_LITERAL, _PARAMETER, _GREEDY = range(3)

T = TypeVar("T")


@dataclass(frozen=True)
class RestMatch:
    """A resource, its method for the verb, and the values of the path's parameters."""

    resource: Resource
    method: Method
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class HttpMatch:
    """A route and the values of the path's parameters."""

    route: Route
    parameters: Mapping[str, str]


def match_rest(resources: Iterable[Resource], verb: str, path: str) -> RestMatch | None:
    """The method that answers; slashes at the end of the path do not count."""
    candidates = (
        (resource.path, (resource, method))
        for resource in resources
        if (method := _method(resource, verb)) is not None
    )
    found = _best(candidates, _parts(path.rstrip("/")))
    if found is None:
        return None
    (resource, method), parameters = found
    return RestMatch(resource, method, parameters)


def _method(resource: Resource, verb: str) -> Method | None:
    if verb in resource.methods:
        return resource.methods[verb]
    return resource.methods.get(_ANY) if verb in REST_VERBS else None


def match_http(routes: Iterable[Route], verb: str, path: str) -> HttpMatch | None:
    """The route that answers: of equal paths the verb's before ANY's, `$default` after all."""
    exact: list[tuple[str, Route]] = []
    any_verb: list[tuple[str, Route]] = []
    default = None
    for route in routes:
        key_verb, _, key_path = route.key.partition(" ")
        if route.key == DEFAULT_ROUTE:
            default = HttpMatch(route, {})
        elif key_verb == verb:
            exact.append((key_path, route))
        elif key_verb == _ANY:
            any_verb.append((key_path, route))
    # The first of equals wins, so the verb's own routes stand in front.
    found = _best([*exact, *any_verb], _parts(path))
    return HttpMatch(*found) if found is not None else default


def _parts(path: str) -> list[str]:
    """The parts between slashes; none for the root."""
    inner = path.removeprefix("/")
    return inner.split("/") if inner else []


def _best(
    candidates: Iterable[tuple[str, T]], parts: list[str]
) -> tuple[T, Mapping[str, str]] | None:
    best: tuple[list[int], T, dict[str, str]] | None = None
    for template, target in candidates:
        fitted = _fit(_parts(template), parts)
        if fitted is not None and (best is None or fitted[0] < best[0]):
            best = (fitted[0], target, fitted[1])
    return None if best is None else best[1:]


def _fit(template: list[str], parts: list[str]) -> tuple[list[int], dict[str, str]] | None:
    """How special each part of a template is that fits, and the parameters; None if it does not fit."""
    ranks: list[int] = []
    parameters: dict[str, str] = {}
    for position, part in enumerate(template):
        if part.startswith("{") and part.endswith("+}"):
            value = "/".join(parts[position:])
            if not value:
                return None
            parameters[part[1:-2]] = value
            return [*ranks, _GREEDY], parameters
        if position >= len(parts):
            return None
        if part.startswith("{") and part.endswith("}"):
            if not parts[position]:
                return None
            parameters[part[1:-1]] = parts[position]
            ranks.append(_PARAMETER)
        elif part == parts[position]:
            ranks.append(_LITERAL)
        else:
            return None
    return (ranks, parameters) if len(template) == len(parts) else None
