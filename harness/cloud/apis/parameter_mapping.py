"""Parameters of a request or of an answer mapped to others: `integration.request.header.A: method.request.path.b`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.apis.gateway_responses import GatewayError
from harness.cloud.apis.headers import Header
from harness.cloud.apis.rest_event import RestCall
from harness.cloud.apis.templates import json_path
from harness.cloud.apis.templates.errors import TemplateError
from harness.cloud.apis.templates.values import text_of

Look = Callable[[str], "str | list[str] | None"]


@dataclass(frozen=True)
class MappedRequest:
    """What requestParameters make of a request, by where it goes."""

    path: dict[str, str] = field(default_factory=dict)
    querystring: dict[str, list[str]] = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)


def map_request(
    call: RestCall, parameters: Mapping[str, str], context: Mapping[str, Any]
) -> MappedRequest:
    """The parameters of the integration's request; one whose source is empty is left out."""
    mapped = MappedRequest()

    def look(source: str) -> str | list[str] | None:
        return _of_method(call, source.removeprefix("method.request."))

    for target, source in parameters.items():
        place, _, name = target.removeprefix("integration.request.").partition(".")
        value = _value(source, "method.request.", look, call, context)
        if not value:
            continue
        if place == "querystring":
            mapped.querystring[name] = value if isinstance(value, list) else [value]
        elif place == "header":
            mapped.header[name] = ",".join(value) if isinstance(value, list) else value
        elif place == "path":
            mapped.path[name] = ",".join(value) if isinstance(value, list) else value
    return mapped


def map_response(
    call: RestCall,
    parameters: Mapping[str, str],
    context: Mapping[str, Any],
    headers: list[Header],
    body: bytes,
) -> dict[str, str]:
    """The headers of the client's answer, out of `headers` and `body` of the integration's."""
    mapped = {}

    def look(source: str) -> str | list[str] | None:
        return _of_answer(source.removeprefix("integration.response."), headers, body)

    for target, source in parameters.items():
        place, _, name = target.removeprefix("method.response.").partition(".")
        value = _value(source, "integration.response.", look, call, context)
        if place == "header" and value:
            mapped[name] = ",".join(value) if isinstance(value, list) else value
    return mapped


def _value(
    source: str, prefix: str, look: Look, call: RestCall, context: Mapping[str, Any]
) -> str | list[str] | None:
    if len(source) >= 2 and source[0] == source[-1] == "'":
        return source[1:-1]
    if source.startswith("context."):
        value: Any = context
        for part in source.removeprefix("context.").split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return None if value is None else text_of(value)
    if source.startswith("stageVariables."):
        return call.stage.variables.get(source.removeprefix("stageVariables."))
    return look(source) if source.startswith(prefix) else None


def _of_method(call: RestCall, source: str) -> str | list[str] | None:
    request = call.request
    place, _, name = source.partition(".")
    if place == "body":
        return _of_body(request.body or b"", name)
    if place == "path":
        return call.match.parameters.get(name)
    if place == "querystring":
        return request.parameter(name)
    if place == "multivaluequerystring":
        return [value for key, value in request.query if key == name]
    if place == "header":
        return request.header(name)
    if place == "multivalueheader":
        return [value for key, value in request.headers if key.lower() == name.lower()]
    return None


def _of_answer(source: str, headers: list[Header], body: bytes) -> str | list[str] | None:
    place, _, name = source.partition(".")
    if place == "body":
        return _of_body(body, name)
    values = [value for key, value in headers if key.lower() == name.lower()]
    if place == "header":
        return values[-1] if values else None
    return values if place == "multivalueheader" else None


def _of_body(body: bytes, path: str) -> str | None:
    text = body.decode("utf-8", "replace")
    if not path:
        return text
    try:
        found = json_path.find(json.loads(text or "{}"), f"$.{path}")
    except (ValueError, RecursionError):
        return None
    except TemplateError as error:
        raise GatewayError("API_CONFIGURATION_ERROR", str(error)) from None
    return None if found is None else text_of(found)
