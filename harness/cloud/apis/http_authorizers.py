"""Lambda authorizers of HTTP APIs (REQUEST, payloads 1.0 and 2.0).

LIMITATIONS: JWT authorizers are refused by name.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from harness.cloud.apis import authorizers, http_event
from harness.cloud.apis.definitions import Authorizer, Owner
from harness.cloud.apis.function_calls import FunctionCall, FunctionRefused, function_of_uri
from harness.cloud.apis.functions_gate import FunctionsGate
from harness.cloud.apis.gateway_responses import GatewayError
from harness.cloud.apis.http_event import HttpCall
from harness.cloud.apis.integration_request import fill
from harness.cloud.apis.refusals import not_implemented
from harness.cloud.clock import Clock

_Key = tuple[Owner, str, str, tuple[str, ...]]


class Unauthorized(Exception):
    """401: what would tell who it is, is missing."""


class Forbidden(Exception):
    """403: the authorizer says no."""


class AuthorizerFault(Exception):
    """500: the authorizer does not work. The text says why, for the log."""


class HttpAuthorizers:
    """Asks authorizers, and keeps their answers as long as they say."""

    def __init__(self, functions: FunctionsGate, clock: Clock, seconds: float) -> None:
        self._functions = functions
        self._clock = clock
        self._seconds = seconds
        self._kept: dict[_Key, tuple[datetime, Mapping[str, Any]]] = {}

    async def authorize(self, call: HttpCall, authorizer: Authorizer) -> Mapping[str, Any]:
        """The authorizer's context. Raises Unauthorized, Forbidden, AuthorizerFault, NotHere."""
        if authorizer.type != "REQUEST":
            raise not_implemented(f"authorizers of type {authorizer.type}")
        values = tuple(_value(call, source) for source in authorizer.identity_source)
        if not all(values):
            raise Unauthorized
        key = (call.owner, call.stage.name, authorizer.id, values)
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._clock.now():
            answer = kept[1]
        else:
            answer = await self._ask(call, authorizer, values)
            if authorizer.ttl_seconds > 0 and values:
                self._keep(key, answer, authorizer.ttl_seconds)
        return _decide(call, authorizer, answer)

    def _keep(self, key: _Key, answer: Mapping[str, Any], seconds: int) -> None:
        if len(self._kept) >= authorizers.KEPT_ANSWERS:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (self._clock.now() + timedelta(seconds=seconds), answer)

    def reset(self) -> None:
        """Forget every answer."""
        self._kept.clear()

    async def _ask(
        self, call: HttpCall, authorizer: Authorizer, values: tuple[str, ...]
    ) -> Mapping[str, Any]:
        function = function_of_uri(fill(authorizer.uri or "", call.stage.variables, {}))
        if function is None:
            raise AuthorizerFault(f"the authorizer's URI {authorizer.uri!r} names no function")
        o = call.owner
        source = (
            f"arn:aws:execute-api:{o.region}:{o.account}:{o.api_id}/authorizers/{authorizer.id}"
        )
        payload = json.dumps(_event(call, authorizer, values)).encode()
        try:
            answer = await self._functions.call(
                FunctionCall(function, payload, source, authorizer.credentials), self._seconds
            )
        except (FunctionRefused, TimeoutError) as error:
            raise AuthorizerFault(f"the authorizer was not run: {error!r}") from None
        if answer.error is not None:
            raise AuthorizerFault(f"the authorizer failed: {answer.payload[:500]!r}")
        try:
            content = json.loads(answer.payload)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise AuthorizerFault("the authorizer's answer is no JSON object")
        return content


def _value(call: HttpCall, source: str) -> str:
    place, _, name = source.removeprefix("$").removeprefix("request.").partition(".")
    if source.startswith("$request.") and place == "header":
        return http_event.headers_of(call.request).get(name.lower(), "")
    if source.startswith("$request.") and place == "querystring":
        return http_event.joined_query(call.request).get(name, "")
    if source.startswith("$stageVariables."):
        return call.stage.variables.get(name, "")
    raise not_implemented(f"the identity source {source}")


def _event(call: HttpCall, authorizer: Authorizer, values: tuple[str, ...]) -> dict[str, Any]:
    arn = call.source_arn
    if authorizer.version == "1.0":
        return {
            "type": "REQUEST",
            "methodArn": arn,
            "identitySource": ",".join(values),
            "authorizationToken": ",".join(values),
            **json.loads(http_event.event(call, "1.0")),
        }
    return {
        "type": "REQUEST",
        "routeArn": arn,
        "identitySource": list(values),
        **http_event.request_parts(call),
    }


def _decide(call: HttpCall, authorizer: Authorizer, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    context = answer.get("context") or {}
    if not isinstance(context, dict):
        raise AuthorizerFault("the authorizer's context is no object")
    if authorizer.version == "2.0" and authorizer.simple:
        if answer.get("isAuthorized") is not True:
            raise Forbidden
        return {"lambda": context}
    try:
        passed = authorizers.read(json.dumps(answer).encode())
        authorizers.check(passed.policy, call.source_arn)
    except GatewayError as error:
        if error.kind.name == "ACCESS_DENIED":
            raise Forbidden from None
        raise AuthorizerFault(error.cause) from None
    return passed.context if authorizer.version == "1.0" else {"lambda": context}
