"""APIs and IAM: who signs, what an API's own policy says, and what a role may call."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.cloud.identity.administrators import ACCOUNT
from harness.cloud.local_cloud import LocalCloud
from tests.cloud.apis import functions
from tests.cloud.apis.conftest import Answer, HttpApi, RestApi

MakeApi = Callable[..., RestApi]
Client = Callable[..., Any]


@pytest.fixture(scope="module")
def arn(client: Client) -> str:
    """A function that shows its event, and that no policy lets an API call."""
    return functions.create(client, "obedient")


class Signer:
    """Requests to an API, signed for execute-api."""

    def __init__(self, cloud: LocalCloud, api: RestApi) -> None:
        self._url, self._api = cloud.url, api

    def call(
        self,
        credentials: Credentials,
        path: str = "/a",
        body: bytes = b"",
        service: str = "execute-api",
    ) -> Answer:
        """One signed POST."""
        url = f"{self._url}/restapis/{self._api.id}/test/_user_request_{path}"
        request = AWSRequest("POST", url, data=body)
        SigV4Auth(credentials, service, "us-east-1").add_auth(request)
        return self._api.call("POST", path, body=body, headers=dict(request.headers.items()))


def user(client: Client, name: str, allowed: str | None = None) -> Credentials:
    """The keys of a new IAM user, who may call what `allowed` says."""
    iam = client("iam")
    iam.create_user(UserName=name)
    if allowed is not None:
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": allowed}
        iam.put_user_policy(
            UserName=name,
            PolicyName="p",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


@pytest.mark.documented("notes/apis.md#authorizers")
def test_a_signature_may_be_demanded(rest_api: MakeApi, client: Client, cloud: LocalCloud) -> None:
    """AWS_IAM: none, a wrong one, an unknown key, one without permission, and one with."""
    api = rest_api()
    shown = '"$context.identity.userArn $context.identity.accessKey $context.x"'
    request = '#set($context.x = $input.path("$.x")){"statusCode": 200}'
    api.mock("POST", "/{proxy+}", shown, request=request, authorizationType="AWS_IAM")
    api.deploy()
    signer = Signer(cloud, api)
    unsigned = api.call("POST", "/a")
    assert (unsigned.status, unsigned.json) == (403, {"message": "Missing Authentication Token"})
    wrong = signer.call(Credentials("test", "other"))
    assert wrong.status == 403
    assert wrong.header("x-amzn-errortype") == "InvalidSignatureException"
    elsewhere = signer.call(Credentials("test", "test"), service="lambda")
    assert elsewhere.header("x-amzn-errortype") == "InvalidSignatureException"
    unknown = signer.call(Credentials("nobody", "test"))
    assert unknown.header("x-amzn-errortype") == "UnrecognizedClientException"
    denied = signer.call(user(client, "stranger"))
    assert denied.status == 403
    assert denied.json["message"].startswith(
        f"User: arn:aws:iam::{ACCOUNT}:user/stranger is not authorized to perform: execute-api:Invoke "
        f"on resource: arn:aws:execute-api:us-east-1:{ACCOUNT}:{api.id}/test/POST/a"
    )
    keys = user(client, "guest", f"arn:aws:execute-api:*:*:{api.id}/test/POST/a*")
    allowed = signer.call(keys, "/a%20b", b'{"x": 7}')
    assert allowed.json == f"arn:aws:iam::{ACCOUNT}:user/guest {keys.access_key} 7"
    assert signer.call(keys, "/b").status == 403


@pytest.mark.documented(
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies.html"
)
def test_an_api_has_a_policy_of_its_own(
    rest_api: MakeApi, client: Client, cloud: LocalCloud
) -> None:
    """By address for everybody, by name for who signs; it holds from the next deployment on."""

    def policy(effect: str, principal: Any, **condition: Any) -> str:
        statement = {
            "Effect": effect,
            "Principal": principal,
            "Action": "execute-api:Invoke",
            "Resource": "arn:aws:execute-api:*:*:*/*",
            **condition,
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    address = {"Condition": {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8"]}}}
    elsewhere = {"Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}}}
    for text, status in (
        (policy("Allow", "*", **address), 200),
        (policy("Allow", "*", **elsewhere), 403),
        (policy("Deny", "*", **address), 403),
    ):
        api = rest_api(policy=text)
        api.mock("POST", "/a")
        api.deploy()
        answer = api.call("POST", "/a")
        assert answer.status == status
        if status == 403:
            assert answer.header("x-amzn-errortype") == "AccessDeniedException"
    api = rest_api(policy=policy("Allow", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/named"}))
    api.mock("POST", "/a", authorizationType="AWS_IAM")
    api.deploy()
    assert Signer(cloud, api).call(user(client, "named")).status == 200
    assert Signer(cloud, api).call(user(client, "other")).status == 403


@pytest.mark.documented("notes/apis.md#permission-to-call-a-function")
def test_a_role_may_call_in_the_apis_stead(rest_api: MakeApi, client: Client, arn: str) -> None:
    """With credentials it is the role's policies that count, and who the role trusts."""
    iam = client("iam")
    api = rest_api()
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    for name, service in (("trusting", "apigateway"), ("distrusting", "ec2")):
        statement = {**trust, "Principal": {"Service": f"{service}.amazonaws.com"}}
        role = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [statement]}
            ),
        )["Role"]["Arn"]
        api.method("GET", f"/{name}", functions.proxy(arn, credentials=role))
    api.deploy()
    assert api.call("GET", "/trusting").status == 500
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    for name in ("trusting", "distrusting"):
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    assert api.call("GET", "/trusting").status == 200
    assert api.call("GET", "/distrusting").status == 500


@pytest.mark.documented("notes/apis.md#permission-to-call-a-function")
def test_a_role_may_ask_an_authorizer(rest_api: MakeApi, client: Client) -> None:
    """authorizerCredentials stand in for a permission of the authorizer's function."""
    arn = functions.create(
        client, "refuses", "def handler(event, context):\n    raise Exception('Unauthorized')\n"
    )
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    statement = {**trust, "Principal": {"Service": "apigateway.amazonaws.com"}}
    iam = client("iam")
    role = iam.create_role(
        RoleName="asks",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Role"]["Arn"]
    api = rest_api()
    authorizer = api.gateway.create_authorizer(
        restApiId=api.id,
        name="guard",
        type="TOKEN",
        identitySource="method.request.header.X-Token",
        authorizerUri=functions.uri(arn),
        authorizerCredentials=role,
    )["id"]
    api.mock("GET", "/", authorizationType="CUSTOM", authorizerId=authorizer)
    api.deploy()
    assert api.call("GET", headers={"X-Token": "x"}).status == 500
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="asks", PolicyName="p", PolicyDocument=document)
    assert api.call("GET", headers={"X-Token": "x"}).status == 401


@pytest.mark.documented("notes/apis.md#authorizers")
def test_an_http_api_may_demand_a_signature(
    http_api: Callable[..., HttpApi], client: Client, cloud: LocalCloud, arn: str
) -> None:
    """AWS_IAM: 403 without one or without permission; the function sees who signed."""
    functions.permit(client, arn, "*")
    api = http_api()
    api.route("GET /a", api.to_function(arn), AuthorizationType="AWS_IAM")
    api.stage()

    def ask(credentials: Credentials) -> Answer:
        request = AWSRequest("GET", f"{cloud.url}/_aws/execute-api/{api.id}/a")
        SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
        return api.call("GET", "/a", headers=dict(request.headers.items()))

    assert (api.call("GET", "/a").status, api.call("GET", "/a").json) == (
        403,
        {"message": "Forbidden"},
    )
    assert ask(user(client, "http-stranger")).status == 403
    allowed = ask(user(client, "http-guest", f"arn:aws:execute-api:*:*:{api.id}/*/GET/a"))
    iam = allowed.json["requestContext"]["authorizer"]["iam"]
    assert iam["userArn"] == f"arn:aws:iam::{ACCOUNT}:user/http-guest"
