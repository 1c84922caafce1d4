"""An API in a few words, plain HTTP to it, and a server for its HTTP integrations."""

import http.client
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness.cloud.local_cloud import LocalCloud


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; header names in lower case, of repeated ones all values."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """All values of a header, joined."""
        values = self.headers.get(name)
        return None if values is None else ", ".join(values)


class Web:
    """Plain HTTP to a cloud, as a browser or curl sends it."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        headers: list[tuple[str, str]] | dict[str, str] | None = None,
    ) -> Answer:
        """One request with just these headers, besides Host and what frames the body."""
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
        names = {name.lower() for name, _ in pairs}
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            connection.putrequest(
                method, path, skip_host="host" in names, skip_accept_encoding=True
            )
            chunked = body is not None and not isinstance(body, bytes)
            if chunked:
                pairs.append(("Transfer-Encoding", "chunked"))
            elif isinstance(body, bytes):
                pairs.append(("Content-Length", str(len(body))))
            for name, value in pairs:
                connection.putheader(name, value.encode("utf-8"))
            connection.endheaders(body, encode_chunked=chunked)
            answer = connection.getresponse()
            found: dict[str, list[str]] = {}
            for name, value in answer.getheaders():
                found.setdefault(name.lower(), []).append(value)
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def web(cloud: LocalCloud) -> Web:
    """Plain HTTP to the module's cloud."""
    return Web(cloud.url)


class RestApi:
    """A REST API that a test builds step by step with boto3, and calls."""

    def __init__(self, gateway: Any, web: Web, **arguments: Any) -> None:
        self.gateway, self._web = gateway, web
        made = gateway.create_rest_api(name="api", **arguments)
        self.id: str = made["id"]
        self._resources = {"": made["rootResourceId"]}

    def resource(self, path: str) -> str:
        """The id of a resource, made with all above it if need be; `path` as in `/a/{b}`."""
        path = path.rstrip("/")
        if path not in self._resources:
            parent, _, part = path.rpartition("/")
            self._resources[path] = self.gateway.create_resource(
                restApiId=self.id, parentId=self.resource(parent), pathPart=part
            )["id"]
        resource: str = self._resources[path]
        return resource

    def method(
        self,
        verb: str,
        path: str,
        integration: dict[str, Any],
        responses: list[dict[str, Any]] | None = None,
        **method: Any,
    ) -> None:
        """A method with its integration and integration responses (one of 200 unless told)."""
        where = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        self.gateway.put_method(**where, **{"authorizationType": "NONE", **method})
        self.gateway.put_integration(**where, **integration)
        for response in [{"statusCode": "200"}] if responses is None else responses:
            self.gateway.put_integration_response(**where, **response)

    def mock(
        self,
        verb: str,
        path: str,
        template: str | None = None,
        headers: dict[str, str] | None = None,
        request: str = '{"statusCode": 200}',
        status: str = "200",
        **method: Any,
    ) -> None:
        """A method that answers with a response template and headers."""
        response: dict[str, Any] = {"statusCode": status}
        if template is not None:
            response["responseTemplates"] = {"application/json": template}
        if headers:
            response["responseParameters"] = {
                f"method.response.header.{name}": f"'{value}'" for name, value in headers.items()
            }
        integration = {"type": "MOCK", "requestTemplates": {"application/json": request}}
        self.method(verb, path, integration, [response], **method)

    def deploy(self, stage: str = "test", **arguments: Any) -> str:
        """Deploy it as it is now; the id of the deployment."""
        made = self.gateway.create_deployment(restApiId=self.id, stageName=stage, **arguments)
        deployment: str = made["id"]
        return deployment

    def call(self, method: str, path: str = "/", stage: str = "test", **arguments: Any) -> Answer:
        """One request to a stage; `path` as it is to be sent."""
        return self._web.send(
            method, f"/restapis/{self.id}/{stage}/_user_request_{path}", **arguments
        )


@pytest.fixture
def rest_api(client: Callable[..., Any], web: Web) -> Callable[..., RestApi]:
    """`rest_api(**arguments of CreateRestApi)`: a new one."""
    gateway = client("apigateway")
    return lambda **arguments: RestApi(gateway, web, **arguments)


class HttpApi:
    """An HTTP API that a test builds with boto3, and calls."""

    def __init__(self, client: Callable[..., Any], web: Web, **arguments: Any) -> None:
        self.gateway, self._web = client("apigatewayv2"), web
        made = self.gateway.create_api(Name="api", ProtocolType="HTTP", **arguments)
        self.id: str = made["ApiId"]

    def integration(self, **arguments: Any) -> str:
        """An integration; its target."""
        made = self.gateway.create_integration(ApiId=self.id, **arguments)
        return f"integrations/{made['IntegrationId']}"

    def to_function(self, arn: str, version: str = "2.0", **arguments: Any) -> str:
        """An integration with a function."""
        return self.integration(
            IntegrationType="AWS_PROXY",
            IntegrationUri=arn,
            PayloadFormatVersion=version,
            **arguments,
        )

    def route(self, key: str, target: str, **arguments: Any) -> None:
        """A route."""
        self.gateway.create_route(ApiId=self.id, RouteKey=key, Target=target, **arguments)

    def stage(self, name: str = "$default", **arguments: Any) -> None:
        """A stage that deploys automatically."""
        self.gateway.create_stage(ApiId=self.id, StageName=name, AutoDeploy=True, **arguments)

    def call(self, method: str, path: str = "/", **arguments: Any) -> Answer:
        """One request to the path form; `path` begins with the stage unless it is `$default`."""
        return self._web.send(method, f"/_aws/execute-api/{self.id}{path}", **arguments)


@pytest.fixture
def http_api(client: Callable[..., Any], web: Web) -> Callable[..., HttpApi]:
    """`http_api(**arguments of CreateApi)`: a new one."""
    return lambda **arguments: HttpApi(client, web, **arguments)


class _Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent; the path decides how."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if parts.path == "/silent":
            self.server.silent.wait(20)  # type: ignore[attr-defined]
        status = int(parts.path.rpartition("/status/")[2]) if "/status/" in parts.path else 200
        content = json.dumps(
            {
                "method": self.command,
                "path": parts.path,
                "query": parts.query,
                "headers": [[name, value] for name, value in self.headers.items()],
                "body": body.decode("utf-8", "replace"),
            }
        ).encode()
        if parts.path == "/large":
            content = b"x" * 11_000_000
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Encoding", "identity")
        self.send_header("X-Amzn-RequestId", "the-echo's-own")
        self.send_header("X-Echo", "yes")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = _answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that leaves: the gateway does not read an answer that is too large."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@pytest.fixture(scope="module")
def echo_url() -> Iterator[str]:
    """A server on this machine that answers with what it was sent."""
    server = _Server(("127.0.0.1", 0), _Echo)
    server.silent = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.silent.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()
