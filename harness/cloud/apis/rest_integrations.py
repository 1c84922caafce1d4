"""The integrations of REST APIs: AWS_PROXY and AWS (Lambda functions), HTTP_PROXY and HTTP, MOCK.

LIMITATIONS: AWS integrations with other services than Lambda, calls with the caller's own permissions and VPC
links are refused by name.
"""

import json
import re
from typing import Any

from harness.cloud.apis import (
    headers,
    integration_request,
    integration_response,
    parameter_mapping,
    proxy_answers,
)
from harness.cloud.apis.definitions import Integration
from harness.cloud.apis.function_calls import (
    Function,
    FunctionAnswer,
    FunctionCall,
    FunctionRefused,
    function_of_uri,
)
from harness.cloud.apis.functions_gate import FunctionsGate
from harness.cloud.apis.gateway_responses import GatewayError
from harness.cloud.apis.http_backend import (
    AnswerTooLarge,
    Elsewhere,
    HttpAnswer,
    HttpBackend,
    HttpRequest,
    Unreachable,
)
from harness.cloud.apis.integration_request import IntegrationRequest
from harness.cloud.apis.limits import ApiLimits
from harness.cloud.apis.media_types import wants_binary
from harness.cloud.apis.proxy_answers import MalformedAnswer, UndecodableBody
from harness.cloud.apis.refusals import not_implemented
from harness.cloud.apis.rest_event import RestCall, proxy_event
from harness.cloud.apis.state import Run

_STATUS = re.compile(r"['\"]?statusCode['\"]?\s*:\s*['\"]?(\d{3})\b")
_LAMBDA_URI = re.compile(r"arn:[\w-]+:apigateway:[\w-]+:lambda:(path|action)/")
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON = "application/json"


class RestIntegrations:
    """Carries out the integration of a method. `run` renders templates in a thread: they take their time."""

    def __init__(
        self, functions: FunctionsGate, http: HttpBackend, limits: ApiLimits, run: Run
    ) -> None:
        self._functions = functions
        self._http = http
        self._limits = limits
        self._run = run

    async def answer(self, call: RestCall, integration: Integration) -> HttpAnswer:
        """The client's answer. Raises GatewayError, NotHere."""
        if integration.connection_type == "VPC_LINK":
            raise not_implemented("integrations through a VPC link")
        integration_request.check_writable(integration)
        match integration.type:
            case "AWS_PROXY":
                return await self._lambda_proxy(call, integration)
            case "AWS":
                return await self._lambda(call, integration)
            case "HTTP_PROXY":
                return await self._http_proxy(call, integration)
            case "HTTP":
                return await self._http_custom(call, integration)
            case "MOCK":
                return await self._mock(call, integration)
        raise GatewayError("API_CONFIGURATION_ERROR", f"an integration of type {integration.type}")

    def _seconds(self, integration: Integration) -> float:
        if integration.timeout_millis is not None:
            return integration.timeout_millis / 1000
        return self._limits.rest_integration_seconds

    async def _mock(self, call: RestCall, integration: Integration) -> HttpAnswer:
        request = await self._run(integration_request.build, call, integration)
        status = _STATUS.search(request.body.decode("utf-8", "replace"))
        if status is None:
            raise GatewayError(
                "API_CONFIGURATION_ERROR", "the request template of a MOCK has no statusCode"
            )
        answer = HttpAnswer(int(status[1]), [], b"")
        return await self._respond(call, integration, answer, status[1], request)

    async def _lambda_proxy(self, call: RestCall, integration: Integration) -> HttpAnswer:
        if integration.http_method != "POST":
            raise GatewayError(
                "INTEGRATION_FAILURE", "a function is called by POST alone", status=500
            )
        answer = await self._call(call, integration, proxy_event(call))
        binary = wants_binary(call.request.header("Accept"), call.stage.api.binary_media_types)
        if answer.error is not None:
            raise GatewayError(
                "INTEGRATION_FAILURE", f"the function failed: {answer.payload[:500]!r}", status=502
            )
        try:
            proxied = proxy_answers.read_version_1(answer.payload, binary=binary)
        except MalformedAnswer as error:
            raise GatewayError(
                "INTEGRATION_FAILURE", f"malformed Lambda proxy response: {error}", status=502
            ) from None
        except UndecodableBody as error:
            raise GatewayError("API_CONFIGURATION_ERROR", str(error)) from None
        return HttpAnswer(
            proxied.status, headers.to_client(proxied.headers, integration.type), proxied.body
        )

    async def _lambda(self, call: RestCall, integration: Integration) -> HttpAnswer:
        uri = integration_request.rendered_uri(integration.uri or "", call, {})
        if not _LAMBDA_URI.match(uri):
            raise not_implemented(f"AWS integrations with {uri}; Lambda functions only")
        request = await self._run(integration_request.build, call, integration)
        asynchronous = _invocation_type(request) == "event"
        answer = await self._call(call, integration, request.body or b"{}", asynchronous)
        status = 202 if asynchronous else 200
        return await self._respond(
            call,
            integration,
            HttpAnswer(status, [("Content-Type", _JSON)], answer.payload),
            _error_message(answer) or str(status),
            request,
        )

    async def _call(
        self,
        call: RestCall,
        integration: Integration,
        payload: bytes,
        asynchronous: bool = False,
    ) -> FunctionAnswer:
        if len(payload) > self._limits.event_bytes:
            raise GatewayError("REQUEST_TOO_LARGE")
        function = self._function(call, integration)
        role = integration.credentials
        if role is not None:
            role = integration_request.fill(role, call.stage.variables, {})
            if "*" in role:
                raise not_implemented("calls of functions with the caller's own permissions")
        try:
            return await self._functions.call(
                FunctionCall(function, payload, call.source_arn, role, asynchronous),
                self._seconds(integration),
            )
        except FunctionRefused as error:
            raise GatewayError("API_CONFIGURATION_ERROR", str(error)) from None
        except TimeoutError:
            raise GatewayError("INTEGRATION_TIMEOUT") from None

    @staticmethod
    def _function(call: RestCall, integration: Integration) -> Function:
        uri = integration_request.rendered_uri(integration.uri or "", call, {})
        function = function_of_uri(uri)
        if function is None:
            raise GatewayError("API_CONFIGURATION_ERROR", f"{uri} names no function")
        return function

    async def _http_custom(self, call: RestCall, integration: Integration) -> HttpAnswer:
        request = await self._run(integration_request.build, call, integration)
        own = {
            "Accept": _JSON,
            "User-Agent": f"AmazonAPIGateway_{call.owner.api_id}",
            "X-Amzn-Apigateway-Api-Id": call.owner.api_id,
            "X-Amzn-Trace-Id": call.request.trace_id,
        }
        if request.body:
            own["Content-Type"] = call.request.media_type or _JSON
        method = _method(call, integration)
        answer = await self._send(
            integration,
            HttpRequest(
                method,
                integration_request.rendered_uri(integration.uri or "", call, request.mapped.path),
                headers.over(own, request.mapped.header),
                [
                    (n, value)
                    for n, values in request.mapped.querystring.items()
                    for value in values
                ],
                None if method in _WITHOUT_BODY else request.body,
            ),
        )
        return await self._respond(call, integration, answer, str(answer.status), request)

    async def _http_proxy(self, call: RestCall, integration: Integration) -> HttpAnswer:
        context = integration_request.template_context(call)
        mapped = parameter_mapping.map_request(call, integration.request_parameters, context)
        own = headers.of_client(call.request.headers) | {
            "X-Amzn-Apigateway-Api-Id": call.owner.api_id,
            "X-Amzn-Trace-Id": call.request.trace_id,
        }
        query = [(n, value) for n, value in call.request.query if n not in mapped.querystring]
        query += [(n, value) for n, values in mapped.querystring.items() for value in values]
        method = _method(call, integration)
        answer = await self._send(
            integration,
            HttpRequest(
                method,
                integration_request.rendered_uri(integration.uri or "", call, mapped.path),
                headers.over(own, mapped.header),
                query,
                call.request.body,
            ),
        )
        return HttpAnswer(
            answer.status, headers.to_client(answer.headers, integration.type), answer.body
        )

    async def _send(self, integration: Integration, request: HttpRequest) -> HttpAnswer:
        try:
            return await self._http.send(request, self._seconds(integration))
        except Elsewhere as error:
            raise not_implemented(f"HTTP integrations with other machines ({error})") from None
        except Unreachable as error:
            raise GatewayError(
                "INTEGRATION_FAILURE",
                str(error),
                message="Network error communicating with endpoint",
            ) from None
        except AnswerTooLarge:
            raise GatewayError(
                "INTEGRATION_FAILURE", "the integration's answer is too large", status=500
            ) from None
        except TimeoutError:
            raise GatewayError("INTEGRATION_TIMEOUT") from None

    async def _respond(
        self,
        call: RestCall,
        integration: Integration,
        answer: HttpAnswer,
        selector: str,
        request: IntegrationRequest,
    ) -> HttpAnswer:
        response: HttpAnswer = await self._run(
            integration_response.build, call, integration, answer, selector, request.context
        )
        return response


def _method(call: RestCall, integration: Integration) -> str:
    """The verb of the integration's request: its own, or the client's."""
    if integration.http_method in (None, "", "ANY"):
        return call.request.method
    assert integration.http_method is not None
    return integration.http_method


def _invocation_type(request: IntegrationRequest) -> str:
    """How requestParameters have the function called: `event` is asynchronous."""
    for name, value in request.mapped.header.items():
        if name.lower() == "x-amz-invocation-type":
            return value.lower()
    return "requestresponse"


def _error_message(answer: FunctionAnswer) -> str | None:
    """The error message in a function's answer, by which its response is selected."""
    try:
        content: Any = json.loads(answer.payload)
    except (ValueError, RecursionError):
        return None
    message = content.get("errorMessage") if isinstance(content, dict) else None
    return message if isinstance(message, str) else None
