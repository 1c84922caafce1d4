"""What becomes of an integration's answer that is no proxy's: selected, mapped, rendered. Pure functions."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

import regex

from harness.cloud.apis import media_types, parameter_mapping
from harness.cloud.apis.definitions import Integration, IntegrationResponse
from harness.cloud.apis.gateway_responses import GatewayError
from harness.cloud.apis.headers import Header, to_client
from harness.cloud.apis.http_backend import HttpAnswer
from harness.cloud.apis.integration_request import decoded, rendered, template_parameters
from harness.cloud.apis.rest_event import RestCall
from harness.cloud.apis.templates.values import text_of
from harness.cloud.apis.templates.variables import variables

_JSON = "application/json"
_PATTERN_SECONDS = 1.0


def select(responses: Sequence[IntegrationResponse], selector: str) -> IntegrationResponse:
    """The response whose pattern matches the whole of `selector`, else the one without a pattern.

    `selector` is a status code, or the error message of a function. Raises GatewayError if there is none.
    """
    default = None
    for response in responses:
        if response.selection_pattern is None:
            default = default or response
        elif _matches(response.selection_pattern, selector):
            return response
    if default is None:
        raise GatewayError(
            "API_CONFIGURATION_ERROR", f"no integration response matches {selector!r}"
        )
    return default


def _matches(pattern: str, text: str) -> bool:
    try:
        return regex.fullmatch(pattern, text, timeout=_PATTERN_SECONDS) is not None
    except (regex.error, TimeoutError) as error:
        raise GatewayError(
            "API_CONFIGURATION_ERROR", f"the selection pattern {pattern!r}: {error}"
        ) from None


def build(
    call: RestCall,
    integration: Integration,
    answer: HttpAnswer,
    selector: str,
    context: dict[str, Any],
) -> HttpAnswer:
    """The client's answer out of the integration's. Raises GatewayError."""
    response = select(integration.responses, selector)
    mapped = parameter_mapping.map_response(
        call, response.parameters, context, list(answer.headers), answer.body
    )
    body = _converted(call, response, answer)
    content_type, template = _template(call, response)
    if template is not None:
        names = variables(
            body.decode("utf-8", "replace"),
            template_parameters(call),
            context,
            call.stage.variables,
        )
        body = rendered(template, names).encode("utf-8", "replace")
    status = _status(response.status_code, None)
    override = context.get("responseOverride")
    if isinstance(override, Mapping):
        status = _status(override.get("status"), status)
        written = override.get("header")
        if isinstance(written, Mapping):
            mapped |= {name: text_of(value) for name, value in written.items()}
    if status is None:
        raise GatewayError(
            "API_CONFIGURATION_ERROR", f"an integration response of {response.status_code}"
        )
    headers: list[Header] = to_client(mapped.items(), integration.type)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", content_type))
    return HttpAnswer(status, headers, body)


def _status(value: object, otherwise: int | None) -> int | None:
    """A status counts if it is a number, or a text of one, that a final answer can have."""
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[2-5][0-9]{2}", text):
        return otherwise
    return int(text)


def _template(call: RestCall, response: IntegrationResponse) -> tuple[str, str | None]:
    """The content type and the template for what the client accepts; JSON, or the first, if there is none."""
    templates = response.templates
    if not templates:
        return _JSON, None
    for content_type in (media_types.first_accepted(call.request.header("Accept")), _JSON):
        if content_type in templates:
            return content_type, templates[content_type]
    return next(iter(templates.items()))


def _converted(call: RestCall, response: IntegrationResponse, answer: HttpAnswer) -> bytes:
    """The body by the response's contentHandling, the answer's type and what the client accepts."""
    types = call.stage.api.binary_media_types
    kind = next((v for k, v in answer.headers if k.lower() == "content-type"), "")
    binary = media_types.matches(kind.split(";", 1)[0].strip(), types)
    wanted = media_types.wants_binary(call.request.header("Accept"), types)
    handling = response.content_handling
    if binary:
        as_text = handling == "CONVERT_TO_TEXT" or (handling is None and not wanted)
        return base64.b64encode(answer.body) if as_text else answer.body
    to_binary = handling == "CONVERT_TO_BINARY" or (handling is None and wanted)
    return decoded(answer.body) if to_binary and answer.body else answer.body
