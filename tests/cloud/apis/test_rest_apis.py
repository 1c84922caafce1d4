"""REST APIs over HTTP: MOCK, deployments, errors and what owners make of them, binary data."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cloud.local_cloud import LocalCloud
from tests.cloud.apis.conftest import RestApi, Web

MakeApi = Callable[..., RestApi]


@pytest.mark.recorded("notes/apis.md#templates")
@pytest.mark.parametrize("passthrough", ["WHEN_NO_MATCH", "NEVER", "WHEN_NO_TEMPLATES"])
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_mock_answers_by_its_templates(
    rest_api: MakeApi, web: Web, passthrough: str, verb: str
) -> None:
    """Recorded 30 May 2024: under each passthrough behaviour, by path and by host."""
    api = rest_api()
    api.method(
        verb,
        "/{id}",
        {
            "type": "MOCK",
            "requestTemplates": {"application/json": '{"statusCode": 200}'},
            "passthroughBehavior": passthrough,
        },
        [
            {
                "statusCode": "200",
                "responseTemplates": {
                    "application/json": '{"statusCode": 200, "id": $input.params().path.id}'
                },
            }
        ],
    )
    api.deploy()
    by_path = api.call(verb, "/42")
    by_host = web.send(verb, "/test/42", headers={"Host": f"{api.id}.execute-api.localhost"})
    assert (by_path.status, by_path.json) == (200, {"id": 42, "statusCode": 200})
    assert (by_host.status, by_host.json) == (by_path.status, by_path.json)


@pytest.mark.recorded("notes/apis.md#templates")
def test_a_mock_echoes_a_parameter(rest_api: MakeApi) -> None:
    """Recorded 29 May 2024."""
    api = rest_api()
    api.mock("GET", "/", '{"echo": "$input.params(\'echo\')", "response": "mocked"}')
    api.deploy()
    assert api.call("GET", "/?echo=foobar").json == {"echo": "foobar", "response": "mocked"}


OVERRIDE = """#set($context.responseOverride.header.fooHeader = "bar")
#set($context.responseOverride.status = 444)
#set($context.customContext = "is also passed around")
{"statusCode": 200}"""


@pytest.mark.recorded("notes/apis.md#templates")
@pytest.mark.parametrize("with_response_template", [True, False])
def test_a_request_template_may_override_the_response(
    rest_api: MakeApi, with_response_template: bool
) -> None:
    """Recorded 16 May 2025: status and headers, and what it writes is seen by the response's template."""
    api = rest_api()
    template = """{"statusOverride": "$context.responseOverride.status",
"fooHeader": "$context.responseOverride.header.fooHeader", "custom": "$context.customContext"}"""
    api.mock("GET", "/", template if with_response_template else None, request=OVERRIDE)
    api.deploy()
    answer = api.call("GET")
    assert answer.status == 444
    assert answer.header("fooheader") == "bar"
    if with_response_template:
        assert answer.json == {
            "custom": "is also passed around",
            "fooHeader": "bar",
            "statusOverride": "444",
        }
    else:
        assert answer.body == b""


@pytest.mark.recorded("notes/apis.md#templates")
@pytest.mark.parametrize(
    ("path", "response"),
    [
        ("path1", "path was path one"),
        ("path2", "path was path two"),
        ("other", "this is the else clause"),
    ],
)
def test_a_response_template_sees_the_requests_overrides(
    rest_api: MakeApi, path: str, response: str
) -> None:
    """Recorded 6 November 2024: #if, #elseif and #else over $context.requestOverride."""
    api = rest_api()
    request = """#set($context.requestOverride.path.body = $input.params('pathName'))
{"statusCode": 200}"""
    template = """#set($body = $context.requestOverride.path.body)
#if($body == "path1"){"response": "path was path one"}
#elseif($body == "path2"){"response": "path was path two"}
#else{"response": "this is the else clause"}#end"""
    api.mock("GET", "/{pathName}", template, request=request)
    api.deploy()
    assert api.call("GET", f"/{path}").json == {"response": response}


@pytest.mark.recorded("notes/apis.md#templates")
def test_a_mock_need_not_use_its_path_parameters(rest_api: MakeApi) -> None:
    """Recorded 29 November 2024: mapped ones, and a template that is no JSON."""
    api = rest_api()
    api.method(
        "GET",
        "/{testPath}",
        {
            "type": "MOCK",
            "requestTemplates": {"application/json": "{statusCode: 200}"},
            "requestParameters": {
                "integration.request.path.integrationPath": "method.request.path.testPath"
            },
        },
        requestParameters={"method.request.path.testPath": True},
    )
    api.deploy()
    assert (api.call("GET", "/foobar").status, api.call("GET", "/foobar").body) == (200, b"")


@pytest.mark.recorded("notes/apis.md#headers")
def test_what_the_gateway_adds_to_a_mock(rest_api: MakeApi) -> None:
    """Recorded 7 August 2024: two ids, new for each request, and no trace."""
    api = rest_api()
    api.mock("GET", "/")
    api.deploy()
    first, second = api.call("GET"), api.call("GET", headers={"X-Amzn-Trace-Id": "Root=1-1-1"})
    for answer in (first, second):
        assert answer.header("content-type") == "application/json"
        assert answer.header("x-amzn-trace-id") is None
    for name in ("x-amzn-requestid", "x-amz-apigw-id"):
        assert first.header(name) != second.header(name)


@pytest.mark.recorded("notes/apis.md#routing")
def test_what_leads_nowhere(rest_api: MakeApi) -> None:
    """Recorded 23 July 2024: an unknown path and an unknown verb lack an authentication token."""
    api = rest_api()
    api.mock("GET", "/existing", '{"statusCode": 200, "message": "exists"}')
    api.deploy()
    assert api.call("GET", "/existing").json == {"message": "exists", "statusCode": 200}
    for answer in (api.call("GET", "/random"), api.call("POST", "/existing")):
        assert answer.status == 403
        assert answer.json == {"message": "Missing Authentication Token"}
        assert answer.header("x-amzn-errortype") == "MissingAuthenticationTokenException"


@pytest.mark.documented("notes/apis.md#errors")
def test_an_unknown_stage_is_forbidden(rest_api: MakeApi, web: Web) -> None:
    """As is an API whose default endpoint is disabled; an API that does not exist is told apart."""
    api = rest_api()
    api.mock("GET", "/")
    api.deploy()
    answer = api.call("GET", stage="other")
    assert (answer.status, answer.body) == (403, b'{"message":"Forbidden"}')
    assert answer.header("x-amzn-errortype") == "ForbiddenException"
    api.gateway.update_rest_api(
        restApiId=api.id,
        patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "True"}],
    )
    assert api.call("GET").status == 403
    api.gateway.update_rest_api(
        restApiId=api.id,
        patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "False"}],
    )
    assert api.call("GET").status == 200
    assert web.send("GET", "/_aws/execute-api/abcdefghij/test/").status == 404


@pytest.mark.recorded("notes/apis.md#errors")
def test_a_mock_without_a_status_is_the_apis_fault(rest_api: MakeApi) -> None:
    """500 in 36 bytes (recorded 11 December 2024), as for a template that is wrong or a missing integration."""
    api = rest_api()
    api.mock("GET", "/status", request="{}")
    api.mock("GET", "/template", "#if(true)")
    api.method("GET", "/response", {"type": "MOCK", "requestTemplates": MOCKED}, [])
    api.gateway.put_method(
        restApiId=api.id,
        resourceId=api.resource("/integration"),
        httpMethod="GET",
        authorizationType="NONE",
    )
    api.deploy()
    for path in ("/status", "/template", "/response", "/integration"):
        answer = api.call("GET", path)
        assert (answer.status, answer.body) == (500, b'{"message": "Internal server error"}')
        assert answer.header("x-amzn-errortype") == "InternalServerErrorException"
        assert answer.header("x-amzn-trace-id") is None


MOCKED = {"application/json": '{"statusCode": 200}'}


@pytest.mark.documented("notes/apis.md#templates")
@pytest.mark.parametrize(
    ("passthrough", "content_type", "status"),
    [
        ("WHEN_NO_MATCH", "text/plain", 201),
        ("WHEN_NO_TEMPLATES", "text/plain", 415),
        ("NEVER", "text/plain", 415),
        ("NEVER", "application/json", 200),
        ("NEVER", "application/json; charset=utf-8", 200),
        ("NEVER", None, 200),
    ],
)
def test_bodies_without_a_template(
    rest_api: MakeApi, passthrough: str, content_type: str | None, status: int
) -> None:
    """A content type that no template is for passes as it is, or is 415."""
    api = rest_api()
    api.method(
        "POST",
        "/",
        {"type": "MOCK", "requestTemplates": MOCKED, "passthroughBehavior": passthrough},
        [
            {"statusCode": "200"},
            {"statusCode": "201", "selectionPattern": "201"},
        ],
    )
    api.deploy()
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = api.call("POST", body=b'{"statusCode": 201}', headers=headers)
    assert answer.status == status
    if status == 415:
        assert answer.json == {"message": "Unsupported Media Type"}


@pytest.mark.documented("notes/apis.md#deployments")
def test_a_deployment_serves_what_there_was(rest_api: MakeApi) -> None:
    """A new resource and a changed method are served after the next deployment, in the stage that got it."""
    api = rest_api()
    api.mock("GET", "/", '"first"')
    first = api.deploy(variables={"model": "one"})
    api.mock("GET", "/", '"second $stageVariables.model"')
    api.mock("GET", "/new", '"new"')
    assert api.call("GET").json == "first"
    assert api.call("GET", "/new").status == 403
    api.deploy("other")
    assert api.call("GET", stage="other").json == "second "
    assert api.call("GET").json == "first"
    second = api.deploy()
    assert api.call("GET").json == "second one"
    assert api.call("GET", "/new").json == "new"
    api.gateway.update_stage(
        restApiId=api.id,
        stageName="test",
        patchOperations=[
            {"op": "replace", "path": "/deploymentId", "value": first},
            {"op": "replace", "path": "/variables/model", "value": "two"},
        ],
    )
    assert api.call("GET").json == "first"
    api.gateway.update_stage(
        restApiId=api.id,
        stageName="test",
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": second}],
    )
    assert api.call("GET").json == "second two"


@pytest.mark.documented("notes/apis.md#deployments")
def test_a_stage_of_its_own_serves_its_deployment(rest_api: MakeApi) -> None:
    """CreateStage with an earlier deployment; what is deleted is gone."""
    api = rest_api()
    api.mock("GET", "/", '"first"')
    deployment = api.gateway.create_deployment(restApiId=api.id)["id"]
    api.mock("GET", "/", '"second"')
    api.gateway.create_stage(restApiId=api.id, stageName="beta", deploymentId=deployment)
    assert api.call("GET", stage="beta").json == "first"
    api.gateway.delete_stage(restApiId=api.id, stageName="beta")
    assert api.call("GET", stage="beta").status == 403


@pytest.mark.documented("apigateway:DeleteResource")
def test_what_is_below_a_deleted_resource_is_gone(rest_api: MakeApi) -> None:
    """From the next deployment on; the rest of the API is served."""
    api = rest_api()
    api.mock("GET", "/a/b")
    api.mock("GET", "/c")
    api.gateway.delete_resource(restApiId=api.id, resourceId=api.resource("/a"))
    api.deploy()
    assert api.call("GET", "/a/b").status == 403
    assert api.call("GET", "/c").status == 200


@pytest.mark.parametrize("status", ["100", "600", "999"])
def test_a_status_that_no_answer_has(rest_api: MakeApi, status: str) -> None:
    """An integration response of it is the API's fault; a gateway response of it is as without."""
    api = rest_api()
    api.mock("GET", "/", status=status)
    parameters = {"gatewayresponse.header.X Y": "'1'", "gatewayresponse.header.X-Z": "'2'"}
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        api.gateway.put_gateway_response(
            restApiId=api.id,
            responseType=kind,
            statusCode=status,
            responseParameters=parameters,
        )
    api.deploy()
    for path, expected in (("/", 500), ("/none", 403)):
        answer = api.call("GET", path)
        assert (answer.status, answer.header("x-z")) == (expected, "2")


@pytest.mark.documented("notes/apis.md#errors")
def test_owners_shape_the_gateways_answers(rest_api: MakeApi) -> None:
    """Status, headers and body of one kind; DEFAULT_4XX and DEFAULT_5XX for all others of theirs."""
    api = rest_api()
    api.mock("GET", "/broken", request="{}")
    put = api.gateway.put_gateway_response
    put(
        restApiId=api.id,
        responseType="MISSING_AUTHENTICATION_TOKEN",
        statusCode="404",
        responseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.X-From": "method.request.header.X-From",
        },
        responseTemplates={
            "application/json": '{"message": $context.error.messageString, "kind": "$context.error.responseType"}'
        },
    )
    put(
        restApiId=api.id,
        responseType="DEFAULT_5XX",
        responseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'https://a.example'",
            "gatewayresponse.header.X-Stage": "context.stage",
            "gatewayresponse.header.X-From": "method.request.header.X-From",
        },
    )
    api.deploy()
    answer = api.call("GET", "/nothing")
    assert answer.status == 404
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.json == {
        "message": "Missing Authentication Token",
        "kind": "MISSING_AUTHENTICATION_TOKEN",
    }
    answer = api.call("GET", "/broken", headers={"X-From": "me"})
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
    assert answer.header("access-control-allow-origin") == "https://a.example"
    assert (answer.header("x-stage"), answer.header("x-from")) == ("test", "me")


@pytest.mark.documented("notes/apis.md#cors")
def test_a_browser_asks_and_is_told(rest_api: MakeApi) -> None:
    """The OPTIONS method that the console makes, with CDK's template that is no JSON."""
    api = rest_api()
    api.mock(
        "OPTIONS",
        "/",
        headers={
            "Access-Control-Allow-Headers": "Content-Type,X-Amz-Date,Authorization,X-Api-Key",
            "Access-Control-Allow-Methods": "OPTIONS,POST",
            "Access-Control-Allow-Origin": "*",
        },
        request="{ statusCode: 200 }",
    )
    api.deploy()
    answer = api.call(
        "OPTIONS",
        headers={
            "Origin": "https://page.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("access-control-allow-methods") == "OPTIONS,POST"


@pytest.mark.documented(
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html"
)
def test_content_handling(rest_api: MakeApi) -> None:
    """A template's text is decoded for whoever accepts a binary type, or wherever it says so."""
    data = bytes(range(256))
    text = base64.b64encode(data).decode()
    api = rest_api(binaryMediaTypes=["image/png"])
    api.mock("GET", "/auto", text)
    for handling in ("CONVERT_TO_BINARY", "CONVERT_TO_TEXT"):
        api.method(
            "POST",
            f"/{handling}",
            {
                "type": "MOCK",
                "requestTemplates": {
                    "application/json": '{"statusCode": 200}',
                    "image/png": '#set($context.body = $input.body){"statusCode": 200}',
                },
                "contentHandling": handling,
            },
            [
                {
                    "statusCode": "200",
                    "responseTemplates": {"application/json": "$context.body"},
                }
            ],
        )
    api.deploy()
    assert api.call("GET", "/auto").body == text.encode()
    sent = api.call("POST", "/CONVERT_TO_TEXT", body=data, headers={"Content-Type": "image/png"})
    assert sent.body == text.encode()
    assert api.call("POST", "/CONVERT_TO_BINARY", body=b"!").status == 500


@pytest.mark.documented("notes/apis.md#limits")
def test_a_body_has_a_limit(rest_api: MakeApi) -> None:
    """One byte too many is 413 in plain text, told before it is sent or while it streams."""
    api = rest_api()
    api.mock("POST", "/")
    api.deploy()
    limit = 10_485_760
    assert api.call("POST", body=b'{"a":"' + b"x" * (limit - 8) + b'"}').status == 200
    streamed = (b"x" * 65536 for _ in range(limit // 65536 + 1))
    for body in (b"x" * (limit + 1), streamed):
        answer = api.call("POST", body=body)
        assert answer.status == 413
        assert answer.body == b"HTTP content length exceeded 10485760 bytes."
        assert answer.header("content-type") == "text/plain"


def test_an_api_that_waits_holds_up_nobody(cloud: LocalCloud, web: Web, rest_api: MakeApi) -> None:
    """While a call waits for moto's lock, the cloud answers others."""
    api = rest_api()
    api.mock("GET", "/")
    api.deploy()
    with ThreadPoolExecutor(1) as threads:
        with cloud.services.lock:
            waiting = threads.submit(api.call, "GET")
            assert web.send("GET", "/_harness/health").status == 200
            assert not waiting.done()
        assert waiting.result().status == 200


@pytest.mark.parametrize(
    ("integration", "what"),
    [
        (
            {
                "type": "AWS",
                "uri": "arn:aws:apigateway:us-east-1:sqs:path/123456789012/q",
                "integrationHttpMethod": "POST",
            },
            "AWS integrations",
        ),
        (
            {
                "type": "HTTP_PROXY",
                "uri": "http://192.0.2.1/",
                "integrationHttpMethod": "GET",
            },
            "HTTP integrations with other machines",
        ),
        (
            {
                "type": "HTTP_PROXY",
                "uri": "http://127.0.0.1/",
                "integrationHttpMethod": "GET",
                "connectionType": "VPC_LINK",
                "connectionId": "x",
            },
            "VPC link",
        ),
    ],
)
def test_what_is_not_here_says_so(
    rest_api: MakeApi, integration: dict[str, Any], what: str
) -> None:
    """501 with the name of what is missing."""
    api = rest_api()
    api.method("GET", "/", integration)
    api.deploy()
    answer = api.call("GET")
    assert answer.status == 501
    assert what in answer.json["message"]


def test_cognito_is_refused_by_name(rest_api: MakeApi) -> None:
    """A user pool would be asked on AWS."""
    api = rest_api()
    authorizer = api.gateway.create_authorizer(
        restApiId=api.id,
        name="pool",
        type="COGNITO_USER_POOLS",
        providerARNs=["arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc"],
        identitySource="method.request.header.Authorization",
    )["id"]
    api.mock("GET", "/", authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer)
    api.deploy()
    answer = api.call("GET", headers={"Authorization": "x"})
    assert answer.status == 501
    assert "COGNITO_USER_POOLS" in answer.json["message"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), max_size=3),
    header=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=10),
    verb=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "DELETE", "BREW"]),
)
def test_no_request_is_the_clouds_fault(
    cloud: LocalCloud, web: Web, parts: list[str], header: str, verb: str
) -> None:
    """Any path, header and verb gets an answer below 500 from an API that does nothing wrong."""
    api = _steady(cloud)
    path = "/".join(quote(part, safe="!$&'()*+,;=:@") for part in parts)
    answer = web.send(
        verb, f"/restapis/{api}/test/_user_request_/{path}", headers={"X-Any": header}
    )
    assert answer.status < 500


_made: dict[int, str] = {}


def _steady(cloud: LocalCloud) -> str:
    """One API for all examples."""
    if id(cloud) not in _made:
        gateway: Any = cloud.client("apigateway")
        api = RestApi(gateway, Web(cloud.url))
        api.mock("ANY", "/{proxy+}", "\"$util.escapeJavaScript($input.params('proxy'))\"")
        api.deploy()
        _made[id(cloud)] = api.id
    return _made[id(cloud)]
