"""Policy documents: what is one, and which statements apply."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.identity.policies import Kind, MalformedPolicy, Question, parse, policy
from harness.cloud.identity.principals import Principal, Reach

GRAMMAR = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"
ACCOUNT = "123456789012"
USER = Principal(f"arn:aws:iam::{ACCOUNT}:user/anna", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/anna")
SESSION = Principal(
    f"arn:aws:sts::{ACCOUNT}:assumed-role/Trainer/s",
    ACCOUNT,
    f"arn:aws:iam::{ACCOUNT}:role/x/Trainer",
)
LAMBDA = Principal("lambda.amazonaws.com")
ENDPOINT = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/e"
ALLOW = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}


def document(*statements: dict[str, Any], version: str | None = "2012-10-17") -> str:
    """A document with these statements."""
    content: dict[str, Any] = {"Statement": list(statements)}
    return json.dumps(content if version is None else {"Version": version, **content})


def asked(
    action: str = "sagemaker:InvokeEndpoint",
    resource: str = ENDPOINT,
    principal: Principal = USER,
    context: Mapping[str, str] | None = None,
) -> Question:
    """A question; each key of `context` has one value."""
    return Question(
        principal, action, resource, {key: (value,) for key, value in (context or {}).items()}
    )


def allows(
    statement: dict[str, Any], question: Question, version: str | None = "2012-10-17"
) -> bool:
    """Whether an identity-based policy of one statement allows it."""
    return parse(document(statement, version=version), Kind.IDENTITY).allows(question) > Reach.NONE


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html"
)
@pytest.mark.parametrize(
    ("action", "included"),
    [
        ("sagemaker:InvokeEndpoint", True),
        ("SageMaker:invokeendpoint", True),
        ("sagemaker:InvokeEndpoin?", True),
        ("sagemaker:Invoke*", True),
        ("sagemaker:*", True),
        ("*", True),
        ("sagemaker:Invoke", False),
        ("s3:*", False),
        ("sagemaker:InvokeEndpointAsync", False),
    ],
)
def test_an_action_has_wildcards_and_no_case(action: str, included: bool) -> None:
    """Action and its negation, as one text or in a list."""
    for listed in (action, [action], ["s3:GetObject", action]):
        assert allows({**ALLOW, "Action": listed}, asked()) == included
        negation = {"Effect": "Allow", "NotAction": listed, "Resource": "*"}
        assert allows(negation, asked()) != included


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"
)
@pytest.mark.parametrize(
    ("resource", "included"),
    [
        (ENDPOINT, True),
        (ENDPOINT.upper(), False),
        ("*", True),
        (f"arn:aws:sagemaker:*:{ACCOUNT}:endpoint/*", True),
        ("arn:aws:sagemaker", True),
        ("arn:aws:sagemaker:*:endpoint/e", True),
        ("arn:aws:s3", False),
        (f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint-config/*", False),
    ],
)
def test_a_resource_has_wildcards_and_case(resource: str, included: bool) -> None:
    """Resource and its negation; an incomplete ARN stands for all that begin with it."""
    assert allows({**ALLOW, "Resource": [resource]}, asked()) == included
    negation = {"Effect": "Allow", "Action": "*", "NotResource": resource}
    assert allows(negation, asked()) != included


@pytest.mark.documented(GRAMMAR)
def test_all_conditions_must_hold() -> None:
    """Operators and keys are joined by and; numbers and booleans need no quotation marks."""
    statement = {
        **ALLOW,
        "Condition": {
            "NumericLessThanEquals": {"sagemaker:MaxRuntimeInSeconds": 3600},
            "Bool": {"aws:SecureTransport": True},
            "StringEquals": {"aws:RequestTag/team": ["red"], "aws:RequestedRegion": "us-east-1"},
        },
    }
    right = {
        "sagemaker:maxruntimeinseconds": "3600",
        "aws:securetransport": "true",
        "aws:requesttag/team": "red",
        "aws:requestedregion": "us-east-1",
    }
    assert allows(statement, asked(context=right))
    for key in right:
        assert not allows(statement, asked(context={k: v for k, v in right.items() if k != key})), (
            key
        )
        assert not allows(statement, asked(context={**right, key: "7200"})), key


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html"
)
def test_variables_need_the_newer_language() -> None:
    """In a document without Version, or of 2008, a variable is a text."""
    statement = {**ALLOW, "Resource": "arn:aws:s3:::${aws:username}"}
    question = asked(resource="arn:aws:s3:::anna", context={"aws:username": "anna"})
    assert allows(statement, question)
    assert not allows(statement, question, version="2008-10-17")
    assert not allows(statement, question, version=None)


PRINCIPALS = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
)


@pytest.mark.documented(PRINCIPALS)
@pytest.mark.parametrize(
    ("element", "user", "session", "service"),
    [
        ("*", Reach.DIRECT, Reach.DIRECT, Reach.DIRECT),
        ({"AWS": "*"}, Reach.DIRECT, Reach.DIRECT, Reach.DIRECT),
        ({"AWS": USER.arn}, Reach.DIRECT, Reach.NONE, Reach.NONE),
        ({"AWS": [SESSION.arn]}, Reach.NONE, Reach.DIRECT, Reach.NONE),
        ({"AWS": ["x", SESSION.identity_arn]}, Reach.NONE, Reach.ROLE, Reach.NONE),
        ({"AWS": ACCOUNT}, Reach.ACCOUNT, Reach.ACCOUNT, Reach.NONE),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Reach.ACCOUNT, Reach.ACCOUNT, Reach.NONE),
        ({"AWS": "arn:aws:iam::210987654321:root"}, Reach.NONE, Reach.NONE, Reach.NONE),
        ({"Service": ["x", "lambda.amazonaws.com"]}, Reach.NONE, Reach.NONE, Reach.DIRECT),
        ({"Service": "s3.amazonaws.com"}, Reach.NONE, Reach.NONE, Reach.NONE),
        ({"Federated": USER.arn}, Reach.NONE, Reach.NONE, Reach.NONE),
    ],
)
def test_a_principal_is_named(element: Any, user: Reach, session: Reach, service: Reach) -> None:
    """Users, sessions, roles, accounts and services; a name has no wildcards but the lone asterisk."""
    parsed = parse(document({**ALLOW, "Principal": element}), Kind.RESOURCE)
    for principal, reach in ((USER, user), (SESSION, session), (LAMBDA, service)):
        assert parsed.allows(asked(principal=principal)) == reach
    others = parse(document({**ALLOW, "Effect": "Deny", "NotPrincipal": element}), Kind.RESOURCE)
    assert others.denies(asked(principal=USER)) == (user is Reach.NONE)


@pytest.mark.documented(PRINCIPALS)
def test_the_most_direct_statement_counts() -> None:
    """Of several statements that allow, whichever comes first, the one that names the caller itself is what it has."""
    by_account, by_name = ({**ALLOW, "Principal": {"AWS": who}} for who in (ACCOUNT, USER.arn))
    for statements in ((by_account, by_name), (by_name, by_account)):
        assert parse(document(*statements), Kind.RESOURCE).allows(asked()) == Reach.DIRECT


def without(element: str) -> dict[str, Any]:
    """A statement that lacks an element."""
    return {key: value for key, value in ALLOW.items() if key != element}


@pytest.mark.documented(GRAMMAR)
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no JSON object"),
        ("{}", "no Statement"),
        ('{"Statement": []} x', "no JSON"),
        (json.dumps({"Statement": [ALLOW], "Extra": 1}), "unknown elements"),
        (json.dumps({"Statement": [ALLOW], "Version": "2012-10-18"}), "Version"),
        (json.dumps({"Statement": "all"}), "no list"),
        (document({**ALLOW, "effect": "Deny"}), "unknown elements"),
        (document({**ALLOW, "Effect": "allow"}), "Effect"),
        (document(without("Effect")), "Effect"),
        (document(without("Action")), "Action and NotAction"),
        (document({**ALLOW, "NotAction": "*"}), "Action and NotAction"),
        (document(without("Resource")), "Resource and NotResource"),
        (document({**ALLOW, "Action": [1]}), "Action"),
        (document({**ALLOW, "Resource": {}}), "Resource"),
        (document({**ALLOW, "Principal": "*"}), "Principal"),
        (document({**ALLOW, "Condition": []}), "Condition"),
        (document({**ALLOW, "Condition": {"StringEqual": {"a": "b"}}}), "StringEqual"),
        (document({**ALLOW, "Condition": {"StringEquals": "a"}}), "StringEquals"),
        (document({**ALLOW, "Condition": {"StringEquals": {"a": [None]}}}), "condition"),
        ('{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}}', "twice"),
    ],
)  # fmt: skip
def test_a_malformed_document_is_refused(text: str, complaint: str) -> None:
    """What the grammar does not have is named."""
    with pytest.raises(MalformedPolicy, match=complaint):
        parse(text, Kind.IDENTITY)


@pytest.mark.documented(GRAMMAR)
def test_each_kind_of_policy_has_its_elements() -> None:
    """A resource's policy names principals, a trust policy has no resource."""
    for kind, wrong in (
        (Kind.RESOURCE, ALLOW),
        (Kind.TRUST, {**ALLOW, "Principal": "*"}),
        (Kind.TRUST, without("Resource")),
        (Kind.RESOURCE, {**ALLOW, "Principal": "anna"}),
        (Kind.RESOURCE, {**ALLOW, "Principal": 1}),
    ):
        with pytest.raises(MalformedPolicy):
            parse(document(wrong), kind)
    trust = parse(document({**without("Resource"), "Principal": "*"}), Kind.TRUST)
    assert trust.allows(asked()) == Reach.DIRECT


@pytest.mark.assumed("notes/permissions.md#assumed-of-policies")
def test_a_malformed_policy_allows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Where one is in force all the same, the log says what is wrong with it, once."""
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert policy("{} {}").allows(asked()) == Reach.NONE
            assert policy("").allows(asked()) == Reach.NONE
    assert "malformed" in caplog.text
    assert len(caplog.records) == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [*ALLOW, "Statement", "Condition", "Principal", "NotAction", "AWS"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(list(Kind)),
)
def test_any_json_is_a_policy_or_malformed(content: Any, kind: Kind) -> None:
    """Nothing in a document makes the evaluator stumble."""
    text = json.dumps({"Statement": content})
    policy(text, kind).allows(asked())
    assert not policy(json.dumps(content), kind).denies(asked()) or isinstance(content, dict)
