"""From a caller to a decision: what a request says beside its policies, and the words of a refusal."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.cloud.errors import AwsError
from harness.cloud.identity.authorization import Authorizer, Need, circumstances, refusal
from harness.cloud.identity.decisions import BOUNDARY, IDENTITY, RESOURCE, SESSION, Decision
from harness.cloud.identity.principals import Principal
from harness.cloud.identity.store import Bucket, Identity
from tests.cloud.people import ACCOUNT, document, session_arn, statement, trust

ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/Trainer"
SESSION_OF_ROLE = Principal(session_arn(ROLE), ACCOUNT, ROLE)
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/anna"
USER = Principal(USER_ARN, ACCOUNT, USER_ARN)
KEYS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"


class Known:
    """A store of a few identities."""

    def __init__(self, identities: Mapping[str, Identity]) -> None:
        self._identities = identities

    def identity(self, arn: str) -> Identity | None:
        """The user or role of this ARN."""
        return self._identities.get(arn)

    def bucket(self, name: str) -> Bucket | None:
        """None."""
        return None

    def function_policy(self, arn: str) -> str | None:
        """None."""
        return None


def authorizer(arn: str, *statements: dict[str, Any], **others: Any) -> Authorizer:
    """Knows one identity with these statements."""
    identity = Identity("AIDAEXAMPLE", (document(*statements),), **others)
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    return Authorizer(Known({arn: identity}), now=lambda: now)


@pytest.mark.documented(KEYS)
@pytest.mark.parametrize(
    ("principal", "key", "value"),
    [
        (USER, "aws:username", "anna"),
        (USER, "aws:userid", "AIDAEXAMPLE"),
        (USER, "aws:PrincipalArn", USER_ARN),
        (USER, "aws:PrincipalType", "User"),
        (USER, "aws:PrincipalAccount", ACCOUNT),
        (USER, "aws:PrincipalTag/Team", "red"),
        (SESSION_OF_ROLE, "aws:userid", "AIDAEXAMPLE:work"),
        (SESSION_OF_ROLE, "aws:PrincipalArn", ROLE),
        (SESSION_OF_ROLE, "aws:PrincipalType", "AssumedRole"),
        (SESSION_OF_ROLE, "aws:MultiFactorAuthPresent", "false"),
        (USER, "aws:CurrentTime", "2026-11-21T12:00:00Z"),
        (USER, "aws:EpochTime", "1795262400"),
        (USER, "aws:SourceIp", "192.0.2.7"),
        (USER, "aws:UserAgent", "Boto3"),
        (USER, "aws:RequestedRegion", "eu-west-1"),
        (USER, "aws:SecureTransport", "true"),
    ],
)
def test_a_request_has_its_context(principal: Principal, key: str, value: str) -> None:
    """What policies can ask about the caller, the time and the request itself."""
    asking = statement("*", Condition={"StringEquals": {key: value}})
    assert principal.identity_arn is not None
    scope = {"client": ("192.0.2.7", 5), "headers": [(b"user-agent", b"Boto3")]}
    decision = authorizer(
        principal.identity_arn,
        asking,
        tags={"Team": "red"},
        name="anna" if principal is USER else None,
    ).may(principal, Need("s3:GetObject"), circumstances(scope, "eu-west-1"))
    assert decision.allowed


@pytest.mark.documented(KEYS)
@pytest.mark.parametrize(
    ("principal", "key"),
    [
        (SESSION_OF_ROLE, "aws:username"),
        (USER, "aws:MultiFactorAuthPresent"),
        (USER, "aws:PrincipalTag/Cost"),
        (USER, "aws:SourceVpce"),
    ],
)
def test_a_key_that_there_is_not_is_absent(principal: Principal, key: str) -> None:
    """Sessions have no user's name, keys of users no MFA, and there is no VPC."""
    assert principal.identity_arn is not None
    asking = statement("*", Condition={"Null": {key: "true"}})
    assert authorizer(principal.identity_arn, asking).may(principal, Need("a:B")).allowed


def test_a_session_policy_comes_with_the_session() -> None:
    """It limits that session, and no other of the same role."""
    asked = authorizer(ROLE, statement("sagemaker:*"))
    limited = Principal(
        SESSION_OF_ROLE.arn, ACCOUNT, ROLE, session_policy=document(statement("sagemaker:List*"))
    )
    need = Need("sagemaker:CreateModel")
    assert asked.may(SESSION_OF_ROLE, need).allowed
    assert asked.may(limited, need) == Decision(False, SESSION)
    assert asked.may(limited, Need("sagemaker:ListModels")).allowed


@pytest.mark.assumed("notes/permissions.md#what-is-decided")
def test_a_role_that_never_was_is_not_checked() -> None:
    """Made-up roles may do everything; a user that is gone, nothing."""
    asked = Authorizer(Known({}))
    assert asked.may(SESSION_OF_ROLE, Need("a:B")).allowed
    assert asked.may(USER, Need("a:B")) == Decision(False, IDENTITY)
    assert asked.may_be_assumed(ROLE, "sagemaker.amazonaws.com")


def test_administrators_and_the_switch() -> None:
    """An administrator is not asked; with decisions off nobody is."""
    denying = statement("*", Effect="Deny")
    asked = authorizer(USER_ARN, denying)
    administrator = Principal(USER_ARN, ACCOUNT, USER_ARN, administrator=True)
    asked.check(administrator, [Need("a:B")])
    with pytest.raises(AwsError):
        asked.check(USER, [Need("a:B")])
    off = Authorizer(
        Known({USER_ARN: Identity("A", (document(denying),), trust="")}), enforced=False
    )
    off.check(USER, [Need("a:B")])
    assert off.may(USER, Need("a:B")).allowed
    assert off.may_be_assumed(USER_ARN, "sagemaker.amazonaws.com")


@pytest.mark.documented("lambda:AddPermission")
def test_a_service_is_decided_by_the_resource() -> None:
    """API Gateway may invoke a function whose policy names it and the API that calls."""
    api = "arn:aws:execute-api:us-east-1:123456789012:abc/*/GET/predict"
    policy = document(
        statement(
            "lambda:InvokeFunction",
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            Principal={"Service": "apigateway.amazonaws.com"},
            Condition={"ArnLike": {"AWS:SourceArn": api}},
        )
    )

    def invocation(path: str) -> Need:
        source = f"arn:aws:execute-api:us-east-1:123456789012:abc/prod/{path}"
        return Need(
            "lambda:InvokeFunction",
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            {"aws:SourceArn": source},
            resource_policy=policy,
        )

    asked = Authorizer(Known({}))
    gateway = Principal("apigateway.amazonaws.com")
    assert asked.may(gateway, invocation("GET/predict")).allowed
    assert asked.may(gateway, invocation("POST/predict")) == Decision(False, RESOURCE)
    assert asked.may(Principal("s3.amazonaws.com"), invocation("GET/predict")).kind == RESOURCE


@pytest.mark.documented("iam:Role.AssumeRolePolicyDocument")
def test_a_trust_policy_names_who_may_assume() -> None:
    """The service itself, on the conditions that stand there; an account's root is no service."""
    sagemaker = "sagemaker.amazonaws.com"
    condition = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    for policy, account, may in (
        (trust(sagemaker), "1", True),
        (trust("lambda.amazonaws.com"), ACCOUNT, False),
        (trust(sagemaker, Condition=condition), ACCOUNT, True),
        (trust(sagemaker, Condition=condition), "1", False),
        (trust(sagemaker, Effect="Deny"), ACCOUNT, False),
        (trust(sagemaker, Action="sts:TagSession"), ACCOUNT, False),
        (trust(sagemaker).replace('"Service"', '"AWS"'), ACCOUNT, False),
        ("", ACCOUNT, False),
    ):
        asked = authorizer(ROLE, trust=policy)
        context = {"aws:SourceAccount": account}
        assert asked.may_be_assumed(ROLE, sagemaker, context) == may, policy


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"
)
@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (Decision(False, IDENTITY), "because no identity-based policy allows the a:B action"),
        (Decision(False, BOUNDARY), "because no permissions boundary allows the a:B action"),
        (Decision(False, SESSION), "because no session policy allows the a:B action"),
        (Decision(False, RESOURCE), "because no resource-based policy allows the a:B action"),
        (Decision(False, IDENTITY, True), "with an explicit deny in an identity-based policy"),
        (Decision(False, BOUNDARY, True), "with an explicit deny in a permissions boundary"),
        (Decision(False, SESSION, True), "with an explicit deny in a session policy"),
        (Decision(False, RESOURCE, True), "with an explicit deny in a resource-based policy"),
    ],
)
def test_a_refusal_says_who_what_where_and_why(decision: Decision, words: str) -> None:
    """In AWS's words; where there is no resource in particular, none is named."""
    who = f"User: {USER_ARN} is not authorized to perform: a:B"
    assert refusal(USER_ARN, Need("a:B", "arn:x"), decision) == f"{who} on resource: arn:x {words}"
    assert refusal(USER_ARN, Need("a:B"), decision) == f"{who} {words}"
