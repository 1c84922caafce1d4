"""What the gateway itself answers on a REST API, and what the API's owner has made of it."""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness.cloud.apis import media_types
from harness.cloud.apis.definitions import GatewayResponse
from harness.cloud.apis.headers import sendable, wire_header
from harness.cloud.apis.rest_event import RestCall, request_context
from harness.cloud.http import Response

_VARIABLE = re.compile(r"\$(context|stageVariables|method\.request\.\w+)\.([\w.-]+)")
_JSON = "application/json"


@dataclass(frozen=True)
class Kind:
    """One kind of answer, as gateway_responses.toml has it."""

    name: str
    status: int
    message: str
    type: str


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by name."""
    table = tomllib.loads((Path(__file__).parent / "gateway_responses.toml").read_text())
    return {name: Kind(name, **entry) for name, entry in table.items()}


class GatewayError(Exception):
    """The gateway answers instead of the integration.

    `status`, `message` and `error_type` stand in for those of the kind; `cause` is for the log, since
    what is wrong with an API is no caller's business.
    """

    def __init__(
        self,
        kind: str,
        cause: str = "",
        *,
        message: str | None = None,
        status: int | None = None,
        error_type: str | None = None,
    ) -> None:
        self.kind = kinds()[kind]
        self.cause = cause
        self.status = status or self.kind.status
        self.message = self.kind.message if message is None else message
        self.error_type = error_type or self.kind.type
        super().__init__(f"{kind}: {cause or self.message}")


def plain(error: GatewayError) -> Response:
    """The answer where nothing is known of an API that could have its own."""
    return Response(
        error.status,
        [
            (b"content-type", _JSON.encode()),
            (b"x-amzn-errortype", error.error_type.encode()),
        ],
        _message(error),
    )


def _message(error: GatewayError) -> bytes:
    """AWS writes a blank after the colon where it is the integration's fault, and none where the client's."""
    blank = " " if error.kind.status >= 500 else ""
    return f'{{"message":{blank}{json.dumps(error.message)}}}'.encode()


def respond(
    error: GatewayError, call: RestCall | None, own: Mapping[str, GatewayResponse]
) -> Response:
    """The answer to `error`, by the API's own gateway responses; `call` None before a resource was found."""
    configured = own.get(error.kind.name) or own.get(f"DEFAULT_{error.kind.status // 100}XX")
    if configured is None:
        return plain(error)
    look_up = _look_up(error, call)
    content_type, body = _body(error, call, configured, look_up)
    headers = [
        wire_header("content-type", content_type),
        (b"x-amzn-errortype", error.error_type.encode()),
    ]
    for target, expression in configured.parameters.items():
        place, _, name = target.removeprefix("gatewayresponse.").partition(".")
        value = _parameter(expression, look_up)
        if place == "header" and value is not None and sendable(name):
            header = wire_header(name, value)
            headers = [kept for kept in headers if kept[0] != header[0]]
            headers.append(header)
    return Response(_status(error, configured), headers, body)


def _status(error: GatewayError, configured: GatewayResponse) -> int:
    text = configured.status_code or ""
    return int(text) if text.isdigit() and 200 <= int(text) <= 599 else error.status


def _look_up(error: GatewayError, call: RestCall | None) -> Callable[[str, str], Any]:
    context: dict[str, Any] = request_context(call) if call is not None else {}
    context["error"] = {
        "message": error.message,
        "messageString": json.dumps(error.message),
        "responseType": error.kind.name,
    }

    def look_up(source: str, path: str) -> Any:
        if source == "context":
            value: Any = context
            for part in path.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            return value
        if call is None:
            return None
        if source == "stageVariables":
            return call.stage.variables.get(path)
        place = source.rpartition(".")[2]
        if place == "header":
            return call.request.header(path)
        if place == "querystring":
            return call.request.parameter(path)
        return call.match.parameters.get(path) if place == "path" else None

    return look_up


def _body(
    error: GatewayError,
    call: RestCall | None,
    configured: GatewayResponse,
    look_up: Callable[[str, str], Any],
) -> tuple[str, bytes]:
    """The content type and the body; templates here know variables, but not Velocity."""
    templates = configured.templates
    if not templates:
        return _JSON, _message(error)
    accepted = media_types.first_accepted(call.request.header("Accept") if call else None)
    for content_type in (accepted, _JSON, next(iter(templates))):
        if content_type in templates:
            break

    def value_of(match: re.Match[str]) -> str:
        value = look_up(match[1], match[2])
        return "" if value is None else str(value)

    return content_type, _VARIABLE.sub(value_of, templates[content_type]).encode()


def _parameter(expression: str, look_up: Callable[[str, str], Any]) -> str | None:
    if len(expression) >= 2 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    match = _VARIABLE.fullmatch(f"${expression}")
    value = look_up(match[1], match[2]) if match else None
    return None if value is None else str(value)
