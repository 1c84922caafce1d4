"""All policies together: Deny over Allow over nothing, and what limits what."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.identity.decisions import (
    BOUNDARY,
    IDENTITY,
    RESOURCE,
    SESSION,
    Decision,
    Policies,
    decide,
)
from harness.cloud.identity.policies import Kind, Policy, Question, parse, policy
from harness.cloud.identity.principals import Principal
from tests.cloud.identity.reference import ACTIONS, RESOURCES, contexts, documents, effects

LOGIC = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
    "reference_policies_evaluation-logic_policy-eval-denyallow.html"
)
BOUNDARIES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"
CROSS_ACCOUNT = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
    "reference_policies_evaluation-logic-cross-account.html"
)
ACCOUNT = "123456789012"
USER = Principal(f"arn:aws:iam::{ACCOUNT}:user/u", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/u")
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/r"
SESSION_OF_ROLE = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", ACCOUNT, ROLE_ARN)
SERVICE = Principal("apigateway.amazonaws.com")


def a_policy(*effects: str, principal: Any = None) -> Policy:
    """Statements of these effects on everything, for `principal` if it is a resource's policy."""
    extra = {} if principal is None else {"Principal": principal}
    statements = [{"Effect": e, "Action": "*", "Resource": "*", **extra} for e in effects]
    kind = Kind.IDENTITY if principal is None else Kind.RESOURCE
    return parse(json.dumps({"Statement": statements}), kind)


ALLOW, DENY, NOTHING = a_policy("Allow"), a_policy("Deny"), a_policy()


def decided(
    principal: Principal = USER,
    identity: Sequence[Policy] = (),
    **others: Any,
) -> Decision:
    """The decision on some action."""
    question = Question(principal, "sagemaker:CreateModel", "arn:aws:sagemaker:r:a:model/m", {})
    return decide(question, Policies(identity=identity, **others))


def refused(kind: str, *, explicit: bool = False) -> Decision:
    """A denial."""
    return Decision(False, kind, explicit)


YES = Decision(True)


@pytest.mark.documented(LOGIC)
def test_a_request_must_be_allowed_and_not_denied() -> None:
    """Nothing is no, an Allow in any policy is yes, a Deny in any is no whatever else there is."""
    assert decided() == refused(IDENTITY)
    assert decided(identity=[NOTHING]) == refused(IDENTITY)
    assert decided(identity=[NOTHING, ALLOW]) == YES
    for policies in itertools.permutations([ALLOW, DENY, NOTHING]):
        assert decided(identity=policies) == refused(IDENTITY, explicit=True)
    assert decided(identity=[a_policy("Allow", "Deny")]) == refused(IDENTITY, explicit=True)


@pytest.mark.documented(LOGIC)
def test_a_deny_that_does_not_apply_denies_nothing() -> None:
    """An unmet Condition, or a resource that NotResource excludes, takes the Deny out of it."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "*"}
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    for statement, decision in (
        ({**deny, "Resource": "*", "Condition": condition}, YES),
        ({**deny, "NotResource": "arn:aws:sagemaker:r:a:model/*"}, YES),
        ({**deny, "NotResource": "arn:aws:s3:::*"}, refused(IDENTITY, explicit=True)),
        ({"Effect": "Deny", "NotAction": "sagemaker:*", "Resource": "*"}, YES),
        (
            {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"},
            refused(IDENTITY, explicit=True),
        ),
    ):
        document = json.dumps({"Version": "2012-10-17", "Statement": [everything, statement]})
        assert decided(identity=[policy(document)]) == decision


@pytest.mark.documented(BOUNDARIES)
@pytest.mark.parametrize(("limit", "kind"), [("boundary", BOUNDARY), ("session", SESSION)])
def test_a_limit_allows_nothing_by_itself(limit: str, kind: str) -> None:
    """What a boundary or a session policy does not allow is refused; what it allows must be granted as well."""
    for granted, limiting, decision in (
        (ALLOW, ALLOW, YES),
        (ALLOW, NOTHING, refused(kind)),
        (ALLOW, DENY, refused(kind, explicit=True)),
        (NOTHING, ALLOW, refused(IDENTITY)),
    ):
        others: dict[str, Any] = {limit: limiting}
        assert decided(identity=[granted], **others) == decision


@pytest.mark.documented(LOGIC)
@pytest.mark.parametrize(
    ("principal", "named", "alone", "beyond_limits"),
    [
        (USER, {"AWS": USER.arn}, True, True),
        (USER, "*", True, True),
        (USER, {"AWS": ACCOUNT}, False, False),
        (SESSION_OF_ROLE, {"AWS": SESSION_OF_ROLE.arn}, True, True),
        (SESSION_OF_ROLE, {"AWS": ROLE_ARN}, True, False),
        (SESSION_OF_ROLE, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False, False),
        (USER, {"AWS": "arn:aws:iam::123456789012:user/other"}, False, False),
    ],
)
def test_the_policy_of_a_resource_grants_in_its_account(
    principal: Principal, named: Any, alone: bool, beyond_limits: bool
) -> None:
    """To a user or a session whatever the limits, to a role within them, to an account nothing by itself."""
    resource = a_policy("Allow", principal=named)
    assert decided(principal, resource=resource).allowed == alone
    for limits in ({"boundary": NOTHING}, {"session": NOTHING}):
        others: dict[str, Any] = {"resource": resource, **limits}
        assert decided(principal, **others).allowed == beyond_limits
    deny = a_policy("Deny", principal="*")
    assert decided(principal, [ALLOW], resource=deny) == refused(RESOURCE, explicit=True)
    assert decided(principal, [DENY], resource=resource) == refused(IDENTITY, explicit=True)


@pytest.mark.documented(CROSS_ACCOUNT)
@pytest.mark.parametrize("named", [{"AWS": USER.arn}, {"AWS": ACCOUNT}])
def test_in_another_account_both_must_allow(named: Any) -> None:
    """The identity's account and the resource's, which may trust the whole account."""
    resource = a_policy("Allow", principal=named)
    assert decided(identity=[ALLOW], resource=resource, same_account=False) == YES
    assert decided(resource=resource, same_account=False) == refused(IDENTITY)
    assert decided(identity=[ALLOW], same_account=False) == refused(RESOURCE)


@pytest.mark.documented("lambda:AddPermission")
def test_a_service_has_what_the_resource_grants() -> None:
    """A service acts by the resource's policy alone."""
    granted = a_policy("Allow", principal={"Service": SERVICE.arn})
    assert decided(SERVICE, resource=granted) == YES
    assert decided(SERVICE) == refused(RESOURCE)
    assert decided(SERVICE, resource=a_policy("Allow", principal={"AWS": ACCOUNT})) == refused(
        RESOURCE
    )


@given(
    attached=st.lists(documents(), max_size=3),
    boundary=st.none() | documents(),
    session=st.none() | documents(),
    action=st.sampled_from(ACTIONS),
    resource=st.sampled_from(RESOURCES),
    context=contexts,
)
def test_decisions_are_those_of_a_plain_reading(
    attached: list[str],
    boundary: str | None,
    session: str | None,
    action: str,
    resource: str,
    context: dict[str, tuple[str, ...]],
) -> None:
    """Whatever the policies, the decision is that of a reference which reads each document anew."""

    def seen(document: str) -> set[str]:
        return effects(document, action, resource, context)

    limits = [(kind, d) for kind, d in ((BOUNDARY, boundary), (SESSION, session)) if d is not None]
    granted = set().union(*map(seen, attached))
    denying = [
        kind for kind, d in [*((IDENTITY, d) for d in attached), *limits] if "Deny" in seen(d)
    ]
    silent = [kind for kind, d in limits if "Allow" not in seen(d)]
    if denying:
        expected = refused(denying[0], explicit=True)
    elif "Allow" not in granted:
        expected = refused(IDENTITY)
    else:
        expected = refused(silent[0]) if silent else YES
    assert expected == decide(
        Question(USER, action, resource, context),
        Policies(
            identity=[policy(document) for document in attached],
            boundary=None if boundary is None else policy(boundary),
            session=None if session is None else policy(session),
        ),
    )


@given(
    attached=st.lists(documents(), min_size=1, max_size=3),
    added=documents(),
    action=st.sampled_from(ACTIONS),
    resource=st.sampled_from(RESOURCES),
    context=contexts,
    data=st.data(),
)
def test_order_does_not_matter_and_a_deny_stays(
    attached: list[str],
    added: str,
    action: str,
    resource: str,
    context: dict[str, tuple[str, ...]],
    data: st.DataObject,
) -> None:
    """Policies in another order decide the same; one more policy never takes a Deny back."""

    def decision(documents: Sequence[str]) -> Decision:
        question = Question(USER, action, resource, context)
        return decide(question, Policies(identity=[policy(document) for document in documents]))

    before = decision(attached)
    assert decision(data.draw(st.permutations(attached))) == before
    if before.explicit:
        assert decision([*attached, added]) == before
