"""Lambda authorizers of REST APIs: who may pass, told by a function."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.apis.authorizers import read
from harness.cloud.apis.gateway_responses import GatewayError
from harness.cloud.clock import ManualClock
from harness.cloud.identity.administrators import ACCOUNT
from tests.cloud.apis import functions
from tests.cloud.apis.conftest import Answer, RestApi

MakeApi = Callable[..., RestApi]
Client = Callable[..., Any]

# Says what the token asks it to say, and counts how often it was asked.
SOURCE = """
import json
asked = 0

def handler(event, context):
    global asked
    asked += 1
    token = event.get("authorizationToken") or event["headers"]["X-Token"]
    if token == "raise":
        raise Exception("Unauthorized")
    if token == "fail":
        raise Exception("anything else")
    if token == "nonsense":
        return {"hello": 1}
    effect, _, resource = token.partition(" ")
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource or event["methodArn"]}
    return {
        "principalId": "user",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"asked": asked, "event": json.dumps(event), "flag": True},
        "usageIdentifierKey": event.get("headers", {}).get("X-Key"),
    }
"""


@pytest.fixture(scope="module")
def arn(client: Client) -> str:
    """The function of the authorizers."""
    arn = functions.create(client, "authorizer", SOURCE)
    functions.permit(client, arn, "*/authorizers/*")
    return arn


def guarded(rest_api: MakeApi, arn: str, **authorizer: Any) -> RestApi:
    """An API whose method asks an authorizer, and shows what it said."""
    api = rest_api(apiKeySource="AUTHORIZER")
    settings: dict[str, Any] = {
        "name": "guard",
        "type": "TOKEN",
        "identitySource": "method.request.header.X-Token",
        "authorizerUri": functions.uri(arn),
        **authorizer,
    }
    made = api.gateway.create_authorizer(restApiId=api.id, **settings)["id"]
    shown = (
        '{"asked": "$context.authorizer.asked", "principal": "$context.authorizer.principalId", '
        '"flag": "$context.authorizer.flag", "event": $context.authorizer.event}'
    )
    guard = {"authorizationType": "CUSTOM", "authorizerId": made}
    for path in ("/a", "/b"):
        api.mock("GET", path, shown, **guard)
    api.mock("GET", "/key", apiKeyRequired=True, **guard)
    api.deploy()
    return api


def ask(api: RestApi, token: str | None, path: str = "/a", **more: str) -> Answer:
    """A call with a token."""
    headers = {} if token is None else {"X-Token": token}
    return api.call("GET", path, headers={**headers, **more})


@pytest.mark.documented("notes/apis.md#authorizers")
def test_a_token_is_asked_about(rest_api: MakeApi, arn: str) -> None:
    """What the function sees, and what of its answer the integration sees."""
    api = guarded(rest_api, arn)
    answer = ask(api, "Allow")
    assert answer.status == 200
    method = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api.id}/test/GET/a"
    assert answer.json["event"] == {
        "type": "TOKEN",
        "methodArn": method,
        "authorizationToken": "Allow",
    }
    assert (answer.json["principal"], answer.json["flag"]) == ("user", "true")


@pytest.mark.documented("notes/apis.md#authorizers")
@pytest.mark.parametrize(
    ("token", "status", "message", "kind"),
    [
        (None, 401, "Unauthorized", "UnauthorizedException"),
        ("raise", 401, "Unauthorized", "UnauthorizedException"),
        (
            "Allow arn:aws:execute-api:us-east-1:1:x/*/*/none",
            403,
            "User is not authorized to access this resource",
            "AccessDeniedException",
        ),
        (
            "Deny",
            403,
            "User is not authorized to access this resource with an explicit deny",
            "AccessDeniedException",
        ),
        ("fail", 500, "Internal server error", "AuthorizerFailureException"),
        ("nonsense", 500, "Internal server error", "AuthorizerConfigurationException"),
        ("Perhaps", 500, "Internal server error", "AuthorizerConfigurationException"),
    ],
)
def test_who_does_not_pass(
    rest_api: MakeApi, arn: str, token: str | None, status: int, message: str, kind: str
) -> None:
    """No token, a function that refuses, denies, fails or talks nonsense."""
    answer = ask(guarded(rest_api, arn), token)
    assert (answer.status, answer.json) == (status, {"message": message})
    assert answer.header("x-amzn-errortype") == kind


@pytest.mark.documented("notes/apis.md#authorizers")
def test_an_answer_is_kept_for_a_while(rest_api: MakeApi, arn: str, clock: ManualClock) -> None:
    """By token, for all methods that its policy allows, until its time is over."""
    api = guarded(rest_api, arn, authorizerResultTtlInSeconds=60)
    everywhere = f"Allow arn:aws:execute-api:*:*:{api.id}/*"
    first = ask(api, everywhere).json["asked"]
    assert ask(api, everywhere, "/b").json["asked"] == first
    assert ask(api, f"{everywhere}/*").json["asked"] != first
    # A policy that names one method is kept as well, and does not allow another.
    assert ask(api, "Allow").status == 200
    assert ask(api, "Allow", "/b").status == 403
    clock.advance(61)
    assert ask(api, everywhere).json["asked"] != first
    fresh = guarded(rest_api, arn, authorizerResultTtlInSeconds=0)
    assert ask(fresh, "Allow").json["asked"] != ask(fresh, "Allow").json["asked"]


@pytest.mark.documented("notes/apis.md#authorizers")
def test_a_token_of_the_wrong_form_is_not_asked_about(rest_api: MakeApi, arn: str) -> None:
    """identityValidationExpression must match all of it; moto forgets the expression, the cloud does not."""
    api = guarded(rest_api, arn, identityValidationExpression="Al.*")
    (kept,) = api.gateway.get_authorizers(restApiId=api.id)["items"]
    assert kept["identityValidationExpression"] == "Al.*"
    assert ask(api, "Allow").status == 200
    assert ask(api, "fail").status == 401


@pytest.mark.documented("notes/apis.md#authorizers")
def test_a_request_is_asked_about(rest_api: MakeApi, arn: str) -> None:
    """A REQUEST authorizer sees it as a proxied function does; each source must be there."""
    api = guarded(
        rest_api,
        arn,
        type="REQUEST",
        identitySource="method.request.header.X-Token, method.request.querystring.q, context.httpMethod",
    )
    assert ask(api, "Allow").status == 401
    answer = ask(api, "Allow", "/a?q=1")
    event = answer.json["event"]
    assert (event["type"], event["resource"], event["path"]) == ("REQUEST", "/a", "/a")
    assert event["queryStringParameters"] == {"q": "1"}
    assert event["requestContext"]["stage"] == "test"
    assert event["headers"]["X-Token"] == "Allow"


@pytest.mark.documented(
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html"
)
def test_an_authorizer_may_name_the_key(rest_api: MakeApi, arn: str) -> None:
    """With the source AUTHORIZER it is usageIdentifierKey that counts, not the header."""
    api = guarded(rest_api, arn, type="REQUEST")
    key = api.gateway.create_api_key(enabled=True)
    plan = api.gateway.create_usage_plan(
        name="plan", apiStages=[{"apiId": api.id, "stage": "test"}]
    )["id"]
    api.gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    everywhere = f"Allow arn:aws:execute-api:*:*:{api.id}/*"
    assert ask(api, everywhere, "/key", **{"x-api-key": key["value"]}).status == 403
    assert ask(api, everywhere + "/*", "/key", **{"X-Key": key["value"]}).status == 200


@pytest.mark.documented("notes/apis.md#permission-to-call-a-function")
def test_an_authorizer_needs_permission(rest_api: MakeApi, client: Client) -> None:
    """Without it the API is misconfigured."""
    arn = functions.create(client, "unpermitted", SOURCE)
    api = guarded(rest_api, arn)
    assert ask(api, "Allow").status == 500
    functions.permit(client, arn, f"{api.id}/authorizers/*")
    assert ask(api, "Allow").status == 200


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
        ),
        max_leaves=5,
    )
    | st.fixed_dictionaries(
        {"principalId": st.text(), "policyDocument": st.dictionaries(st.text(), st.text())}
    )
)
def test_no_answer_of_an_authorizer_is_more_than_wrong(answer: Any) -> None:
    """Whatever it returns is a pass or a misconfiguration."""
    try:
        passed = read(json.dumps(answer).encode())
    except GatewayError as error:
        kind = error.kind.name
    else:
        kind = "" if passed.context["principalId"] == answer["principalId"] else "?"
    assert kind in ("", "AUTHORIZER_CONFIGURATION_ERROR")
