"""What a mapping template finds: `$input`, `$util`, `$context` and `$stageVariables`.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from harness.cloud.apis.templates import json_path
from harness.cloud.apis.templates.errors import TemplateError
from harness.cloud.apis.templates.values import Tool, from_json, text_of, to_json

_PLACES = ("path", "querystring", "header")


def variables(
    body: str,
    parameters: Mapping[str, Mapping[str, str]],
    context: dict[str, Any],
    stage_variables: Mapping[str, str],
) -> dict[str, Any]:
    """The variables of one template. `parameters` by place: path, querystring, header."""
    return {
        "input": _input(body, parameters),
        "util": _UTIL,
        "context": context,
        "stageVariables": dict(stage_variables),
    }


def _input(body: str, parameters: Mapping[str, Mapping[str, str]]) -> Tool:
    def document() -> Any:
        if not body:
            return None
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            # A body that is no JSON is one text, which only `$` leads to.
            return body

    def path(expression: Any) -> Any:
        return from_json(json_path.find(document(), text_of(expression)))

    def as_json(expression: Any) -> str:
        found = json_path.find({} if not body else document(), text_of(expression))
        return '""' if found is None else to_json(found)

    def params(name: Any = None) -> Any:
        if name is None:
            return {place: dict(parameters.get(place, {})) for place in _PLACES}
        wanted = text_of(name)
        for place in _PLACES:
            for key, value in parameters.get(place, {}).items():
                if key == wanted or (place == "header" and key.lower() == wanted.lower()):
                    return value
        return ""

    return Tool(
        {"body": body or "{}", "params": params()},
        {"path": path, "json": as_json, "params": params},
    )


def _escape_java_script(value: Any) -> str:
    # Commons Lang's escapeEcmaScript: quotation marks, backslash, slash, control characters.
    text = json.dumps(text_of(value))[1:-1]
    return text.replace("'", "\\'").replace("/", "\\/")


def _parse_json(value: Any) -> Any:
    try:
        return from_json(json.loads(text_of(value)))
    except (ValueError, RecursionError):
        raise TemplateError("parseJson() is given what is no JSON") from None


def _base64_decode(value: Any) -> str:
    try:
        return base64.b64decode(text_of(value), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        raise TemplateError("base64Decode() is given what is no base64") from None


_UTIL = Tool(
    {},
    {
        "escapeJavaScript": _escape_java_script,
        "parseJson": _parse_json,
        "urlEncode": lambda value: quote_plus(text_of(value)),
        "urlDecode": lambda value: unquote_plus(text_of(value)),
        "base64Encode": lambda value: base64.b64encode(text_of(value).encode()).decode(),
        "base64Decode": _base64_decode,
    },
)
