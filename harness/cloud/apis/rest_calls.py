"""A call of a REST API, from its stage to the answer, on one page."""

import logging
from dataclasses import replace

from harness.cloud.apis import gateway_responses
from harness.cloud.apis.addresses import Address
from harness.cloud.apis.authorizers import Authorizers
from harness.cloud.apis.definitions import FoundRest, Owner, RestStage
from harness.cloud.apis.gateway_responses import GatewayError
from harness.cloud.apis.headers import wire_header
from harness.cloud.apis.http_backend import HttpAnswer
from harness.cloud.apis.permissions import ApiPermissions
from harness.cloud.apis.refusals import not_implemented
from harness.cloud.apis.requests import ApiRequest
from harness.cloud.apis.rest_event import Identity, RestCall
from harness.cloud.apis.rest_integrations import RestIntegrations
from harness.cloud.apis.routing import match_rest
from harness.cloud.apis.state import ApiState, Run
from harness.cloud.apis.throttling import Throttles
from harness.cloud.apis.validation import validate
from harness.cloud.errors import AwsError
from harness.cloud.http import Response
from harness.cloud.identity.authentication import Authenticator
from harness.cloud.identity.authorization import Need, refusal

log = logging.getLogger(__name__)

# What a signature's faults are called among gateway responses.
_SIGNATURE_KINDS = {
    "MissingAuthenticationTokenException": "MISSING_AUTHENTICATION_TOKEN",
    "ExpiredTokenException": "EXPIRED_TOKEN",
    "UnrecognizedClientException": "ACCESS_DENIED",
}
_WITHOUT_TRACE = frozenset({"MOCK", "HTTP_PROXY"})


class RestCalls:
    """Answers calls of REST APIs. `run` is for what may wait for a lock."""

    def __init__(
        self,
        state: ApiState,
        authenticator: Authenticator,
        permissions: ApiPermissions,
        authorizers: Authorizers,
        throttles: Throttles,
        integrations: RestIntegrations,
        run: Run,
    ) -> None:
        self._state = state
        self._authenticator = authenticator
        self._permissions = permissions
        self._authorizers = authorizers
        self._throttles = throttles
        self._integrations = integrations
        self._run = run

    async def answer(self, found: FoundRest, address: Address, request: ApiRequest) -> Response:
        """The answer to one request, errors among them. Raises NotHere."""
        stage = found.stage
        if stage is None or found.disabled:
            # The same words as for a key that does not fit.
            return _stamped(gateway_responses.plain(GatewayError("INVALID_API_KEY")), request, None)
        call = None
        try:
            call = self._route(found.owner, stage, address, request)
            call = await self._authorize(call)
            call = await self._check_key(call)
            self._check_rate(call)
            if call.match.method.validator_id is not None:
                await self._run(validate, call)
            integration = call.match.method.integration
            if integration is None:
                raise GatewayError("API_CONFIGURATION_ERROR", "the method has no integration")
            answer = await self._integrations.answer(call, integration)
            return _stamped(_response(answer), request, integration.type)
        except GatewayError as error:
            if error.cause:
                log.warning("%s %s: %s", request.method, address.path, error.cause)
            response = gateway_responses.respond(error, call, stage.api.gateway_responses)
            return _stamped(response, request, None)

    @staticmethod
    def _route(owner: Owner, stage: RestStage, address: Address, request: ApiRequest) -> RestCall:
        path = address.resource_path
        match = match_rest(stage.api.resources, request.method, path)
        if match is None:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN")
        full_path = f"/{stage.name}{address.after_first_segment}"
        return RestCall(owner, stage, request, path, full_path, match)

    async def _authorize(self, call: RestCall) -> RestCall:
        method, api = call.match.method, call.stage.api
        if method.authorization == "AWS_IAM":
            return await self._check_signature(call)
        if api.policy is not None:
            decision = self._permissions.of_anyone(
                call.method_arn, api.policy, call.request.source_ip
            )
            if not decision.allowed:
                need = Need("execute-api:Invoke", call.method_arn)
                raise GatewayError("ACCESS_DENIED", message=refusal("anonymous", need, decision))
        if method.authorization in ("NONE", ""):
            return call
        if method.authorization != "CUSTOM":
            raise not_implemented(f"authorization of type {method.authorization}")
        authorizer = api.authorizers.get(method.authorizer_id or "")
        if authorizer is None:
            raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", "the authorizer does not exist")
        passed = await self._authorizers.authorize(call, authorizer)
        identity = replace(call.identity, api_key=passed.api_key)
        return replace(call, authorizer=passed.context, identity=identity)

    async def _check_signature(self, call: RestCall) -> RestCall:
        request = call.request
        try:
            caller = await self._run(
                self._authenticator.authenticate, request.scope, request.body or b"", "execute-api"
            )
        except AwsError as error:
            kind = _SIGNATURE_KINDS.get(error.code, "INVALID_SIGNATURE")
            raise GatewayError(kind, message=error.message, error_type=error.code) from None
        decision = self._permissions.of_caller(
            caller, call.method_arn, call.stage.api.policy, request.source_ip
        )
        if not decision.allowed:
            need = Need("execute-api:Invoke", call.method_arn)
            raise GatewayError(
                "ACCESS_DENIED", message=refusal(caller.principal_arn, need, decision)
            )
        identity = Identity(
            access_key=caller.access_key_id,
            account=caller.account,
            caller=caller.principal_arn.rpartition("/")[2],
            user=caller.principal_arn.rpartition("/")[2],
            user_arn=caller.principal_arn,
        )
        return replace(call, identity=identity)

    async def _check_key(self, call: RestCall) -> RestCall:
        if not call.match.method.api_key_required:
            return call
        value = (
            call.identity.api_key
            if call.stage.api.api_key_source == "AUTHORIZER"
            else call.request.header("x-api-key")
        )
        key = (
            await self._run(self._state.find_key, call.owner, call.stage.name, value)
            if value
            else None
        )
        if key is None or not key.enabled or key.plan is None:
            raise GatewayError("INVALID_API_KEY")
        plan = key.plan
        method = f"{call.match.resource.path}/{call.request.method}"
        for where, throttle in ((method, plan.throttles.get(method)), ("", plan.throttle)):
            if throttle is not None and not self._throttles.admit(
                (call.owner.account, plan.id, key.id, where), throttle
            ):
                raise GatewayError("THROTTLED")
        if plan.quota is not None and not self._throttles.within(
            (call.owner.account, plan.id, key.id), plan.quota
        ):
            raise GatewayError("QUOTA_EXCEEDED")
        return replace(call, identity=replace(call.identity, api_key=value, api_key_id=key.id))

    def _check_rate(self, call: RestCall) -> None:
        path = call.match.resource.path.replace("/", "~1")
        for key in (f"{path}/{call.request.method}", "*/*"):
            throttle = call.stage.throttles.get(key)
            if throttle is not None:
                if not self._throttles.admit((call.owner, call.stage.name, key), throttle):
                    raise GatewayError("THROTTLED")
                return


def _response(answer: HttpAnswer) -> Response:
    headers = [wire_header(name, value) for name, value in answer.headers]
    # These two never have a body: a client would take it for the beginning of the next answer.
    return Response(answer.status, headers, b"" if answer.status in (204, 304) else answer.body)


def _stamped(response: Response, request: ApiRequest, integration_type: str | None) -> Response:
    """With the headers that the gateway adds to each answer."""
    own = [
        (b"x-amzn-requestid", request.id.encode()),
        (b"x-amz-apigw-id", request.extended_id.encode()),
    ]
    if integration_type is not None and integration_type not in _WITHOUT_TRACE:
        own.append(wire_header("x-amzn-trace-id", request.trace_id))
    names = {name for name, _ in own}
    kept = [(name, value) for name, value in response.headers if name not in names]
    return Response(response.status, kept + own, response.body)
