"""A call of an HTTP API, from its stage to the answer, on one page.

LIMITATIONS: a stage serves the API as it is now, whether it deploys automatically or not. Request and response
parameters, subtypes (SQS, Step Functions, ...), VPC links and JWT authorizers are refused by name.
"""

import json
import logging
from dataclasses import replace

from harness.cloud.apis import cors, headers, http_event, proxy_answers
from harness.cloud.apis.addresses import Address
from harness.cloud.apis.definitions import FoundHttp, HttpStage, Integration
from harness.cloud.apis.function_calls import FunctionCall, FunctionRefused, function_of_uri
from harness.cloud.apis.functions_gate import FunctionsGate
from harness.cloud.apis.headers import Header, wire_header
from harness.cloud.apis.http_authorizers import (
    AuthorizerFault,
    Forbidden,
    HttpAuthorizers,
    Unauthorized,
)
from harness.cloud.apis.http_backend import (
    AnswerTooLarge,
    Elsewhere,
    HttpAnswer,
    HttpBackend,
    HttpRequest,
    Unreachable,
)
from harness.cloud.apis.http_event import HttpCall
from harness.cloud.apis.integration_request import fill
from harness.cloud.apis.limits import ApiLimits
from harness.cloud.apis.permissions import ApiPermissions
from harness.cloud.apis.proxy_answers import MalformedAnswer, UndecodableBody
from harness.cloud.apis.refusals import not_implemented
from harness.cloud.apis.requests import ApiRequest
from harness.cloud.apis.routing import DEFAULT_ROUTE, match_http
from harness.cloud.apis.state import Run
from harness.cloud.apis.throttling import Throttles
from harness.cloud.errors import AwsError
from harness.cloud.http import Response
from harness.cloud.identity.authentication import Authenticator

log = logging.getLogger(__name__)

DEFAULT_STAGE = "$default"


class _Refusal(Exception):
    """The gateway answers instead of the integration: a status and a text, and the cause for the log."""

    def __init__(self, status: int, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.cause = status, message, cause


def _fault(cause: str) -> _Refusal:
    return _Refusal(500, "Internal Server Error", cause)


class HttpCalls:
    """Answers calls of HTTP APIs. `run` is for what may wait for a lock."""

    def __init__(
        self,
        authenticator: Authenticator,
        permissions: ApiPermissions,
        authorizers: HttpAuthorizers,
        throttles: Throttles,
        functions: FunctionsGate,
        http: HttpBackend,
        limits: ApiLimits,
        run: Run,
    ) -> None:
        self._authenticator = authenticator
        self._permissions = permissions
        self._authorizers = authorizers
        self._throttles = throttles
        self._functions = functions
        self._http = http
        self._limits = limits
        self._run = run

    async def answer(self, found: FoundHttp, address: Address, request: ApiRequest) -> Response:
        """The answer to one request, errors among them. Raises NotHere."""
        configuration = found.api.cors
        if configuration is not None and cors.is_preflight(request):
            answer = HttpAnswer(204, cors.preflight_headers(configuration, request), b"")
            return _response(answer, request)
        try:
            call = self._route(found, address, request)
            call = await self._authorize(found, call)
            self._check_rate(call)
            answer = await self._integrate(call)
        except _Refusal as refusal:
            if refusal.cause:
                log.warning("%s %s: %s", request.method, address.path, refusal.cause)
            body = json.dumps({"message": refusal.message}, separators=(",", ":")).encode()
            answer = HttpAnswer(refusal.status, [("content-type", "application/json")], body)
        if configuration is not None:
            answer = replace(
                answer, headers=cors.answer_headers(configuration, request, answer.headers)
            )
        return _response(answer, request)

    @staticmethod
    def _route(found: FoundHttp, address: Address, request: ApiRequest) -> HttpCall:
        named = found.stages.get(address.first_segment)
        stage: HttpStage | None
        if named is not None:
            stage, path = named, address.after_first_segment or "/"
        else:
            stage, path = found.stages.get(DEFAULT_STAGE), address.path or "/"
        match = match_http(found.api.routes, request.method, path) if stage else None
        if stage is None or match is None or found.disabled:
            raise _Refusal(404, "Not Found")
        full_path = path if stage.name == DEFAULT_STAGE else f"/{stage.name}{path}"
        return HttpCall(found.owner, stage, request, path, full_path, match)

    async def _authorize(self, found: FoundHttp, call: HttpCall) -> HttpCall:
        route = call.match.route
        if route.authorization in ("NONE", ""):
            return call
        if route.authorization == "AWS_IAM":
            return await self._check_signature(call)
        if route.authorization != "CUSTOM":
            raise not_implemented(f"authorization of type {route.authorization}")
        authorizer = found.api.authorizers.get(route.authorizer_id or "")
        if authorizer is None:
            raise _fault("the authorizer does not exist")
        try:
            context = await self._authorizers.authorize(call, authorizer)
        except Unauthorized:
            raise _Refusal(401, "Unauthorized") from None
        except Forbidden:
            raise _Refusal(403, "Forbidden") from None
        except AuthorizerFault as error:
            raise _fault(str(error)) from None
        return replace(call, authorizer=context)

    async def _check_signature(self, call: HttpCall) -> HttpCall:
        request = call.request
        try:
            caller = await self._run(
                self._authenticator.authenticate, request.scope, request.body or b"", "execute-api"
            )
        except AwsError as error:
            raise _Refusal(403, "Forbidden", error.message) from None
        decision = self._permissions.of_caller(caller, call.source_arn, None, request.source_ip)
        if not decision.allowed:
            raise _Refusal(
                403, "Forbidden", f"{caller.principal_arn} may not call {call.source_arn}"
            )
        name = caller.principal_arn.rpartition("/")[2]
        iam = {
            "accessKey": caller.access_key_id,
            "accountId": caller.account,
            "callerId": name,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": caller.principal_arn,
            "userId": name,
        }
        return replace(call, authorizer={"iam": iam})

    def _check_rate(self, call: HttpCall) -> None:
        for key in (call.match.route.key, "*"):
            throttle = call.stage.throttles.get(key)
            if throttle is not None:
                if not self._throttles.admit((call.owner, call.stage.name, key), throttle):
                    raise _Refusal(429, "Too Many Requests")
                return

    async def _integrate(self, call: HttpCall) -> HttpAnswer:
        integration = call.match.route.integration
        if integration is None:
            raise _fault("the route has no integration")
        if integration.subtype:
            raise not_implemented(f"integrations of subtype {integration.subtype}")
        if integration.connection_type == "VPC_LINK":
            raise not_implemented("integrations through a VPC link")
        if integration.request_parameters or integration.responses:
            raise not_implemented(
                "parameter mapping of HTTP APIs (RequestParameters, ResponseParameters)"
            )
        if integration.type == "AWS_PROXY":
            return await self._lambda(call, integration)
        if integration.type == "HTTP_PROXY":
            return await self._http_proxy(call, integration)
        raise _fault(f"an integration of type {integration.type}")

    def _seconds(self, integration: Integration) -> float:
        if integration.timeout_millis is not None:
            return integration.timeout_millis / 1000
        return self._limits.http_integration_seconds

    async def _lambda(self, call: HttpCall, integration: Integration) -> HttpAnswer:
        uri = fill(integration.uri or "", call.stage.variables, {})
        function = function_of_uri(uri)
        if function is None:
            raise _fault(f"{uri} names no function")
        version = integration.payload_version
        payload = http_event.event(call, version)
        if len(payload) > self._limits.event_bytes:
            raise _Refusal(413, "Request Entity Too Large")
        try:
            answer = await self._functions.call(
                FunctionCall(function, payload, call.source_arn, integration.credentials),
                self._seconds(integration),
            )
        except FunctionRefused as error:
            raise _fault(str(error)) from None
        except TimeoutError:
            raise _Refusal(503, "Service Unavailable") from None
        if answer.error is not None:
            raise _fault(f"the function failed: {answer.payload[:500]!r}")
        try:
            proxied = (
                proxy_answers.read_version_2(answer.payload)
                if version == "2.0"
                else proxy_answers.read_version_1(answer.payload, binary=True)
            )
        except (MalformedAnswer, UndecodableBody) as error:
            raise _fault(f"malformed answer of the function: {error}") from None
        return HttpAnswer(
            proxied.status, headers.to_client(proxied.headers, "AWS_PROXY"), proxied.body
        )

    async def _http_proxy(self, call: HttpCall, integration: Integration) -> HttpAnswer:
        uri = fill(integration.uri or "", call.stage.variables, call.match.parameters)
        if call.match.route.key == DEFAULT_ROUTE:
            # Nothing but the path says what the default route was asked for.
            uri = uri.rstrip("/") + call.path
        method = integration.http_method
        request = HttpRequest(
            call.request.method if method in (None, "", "ANY") else str(method),
            uri,
            headers.of_client(call.request.headers),
            call.request.query,
            call.request.body,
        )
        try:
            answer = await self._http.send(request, self._seconds(integration))
        except Elsewhere as error:
            raise not_implemented(f"HTTP integrations with other machines ({error})") from None
        except (Unreachable, AnswerTooLarge) as error:
            raise _fault(f"the integration: {error!r}") from None
        except TimeoutError:
            raise _Refusal(503, "Service Unavailable") from None
        kept: list[Header] = headers.to_client(answer.headers, "HTTP_PROXY")
        return replace(answer, headers=kept)


def _response(answer: HttpAnswer, request: ApiRequest) -> Response:
    sent = [wire_header(name, value) for name, value in answer.headers]
    return Response(
        answer.status,
        [*sent, (b"apigw-requestid", request.extended_id.encode())],
        b"" if answer.status in (204, 304) else answer.body,
    )
