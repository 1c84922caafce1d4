"""Invoke over HTTP: signature, permission, limits, the kinds of invocation, and their answers.

LIMITATIONS: InvokeWithResponseStream, tenants and durable executions are refused by name; functions have no URL.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

from harness.cloud.errors import AwsError
from harness.cloud.functions import names, payloads
from harness.cloud.functions.names import FunctionName
from harness.cloud.functions.service import FunctionService, check_runs_here
from harness.cloud.http import BodyTooLarge, Receive, Response, Scope, read_body
from harness.cloud.identity.authentication import Authenticator, Caller
from harness.cloud.protocol import rest

ACTION = "lambda:InvokeFunction"
# Larger payloads are read by a thread: the event loop serves others meanwhile.
_READ_AT_ONCE = 64 * 1024
# lambda:InvocationRequest.ClientContext
_CONTEXT_BYTES = 3583
_UNSUPPORTED = ("TenantId", "DurableExecutionName")

# May this caller do this (an IAM action) to the resource with this ARN? Raises AccessDeniedException if not.
Authorize = Callable[[Caller, str, str], None]


class FunctionInvocations:
    """Answers the operations of Lambda that run a function. `authorize` is asked before anything is looked up."""

    def __init__(
        self, service: FunctionService, authenticator: Authenticator, authorize: Authorize
    ) -> None:
        self.service = service
        self._authenticator = authenticator
        self._authorize = authorize

    async def answer(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        """Carry out one request; raises AwsError for everything but an answer of the function."""
        limits = self.service.limits
        try:
            body = await read_body(scope, receive, limits.request_bytes)
        except BodyTooLarge as error:
            raise AwsError(
                "RequestEntityTooLargeException",
                f"Request must be smaller than {error.limit} bytes for the InvokeFunction operation",
                413,
                {"Type": "User"},
            ) from None
        caller = self._authenticator.authenticate(scope, body)
        operation, request = rest.bind(scope, rest.LAMBDA)
        if operation == "InvokeWithResponseStream":
            raise AwsError(
                "UnsupportedOperation", f"This local cloud does not implement {operation}."
            )
        for member in _UNSUPPORTED:
            if member in request:
                raise AwsError(
                    "UnsupportedOperation", f"This local cloud does not implement {member}."
                )
        name = names.parse(
            request["FunctionName"], request.get("Qualifier"), caller.account, caller.region
        )
        self._authorize(caller, ACTION, name.arn)
        kind = request.get("InvocationType", "RequestResponse")
        if operation == "InvokeAsync":
            kind = "Event"
        if kind == "DryRun":
            check_runs_here((await self.service.find(name)).version)
            return _response(204, request_id)
        payload = body or b"{}"
        if kind == "Event":
            return await self._submit(name, payload, request_id)
        return await self._invoke(name, payload, request, request_id)

    async def _submit(self, name: FunctionName, payload: bytes, request_id: str) -> Response:
        limit = self.service.limits.event_bytes
        if len(payload) > limit:
            raise AwsError(
                "RequestEntityTooLargeException",
                f"{len(payload)} byte payload is too large for the Event invocation type "
                f"(limit {limit} bytes)",
                413,
                {"Type": "User"},
            )
        await _check_json(payload)
        await self.service.submit(name, payload, request_id)
        return _response(202, request_id)

    async def _invoke(
        self, name: FunctionName, payload: bytes, request: dict[str, Any], request_id: str
    ) -> Response:
        context = _client_context(request.get("ClientContext"))
        await _check_json(payload)
        outcome = await self.service.invoke(name, payload, request_id, context)
        tail = base64.b64encode(outcome.tail).decode()
        result = {
            "ExecutedVersion": outcome.version,
            "FunctionError": "Unhandled" if outcome.failed else None,
            "LogResult": tail if request.get("LogType") == "Tail" else None,
        }
        headers = rest.response_headers("Invoke", result, rest.LAMBDA)
        return _response(200, request_id, headers, outcome.payload)


def _response(
    status: int,
    request_id: str,
    headers: list[tuple[bytes, bytes]] | None = None,
    body: bytes = b"",
) -> Response:
    fixed = [(b"content-type", b"application/json"), (b"x-amzn-requestid", request_id.encode())]
    if status == 204:
        del fixed[0]
    return Response(status, [*fixed, *(headers or [])], body)


async def _check_json(payload: bytes) -> None:
    if len(payload) <= _READ_AT_ONCE:
        payloads.check_json(payload)
    else:
        await asyncio.to_thread(payloads.check_json, payload)


def _client_context(encoded: str | None) -> str | None:
    """The client context as JSON on one line, which a header can carry."""
    if encoded is None:
        return None
    try:
        if len(encoded) > _CONTEXT_BYTES:
            raise ValueError("too long")
        context = json.loads(base64.b64decode(encoded, validate=True))
        if not isinstance(context, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError):
        raise AwsError(
            "InvalidRequestContentException",
            "Client context must be a valid Base64-encoded JSON object of at most "
            f"{_CONTEXT_BYTES} bytes.",
        ) from None
    return json.dumps(context)
