"""What an integration of a REST API is asked: templates and mapped parameters applied. Pure functions."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.cloud.apis import media_types, parameter_mapping
from harness.cloud.apis.definitions import Integration
from harness.cloud.apis.gateway_responses import GatewayError
from harness.cloud.apis.headers import UNWRITABLE, UNWRITABLE_TO_LAMBDA
from harness.cloud.apis.parameter_mapping import MappedRequest
from harness.cloud.apis.rest_event import RestCall, request_context
from harness.cloud.apis.templates.errors import TemplateError
from harness.cloud.apis.templates.rendering import render
from harness.cloud.apis.templates.values import text_of
from harness.cloud.apis.templates.variables import variables

_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([\w.-]+)\}")
_PATH_PARAMETER = re.compile(r"\{([\w.-]+)\+?\}")
_DEFAULT_TYPE = "application/json"


@dataclass(frozen=True)
class IntegrationRequest:
    """The parts of a request to an integration. `context` is what its templates left of `$context`."""

    body: bytes
    mapped: MappedRequest
    context: dict[str, Any]


def template_context(call: RestCall) -> dict[str, Any]:
    """`$context`, with the places into which templates write what they override."""
    return {
        **request_context(call),
        "requestOverride": {"header": {}, "path": {}, "querystring": {}},
        "responseOverride": {"header": {}},
    }


def template_parameters(call: RestCall) -> dict[str, dict[str, str]]:
    """What `$input.params()` finds, by place."""
    return {
        "path": dict(call.match.parameters),
        "querystring": dict(call.request.query),
        "header": dict(call.request.headers),
    }


def check_writable(integration: Integration) -> None:
    """Refuse requestParameters that would write a header which is not theirs. Raises GatewayError."""
    to_lambda = integration.type.startswith("AWS")
    unwritable = UNWRITABLE_TO_LAMBDA if to_lambda else UNWRITABLE
    for target in integration.request_parameters:
        place, _, name = target.removeprefix("integration.request.").partition(".")
        if place == "header" and name.lower() in unwritable:
            raise GatewayError("API_CONFIGURATION_ERROR", f"requestParameters may not write {name}")


def build(call: RestCall, integration: Integration) -> IntegrationRequest:
    """The request of an integration that is no proxy. Raises GatewayError."""
    context = template_context(call)
    mapped = parameter_mapping.map_request(call, integration.request_parameters, context)
    body = _converted(call, integration)
    template = _template(call, integration)
    if template is not None:
        names = variables(
            body.decode("utf-8", "replace"),
            template_parameters(call),
            context,
            call.stage.variables,
        )
        body = rendered(template, names).encode("utf-8", "replace")
        _override(mapped, context.get("requestOverride"))
    return IntegrationRequest(body, mapped, context)


def rendered(template: str, names: dict[str, Any]) -> str:
    """A template's text; what is wrong with the template is the API's fault."""
    try:
        return render(template, names)
    except TemplateError as error:
        raise GatewayError("API_CONFIGURATION_ERROR", f"mapping template: {error}") from None


def _template(call: RestCall, integration: Integration) -> str | None:
    """The template for the request's content type, or None if the body passes as it is."""
    templates = integration.request_templates
    kind = call.request.media_type or _DEFAULT_TYPE
    for content_type, template in templates.items():
        if content_type.split(";", 1)[0].strip().lower() == kind:
            return template
    if integration.passthrough == "NEVER" or (
        integration.passthrough == "WHEN_NO_TEMPLATES" and templates
    ):
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE")
    return None


def _converted(call: RestCall, integration: Integration) -> bytes:
    """The body by the integration's contentHandling."""
    body = call.request.body or b""
    binary = media_types.matches(call.request.media_type, call.stage.api.binary_media_types)
    if integration.content_handling == "CONVERT_TO_TEXT" and binary:
        return base64.b64encode(body)
    if integration.content_handling == "CONVERT_TO_BINARY" and not binary:
        return decoded(body)
    return body


def decoded(body: bytes) -> bytes:
    """A body that must be base64. Raises GatewayError."""
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise GatewayError("API_CONFIGURATION_ERROR", "the body is no base64") from None


def _override(mapped: MappedRequest, override: object) -> None:
    if not isinstance(override, Mapping):
        return
    for name, value in _items(override.get("header")):
        mapped.header[name] = text_of(value)
    for name, value in _items(override.get("path")):
        mapped.path[name] = text_of(value)
    for name, value in _items(override.get("querystring")):
        mapped.querystring[name] = (
            [text_of(item) for item in value] if isinstance(value, list) else [text_of(value)]
        )


def _items(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else []


def rendered_uri(uri: str, call: RestCall, path: Mapping[str, str]) -> str:
    """An integration's URI with stage variables and path parameters filled in."""
    return fill(uri, call.stage.variables, {**call.match.parameters, **path})


def fill(uri: str, stage_variables: Mapping[str, str], path: Mapping[str, str]) -> str:
    """`${stageVariables.a}` and `{b}` in a URI; what has no value becomes nothing."""
    with_variables = _STAGE_VARIABLE.sub(lambda m: stage_variables.get(m[1], ""), uri)
    return _PATH_PARAMETER.sub(lambda m: path.get(m[1], ""), with_variables)
