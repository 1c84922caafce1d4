"""InvokeEndpoint: limits, signature, permission, routing, forwarding to a worker, and its answer or its failure.

LIMITATIONS: asynchronous and streamed invocations are refused by name.
"""

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.cloud.errors import AwsError
from harness.cloud.http import BodyTooLarge, Receive, Response, Scope, read_body
from harness.cloud.identity.authentication import Authenticator, Caller
from harness.cloud.identity.authorization import Authorize
from harness.cloud.protocol import rest
from harness.cloud.runtime.limits import Limits
from harness.cloud.runtime.router import (
    EndpointNotFound,
    Lease,
    NoWorker,
    Router,
    VariantNotFound,
)

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS = 5.0
STREAMED_BYTES = 512 * 1024
# Shorter than what servers commonly keep an idle connection for (uvicorn and gunicorn: 5 and 2 s).
KEEPALIVE_SECONDS = 1.5
_LOG_GROUP = "/aws/sagemaker/Endpoints/"


class Invocations:
    """Answers the operations of sagemaker-runtime."""

    def __init__(
        self,
        router: Router,
        authenticator: Authenticator,
        limits: Limits,
        authorize: Authorize,
    ) -> None:
        self._router = router
        self._authenticator = authenticator
        self._limits = limits
        self._authorize = authorize
        self._session: aiohttp.ClientSession | None = None

    async def answer(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        """Carry out one request; raises AwsError for everything but an answer of the model."""
        try:
            body = await read_body(scope, receive, self._limits.payload_bytes)
        except BodyTooLarge as error:
            # The front's own answer: plain text without an error type (docs/notes/invocations.md, "Limits").
            return Response.text(413, f"HTTP content length exceeded {error.limit} bytes.")
        caller = self._authenticator.authenticate(scope, body)
        operation, request = rest.bind(scope)
        self._authorize(caller, operation, request, scope)
        if operation != "InvokeEndpoint":
            raise AwsError(
                "ValidationError", f"This local cloud does not implement {operation} yet."
            )
        for member in (
            "InferenceComponentName",
            "EnableExplanations",
            "SessionId",
            "PrefixAwareId",
        ):
            if member in request:
                raise AwsError(
                    "ValidationError", f"This local cloud does not implement {member} yet."
                )
        lease = self._acquire(caller, request["EndpointName"], request.get("TargetVariant"))
        try:
            return await self._forward(lease, caller, request, body, request_id)
        finally:
            self._router.release(lease)

    async def close(self) -> None:
        """Close the connections to workers."""
        if self._session is not None:
            await self._session.close()

    def _acquire(self, caller: Caller, endpoint: str, target_variant: str | None) -> Lease:
        try:
            return self._router.acquire(caller.account, caller.region, endpoint, target_variant)
        except EndpointNotFound:
            raise AwsError(
                "ValidationError", f"Endpoint {endpoint} of account {caller.account} not found."
            ) from None
        except VariantNotFound:
            raise AwsError(
                "ValidationError",
                f"Variant {target_variant} not found for endpoint {endpoint} of account "
                f"{caller.account}.",
            ) from None
        except NoWorker:
            raise _no_worker(endpoint) from None

    async def _forward(
        self, lease: Lease, caller: Caller, request: dict[str, Any], body: bytes, request_id: str
    ) -> Response:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            )
        failure = _Failure(self._limits, lease, caller, request["EndpointName"])
        host, port = lease.address
        try:
            async with self._session.post(
                f"http://{host}:{port}/invocations",
                # Large bodies as a stream, which aiohttp sends piece by piece.
                data=body if len(body) < STREAMED_BYTES else io.BytesIO(body),
                headers=rest.container_headers(request),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=self._limits.container_seconds, sock_connect=CONNECT_SECONDS
                ),
            ) as answer:
                content = await _read(answer, self._limits.payload_bytes)
                if content is None:
                    raise failure.unreadable()
                if not 200 <= answer.status < 300:
                    raise failure.of_container(answer.status, content)
                result = {
                    "ContentType": answer.headers.get("Content-Type"),
                    "InvokedProductionVariant": lease.variant_name,
                    "CustomAttributes": answer.headers.get("X-Amzn-SageMaker-Custom-Attributes"),
                }
                headers = rest.response_headers(operation="InvokeEndpoint", result=result)
                return Response(
                    200, [(b"x-amzn-requestid", request_id.encode()), *headers], content
                )
        except TimeoutError:
            raise failure.timed_out() from None
        except aiohttp.ClientConnectorError:
            # Nothing was sent: the worker ended a moment ago.
            self._router.suspect(lease)
            raise _no_worker(request["EndpointName"]) from None
        except aiohttp.ClientError:
            # The worker ended or closed the connection before it answered.
            self._router.suspect(lease)
            raise failure.of_container(500, b"") from None


def _no_worker(endpoint: str) -> AwsError:
    """SDKs retry this one."""
    return AwsError(
        "ServiceUnavailable",
        f"Endpoint {endpoint} has no instance that can answer at this moment.",
        503,
    )


async def _read(answer: "aiohttp.ClientResponse", limit: int) -> bytes | None:
    content = bytearray()
    async for chunk in answer.content.iter_any():
        content += chunk
        if len(content) > limit:
            return None
    return bytes(content)


class _Failure:
    """The ModelError of one invocation (docs/notes/invocations.md, "Model errors")."""

    def __init__(self, limits: Limits, lease: Lease, caller: Caller, endpoint_name: str) -> None:
        self._limits = limits
        self._container = lease.container_name
        self._account, self._region = caller.account, caller.region
        self._endpoint_name = endpoint_name

    def of_container(self, status: int, content: bytes) -> AwsError:
        """The container answered, but not with success."""
        text = content.decode("utf-8", "replace")
        side = "client" if 400 <= status < 500 else "server"
        return self._error(
            status,
            text,
            f'Received {side} error ({status}) from {self._container} with message "{text}".',
        )

    def timed_out(self) -> AwsError:
        """The container did not answer in time; it is not interrupted."""
        text = (
            "Your invocation timed out while waiting for a response from container "
            f"{self._container}. Review the latency metrics for each container in Amazon CloudWatch, "
            "resolve the issue, and try again."
        )
        return self._error(
            0, text, f'Received server error (0) from {self._container} with message "{text}".'
        )

    def unreadable(self) -> AwsError:
        """The container's answer is larger than the runtime passes on."""
        return self._error(
            413,
            "",
            f"Received client error (413) from {self._container} and could not load the entire "
            "response body.",
        )

    def _error(self, status: int, original: str, sentence: str) -> AwsError:
        group = _LOG_GROUP + self._endpoint_name
        tail = (
            f" See https://{self._region}.console.aws.amazon.com/cloudwatch/home?region="
            f"{self._region}#logEventViewer:group={quote(group, safe='/')} in account "
            f"{self._account} for more information."
        )
        room = max(0, self._limits.message_characters - len(tail))
        return AwsError(
            "ModelError",
            sentence[:room] + tail,
            424,
            {
                "OriginalStatusCode": status,
                "OriginalMessage": original[: self._limits.message_characters],
                "LogStreamArn": f"arn:aws:logs:{self._region}:{self._account}:log-group:{group}",
            },
        )
