"""Lambda authorizers of REST APIs: who may pass, told by a function, and kept for a while.

LIMITATIONS: COGNITO_USER_POOLS is refused by name.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import regex

from harness.cloud.apis.definitions import Authorizer, Owner
from harness.cloud.apis.function_calls import FunctionCall, FunctionRefused, function_of_uri
from harness.cloud.apis.functions_gate import FunctionsGate
from harness.cloud.apis.gateway_responses import GatewayError
from harness.cloud.apis.integration_request import fill
from harness.cloud.apis.permissions import INVOKE_API
from harness.cloud.apis.refusals import not_implemented
from harness.cloud.apis.rest_event import RestCall, request_parts
from harness.cloud.clock import Clock
from harness.cloud.identity.policies import Kind, MalformedPolicy, Policy, Question, parse
from harness.cloud.identity.principals import Principal, Reach

# How many answers are kept; the oldest go first.
KEPT_ANSWERS = 10_000
_EXPRESSION_SECONDS = 1.0
_SOURCE = re.compile(
    r"method\.request\.(?P<place>header|querystring)\.(?P<name>.+)|"
    r"(?P<kind>context|stageVariables)\.(?P<path>.+)"
)


@dataclass(frozen=True)
class Pass:
    """What an authorizer says: a policy, the context for the integration, and perhaps an API key."""

    policy: Policy
    context: Mapping[str, Any]
    api_key: str | None


class Authorizers:
    """Asks authorizers, and keeps their answers as long as they say."""

    def __init__(self, functions: FunctionsGate, clock: Clock, seconds: float) -> None:
        self._functions = functions
        self._clock = clock
        self._seconds = seconds
        self._kept: dict[tuple[Owner, str, str, tuple[str, ...]], tuple[datetime, Pass]] = {}

    async def authorize(self, call: RestCall, authorizer: Authorizer) -> Pass:
        """The pass of a request. Raises GatewayError if it gets none, NotHere for a kind that is missing."""
        if authorizer.type not in ("TOKEN", "REQUEST"):
            raise not_implemented(f"authorizers of type {authorizer.type}")
        values = identity(call, authorizer)
        key = (call.owner, call.stage.name, authorizer.id, values)
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._clock.now():
            passed = kept[1]
        else:
            passed = await self._ask(call, authorizer, values)
            # Without an identity source a REQUEST authorizer cannot tell callers apart.
            if authorizer.ttl_seconds > 0 and values:
                self._keep(key, passed, authorizer.ttl_seconds)
        check(passed.policy, call.method_arn)
        return passed

    def _keep(
        self, key: tuple[Owner, str, str, tuple[str, ...]], passed: Pass, seconds: int
    ) -> None:
        if len(self._kept) >= KEPT_ANSWERS:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (self._clock.now() + timedelta(seconds=seconds), passed)

    def reset(self) -> None:
        """Forget every answer."""
        self._kept.clear()

    async def _ask(self, call: RestCall, authorizer: Authorizer, values: tuple[str, ...]) -> Pass:
        function = function_of_uri(fill(authorizer.uri or "", call.stage.variables, {}))
        if function is None:
            raise _misconfigured(f"the authorizer's URI {authorizer.uri!r} names no function")
        o = call.owner
        source = (
            f"arn:aws:execute-api:{o.region}:{o.account}:{o.api_id}/authorizers/{authorizer.id}"
        )
        payload = json.dumps(event(call, authorizer, values)).encode()
        try:
            answer = await self._functions.call(
                FunctionCall(function, payload, source, authorizer.credentials), self._seconds
            )
        except (FunctionRefused, TimeoutError) as error:
            raise _misconfigured(f"the authorizer was not run: {error!r}") from None
        if answer.error is not None:
            raise _failed(answer.payload)
        return read(answer.payload)


def identity(call: RestCall, authorizer: Authorizer) -> tuple[str, ...]:
    """The values of the authorizer's identity sources. Raises GatewayError if one is missing."""
    sources = authorizer.identity_source
    if authorizer.type == "TOKEN" and not sources:
        sources = ("method.request.header.Authorization",)
    values = []
    for source in sources:
        value = _value(call, source)
        if not value:
            raise GatewayError("UNAUTHORIZED")
        values.append(value)
    pattern = authorizer.identity_expression
    if authorizer.type == "TOKEN" and pattern and not _matches(pattern, values[0]):
        raise GatewayError("UNAUTHORIZED")
    return tuple(values)


def _value(call: RestCall, source: str) -> str | None:
    match = _SOURCE.fullmatch(source)
    if match is None:
        raise _misconfigured(f"the identity source {source!r}")
    if match["place"] == "header":
        return call.request.header(match["name"])
    if match["place"] == "querystring":
        return call.request.parameter(match["name"])
    if match["kind"] == "stageVariables":
        return call.stage.variables.get(match["path"])
    value: Any = request_parts(call)["requestContext"]
    for part in match["path"].split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return None if value is None else str(value)


def _matches(pattern: str, token: str) -> bool:
    try:
        return regex.fullmatch(pattern, token, timeout=_EXPRESSION_SECONDS) is not None
    except (regex.error, TimeoutError) as error:
        raise _misconfigured(f"identityValidationExpression {pattern!r}: {error}") from None


def event(call: RestCall, authorizer: Authorizer, values: tuple[str, ...]) -> dict[str, Any]:
    """What the authorizer's function receives."""
    if authorizer.type == "TOKEN":
        return {"type": "TOKEN", "methodArn": call.method_arn, "authorizationToken": values[0]}
    return {"type": "REQUEST", "methodArn": call.method_arn, **request_parts(call)}


def read(payload: bytes) -> Pass:
    """The pass in an authorizer's answer. Raises GatewayError if it is none."""
    try:
        answer = json.loads(payload)
        policy = parse(json.dumps(answer["policyDocument"]), Kind.IDENTITY)
        principal, context = answer["principalId"], answer.get("context") or {}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, MalformedPolicy) as e:
        raise _misconfigured(f"the authorizer's answer: {e!r}") from None
    if not isinstance(principal, str) or not isinstance(context, dict):
        raise _misconfigured("the authorizer's answer has no principalId, or a wrong context")
    if any(isinstance(value, dict | list) for value in context.values()):
        raise _misconfigured("the authorizer's context holds more than texts, numbers and truths")
    key = answer.get("usageIdentifierKey")
    texts = {name: _text(value) for name, value in context.items()}
    return Pass(policy, {"principalId": principal, **texts}, key if isinstance(key, str) else None)


def _text(value: Any) -> Any:
    """A value of the context as the integration sees it: all of them are texts."""
    return value if isinstance(value, str) or value is None else json.dumps(value)


def check(policy: Policy, method_arn: str) -> None:
    """Raise GatewayError unless the policy allows the method."""
    question = Question(
        Principal("authorized", identity_arn="authorized"), INVOKE_API, method_arn, {}
    )
    if policy.denies(question):
        raise GatewayError(
            "ACCESS_DENIED",
            message="User is not authorized to access this resource with an explicit deny",
        )
    if policy.allows(question) is Reach.NONE:
        raise GatewayError("ACCESS_DENIED")


def _failed(payload: bytes) -> GatewayError:
    """A function that raises `Unauthorized` means just that; any other failure is its own."""
    try:
        message = json.loads(payload).get("errorMessage")
    except (ValueError, AttributeError, RecursionError):
        message = None
    if message == "Unauthorized":
        return GatewayError("UNAUTHORIZED")
    return GatewayError("AUTHORIZER_FAILURE", f"the authorizer failed: {message}")


def _misconfigured(cause: str) -> GatewayError:
    return GatewayError("AUTHORIZER_CONFIGURATION_ERROR", cause)
