"""What moto's API Gateway gets wrong, put right as it answers. Runs inside moto's lock, as part of its call.

* A deployment keeps what it was made of, and redeploying a stage leaves its variables and settings alone.
* binaryMediaTypes, identityValidationExpression and disableExecuteApiEndpoint are kept as they were sent.
* An HTTP API's endpoint is one of this cloud; made with a target it has its integration, its route and its
  `$default` stage.
* A resource goes with all that is below it.
* What creates answers 201.
"""

import io
import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from harness.cloud.apis import moto_records
from harness.cloud.apis.function_calls import function_of_uri
from harness.cloud.backing.wsgi import Application, Environ, StartResponse

_SCOPE = "/apigateway/aws4_request"
_REST_API = re.compile(r"/restapis/(?P<id>[^/]+)/?")
_RESOURCE = re.compile(r"/restapis/(?P<id>[^/]+)/resources/[^/]+/?")
_DEPLOYMENTS = re.compile(r"/restapis/(?P<id>[^/]+)/deployments/?")
_AUTHORIZERS = re.compile(r"/restapis/(?P<id>[^/]+)/authorizers/?")
_HTTP_APIS = re.compile(r"/v2/apis(/.*)?")

Content = dict[str, Any]


@dataclass
class _Exchange:
    """One request to moto and its answer, both as they may be changed; `answer` None leaves moto's as it is."""

    host: str
    method: str
    path: str
    body: bytes
    request: Content
    status: int = 0
    answer: Content | None = None


_Finish = Callable[[_Exchange], None]


def corrected(application: Callable[[], Application]) -> Callable[[], Application]:
    """The application with the corrections around it."""

    def make() -> Application:
        inner = application()

        def call(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            if _SCOPE not in environ.get("HTTP_AUTHORIZATION", ""):
                return inner(environ, start_response)
            return _call(inner, environ, start_response)

        return call

    return make


def _call(inner: Application, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    exchange = _Exchange(
        environ.get("HTTP_HOST", "localhost"),
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        body,
        _object(body) or {},
    )
    finish = _prepare(exchange)
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def capture(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        started[:] = [(status, headers)]
        return io.BytesIO().write

    environ["wsgi.input"] = io.BytesIO(exchange.body)
    environ["CONTENT_LENGTH"] = str(len(exchange.body))
    chunks = inner(environ, capture)
    try:
        content = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[0]
    code, _, reason = status.partition(" ")
    exchange.status = int(code)
    if exchange.status < 300:
        exchange.answer = _object(content)
        finish(exchange)
        if exchange.answer is not None:
            content = json.dumps(exchange.answer).encode()
            headers = [(n, v) for n, v in headers if n.lower() != "content-length"]
            headers.append(("Content-Length", str(len(content))))
    start_response(f"{exchange.status} {reason}", headers)
    return [content]


def _object(content: bytes) -> Content | None:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _prepare(exchange: _Exchange) -> _Finish:
    """Look at what there is before moto changes it, and return what is to be done afterwards."""
    method, path = exchange.method, exchange.path
    if method == "POST" and path.rstrip("/") == "/restapis":
        return _finish_rest_api
    if method == "PATCH" and (match := _REST_API.fullmatch(path)):
        return _prepare_patch(exchange, match["id"])
    if method == "DELETE" and (match := _RESOURCE.fullmatch(path)):
        return _finisher_of_deletion(match["id"])
    if method == "POST" and (match := _DEPLOYMENTS.fullmatch(path)):
        return _prepare_deployment(exchange, match["id"])
    if method == "POST" and (match := _AUTHORIZERS.fullmatch(path)):
        return _finisher_of_authorizer(match["id"])
    if method == "POST" and path.rstrip("/") == "/v2/apis":
        return _finish_http_api
    return _created if method == "POST" and _HTTP_APIS.fullmatch(path) else _nothing


def _nothing(exchange: _Exchange) -> None:
    exchange.answer = None


def _created(exchange: _Exchange) -> None:
    exchange.answer = None
    exchange.status = 201


def _api(api_id: str, version: str = "") -> Any:
    module = sys.modules.get(f"moto.apigateway{version}.models")
    if module is None:
        return None
    for regions in list(getattr(module, f"apigateway{version}_backends").values()):
        for backend in list(regions.values()):
            if api_id in backend.apis:
                return backend.apis[api_id]
    return None


def _finish_rest_api(exchange: _Exchange) -> None:
    exchange.status = 201
    api = _api((exchange.answer or {}).get("id", ""))
    types = exchange.request.get(
        "binaryMediaTypes", exchange.request.get("x-amazon-apigateway-binary-media-types")
    )
    if api is not None and isinstance(types, list):
        api.binaryMediaTypes = [str(item) for item in types]
        exchange.answer = api.to_dict()


def _prepare_patch(exchange: _Exchange, api_id: str) -> _Finish:
    """Take from moto the operations that it gets wrong, and carry them out here."""
    api = _api(api_id)
    operations = exchange.request.get("patchOperations")
    if api is None or not isinstance(operations, list):
        return _nothing
    types, disabled, left = list(api.binaryMediaTypes), api.disableExecuteApiEndpoint, []
    for operation in operations:
        path, value = str(operation.get("path", "")), str(operation.get("value") or "")
        if path.startswith("/binaryMediaTypes"):
            types = _patched(types, str(operation.get("op")), path, value)
        elif path == "/disableExecuteApiEndpoint":
            disabled = value.lower() == "true"
        else:
            left.append(operation)
    exchange.body = json.dumps({**exchange.request, "patchOperations": left}).encode()

    def finish(exchange: _Exchange) -> None:
        api.binaryMediaTypes = types
        api.disableExecuteApiEndpoint = disabled
        exchange.answer = api.to_dict()

    return finish


def _patched(types: list[str], operation: str, path: str, value: str) -> list[str]:
    named = path.removeprefix("/binaryMediaTypes").removeprefix("/")
    media_type = named.replace("~1", "/").replace("~0", "~")
    if operation == "add":
        wanted = media_type or value
        return [*types, wanted] if wanted not in types else types
    if operation == "remove":
        return [kept for kept in types if kept != media_type] if media_type else []
    return [value if kept == media_type else kept for kept in types] if media_type else [value]


def _finisher_of_deletion(api_id: str) -> _Finish:
    def finish(exchange: _Exchange) -> None:
        api = _api(api_id)
        while orphans := [
            resource.id
            for resource in (api.resources.values() if api is not None else ())
            if resource.parent_id and resource.parent_id not in api.resources
        ]:
            for orphan in orphans:
                del api.resources[orphan]
        exchange.answer = None

    return finish


def _prepare_deployment(exchange: _Exchange, api_id: str) -> _Finish:
    api = _api(api_id)
    name = exchange.request.get("stageName")
    stage = api.stages.get(name) if api is not None and name else None

    def finish(exchange: _Exchange) -> None:
        deployment = api.deployments.get((exchange.answer or {}).get("id"))
        if deployment is not None:
            setattr(deployment, moto_records.SNAPSHOT, moto_records.rest_api(api))
        if stage is not None and deployment is not None:
            stage.deployment_id = deployment.id
            stage.variables.update(exchange.request.get("variables") or {})
            api.stages[name] = stage
        exchange.answer = None

    return _nothing if api is None else finish


def _finisher_of_authorizer(api_id: str) -> _Finish:
    def finish(exchange: _Exchange) -> None:
        api = _api(api_id)
        authorizer = api and api.authorizers.get((exchange.answer or {}).get("id"))
        expression = exchange.request.get("identityValidationExpression")
        if authorizer is None or expression is None:
            exchange.answer = None
            return
        authorizer.identity_validation_expression = expression
        exchange.answer = authorizer.to_json()

    return finish


def _finish_http_api(exchange: _Exchange) -> None:
    exchange.status = 201
    api = _api((exchange.answer or {}).get("apiId", ""), "v2")
    target = exchange.request.get("target")
    if api is None or api.protocol_type != "HTTP":
        exchange.answer = None
        return
    api.api_endpoint = f"http://{exchange.host}/_aws/execute-api/{api.api_id}"
    if isinstance(target, str):
        _complete(api, target, exchange.request)
    exchange.answer = api.to_json()


def _complete(api: Any, target: str, request: Content) -> None:
    """Make what CreateApi makes of a target."""
    to_function = function_of_uri(target) is not None
    integration = api.create_integration(
        connection_type="INTERNET",
        description="",
        integration_method="POST" if to_function else "ANY",
        integration_type="AWS_PROXY" if to_function else "HTTP_PROXY",
        integration_uri=target,
        credentials_arn=request.get("credentialsArn"),
        payload_format_version="2.0" if to_function else "1.0",
    )
    api.create_route(
        api_key_required=False,
        authorization_scopes=[],
        route_key=request.get("routeKey") or "$default",
        target=f"integrations/{integration.id}",
    )
    api.create_stage({"stageName": "$default", "autoDeploy": True})
