"""HTTP APIs: events of payload 2.0 and 1.0, answers, routes and stages, CORS, authorizers, HTTP integrations."""

import base64
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.apis.cors import answer_headers, preflight_headers
from harness.cloud.apis.definitions import Cors
from harness.cloud.apis.requests import ApiRequest, read
from harness.cloud.clock import ManualClock
from harness.cloud.identity.administrators import ACCOUNT
from tests.cloud.apis import functions
from tests.cloud.apis.conftest import Answer, HttpApi, Web
from tests.cloud.apis.test_requests import NOW, scope

Client = Callable[..., Any]

# Gives its event, or what the body says under `answer`, without any form of its own.
SOURCE = """
import json, time

def handler(event, context):
    body = event.get("body") or ""
    order = json.loads(body) if body.startswith("{") else {}
    if "fail" in order:
        raise Exception(order["fail"])
    if "sleep" in order:
        time.sleep(order["sleep"])
    return order["answer"] if "answer" in order else event
"""


MakeApi = Callable[..., HttpApi]


@pytest.fixture(scope="module")
def arn(client: Client) -> str:
    """A function that gives its event, and that every API may call."""
    arn = functions.create(client, "events", SOURCE)
    functions.permit(client, arn, "*")
    return arn


def order(api: HttpApi, what: dict[str, Any], path: str = "/") -> Answer:
    """Have the function do something."""
    body = json.dumps(what).encode()
    return api.call("POST", path, body=body, headers={"Content-Type": "application/json"})


@pytest.mark.documented("notes/apis.md#events")
def test_an_event_of_payload_2(http_api: MakeApi, web: Web, arn: str) -> None:
    """Every member: joined headers, cookies apart, decoded path, what is empty left out."""
    api = http_api()
    api.route("GET /pets/{id}", api.to_function(arn))
    api.stage("prod", StageVariables={"model": "one"})
    host = f"{api.id}.execute-api.localhost"
    answer = web.send(
        "GET",
        "/prod/pets/a%20b?x=1&x=2&y=%C3%BC",
        headers=[
            *(("Host", host), ("User-Agent", "agent"), ("X-A", "1"), ("x-a", "2")),
            *(("Cookie", "c=1; d=2"), ("Cookie", "e=3")),
        ],
    )
    event = answer.json
    context = event.pop("requestContext")
    headers = event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": "GET /pets/{id}",
        "rawPath": "/prod/pets/a b",
        "rawQueryString": "x=1&x=2&y=%C3%BC",
        "cookies": ["c=1", "d=2", "e=3"],
        "queryStringParameters": {"x": "1,2", "y": "ü"},
        "pathParameters": {"id": "a b"},
        "stageVariables": {"model": "one"},
        "isBase64Encoded": False,
    }
    assert headers["x-a"] == "1,2"
    assert headers["host"] == host
    assert "cookie" not in headers
    assert context.pop("time").endswith(" +0000")
    assert isinstance(context.pop("timeEpoch"), int)
    assert context.pop("requestId") == answer.header("apigw-requestid")
    assert context == {
        "accountId": ACCOUNT,
        "apiId": api.id,
        "domainName": host,
        "domainPrefix": api.id,
        "http": {
            "method": "GET",
            "path": "/prod/pets/a b",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "agent",
        },
        "routeKey": "GET /pets/{id}",
        "stage": "prod",
    }


@pytest.mark.documented("notes/apis.md#events")
def test_an_event_of_payload_1(http_api: MakeApi, client: Client) -> None:
    """The form of REST APIs, with a version, and with what is empty as null."""
    arn = functions.create(client, "obedient")
    functions.permit(client, arn, "*")
    api = http_api()
    api.route("ANY /{proxy+}", api.to_function(arn, "1.0"))
    api.stage("prod")
    event = api.call("GET", "/prod/a/b?x=1&x=2", headers=[("X-A", "1"), ("X-A", "2")]).json
    context = event.pop("requestContext")
    assert event.pop("headers")["X-A"] == "2"
    assert event.pop("multiValueHeaders")["X-A"] == ["1", "2"]
    assert event == {
        "version": "1.0",
        "resource": "/{proxy+}",
        "path": "/prod/a/b",
        "httpMethod": "GET",
        "queryStringParameters": {"x": "2"},
        "multiValueQueryStringParameters": {"x": ["1", "2"]},
        "pathParameters": {"proxy": "a/b"},
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }
    assert (context["stage"], context["httpMethod"], context["path"]) == (
        "prod",
        "GET",
        "/prod/a/b",
    )
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    answer = {"statusCode": 201, "body": "made", "headers": {"X": "y"}}
    got = order(api, {"answer": answer}, "/prod/a")
    assert (got.status, got.body, got.header("x")) == (201, b"made", "y")
    assert order(api, {"answer": {"message": "no proxy answer"}}, "/prod/a").status == 500


@pytest.mark.documented("notes/apis.md#proxy-answers")
@pytest.mark.parametrize(
    ("answer", "status", "body", "content_type"),
    [
        ({"message": "Hello"}, 200, b'{"message": "Hello"}', "application/json"),
        ("Hello", 200, b"Hello", "application/json"),
        ({"statusCode": 201, "body": "made"}, 201, b"made", "text/plain;charset=UTF-8"),
        ({"statusCode": 200, "headers": {"Content-Type": "a/b"}}, 200, b"", "a/b"),
        (
            {
                "statusCode": 200,
                "body": base64.b64encode(b"\0\1").decode(),
                "isBase64Encoded": True,
            },
            *(200, b"\0\1", "text/plain;charset=UTF-8"),
        ),
        ({"statusCode": "x"}, 500, b'{"message":"Internal Server Error"}', "application/json"),
        (
            {"statusCode": 200, "body": "?", "isBase64Encoded": True},
            *(500, b'{"message":"Internal Server Error"}', "application/json"),
        ),
    ],
)
def test_answers_of_payload_2(
    http_api: MakeApi, arn: str, answer: Any, status: int, body: bytes, content_type: str
) -> None:
    """Inferred, explicit, binary and malformed."""
    api = http_api()
    api.route("$default", api.to_function(arn))
    api.stage()
    got = order(api, {"answer": answer})
    assert (got.status, got.body) == (status, body)
    assert got.header("content-type") == content_type


@pytest.mark.documented("notes/apis.md#proxy-answers")
def test_cookies_and_failures(http_api: MakeApi, arn: str) -> None:
    """Cookies become headers; a function that fails, or that nobody permits, is 500."""
    api = http_api()
    api.route("$default", api.to_function(arn))
    api.stage()
    got = order(api, {"answer": {"statusCode": 200, "cookies": ["a=1; Secure", "b=2"]}})
    assert got.headers["set-cookie"] == ["a=1; Secure", "b=2"]
    assert order(api, {"fail": "x"}).status == 500
    api.route("GET /gone", api.to_function(f"{arn}-gone"))
    got = api.call("GET", "/gone")
    assert (got.status, got.body) == (500, b'{"message":"Internal Server Error"}')


@pytest.mark.documented("notes/apis.md#limits")
def test_a_function_that_takes_too_long(http_api: MakeApi, arn: str) -> None:
    """503 after the integration's own time."""
    api = http_api()
    api.route("$default", api.to_function(arn, TimeoutInMillis=50))
    api.stage()
    got = order(api, {"sleep": 1})
    assert (got.status, got.json) == (503, {"message": "Service Unavailable"})


@pytest.mark.documented("notes/apis.md#routing")
def test_stages_and_routes(http_api: MakeApi, web: Web, arn: str) -> None:
    """A stage's name in front, or `$default` without one; nothing fits: 404."""
    api = http_api()
    target = api.to_function(arn)
    api.route("GET /pets", target)
    for path in ("/pets", "/prod/pets"):
        assert api.call("GET", path).status == 404
    api.stage("prod")
    assert api.call("GET", "/pets").status == 404
    api.stage()
    for path, key, raw in (
        ("/pets", "GET /pets", "/pets"),
        ("/prod/pets", "GET /pets", "/prod/pets"),
        ("/%24default/pets", "GET /pets", "/pets"),
    ):
        event = api.call("GET", path).json
        assert (event["routeKey"], event["rawPath"]) == (key, raw)
    got = api.call("POST", "/pets")
    assert (got.status, got.body) == (404, b'{"message":"Not Found"}')
    api.route("$default", target)
    assert api.call("POST", "/pets").json["routeKey"] == "$default"
    api.gateway.update_api(ApiId=api.id, DisableExecuteApiEndpoint=True)
    assert api.call("GET", "/pets").status == 404


@pytest.mark.documented("apigatewayv2:CreateApi")
def test_an_api_made_with_a_target_is_complete(http_api: MakeApi, arn: str, echo_url: str) -> None:
    """Quick create: an integration, a route and the default stage; its endpoint is one that answers."""
    api = http_api(Target=arn)
    assert api.call("GET", "/any").json["routeKey"] == "$default"
    api = http_api(Target=f"{echo_url}/base", RouteKey="GET /x")
    assert api.call("GET", "/x?q=1").json["path"] == "/base"
    assert api.call("GET", "/y").status == 404
    endpoint = api.gateway.get_api(ApiId=api.id)["ApiEndpoint"]
    with urllib.request.urlopen(f"{endpoint}/x") as answer:
        assert json.load(answer)["path"] == "/base"
    (stage,) = api.gateway.get_stages(ApiId=api.id)["Items"]
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)


@pytest.mark.documented("notes/apis.md#http-integrations")
def test_http_proxies(http_api: MakeApi, echo_url: str) -> None:
    """Path parameters in the URI; the default route passes its path on."""
    api = http_api()
    for key, uri in (
        ("ANY /pets/{id}", "/p/{id}"),
        ("ANY /all/{proxy+}", "/{proxy}"),
        ("$default", ""),
    ):
        target = api.integration(
            IntegrationType="HTTP_PROXY",
            IntegrationUri=echo_url + uri,
            IntegrationMethod="ANY",
            PayloadFormatVersion="1.0",
            TimeoutInMillis=2000,
        )
        api.route(key, target)
    api.stage()
    seen = api.call("PUT", "/pets/a%20b?x=1&x=2", body=b"body", headers={"X-A": "1"}).json
    assert (seen["method"], seen["path"], seen["query"]) == ("PUT", "/p/a%20b", "x=1&x=2")
    assert seen["body"] == "body"
    assert ["X-A", "1"] in seen["headers"]
    assert api.call("GET", "/all/status/404").status == 404
    assert api.call("GET", "/else/where").json["path"] == "/else/where"


@pytest.mark.parametrize(
    ("integration", "what"),
    [
        (
            {"IntegrationType": "HTTP_PROXY", "IntegrationUri": "http://192.0.2.1/"},
            "other machines",
        ),
        (
            {
                "IntegrationType": "HTTP_PROXY",
                "IntegrationUri": "http://127.0.0.1/",
                "RequestParameters": {"append:header.a": "b"},
            },
            "parameter mapping",
        ),
        (
            {"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-SendMessage"},
            "SQS-SendMessage",
        ),
    ],
)
def test_what_is_not_here_says_so(
    http_api: MakeApi, integration: dict[str, Any], what: str
) -> None:
    """501 with the name of what is missing."""
    api = http_api()
    target = api.integration(
        **{"IntegrationMethod": "GET", "PayloadFormatVersion": "1.0", **integration}
    )
    api.route("$default", target)
    api.stage()
    got = api.call("GET")
    assert got.status == 501
    assert what in got.json["message"]


CORS = {
    "AllowOrigins": ["https://page.example", "http://*"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["content-type"],
    "ExposeHeaders": ["x-own"],
    "MaxAge": 300,
    "AllowCredentials": True,
}


@pytest.mark.documented("notes/apis.md#cors")
def test_the_gateway_answers_for_cors(http_api: MakeApi, arn: str) -> None:
    """A preflight without any route, and its headers in place of the function's, on errors too."""
    api = http_api(CorsConfiguration=CORS)
    api.route("POST /", api.to_function(arn))
    api.stage()
    asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    got = api.call("OPTIONS", "/", headers=asked)
    assert (got.status, got.body) == (204, b"")
    assert got.header("access-control-allow-origin") == "https://page.example"
    assert got.header("access-control-allow-methods") == "GET,POST"
    assert got.header("access-control-allow-headers") == "content-type"
    assert got.header("access-control-max-age") == "300"
    assert got.header("access-control-allow-credentials") == "true"
    answer = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*", "x-own": "1"}}
    for origin, expected in (
        ("https://page.example", "https://page.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://other.example", None),
    ):
        body = json.dumps({"answer": answer}).encode()
        got = api.call("POST", "/", body=body, headers={"Origin": origin})
        assert got.header("access-control-allow-origin") == expected
        assert got.header("access-control-expose-headers") == ("x-own" if expected else None)
        assert got.header("x-own") == "1"
    got = api.call("GET", "/none", headers={"Origin": "https://page.example"})
    assert got.status == 404
    assert got.header("access-control-allow-origin") == "https://page.example"
    # Without the header that makes it a preflight it is a request as any other.
    assert api.call("OPTIONS", "/", headers={"Origin": "https://page.example"}).status == 404


ORIGINS = st.sampled_from(["https://a.example", "http://a.example", "https://b.example", "null"])


def asked_by(origin: str | None) -> ApiRequest:
    """A request of a page, or of none."""
    return read(scope([("Origin", origin)] if origin is not None else []), b"", NOW)


@pytest.mark.documented("notes/apis.md#cors")
@given(
    allowed=st.lists(ORIGINS | st.sampled_from(["*", "https://*", "http://*"]), max_size=3),
    origin=st.none() | ORIGINS,
)
def test_an_origin_is_allowed_or_not(allowed: list[str], origin: str | None) -> None:
    """Exactly what the configuration says, in both kinds of answer, and never the integration's own word."""
    cors = Cors(allow_origins=tuple(allowed))
    expected = None
    if origin is not None and (
        origin in allowed
        or "*" in allowed
        or ("https://*" in allowed and origin.startswith("https://"))
        or ("http://*" in allowed and origin.startswith("http://"))
    ):
        expected = "*" if "*" in allowed else origin
    integration = [("Access-Control-Allow-Origin", "evil"), ("x", "y")]
    name = "access-control-allow-origin"
    request = asked_by(origin)
    assert dict(preflight_headers(cors, request)).get(name) == expected
    answered = answer_headers(cors, request, integration)
    assert dict(answered).get(name) == expected
    assert ("x", "y") in answered


AUTHORIZER = """
asked = 0

def handler(event, context):
    global asked
    asked += 1
    token = event["identitySource"][0]
    if token == "fail":
        raise Exception("no")
    if token == "policy":
        statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["routeArn"]}
        return {"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    return {"isAuthorized": token == "yes", "context": {"asked": asked, "route": event["routeKey"]}}
"""


@pytest.mark.documented("notes/apis.md#authorizers")
def test_a_function_says_who_may_call(
    http_api: MakeApi, client: Client, arn: str, clock: ManualClock
) -> None:
    """Simple answers and policies: 401 without a token, 403 for a no, 500 for a fault, kept for a while."""
    function = functions.create(client, "http-authorizer", AUTHORIZER)
    functions.permit(client, function, "*/authorizers/*")
    api = http_api()
    for simple in (True, False):
        made = api.gateway.create_authorizer(
            ApiId=api.id,
            Name=f"guard-{simple}",
            AuthorizerType="REQUEST",
            AuthorizerUri=functions.uri(function),
            AuthorizerPayloadFormatVersion="2.0",
            EnableSimpleResponses=simple,
            AuthorizerResultTtlInSeconds=60,
            IdentitySource=["$request.header.X-Token"],
        )["AuthorizerId"]
        api.route(
            f"GET /{simple}", api.to_function(arn), AuthorizationType="CUSTOM", AuthorizerId=made
        )
    api.stage()

    def ask(token: str | None, path: str = "/True") -> Answer:
        return api.call("GET", path, headers={} if token is None else {"X-Token": token})

    assert (ask(None).status, ask(None).json) == (401, {"message": "Unauthorized"})
    assert (ask("no").status, ask("no").json) == (403, {"message": "Forbidden"})
    assert ask("fail").status == 500
    context = ask("yes").json["requestContext"]["authorizer"]["lambda"]
    assert context["route"] == "GET /True"
    assert ask("yes").json["requestContext"]["authorizer"]["lambda"] == context
    clock.advance(61)
    assert ask("yes").json["requestContext"]["authorizer"]["lambda"] != context
    assert ask("policy", "/False").status == 200
    assert ask("yes", "/False").status == 500


def test_jwt_is_refused_by_name(http_api: MakeApi, arn: str) -> None:
    """An issuer would have to be asked."""
    api = http_api()
    api.route("GET /a", api.to_function(arn), AuthorizationType="JWT", AuthorizerId="x")
    api.stage()
    assert "JWT" in api.call("GET", "/a").json["message"]


@pytest.mark.documented(
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html"
)
def test_a_stage_throttles(http_api: MakeApi, arn: str) -> None:
    """By default for all routes, or for one."""
    api = http_api()
    for path in ("a", "b", "c"):
        api.route(f"GET /{path}", api.to_function(arn))
    api.stage(
        DefaultRouteSettings={"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 1.0},
        RouteSettings={"GET /a": {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 1.0}},
    )
    assert [api.call("GET", "/a").status for _ in range(2)] == [200, 429]
    assert [api.call("GET", f"/{path}").status for path in "bcb"] == [200, 200, 429]


def test_a_websocket_api_is_not_served(client: Client, web: Web) -> None:
    """There is no such API for the data plane."""
    made = client("apigatewayv2").create_api(
        Name="ws", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )
    assert web.send("GET", f"/_aws/execute-api/{made['ApiId']}/prod").status == 404
