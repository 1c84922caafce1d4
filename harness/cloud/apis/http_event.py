"""What an HTTP API tells a function of a request: payloads 2.0 and 1.0."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from harness.cloud.apis.definitions import HttpStage, Owner
from harness.cloud.apis.requests import ApiRequest
from harness.cloud.apis.rest_event import forwarded_headers
from harness.cloud.apis.routing import HttpMatch

# Besides text/*: bodies of these types reach the function as text, others as base64.
_TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml"})
_TEXT_SUFFIXES = ("+json", "+xml")


@dataclass(frozen=True)
class HttpCall:
    """A request on its way through a stage of an HTTP API.

    `path` is without the stage, `full_path` with it unless it is `$default`. `authorizer` is what stands
    under `requestContext.authorizer`.
    """

    owner: Owner
    stage: HttpStage
    request: ApiRequest
    path: str
    full_path: str
    match: HttpMatch
    authorizer: Mapping[str, Any] | None = None

    @property
    def source_arn(self) -> str:
        """Where a call of this route comes from, as permissions write it."""
        o = self.owner
        key = self.match.route.key
        verb, _, path = key.partition(" ")
        where = f"{verb}{path}" if path else key
        if verb == "ANY":
            where = f"{self.request.method}{path}"
        return f"arn:aws:execute-api:{o.region}:{o.account}:{o.api_id}/{self.stage.name}/{where}"


def headers_of(request: ApiRequest) -> dict[str, str]:
    """The headers by their names in lower case, repeated ones joined; cookies stand apart."""
    headers: dict[str, str] = {}
    for name, value in (*request.headers, *forwarded_headers(request)):
        key = name.lower()
        if key != "cookie":
            headers[key] = f"{headers[key]},{value}" if key in headers else value
    if request.body is not None:
        headers["content-length"] = str(len(request.body))
    return headers


def cookies_of(request: ApiRequest) -> list[str]:
    """The cookies of all Cookie headers, one text each."""
    return [
        cookie.strip()
        for name, value in request.headers
        if name.lower() == "cookie"
        for cookie in value.split(";")
        if cookie.strip()
    ]


def joined_query(request: ApiRequest) -> dict[str, str]:
    """The query's parameters, repeated ones joined."""
    query: dict[str, str] = {}
    for name, value in request.query:
        query[name] = f"{query[name]},{value}" if name in query else value
    return query


def request_parts(call: HttpCall) -> dict[str, Any]:
    """What payload 2.0 says of the request itself; what is empty is left out."""
    request = call.request
    parts: dict[str, Any] = {
        "version": "2.0",
        "routeKey": call.match.route.key,
        "rawPath": unquote(call.full_path),
        "rawQueryString": request.raw_query,
        "headers": headers_of(request),
        "requestContext": _context(call),
    }
    optional = {
        "cookies": cookies_of(request),
        "queryStringParameters": joined_query(request),
        "pathParameters": path_parameters(call),
        "stageVariables": dict(call.stage.variables),
    }
    return parts | {name: value for name, value in optional.items() if value}


def path_parameters(call: HttpCall) -> dict[str, str]:
    """The path's parameters, decoded."""
    return {name: unquote(value) for name, value in call.match.parameters.items()}


def _context(call: HttpCall) -> dict[str, Any]:
    request = call.request
    context: dict[str, Any] = {
        "accountId": call.owner.account,
        "apiId": call.owner.api_id,
        "domainName": request.host,
        "domainPrefix": call.owner.api_id,
        "http": {
            "method": request.method,
            "path": unquote(call.full_path),
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.header("User-Agent") or "",
        },
        "requestId": request.extended_id,
        "routeKey": call.match.route.key,
        "stage": call.stage.name,
        "time": request.received.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(request.received.timestamp() * 1000),
    }
    if call.authorizer is not None:
        context["authorizer"] = dict(call.authorizer)
    return context


def event(call: HttpCall, version: str) -> bytes:
    """The event of a function behind an AWS_PROXY integration, in payload `version` 1.0 or 2.0."""
    body, encoded = _body(call.request)
    if version == "2.0":
        content = request_parts(call)
        if body is not None:
            content["body"] = body
        content["isBase64Encoded"] = encoded
    else:
        content = {**_version_1(call), "body": body, "isBase64Encoded": encoded}
    return json.dumps(content, separators=(",", ":")).encode()


def _body(request: ApiRequest) -> tuple[str | None, bool]:
    if request.body is None:
        return None, False
    kind = request.media_type
    if kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(_TEXT_SUFFIXES):
        return request.body.decode("utf-8", "replace"), False
    if not kind:
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def _version_1(call: HttpCall) -> dict[str, Any]:
    request, route = call.request, call.match.route
    headers: dict[str, list[str]] = {}
    for name, value in (*request.headers, *forwarded_headers(request)):
        headers.setdefault(name, []).append(value)
    query: dict[str, list[str]] = {}
    for name, value in request.query:
        query.setdefault(name, []).append(value)
    _, _, resource = route.key.partition(" ")
    return {
        "version": "1.0",
        "resource": resource or route.key,
        "path": unquote(call.full_path),
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": path_parameters(call) or None,
        "stageVariables": dict(call.stage.variables) or None,
        "requestContext": _version_1_context(call, resource or route.key),
    }


def _version_1_context(call: HttpCall, resource: str) -> dict[str, Any]:
    request = call.request
    unknown = (
        *("accessKey", "accountId", "caller", "cognitoAmr", "cognitoAuthenticationProvider"),
        *("cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId"),
        *("principalOrgId", "user", "userArn"),
    )
    context: dict[str, Any] = {
        "accountId": call.owner.account,
        "apiId": call.owner.api_id,
        "domainName": request.host,
        "domainPrefix": call.owner.api_id,
        "extendedRequestId": request.extended_id,
        "httpMethod": request.method,
        "identity": {
            **dict.fromkeys(unknown),
            "sourceIp": request.source_ip,
            "userAgent": request.header("User-Agent") or "",
        },
        "path": unquote(call.full_path),
        "protocol": request.protocol,
        "requestId": request.extended_id,
        "requestTime": request.received.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(request.received.timestamp() * 1000),
        "resourceId": call.match.route.key,
        "resourcePath": resource,
        "stage": call.stage.name,
    }
    if call.authorizer is not None:
        context["authorizer"] = dict(call.authorizer)
    return context
