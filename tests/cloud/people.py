"""Users and roles of a test's cloud: made with IAM, and the clients that their keys open."""

import json
import uuid
from collections.abc import Callable
from typing import Any

ACCOUNT = "123456789012"


def statement(action: str | list[str], resource: str = "*", **others: Any) -> dict[str, Any]:
    """A statement that allows, unless its Effect says otherwise."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **others}


def document(*statements: dict[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(*services: str, **others: Any) -> str:
    """A trust policy for services."""
    principal = {"Service": list(services)}
    return document(
        {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **others}
    )


TRUST = trust("sagemaker.amazonaws.com", "lambda.amazonaws.com")


class People:
    """Makes users and roles. Each may do what its statements allow, and more once it is allowed more."""

    def __init__(self, client: Callable[..., Any]) -> None:
        self._client = client
        self.iam = client("iam")

    def role(self, *statements: dict[str, Any], trust: str = TRUST, **others: Any) -> str:
        """A role; its ARN."""
        name = f"role-{uuid.uuid4().hex[:12]}"
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **others)["Role"]
        arn: str = role["Arn"]
        if statements:
            self.allow(arn, *statements)
        return arn

    def allow(self, arn: str, *statements: dict[str, Any], policy: str = "first") -> None:
        """Put an inline policy on a user or a role, in the place of one with this name."""
        kind, name = arn.rpartition(":")[2].split("/")[0], arn.rpartition("/")[2]
        put = self.iam.put_role_policy if kind == "role" else self.iam.put_user_policy
        put(
            **{f"{kind.capitalize()}Name": name},
            PolicyName=policy,
            PolicyDocument=document(*statements),
        )

    def user(self, *statements: dict[str, Any]) -> str:
        """A user; its ARN."""
        arn: str = self.iam.create_user(UserName=f"user-{uuid.uuid4().hex[:12]}")["User"]["Arn"]
        if statements:
            self.allow(arn, *statements)
        return arn

    def assumed(self, service: str, role_arn: str, **options: Any) -> Any:
        """A client with a session of a role; `Policy` limits the session."""
        limits = {name: options.pop(name) for name in ("Policy",) if name in options}
        answer = self._client("sts").assume_role(
            RoleArn=role_arn, RoleSessionName="work", **limits
        )["Credentials"]
        return self._client(
            service,
            aws_access_key_id=answer["AccessKeyId"],
            aws_secret_access_key=answer["SecretAccessKey"],
            aws_session_token=answer["SessionToken"],
            **options,
        )

    def signed_in(self, service: str, user_arn: str) -> Any:
        """A client with a new key of a user."""
        name = user_arn.rpartition("/")[2]
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return self._client(
            service,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )


def session_arn(role_arn: str, session: str = "work") -> str:
    """The ARN of a role's session, as STS names it."""
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role_arn.rpartition('/')[2]}/{session}"


def denied(call: Callable[..., Any], **arguments: Any) -> str:
    """The text with which a call is refused as not permitted."""
    import pytest
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    message: str = error["Message"]
    return message
