"""The front: which stages a request passes through, in order, on one page."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import harness
from harness.cloud import gateway
from harness.cloud.apis.data_plane import DataPlane
from harness.cloud.backing.moto_services import MotoServices
from harness.cloud.backing.wsgi import WsgiMount
from harness.cloud.context import RequestContext
from harness.cloud.errors import AwsError
from harness.cloud.functions.invocations import FunctionInvocations
from harness.cloud.gateway import Destination, Service
from harness.cloud.http import (
    BodyTooLarge,
    ClientGone,
    Message,
    Receive,
    Response,
    Scope,
    Send,
    header,
    read_body,
)
from harness.cloud.identity.authentication import Authenticator
from harness.cloud.identity.authorization import Authorize
from harness.cloud.protocol import control_plane as protocol
from harness.cloud.protocol.errors import LAMBDA_SERVICE, RUNTIME_SERVICE, error_response
from harness.cloud.runtime.invocations import Invocations

log = logging.getLogger(__name__)

# Far more than any request of the model needs; AWS's own number is not documented.
CONTROL_PLANE_BODY_BYTES = 4 * 1024 * 1024

# Signing names of the services that may make, change or delete a Lambda function.
_KEEP_FUNCTIONS = (LAMBDA_SERVICE, "cloudformation")

Handler = Callable[[Destination, Scope, Receive, Send], Awaitable[None]]


Request = dict[str, Any]


@dataclass(frozen=True)
class ControlPlane:
    """What answers SageMaker's operations.

    `authorize(caller, operation, request, scope)` raises AwsError for a caller who may not;
    `delegated(operation, request)` tells whether the operation only keeps records, which moto does;
    `perform(operation, context, request)` carries out any other and may raise AwsError.
    """

    authorize: Authorize
    delegated: Callable[[str, Request], bool]
    perform: Callable[[str, RequestContext, Request], Request | None]


class App:
    """The ASGI application of a local cloud. `faults` collects our own mistakes; a test run has none."""

    def __init__(
        self,
        control_plane: ControlPlane,
        invocations: Invocations,
        functions: FunctionInvocations,
        apis: DataPlane,
        authenticator: Authenticator,
        services: MotoServices,
        mount: WsgiMount,
        pool: ThreadPoolExecutor,
        reset: Callable[[], None],
    ) -> None:
        self.faults: list[BaseException] = []
        self._control_plane = control_plane
        self._invocations = invocations
        self._functions = functions
        self._apis = apis
        self._authenticator = authenticator
        self._services = services
        self._mount = mount
        self._pool = pool
        self._reset = reset
        self._handlers: dict[Service, Handler] = {
            Service.SAGEMAKER: self._sagemaker,
            Service.SAGEMAKER_RUNTIME: self._runtime,
            Service.LAMBDA_INVOKE: self._lambda_invoke,
            Service.EXECUTE_API: self._execute_api,
            Service.MOTO: self._moto,
            Service.MOTO_RESET: self._moto_reset,
            Service.HEALTH: self._health,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            destination = gateway.identify(scope)
            with suppress(ClientGone):
                await self._handlers[destination.service](destination, scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _sagemaker(
        self, destination: Destination, scope: Scope, receive: Receive, send: Send
    ) -> None:
        request_id = str(uuid.uuid4())
        try:
            body = await read_body(scope, receive, CONTROL_PLANE_BODY_BYTES)
            caller = self._authenticator.authenticate(scope, body)
            operation = protocol.operation_name(header(scope["headers"], b"x-amz-target"))
            request = protocol.parse(operation, body)
            protocol.validate(operation, request)
            self._control_plane.authorize(caller, operation, request, scope)
            if self._control_plane.delegated(operation, request):
                await self._mount(scope, _replay(body), send)
                return
            context = RequestContext(
                account=caller.account,
                region=caller.region,
                request_id=request_id,
                access_key_id=caller.access_key_id,
                principal_arn=caller.principal_arn,
            )
            result = await asyncio.get_running_loop().run_in_executor(
                self._pool, self._control_plane.perform, operation, context, request
            )
            response = Response(
                200,
                [
                    (b"content-type", b"application/x-amz-json-1.1"),
                    (b"x-amzn-requestid", request_id.encode()),
                ],
                protocol.serialize(operation, result),
            )
        except BodyTooLarge as error:
            response = _error(
                AwsError(
                    "RequestEntityTooLargeException",
                    f"The request body must be smaller than {error.limit} bytes.",
                    413,
                ),
                request_id,
            )
        except AwsError as error:
            response = _error(error, request_id)
        except ClientGone:
            raise
        except Exception as error:
            response = _error(self.fault(error), request_id)
        await response.send(send)

    async def _runtime(
        self, destination: Destination, scope: Scope, receive: Receive, send: Send
    ) -> None:
        request_id = str(uuid.uuid4())
        try:
            response = await self._invocations.answer(scope, receive, request_id)
        except AwsError as error:
            response = _error(error, request_id, "rest-json")
        except ClientGone:
            raise
        except Exception as error:
            response = _error(self.fault(error), request_id, "rest-json")
        await response.send(send)

    async def _lambda_invoke(
        self, destination: Destination, scope: Scope, receive: Receive, send: Send
    ) -> None:
        request_id = str(uuid.uuid4())
        try:
            response = await self._functions.answer(scope, receive, request_id)
        except AwsError as error:
            response = _error(error, request_id, "rest-json", LAMBDA_SERVICE)
        except ClientGone:
            raise
        except Exception as error:
            response = _error(self.fault(error), request_id, "rest-json", LAMBDA_SERVICE)
        await response.send(send)

    async def _execute_api(
        self, destination: Destination, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            response = await self._apis.answer(scope, receive)
        except ClientGone:
            raise
        except Exception as error:
            self.fault(error)
            response = Response.json(500, {"message": "Internal server error"})
        await response.send(send)

    async def _moto(
        self, destination: Destination, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if destination.signing_name is not None:
            # Not in the control plane's threads: all of them may be waiting for just this answer.
            await self._mount.run(self._services.prepare, destination.signing_name)
        if destination.signing_name in _KEEP_FUNCTIONS:
            await self._mount.run(self._functions.service.listen)
            if scope["method"] != "GET":
                send = self._after_refresh(send)
        await self._mount(scope, receive, send)

    def _after_refresh(self, send: Send) -> Send:
        """Send an answer when what runs functions has seen the change that it tells of."""

        async def after_refresh(message: Message) -> None:
            if message["type"] == "http.response.start":
                try:
                    await self._functions.service.refresh()
                except Exception as error:
                    self.fault(error)
            await send(message)

        return after_refresh

    async def _moto_reset(
        self, destination: Destination, scope: Scope, receive: Receive, send: Send
    ) -> None:
        await asyncio.get_running_loop().run_in_executor(self._pool, self._reset)
        await Response.json(200, {"status": "ok"}).send(send)

    async def _health(
        self, destination: Destination, scope: Scope, receive: Receive, send: Send
    ) -> None:
        await Response.json(200, {"status": "running", "version": harness.__version__}).send(send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._functions.service.open()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._invocations.close()
                await self._apis.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def fault(self, error: Exception) -> AwsError:
        """Log a mistake of ours and say InternalFailure."""
        log.error("internal failure", exc_info=error)
        self.faults.append(error)
        return AwsError("InternalFailure", "The request processing has failed. See the log.", 500)


def _error(
    error: AwsError, request_id: str, wire: str = "json", service: str = RUNTIME_SERVICE
) -> Response:
    status, headers, body = error_response(error, request_id, wire, service)
    return Response(status, headers, body)


def _replay(body: bytes) -> Receive:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
