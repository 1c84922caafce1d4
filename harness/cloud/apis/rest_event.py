"""What a REST API tells of a request: the event of a proxied function (payload 1.0) and `$context`."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.apis import media_types
from harness.cloud.apis.definitions import Owner, RestStage
from harness.cloud.apis.requests import ApiRequest
from harness.cloud.apis.routing import RestMatch


@dataclass(frozen=True)
class Identity:
    """Who calls, as far as it is known: a signature's principal, an API key."""

    access_key: str | None = None
    account: str | None = None
    caller: str | None = None
    user: str | None = None
    user_arn: str | None = None
    api_key: str | None = None
    api_key_id: str | None = None


@dataclass(frozen=True)
class RestCall:
    """A request on its way through a stage.

    `path` is without the stage, as it was sent; `full_path` with it. `authorizer` is the context that a
    Lambda authorizer gave.
    """

    owner: Owner
    stage: RestStage
    request: ApiRequest
    path: str
    full_path: str
    match: RestMatch
    identity: Identity = field(default_factory=Identity)
    authorizer: Mapping[str, Any] | None = None

    @property
    def method_arn(self) -> str:
        """The ARN of this call: what policies and permissions speak of."""
        o = self.owner
        return (
            f"arn:aws:execute-api:{o.region}:{o.account}:{o.api_id}/{self.stage.name}/"
            f"{self.request.method}{self.path}"
        )

    @property
    def source_arn(self) -> str:
        """As `method_arn`, but of the resource that answers: where an integration's call comes from."""
        o, resource = self.owner, self.match.resource.path
        return (
            f"arn:aws:execute-api:{o.region}:{o.account}:{o.api_id}/{self.stage.name}/"
            f"{self.request.method}{resource}"
        )


def request_context(call: RestCall) -> dict[str, Any]:
    """`requestContext` of an event, which is `$context` of a template."""
    request, resource = call.request, call.match.resource
    context: dict[str, Any] = {
        "resourceId": resource.id,
        "resourcePath": resource.path,
        "httpMethod": request.method,
        "extendedRequestId": request.extended_id,
        "requestTime": request.received.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "path": call.full_path,
        "accountId": call.owner.account,
        "protocol": request.protocol,
        "stage": call.stage.name,
        "domainPrefix": call.owner.api_id,
        "requestTimeEpoch": int(request.received.timestamp() * 1000),
        "requestId": request.id,
        "identity": _identity(call),
        "domainName": request.host,
        "deploymentId": call.stage.deployment_id,
        "apiId": call.owner.api_id,
    }
    if call.match.method.operation_name:
        context["operationName"] = call.match.method.operation_name
    if call.authorizer is not None:
        context["authorizer"] = dict(call.authorizer)
    return context


def _identity(call: RestCall) -> dict[str, Any]:
    known = call.identity
    identity = {
        "cognitoIdentityPoolId": None,
        "accountId": known.account,
        "cognitoIdentityId": None,
        "caller": known.caller,
        "sourceIp": call.request.source_ip,
        "principalOrgId": None,
        "accessKey": known.access_key,
        "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None,
        "userArn": known.user_arn,
        "userAgent": call.request.header("User-Agent"),
        "user": known.user,
    }
    if known.api_key is not None:
        identity["apiKey"] = known.api_key
        identity["apiKeyId"] = known.api_key_id
    return identity


def request_parts(call: RestCall) -> dict[str, Any]:
    """What an event says of the request itself, without its body."""
    request = call.request
    headers: dict[str, list[str]] = {}
    for name, value in (*request.headers, *forwarded_headers(request)):
        headers.setdefault(name, []).append(value)
    query: dict[str, list[str]] = {}
    for name, value in request.query:
        query.setdefault(name, []).append(value)
    return {
        "resource": call.match.resource.path,
        "path": call.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(call.match.parameters) or None,
        "stageVariables": dict(call.stage.variables) or None,
        "requestContext": request_context(call),
    }


def forwarded_headers(request: ApiRequest) -> list[tuple[str, str]]:
    """What the gateway adds to the client's headers, or writes in their place."""
    present = {name.lower() for name, _ in request.headers}
    added = [
        ("X-Amzn-Trace-Id", request.trace_id),
        ("X-Forwarded-For", request.source_ip),
        ("X-Forwarded-Port", str(request.port)),
        ("X-Forwarded-Proto", request.scheme),
    ]
    return [(name, value) for name, value in added if name.lower() not in present]


def proxy_event(call: RestCall) -> bytes:
    """The event that a function behind an AWS_PROXY integration receives."""
    body, encoded = event_body(call)
    event = {**request_parts(call), "body": body, "isBase64Encoded": encoded}
    return json.dumps(event, separators=(",", ":")).encode()


def event_body(call: RestCall) -> tuple[str | None, bool]:
    """The body as an event carries it, and whether that is base64: for the API's binary media types."""
    request = call.request
    if request.body is None:
        return None, False
    if media_types.matches(request.media_type, call.stage.api.binary_media_types):
        return base64.b64encode(request.body).decode(), True
    return request.body.decode("utf-8", "replace"), False
