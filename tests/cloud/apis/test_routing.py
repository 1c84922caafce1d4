"""Paths lead to resources and routes as a plain reading of the rules has it."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cloud.apis.definitions import Method, Resource, Route
from harness.cloud.apis.routing import REST_VERBS, match_http, match_rest

PARTS = st.sampled_from(["a", "b", "pets", "{x}", "{id}"])
TEMPLATES = st.builds(
    lambda parts, tail: "/" + "/".join([*parts, *tail]),
    st.lists(PARTS, max_size=3),
    st.sampled_from([[], [], ["{proxy+}"]]),
)
SEGMENTS = st.sampled_from(["a", "b", "pets", "c", "%2F", "ü", ""])
PATHS = st.lists(SEGMENTS, max_size=5).map(lambda parts: "/" + "/".join(parts))
VERBS = st.sampled_from([*sorted(REST_VERBS), "ANY"])


def expression(template: str) -> re.Pattern[str]:
    """A template as a regular expression, parameters as groups."""
    pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", re.escape(template))
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern), re.DOTALL)


def rank(template: str) -> list[int]:
    """A template's parts by how special they are: literal, parameter, greedy."""
    parts = [part for part in template.split("/") if part]
    return [2 if part.endswith("+}") else part.startswith("{") for part in parts]


def distinct(templates: Iterable[str]) -> list[str]:
    """Templates of which no two differ in the names of parameters alone, as API Gateway demands."""
    chosen: dict[str, str] = {}
    for template in templates:
        if len(set(re.findall(r"\{(\w+)", template))) == template.count("{"):
            chosen.setdefault(re.sub(r"\{\w+", "{", template), template)
    return list(chosen.values())


def rest_resources(described: dict[str, list[str]]) -> list[Resource]:
    """Resources by path with their verbs."""
    return [
        Resource(path, path, {verb: Method(verb) for verb in verbs})
        for path, verbs in described.items()
    ]


@pytest.mark.documented("notes/apis.md#routing")
@given(
    templates=st.lists(TEMPLATES, max_size=8).map(distinct),
    verbs=st.lists(st.lists(VERBS, min_size=1, max_size=2), min_size=8, max_size=8),
    verb=st.sampled_from(sorted(REST_VERBS)),
    path=PATHS,
)
@example(["/{proxy+}"], [["ANY"]] * 8, "GET", "/proxy-value//double-slash")
@example(["/a", "/{proxy+}"], [["POST"], ["GET"]] + [["GET"]] * 6, "GET", "/a")
def test_rest_routing_is_what_the_rules_say(
    templates: list[str], verbs: list[list[str]], verb: str, path: str
) -> None:
    """The most literal path that has the verb wins; parameters stay as they were sent."""
    described = dict(zip(templates, verbs, strict=False))
    found = match_rest(rest_resources(described), verb, path)
    fitting = [
        (rank(template), template)
        for template, has in described.items()
        if {verb, "ANY"} & set(has) and expression(template).fullmatch(path.rstrip("/") or "/")
    ]
    if not fitting:
        assert found is None
        return
    _, expected = min(fitting)
    assert found is not None
    assert expected == found.resource.path
    match = expression(expected).fullmatch(path.rstrip("/") or "/")
    assert match is not None
    assert match.groupdict() == found.parameters
    assert found.method.verb == (verb if verb in described[expected] else "ANY")


@pytest.mark.documented("notes/apis.md#routing")
@given(
    templates=st.lists(TEMPLATES, max_size=8).map(distinct),
    verbs=st.lists(VERBS, min_size=8, max_size=8),
    default=st.booleans(),
    verb=st.sampled_from(["GET", "POST", "DELETE"]),
    path=PATHS,
)
def test_http_routing_is_what_the_rules_say(
    templates: list[str], verbs: list[str], default: bool, verb: str, path: str
) -> None:
    """The most literal route wins, `$default` only if there is none."""
    keys = [f"{v} {template}" for v, template in zip(verbs, templates, strict=False)]
    routes = [Route(key) for key in (*keys, *(["$default"] if default else []))]
    found = match_http(routes, verb, path)
    fitting = [
        (rank(template), key)
        for key, template in zip(keys, templates, strict=False)
        if key.split(" ")[0] in (verb, "ANY") and expression(template).fullmatch(path)
    ]
    if fitting:
        assert found is not None
        assert min(fitting)[1] == found.route.key
    elif default:
        assert found is not None
        assert (found.route.key, found.parameters) == ("$default", {})
    else:
        assert found is None


@pytest.mark.documented("notes/apis.md#routing")
def test_a_verb_of_its_own_comes_before_any() -> None:
    """Of equal paths, in both kinds of API, and whatever the order in which they were made."""
    routes = [Route("ANY /pets"), Route("GET /pets")]
    for order in (routes, routes[::-1]):
        found = match_http(order, "GET", "/pets")
        assert found is not None
        assert found.route.key == "GET /pets"
    rest = match_rest(rest_resources({"/pets": ["ANY", "GET"]}), "GET", "/pets/")
    assert rest is not None
    assert rest.method.verb == "GET"


@pytest.mark.documented("notes/apis.md#routing")
def test_any_is_seven_verbs() -> None:
    """A verb that HTTP does not name leads nowhere, and HEAD does not follow from GET."""
    resources = rest_resources({"/": ["ANY"], "/get": ["GET"]})
    assert match_rest(resources, "HEAD", "/") is not None
    assert match_rest(resources, "BREW", "/") is None
    assert match_rest(resources, "HEAD", "/get") is None
