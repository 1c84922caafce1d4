"""REST APIs in front of real functions: permission, answers, failures, time, other than proxies."""

import base64
import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness.cloud.local_cloud import LocalCloud
from tests.cloud.apis import functions
from tests.cloud.apis.conftest import RestApi, Web
from tests.cloud.apis.test_http_integrations import ALL_HEADERS

MakeApi = Callable[..., RestApi]
Client = Callable[..., Any]

ERROR = b'{"message": "Internal server error"}'


@pytest.fixture(scope="module")
def arn(client: Client) -> str:
    """A function that does what it is told."""
    return functions.create(client, "obedient")


def proxied(rest_api: MakeApi, client: Client, arn: str, **arguments: Any) -> RestApi:
    """An API of one greedy resource in front of the function, deployed and permitted."""
    api = rest_api(**arguments)
    api.method("ANY", "/{proxy+}", functions.proxy(arn))
    api.deploy()
    functions.permit(client, arn, f"{api.id}/*/*/*")
    return api


def order(api: RestApi, what: dict[str, Any], **headers: str) -> Any:
    """Have the function do something."""
    return api.call("POST", "/x", body=json.dumps(what).encode(), headers=headers)


@pytest.mark.recorded("notes/apis.md#events")
def test_a_function_sees_the_request(rest_api: MakeApi, client: Client, arn: str) -> None:
    """Recorded 2 August 2024: over HTTP, with header names as they were sent."""
    api = proxied(rest_api, client, arn)
    answer = api.call(
        "GET",
        "/proxy-value/a%2Bb/?urlparam=t%C3%BCst",
        headers=[("tEsT-HEADeR", "ü"), ("aUThorization", "random-value"), ("tEsT-HEADeR", "2")],
    )
    event = answer.json
    assert answer.status == 200
    assert event["multiValueHeaders"]["tEsT-HEADeR"] == ["ü", "2"]
    assert event["headers"]["Authorization"] == "random-value"
    assert event["path"] == "/proxy-value/a%2Bb/"
    assert event["requestContext"]["path"] == "/test/proxy-value/a%2Bb/"
    assert event["pathParameters"] == {"proxy": "proxy-value/a%2Bb"}
    assert event["queryStringParameters"] == {"urlparam": "tüst"}
    assert event["requestContext"]["requestId"] == answer.header("x-amzn-requestid")
    assert event["requestContext"]["extendedRequestId"] == answer.header("x-amz-apigw-id")
    assert event["headers"]["X-Amzn-Trace-Id"] == answer.header("x-amzn-trace-id")
    assert event["body"] is None


@pytest.mark.recorded("notes/apis.md#addresses")
def test_slashes_before_and_after_the_stage(
    rest_api: MakeApi, client: Client, web: Web, arn: str
) -> None:
    """Recorded 2 August 2024: by host, where a slash may come before the stage, and by path."""
    api = proxied(rest_api, client, arn)
    host = {"Host": f"{api.id}.execute-api.localhost"}
    for answer, full_path in (
        (web.send("GET", "//test/proxy-value", headers=host), "/test/proxy-value"),
        (web.send("GET", "/test//proxy-value", headers=host), "/test//proxy-value"),
        (api.call("GET", "//proxy-value"), "/test//proxy-value"),
    ):
        event = answer.json
        assert event["path"] == "/proxy-value"
        assert event["requestContext"]["path"] == full_path
        assert event["pathParameters"] == {"proxy": "proxy-value"}


def test_an_answer_without_a_body_ends(
    rest_api: MakeApi, client: Client, cloud: LocalCloud, arn: str
) -> None:
    """After a 204, whatever the function put into it, the connection goes on with the next answer."""
    api = proxied(rest_api, client, arn)
    path = f"/restapis/{api.id}/test/_user_request_/x"
    connection = http.client.HTTPConnection(urlsplit(cloud.url).netloc, timeout=30)
    try:
        for status, expected in ((204, b""), (200, b"seen"), (304, b""), (200, b"seen")):
            order = {"answer": {"statusCode": status, "body": "seen"}}
            connection.request("POST", path, json.dumps(order))
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (status, expected)
    finally:
        connection.close()


@pytest.mark.recorded("notes/apis.md#proxy-answers")
@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ({"statusCode": 200}, 200, b""),
        ({"statusCode": "201"}, 201, b""),
        ({"headers": {"test-header": "value"}}, 200, b""),
        ({"statusCode": 200, "wrongValue": "value"}, 502, ERROR),
        ({"statusCode": "test"}, 502, ERROR),
        ("justAString", 502, ERROR),
        ({"statusCode": 204, "body": "never seen"}, 204, b""),
    ],
)
def test_answers_of_functions(
    rest_api: MakeApi, client: Client, arn: str, answer: Any, status: int, body: bytes
) -> None:
    """Recorded 15 November 2024: good and malformed ones."""
    api = proxied(rest_api, client, arn)
    got = order(api, {"answer": answer})
    assert (got.status, got.body) == (status, body)
    if status == 502:
        assert got.header("x-amzn-errortype") == "InternalServerErrorException"
    elif status == 200:
        assert got.header("content-type") == "application/json"


@pytest.mark.recorded("notes/apis.md#proxy-answers")
def test_headers_of_functions(rest_api: MakeApi, client: Client, arn: str) -> None:
    """Recorded 15 November and 11 December 2024: lists, and names that the gateway keeps for itself."""
    api = proxied(rest_api, client, arn)
    got = order(
        api,
        {
            "answer": {
                "statusCode": 200,
                "multiValueHeaders": {"tesT-Multi": ["value-multi"], "Set-Cookie": ["a=1", "b=2"]},
                "headers": {
                    "test-multi": "value-solo",
                    "Date": "yesterday",
                    "Server": "mine",
                    "Content-Length": "7",
                    "Connection": "x",
                    "Transfer-Encoding": "chunked",
                    "x-amzn-RequestId": "mine",
                },
            }
        },
    )
    assert got.headers["test-multi"] == ["value-multi", "value-solo"]
    assert got.headers["set-cookie"] == ["a=1", "b=2"]
    assert got.header("x-amzn-remapped-date") == "yesterday"
    assert got.header("x-amzn-remapped-server") == "mine"
    assert got.header("x-amzn-remapped-content-length") == "7"
    assert got.header("x-amzn-remapped-connection") == "x"
    assert got.header("content-length") == "0"
    assert got.header("x-amzn-requestid") != "mine"


@pytest.mark.documented("notes/apis.md#proxy-answers")
def test_a_function_that_fails_is_502(rest_api: MakeApi, client: Client, arn: str) -> None:
    """Its error is the log's business."""
    got = order(proxied(rest_api, client, arn), {"fail": "secret"})
    assert (got.status, got.body) == (502, ERROR)


@pytest.mark.documented("notes/apis.md#permission-to-call-a-function")
def test_a_function_must_permit_the_api(rest_api: MakeApi, client: Client) -> None:
    """Nobody, another API, another path: 500. The right one: 200. A function that is gone: 500."""
    arn = functions.create(client, "reluctant")
    api = rest_api()
    api.method("GET", "/a/{b}", functions.proxy(arn))
    api.deploy()
    for source in ("*/*/*/*", "otherapi00/*/GET/a/*", f"{api.id}/*/POST/a/*", f"{api.id}/*/GET/b"):
        assert (api.call("GET", "/a/1").status, api.call("GET", "/a/1").body) == (500, ERROR)
        if source != "*/*/*/*":
            functions.permit(client, arn, source)
    functions.permit(client, arn, f"{api.id}/test/GET/a/{{b}}")
    assert api.call("GET", "/a/1").status == 200
    client("lambda").delete_function(FunctionName="reluctant")
    assert (api.call("GET", "/a/1").status, api.call("GET", "/a/1").body) == (500, ERROR)


@pytest.mark.documented("notes/apis.md#permission-to-call-a-function")
def test_an_alias_has_permissions_of_its_own(rest_api: MakeApi, client: Client) -> None:
    """What the function permits does not hold for its alias; the alias answers once it does."""
    arn = functions.create(client, "aliased")
    lambdas = client("lambda")
    version = lambdas.publish_version(FunctionName="aliased")["Version"]
    alias = lambdas.create_alias(FunctionName="aliased", Name="live", FunctionVersion=version)
    api = rest_api()
    api.method("GET", "/", functions.proxy(f"{arn}:${{stageVariables.alias}}"))
    api.deploy(variables={"alias": "live"})
    functions.permit(client, arn, f"{api.id}/*/GET/")
    assert api.call("GET").status == 500
    functions.permit(client, arn, f"{api.id}/*/GET/", Qualifier="live")
    assert alias["AliasArn"] == f"{arn}:live"
    assert api.call("GET").status == 200


@pytest.mark.recorded("notes/apis.md#errors")
def test_a_function_is_called_by_post_alone(rest_api: MakeApi, client: Client, arn: str) -> None:
    """Recorded 20 March 2024: an integration method GET is 500, with a gateway response of its own too."""
    api = rest_api()
    api.method("ANY", "/{proxy+}", functions.proxy(arn) | {"integrationHttpMethod": "GET"})
    api.gateway.put_gateway_response(
        restApiId=api.id, responseType="INTEGRATION_FAILURE", responseParameters={}
    )
    api.deploy()
    functions.permit(client, arn, f"{api.id}/*/*/*")
    got = api.call("GET", "/test-path")
    assert (got.status, got.json) == (500, {"message": "Internal server error"})


@pytest.mark.recorded("notes/apis.md#headers")
@pytest.mark.parametrize("kind", ["AWS", "AWS_PROXY"])
@pytest.mark.parametrize(
    "name",
    [
        *("Content-Length", "Transfer-Encoding", "Authorization", "Connection", "Expect"),
        *("Proxy-Authenticate", "TE"),
    ],
)
def test_headers_that_no_function_may_be_sent(
    rest_api: MakeApi, arn: str, kind: str, name: str
) -> None:
    """Recorded 11 December 2024: requestParameters that write them make a call 500."""
    api = rest_api()
    parameters = {f"integration.request.header.{name}": "'x'"}
    api.method("GET", "/", functions.proxy(arn) | {"type": kind, "requestParameters": parameters})
    api.deploy()
    got = api.call("GET")
    assert (got.status, got.body) == (500, ERROR)
    assert got.header("x-amzn-errortype") == "InternalServerErrorException"


@pytest.mark.recorded("notes/apis.md#headers")
def test_headers_that_a_function_sees(rest_api: MakeApi, client: Client, arn: str) -> None:
    """Recorded 11 December 2024: of all headers, these; mapped ones make no difference."""
    api = rest_api()
    parameters = {"integration.request.header.Accept": "'text/html'"}
    api.method("GET", "/x", functions.proxy(arn, requestParameters=parameters))
    api.deploy()
    functions.permit(client, arn, f"{api.id}/*/GET/x")
    headers = api.call("GET", "/x", headers=ALL_HEADERS).json["headers"]
    for name in ("X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "Host"):
        del headers[name]
    assert headers == {
        "Accept": "application/json",
        "Accept-Charset": "UTF-8",
        "Accept-Encoding": "br",
        "Age": "request_Age",
        "Authorization": "Unauthorized",
        "Content-Encoding": "deflate",
        "Content-Type": "application/json",
        "Date": "request_Date",
        "Pragma": "cache",
        "Range": "bytes=500-999",
        "Referer": "https://example.com/",
        "User-Agent": "localStack/0.0",
        "Via": "p.example.net",
        "Warn": "299 localStack/0.0",
        "X-Forwarded-Proto": "http",
    }


@pytest.mark.documented("notes/apis.md#limits")
def test_a_function_that_takes_too_long(rest_api: MakeApi, client: Client, arn: str) -> None:
    """504 after the integration's own time; the function runs on."""
    api = rest_api()
    api.method("POST", "/x", functions.proxy(arn, timeoutInMillis=50))
    api.deploy()
    functions.permit(client, arn, f"{api.id}/*/POST/x")
    got = order(api, {"sleep": 1})
    assert (got.status, got.json) == (504, {"message": "Endpoint request timed out"})


@pytest.mark.documented("notes/apis.md#limits")
def test_an_event_has_a_limit(rest_api: MakeApi, client: Client, arn: str) -> None:
    """A body that the API takes may be too much for its function."""
    api = proxied(rest_api, client, arn)
    got = api.call("POST", "/x", body=b"x" * 6_291_456)
    assert (got.status, got.json) == (413, {"message": "Request Too Long"})
    assert api.call("POST", "/x", body=b"x" * 2_000_000).status == 200


@pytest.mark.documented("notes/apis.md#proxy-answers")
def test_binary_there_and_back(rest_api: MakeApi, client: Client, arn: str) -> None:
    """An image goes in as base64 and comes back as bytes, for whoever accepts it first."""
    data = bytes(range(256))
    api = proxied(rest_api, client, arn, binaryMediaTypes=["image/png", "application/octet-stream"])
    event = api.call("POST", "/x", body=data, headers={"Content-Type": "image/png"}).json
    assert base64.b64decode(event["body"]) == data
    text = base64.b64encode(data).decode()
    answer = {"body": text, "isBase64Encoded": True, "headers": {"Content-Type": "image/png"}}
    assert order(api, {"answer": answer}, Accept="image/png, */*").body == data
    assert order(api, {"answer": answer}, Accept="text/html, image/png").body == text.encode()
    assert order(api, {"answer": answer}).body == text.encode()
    bad = {"body": "?", "isBase64Encoded": True}
    assert order(api, {"answer": bad}, Accept="image/png").status == 500


@pytest.mark.recorded("notes/apis.md#templates")
def test_a_function_without_a_proxy(rest_api: MakeApi, client: Client) -> None:
    """Recorded 31 May 2023: the body is the event and the answer; a template makes an event of parameters."""
    arn = functions.create(client, "echo", "def handler(event, context):\n    return event\n")
    api = rest_api()
    custom = functions.proxy(arn) | {"type": "AWS"}
    api.method("POST", "/test", custom)
    templates = {"application/json": '{"param1": "$input.params(\'param1\')"}'}
    api.method("GET", "/test", {**custom, "requestTemplates": templates})
    api.deploy()
    functions.permit(client, arn, f"{api.id}/*/*/test")
    assert api.call("POST", "/test", body=b'{"message": "hello world"}').json == {
        "message": "hello world"
    }
    assert api.call("GET", "/test?param1=foobar").json == {"param1": "foobar"}
    assert api.call("GET", "/test?param1=foobar&Signature=1").json == {"param1": "foobar"}
    # Recorded 11 December 2024: without parameters and body the event is empty.
    assert api.call("POST", "/test").json == {}


FAILING = """
def handler(event, context):
    match event["statusCode"]:
        case "400":
            raise Exception("Error: Raising four hundred from within the Lambda function")
        case "500":
            raise Exception("Error: Raising five hundred from within the Lambda function")
    return "Pass"
"""


@pytest.mark.recorded("notes/apis.md#templates")
def test_an_error_selects_the_response(rest_api: MakeApi, client: Client) -> None:
    """Recorded 5 May 2025: patterns are held against the error message of a function that fails."""
    arn = functions.create(client, "failing", FAILING)
    api = rest_api()
    api.method(
        "GET",
        "/{statusCode}",
        functions.proxy(arn)
        | {
            "type": "AWS",
            "requestTemplates": {
                "application/json": '{"statusCode": "$input.params(\'statusCode\')"}'
            },
        },
        [
            {"statusCode": "200"},
            {"statusCode": "405", "selectionPattern": ".*four hundred.*"},
            {"statusCode": "502", "selectionPattern": ".*five.*"},
        ],
    )
    api.deploy()
    functions.permit(client, arn, f"{api.id}/*/GET/*")
    assert (api.call("GET", "/200").status, api.call("GET", "/200").json) == (200, "Pass")
    for status, expected, words in (("400", 405, "four"), ("500", 502, "five")):
        got = api.call("GET", f"/{status}")
        assert got.status == expected
        assert got.json["errorMessage"] == (
            f"Error: Raising {words} hundred from within the Lambda function"
        )
        assert got.json["errorType"] == "Exception"


RESPONSE_TEMPLATE = """#set($body = $input.path('$'))
#if($body.toString().contains("customerror"))
#set($context.responseOverride.status = 400)
#else
#set($context.responseOverride.status = 202)
#end
{"body": "$body.body", "statusCode": $body.statusCode}"""


@pytest.mark.recorded("notes/apis.md#templates")
def test_a_response_template_sets_the_status(rest_api: MakeApi, client: Client) -> None:
    """Recorded 17 September 2023: 202 or 400 by what the function answered."""
    source = """
def handler(event, context):
    return {"statusCode": 200, "body": "noerror" if event["httpStatus"] == "200" else "customerror"}
"""
    arn = functions.create(client, "mapping", source)
    api = rest_api()
    api.method(
        "POST",
        "/test",
        functions.proxy(arn) | {"type": "AWS"},
        [{"statusCode": "200", "responseTemplates": {"application/json": RESPONSE_TEMPLATE}}],
    )
    api.deploy()
    functions.permit(client, arn, f"{api.id}/*/POST/test")
    for status, expected, body in (("200", 202, "noerror"), ("400", 400, "customerror")):
        got = api.call("POST", "/test", body=json.dumps({"httpStatus": status}).encode())
        assert (got.status, got.json) == (expected, {"body": body, "statusCode": 200})


@pytest.mark.documented(
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-integration-async.html"
)
def test_an_asynchronous_call_is_answered_at_once(
    rest_api: MakeApi, client: Client, arn: str
) -> None:
    """X-Amz-Invocation-Type 'Event' by a mapped header: an empty body, whatever becomes of the function."""
    api = rest_api()
    parameters = {"integration.request.header.X-Amz-Invocation-Type": "'Event'"}
    api.method("POST", "/", functions.proxy(arn) | {"type": "AWS", "requestParameters": parameters})
    api.deploy()
    functions.permit(client, arn, f"{api.id}/*/POST/")
    got = api.call("POST", body=b'{"body": "{\\"fail\\": \\"later\\"}"}')
    assert (got.status, got.body) == (200, b"")


def test_a_function_of_another_runtime_is_refused_by_name(
    rest_api: MakeApi, client: Client
) -> None:
    """501 that says what does not run here."""
    arn = functions.create(client, "node")
    client("lambda").update_function_configuration(FunctionName="node", Runtime="nodejs20.x")
    api = rest_api()
    api.method("GET", "/", functions.proxy(arn))
    api.deploy()
    functions.permit(client, arn, f"{api.id}/*/GET/")
    got = api.call("GET")
    assert got.status == 501
    assert "nodejs20.x" in got.json["message"]
