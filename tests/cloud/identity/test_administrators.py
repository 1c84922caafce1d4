"""The keys that work without being made first, and those that IAM and STS hand out."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from harness.cloud.errors import AwsError
from harness.cloud.identity.administrators import (
    ACCOUNT,
    SESSION_KEY,
    SESSION_NAME,
    SESSION_ROLE_NAME,
    SESSION_SECRET,
    SESSION_TOKEN,
    find_administrator,
)
from harness.cloud.identity.authentication import Authenticator
from tests.cloud.identity.signed import signed

AUTHENTICATOR = Authenticator(find_administrator)


def authenticate(*credentials: str) -> Any:
    """The caller of a request that was signed with these."""
    request = signed(credentials=Credentials(*credentials), region="eu-west-3")
    return AUTHENTICATOR.authenticate(request.scope, request.body, "sagemaker")


def refusal(*credentials: str) -> str:
    """The code with which a request that was signed with these is refused."""
    with pytest.raises(AwsError) as caught:
        authenticate(*credentials)
    return caught.value.code


@pytest.mark.documented("notes/signing.md#administrators")
@pytest.mark.parametrize("name", ["test", "testing"])
def test_the_conventional_keys_are_administrators(name: str) -> None:
    """`test` and `testing`, each its own secret, may do everything in every region, with any token or none."""
    for credentials in ((name, name), (name, name, "testing")):
        caller = authenticate(*credentials)
        assert caller.administrator
        assert (caller.account, caller.region) == (ACCOUNT, "eu-west-3")
        assert caller.principal_arn == f"arn:aws:iam::{ACCOUNT}:user/{name}"
    assert refusal(name, "another secret") == "InvalidSignatureException"


def test_the_session_of_the_environment_is_an_administrator() -> None:
    """The session that `harness env` hands out is an assumed role's, and needs its token."""
    caller = authenticate(SESSION_KEY, SESSION_SECRET, SESSION_TOKEN)
    assert caller.administrator
    assert caller.principal_arn == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/{SESSION_ROLE_NAME}/{SESSION_NAME}"
    )
    assert refusal(SESSION_KEY, SESSION_SECRET) == "UnrecognizedClientException"
    assert refusal(SESSION_KEY, SESSION_SECRET, "another") == "UnrecognizedClientException"


@pytest.mark.parametrize("access_key_id", ["", "TEST", "AKIAIOSFODNN7EXAMPLE", f"{SESSION_KEY}0"])
def test_nobody_else_is(access_key_id: str) -> None:
    """A key that resembles an administrator's is none."""
    assert find_administrator(access_key_id) is None


def test_secrets_are_not_printed() -> None:
    """A key's representation, which may land in a log, shows neither secret nor token."""
    printed = repr(find_administrator(SESSION_KEY))
    assert SESSION_ROLE_NAME in printed
    assert SESSION_SECRET not in printed
    assert SESSION_TOKEN not in printed


def code_of(call: Callable[[], object]) -> str:
    """The error code that a call gets."""
    with pytest.raises(ClientError) as caught:
        call()
    code: str = caught.value.response["Error"]["Code"]
    return code


@pytest.mark.recorded("notes/signing.md#keys")
def test_an_assumed_role_signs_with_its_session(client: Callable[..., Any]) -> None:
    """What STS hands out opens SageMaker, with the token that belongs to it and no other."""
    role = f"arn:aws:iam::{ACCOUNT}:role/service-role/{SESSION_ROLE_NAME}"
    session = client("sts").assume_role(RoleArn=role, RoleSessionName="work")["Credentials"]

    def sagemaker(secret: str, token: str | None) -> Any:
        return client(
            "sagemaker",
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=secret,
            aws_session_token=token,
        )

    secret, token = session["SecretAccessKey"], session["SessionToken"]
    assert sagemaker(secret, token).list_models()["Models"] == []
    assert code_of(sagemaker(secret, None).list_models) == "UnrecognizedClientException"
    assert code_of(sagemaker(secret, "another").list_models) == "UnrecognizedClientException"
    assert code_of(sagemaker("another", token).list_models) == "InvalidSignatureException"


@pytest.mark.recorded("notes/signing.md#keys")
def test_a_key_of_a_user_signs_while_it_is_active(client: Callable[..., Any]) -> None:
    """A key made in IAM opens what its user may do, until it is switched off."""
    iam = client("iam")
    iam.create_user(UserName="somebody")
    iam.attach_user_policy(
        UserName="somebody", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerReadOnly"
    )
    key = iam.create_access_key(UserName="somebody")["AccessKey"]
    somebody = client(
        "sagemaker",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert somebody.list_models()["Models"] == []
    iam.update_access_key(UserName="somebody", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code_of(somebody.list_models) == "UnrecognizedClientException"
