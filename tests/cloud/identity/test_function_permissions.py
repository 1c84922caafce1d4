"""Lambda functions: who may invoke one, after AddPermission and by policies."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from harness.cloud.backing.moto_identities import MotoIdentities
from harness.cloud.errors import AwsError
from harness.cloud.identity.authentication import Caller
from harness.cloud.identity.authorization import Authorizer
from harness.cloud.identity.function_permissions import INVOKE, FunctionPermissions
from harness.cloud.local_cloud import LocalCloud
from tests.cloud.people import ACCOUNT, People, session_arn, statement

REGION = "us-east-1"
GATEWAY = "apigateway.amazonaws.com"
DOCUMENTED = "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html"


@pytest.fixture
def permissions(cloud: LocalCloud) -> FunctionPermissions:
    """Asks the policies of the module's cloud."""
    store = MotoIdentities()
    return FunctionPermissions(Authorizer(store), store)


@pytest.fixture(scope="module")
def awslambda(client: Callable[..., Any]) -> Any:
    """A client of Lambda."""
    return client("lambda")


@pytest.fixture
def function(awslambda: Any, people: People) -> str:
    """The ARN of a new function, of which version 1 is published."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("f.py", "def handler(event, context): ...")
    role = people.role()
    name = role.rpartition("/")[2]
    arn: str = awslambda.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.11",
        Handler="f.handler",
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    awslambda.publish_version(FunctionName=name)
    return arn


def session_of(role: str, account: str = ACCOUNT) -> Caller:
    """A session of a role."""
    return Caller(account, REGION, "ASIA", session_arn(role), False, identity_arn=role)


def refused(permissions: FunctionPermissions, caller: Caller, arn: str) -> str:
    """The text of a refusal."""
    with pytest.raises(AwsError) as caught:
        permissions.check(caller, INVOKE, arn)
    assert caught.value.code == "AccessDeniedException"
    return caught.value.message


@pytest.mark.documented(DOCUMENTED)
def test_a_caller_needs_leave(
    permissions: FunctionPermissions, awslambda: Any, people: People, function: str
) -> None:
    """From its own policies, or from the function's, which may name its role; not from one that trusts the account."""
    role = people.role()
    assert refused(permissions, session_of(role), function) == (
        f"User: {session_arn(role)} is not authorized to perform: {INVOKE} on resource: {function} "
        f"because no identity-based policy allows the {INVOKE} action"
    )
    people.allow(role, statement(INVOKE, function))
    permissions.check(session_of(role), INVOKE, function)

    other = people.role()
    name = function.rpartition(":")[2]
    awslambda.add_permission(
        FunctionName=name, StatementId="account", Action=INVOKE, Principal=ACCOUNT
    )
    refused(permissions, session_of(other), function)
    awslambda.add_permission(FunctionName=name, StatementId="role", Action=INVOKE, Principal=other)
    permissions.check(session_of(other), INVOKE, function)
    awslambda.remove_permission(FunctionName=name, StatementId="role")
    refused(permissions, session_of(other), function)


@pytest.mark.documented("lambda:AddPermission")
def test_a_service_needs_leave_for_its_source(
    permissions: FunctionPermissions, awslambda: Any, function: str
) -> None:
    """API Gateway may invoke it for the API that the permission names, other services not at all."""
    api = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc/prod/GET/predict"
    assert permissions.may_invoke(GATEWAY, function, {"aws:SourceArn": api}).kind == (
        "resource-based policy"
    )
    awslambda.add_permission(
        FunctionName=function.rpartition(":")[2],
        StatementId="api",
        Action=INVOKE,
        Principal=GATEWAY,
        SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc/*/GET/predict",
    )
    assert permissions.may_invoke(GATEWAY, function, {"aws:SourceArn": api}).allowed
    for service, source in (
        ("s3.amazonaws.com", api),
        (GATEWAY, api.replace("abc", "other")),
        (GATEWAY, api.replace("GET", "POST")),
    ):
        assert not permissions.may_invoke(service, function, {"aws:SourceArn": source}).allowed
    assert not permissions.may_invoke(GATEWAY, function, {}).allowed


@pytest.mark.documented("lambda:AddPermissionRequest.Qualifier")
def test_a_permission_is_for_what_was_qualified(
    permissions: FunctionPermissions, awslambda: Any, function: str
) -> None:
    """For a version, an alias, or the function without either."""
    name = function.rpartition(":")[2]
    awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier, service in (("1", "s3.amazonaws.com"), ("live", "sns.amazonaws.com")):
        awslambda.add_permission(
            FunctionName=name,
            Qualifier=qualifier,
            StatementId=qualifier,
            Action=INVOKE,
            Principal=service,
        )
    awslambda.add_permission(
        FunctionName=name, StatementId="all", Action=INVOKE, Principal="events.amazonaws.com"
    )
    found = {
        (service, qualifier): permissions.may_invoke(service, function + qualifier, {}).allowed
        for service in ("s3.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com")
        for qualifier in ("", ":1", ":live")
    }
    assert {pair for pair, allowed in found.items() if allowed} == {
        ("s3.amazonaws.com", ":1"),
        ("sns.amazonaws.com", ":live"),
        ("events.amazonaws.com", ""),
    }


@pytest.mark.documented("lambda:AddPermissionRequest.FunctionUrlAuthType")
def test_a_permission_for_urls_is_for_urls(
    permissions: FunctionPermissions, awslambda: Any, function: str
) -> None:
    """What narrows a permission narrows it, though a function has no URL here."""
    awslambda.add_permission(
        FunctionName=function.rpartition(":")[2],
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    awslambda.add_permission(
        FunctionName=function.rpartition(":")[2],
        StatementId="api",
        Action=INVOKE,
        Principal=GATEWAY,
    )
    store = MotoIdentities()
    assert '"lambda:FunctionUrlAuthType": "NONE"' in (store.function_policy(function) or "")
    assert permissions.may_invoke(GATEWAY, function, {}).allowed


def test_what_is_no_function_has_no_policy(permissions: FunctionPermissions, function: str) -> None:
    """Neither a function that does not exist nor a text that is no ARN."""
    store = MotoIdentities()
    for arn in (function + "x", function.replace(REGION, "eu-west-1"), "arn:aws:lambda", ""):
        assert store.function_policy(arn) is None
    assert not permissions.may_invoke(GATEWAY, function + "x", {}).allowed


def test_administrators_invoke_whatever_they_like(
    permissions: FunctionPermissions, function: str
) -> None:
    """They are not asked."""
    administrator = Caller(ACCOUNT, REGION, "test", f"arn:aws:iam::{ACCOUNT}:user/test", True)
    permissions.check(administrator, INVOKE, function)
