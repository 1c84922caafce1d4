"""The data plane: a request to an API's URL, whatever kind of API it is."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from harness.cloud.apis import addresses, requests
from harness.cloud.apis.addresses import Address
from harness.cloud.apis.authorizers import Authorizers
from harness.cloud.apis.definitions import FoundRest
from harness.cloud.apis.function_calls import CallFunction
from harness.cloud.apis.functions_gate import FunctionsGate
from harness.cloud.apis.http_authorizers import HttpAuthorizers
from harness.cloud.apis.http_backend import HttpBackend
from harness.cloud.apis.http_calls import HttpCalls
from harness.cloud.apis.limits import ApiLimits
from harness.cloud.apis.permissions import ApiPermissions
from harness.cloud.apis.refusals import NotHere
from harness.cloud.apis.rest_calls import RestCalls
from harness.cloud.apis.rest_integrations import RestIntegrations
from harness.cloud.apis.state import ApiState
from harness.cloud.apis.throttling import Throttles
from harness.cloud.clock import Clock
from harness.cloud.http import BodyTooLarge, Receive, Response, Scope, read_body
from harness.cloud.identity.authentication import Authenticator


class DataPlane:
    """Answers requests to APIs.

    `call_function` runs functions; `pool` has the threads for what may wait for a lock.
    """

    def __init__(
        self,
        state: ApiState,
        call_function: CallFunction,
        authenticator: Authenticator,
        permissions: ApiPermissions,
        clock: Clock,
        limits: ApiLimits,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._state = state
        self._clock = clock
        self._limits = limits
        self._pool = pool
        self._throttles = Throttles(clock)
        self._http = HttpBackend(limits.answer_bytes)
        self._functions = FunctionsGate(call_function, permissions)
        self._authorizers = Authorizers(self._functions, clock, limits.rest_integration_seconds)
        self._http_authorizers = HttpAuthorizers(
            self._functions, clock, limits.http_integration_seconds
        )
        self._rest_calls = RestCalls(
            state,
            authenticator,
            permissions,
            self._authorizers,
            self._throttles,
            RestIntegrations(self._functions, self._http, limits, self._run),
            self._run,
        )
        self._http_calls = HttpCalls(
            authenticator,
            permissions,
            self._http_authorizers,
            self._throttles,
            self._functions,
            self._http,
            limits,
            self._run,
        )

    async def answer(self, scope: Scope, receive: Receive) -> Response:
        """The answer to one request; `scope` is one for which `addresses.find` finds an API."""
        address = addresses.find(scope)
        assert address is not None, "the front sends no other request here"
        try:
            body = await read_body(scope, receive, self._limits.body_bytes)
        except BodyTooLarge as error:
            return Response.text(413, f"HTTP content length exceeded {error.limit} bytes.")
        try:
            return await self._answer(scope, address, body)
        except NotHere as refusal:
            return refusal.response()

    async def _answer(self, scope: Scope, address: Address, body: bytes) -> Response:
        request = requests.read(scope, body, self._clock.now())
        found = await self._run(self._state.find, address.api_id, address.first_segment)
        if found is None:
            # On AWS there would be no such host.
            return Response.json(
                404, {"message": f"There is no API with the id '{address.api_id}'."}
            )
        if isinstance(found, FoundRest):
            return await self._rest_calls.answer(found, address, request)
        return await self._http_calls.answer(found, address, request)

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    def reset(self) -> None:
        """Forget what has been counted and kept."""
        self._throttles.reset()
        self._authorizers.reset()
        self._http_authorizers.reset()

    async def close(self) -> None:
        """Leave calls that still run and close connections."""
        await self._functions.close()
        await self._http.close()
