"""The wire of rest-json services whose bodies pass by untouched: path, query and headers in, headers out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from harness.cloud.errors import AwsError
from harness.cloud.protocol import models
from harness.cloud.protocol.errors import LAMBDA_SERVICE, RUNTIME_SERVICE
from harness.cloud.protocol.models import Member, Operation
from harness.cloud.protocol.serialization import MalformedAnswer, serialize_json
from harness.cloud.protocol.validation import violation_error, violations_of

# What of a request reaches the container, under which header there (docs/notes/wire.md, "Headers").
_FORWARDED = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
    "TargetModel": "X-Amzn-SageMaker-Target-Model",
}

_INTEGER = re.compile(r"-?[0-9]{1,10}")
# What ends a header, or a string in many a program that reads it.
_UNSENDABLE = re.compile(r"[\r\n\0]")


@dataclass(frozen=True)
class Api:
    """A service's operations that are bound here: those named, all of the model if none is.

    Each has one label in its path. `violation` is the code under which broken constraints are told.
    """

    service: str
    title: str
    violation: str
    operations: tuple[str, ...] = ()


RUNTIME = Api(RUNTIME_SERVICE, "SageMaker Runtime", "ValidationError")
LAMBDA = Api(
    LAMBDA_SERVICE,
    "Lambda",
    "ValidationException",
    ("Invoke", "InvokeAsync", "InvokeWithResponseStream"),
)


@dataclass(frozen=True)
class Route:
    """How an operation is written over HTTP; headers by their names in lower case."""

    operation: Operation
    prefix: str
    suffix: str
    label: Member
    headers: Mapping[bytes, Member]
    query: Mapping[str, Member]
    answer_headers: Mapping[str, tuple[bytes, Member]]


@cache
def routes(api: Api = RUNTIME) -> tuple[Route, ...]:
    """The operations of a service."""
    model = models.load(api.service)
    return tuple(_route(model.operation(name)) for name in api.operations or model.operation_names)


def _route(operation: Operation) -> Route:
    assert operation.input is not None
    members = operation.input.members.values()
    (label,) = (m for m in members if m.location == "uri")
    prefix, _, suffix = operation.request_uri.partition("{" + label.wire_name + "}")
    answered = () if operation.output is None else operation.output.members.values()
    return Route(
        operation,
        prefix,
        suffix,
        label,
        {m.wire_name.lower().encode(): m for m in members if m.location == "header"},
        {m.wire_name: m for m in members if m.location == "querystring"},
        {m.name: (m.wire_name.lower().encode(), m) for m in answered if m.location == "header"},
    )


def match(method: str, path: str, api: Api = RUNTIME) -> tuple[Route, str] | None:
    """The route of a request and the label in its path (percent-encoded, without its query)."""
    for route in routes(api):
        if (
            path.endswith(route.suffix)
            and path.startswith(route.prefix)
            and method == route.operation.method
        ):
            label = path[len(route.prefix) : -len(route.suffix)]
            if label and "/" not in label:
                return route, unquote(label) if "%" in label else label
    return None


def bind(scope: Mapping[str, Any], api: Api = RUNTIME) -> tuple[str, dict[str, Any]]:
    """The operation of an ASGI request and the members that its path, query and headers carry.

    The body is not among them. Raises UnknownOperationException (404), the API's validation error
    (400) with every violation, SerializationException (400).
    """
    raw_path = scope.get("raw_path")
    path = raw_path.decode("latin-1").partition("?")[0] if raw_path else scope["path"]
    found = match(scope["method"], path, api)
    if found is None:
        raise AwsError(
            "UnknownOperationException",
            f"{scope['method']} {path} is no operation of {api.title}.",
            404,
        )
    route, label = found
    request: dict[str, Any] = {route.label.name: label}
    known = route.headers
    for name, value in scope["headers"]:
        member = known.get(name)
        if member is not None:
            request[member.name] = _from_text(member, value.decode("latin-1"))
    if route.query:
        query: bytes = scope.get("query_string", b"")
        for name, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            if name in route.query:
                request[route.query[name].name] = _from_text(route.query[name], text)
    violations = list(_violations(route, request))
    if violations:
        raise violation_error(violations, api.violation)
    return route.operation.name, request


def _violations(route: Route, request: Mapping[str, Any]) -> Iterator[str]:
    yield from violations_of(route.label.shape, request[route.label.name], route.label.path)
    for member in (*route.headers.values(), *route.query.values()):
        if member.name in request:
            yield from violations_of(member.shape, request[member.name], member.path)


def _from_text(member: Member, text: str) -> str | int:
    if member.shape.type == "string":
        return text
    if not _INTEGER.fullmatch(text):
        raise AwsError("SerializationException", "STRING_VALUE can not be converted to an Integer")
    return int(text)


def container_headers(request: Mapping[str, Any]) -> dict[str, str]:
    """The headers under which a container gets the members of an invocation."""
    return {header: str(request[name]) for name, header in _FORWARDED.items() if name in request}


def response_headers(
    operation: str, result: Mapping[str, Any], api: Api = RUNTIME
) -> list[tuple[bytes, bytes]]:
    """The headers (names in lower case) for the members of `result`; None is left out.

    Raises MalformedAnswer for a member that the operation does not answer in a header, or for a
    value that no header can hold.
    """
    table = _by_name(api)[operation].answer_headers
    headers = []
    for name, value in result.items():
        if value is None:
            continue
        if name not in table:
            raise MalformedAnswer(f"{operation} answers no header for {name!r}")
        text = str(value)
        if _UNSENDABLE.search(text):
            raise MalformedAnswer(f"{operation}: {name} cannot be a header: {text!r}")
        headers.append((table[name][0], text.encode("latin-1", "replace")))
    return headers


def response_body(operation: str, result: Mapping[str, Any]) -> bytes:
    """The JSON body for the members of `result` that are neither in headers nor the payload."""
    output = _by_name(RUNTIME)[operation].operation.output
    assert output is not None
    in_body = {m.name for m in output.members.values() if m.location is None} - {output.payload}
    content = {name: value for name, value in result.items() if name in in_body}
    return serialize_json(output, content) if in_body else b""


@cache
def _by_name(api: Api) -> dict[str, Route]:
    return {route.operation.name: route for route in routes(api)}
