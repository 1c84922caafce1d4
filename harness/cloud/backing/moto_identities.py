"""Keys, users, roles, and the policies of these and of resources, read off moto's state in this process.

Read without moto's lock: each is a few steps on a copy, and an invocation must not wait until an upload is over.
LIMITATIONS: what moto does not keep has no effect: a user's permissions boundary, session tags, and the
PolicyArns of AssumeRole.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from harness.cloud.identity.keys import Key
from harness.cloud.identity.store import Bucket, Identity

_STATEMENT = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")


class MotoIdentities:
    """What moto knows of who may sign and of what they may do; nothing, as long as moto is not loaded."""

    def __init__(self) -> None:
        # Roles that are deleted are not taken for roles that have never been.
        self._seen: set[str] = set()

    def find_key(self, access_key_id: str) -> Key | None:
        """The secret of an IAM user's key or of an assumed role's session; None if moto has neither."""
        for account, partition, iam in _backends("iam"):
            if access_key_id not in iam.access_keys:
                continue
            for session in _sessions(account, partition):
                if session.access_key_id == access_key_id:
                    return _session_key(session, account)
            return _user_key(iam, account, access_key_id)
        return None

    def identity(self, arn: str) -> Identity | None:
        """The user or role of this ARN; one that has been deleted may do nothing."""
        for account, _, iam in _backends("iam"):
            if f":{account}:" not in arn:
                continue
            for role in list(iam.roles.values()):
                if role.arn == arn:
                    self._seen.add(arn)
                    return _role(iam, role)
            for user in list(iam.users.values()):
                if user.arn == arn:
                    return _user(iam, user)
        return Identity(unique_id="", documents=(), trust="") if arn in self._seen else None

    def bucket(self, name: str) -> Bucket | None:
        """The bucket of this name, in whatever account."""
        for account, _, s3 in _backends("s3"):
            bucket = s3.buckets.get(name)
            if bucket is not None:
                policy = bucket.policy
                return Bucket(account, policy.decode() if policy else None)
        return None

    def function_policy(self, arn: str) -> str | None:
        """What AddPermission has granted on a function, its versions and aliases; None if nothing.

        moto keeps the statements of each where that points to; which is meant stands in its Resource.
        """
        if arn.count(":") < 6:
            return None
        _, _, _, region, account, _, name = arn.split(":")[:7]
        statements = [
            _granted(statement, ":".join(arn.split(":")[:7]))
            for owner, where, backend in _backends("lambda", "awslambda")
            if (owner, where) == (account, region)
            for function in _kept(backend, name)
            for statement in function.policy.statements[:]
        ]
        return (
            json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None
        )

    def forget(self) -> None:
        """Forget as moto has forgotten."""
        self._seen.clear()


def _backends(service: str, module: str | None = None) -> Iterator[tuple[str, str, Any]]:
    """Account, partition or region, and backend of a service, as far as they have been used."""
    models = sys.modules.get(f"moto.{module or service}.models")
    if models is None:
        return
    for account, parts in list(getattr(models, f"{service}_backends").items()):
        for part, backend in list(parts.items()):
            yield account, part, backend


def _sessions(account: str, partition: str) -> Iterator[Any]:
    for other, part, sts in _backends("sts"):
        if (other, part) == (account, partition):
            yield from reversed(sts.assumed_roles[:])


def _session_key(session: Any, account: str) -> Key:
    return Key(
        secret=session.secret_access_key,
        session_token=session.session_token,
        account=account,
        principal_arn=session.arn,
        administrator=False,
        expires=session.expiration.replace(tzinfo=UTC),
        identity_arn=session.role_arn,
        session_policy=session.policy or None,
    )


def _user_key(iam: Any, account: str, access_key_id: str) -> Key | None:
    for user in list(iam.users.values()):
        for access_key in list(user.access_keys):
            if access_key.access_key_id == access_key_id and access_key.status == "Active":
                return Key(
                    secret=access_key.secret_access_key,
                    session_token=None,
                    account=account,
                    principal_arn=user.arn,
                    administrator=False,
                    identity_arn=user.arn,
                )
    return None


def _role(iam: Any, role: Any) -> Identity:
    boundary = role.permissions_boundary_arn
    return Identity(
        unique_id=role.id,
        documents=tuple(_documents(role)),
        boundary=_boundary(iam, boundary) if boundary else None,
        trust=role.assume_role_policy_document or "",
        tags={tag["Key"]: tag["Value"] for tag in list(role.tags or ())},
    )


def _user(iam: Any, user: Any) -> Identity:
    groups = [group for group in list(iam.groups.values()) if user in group.users]
    return Identity(
        unique_id=user.id,
        documents=tuple(document for holder in (user, *groups) for document in _documents(holder)),
        name=user.name,
        tags=dict(iam.tagger.tags.get(user.arn, {})),
    )


def _documents(holder: Any) -> Iterator[str]:
    """The inline and the managed policies of a user, a group or a role."""
    yield from list(holder.policies.values())
    for policy in list(holder.managed_policies.values()):
        yield _in_force(policy)


def _in_force(policy: Any) -> str:
    """The document of a managed policy's default version."""
    wanted = policy.default_version_id
    return next((v.document for v in list(policy.versions) if v.version_id == wanted), "")


def _boundary(iam: Any, arn: str) -> str:
    """The document of a boundary; one that is gone lets nothing through."""
    policy = iam.managed_policies.get(arn)
    return "" if policy is None else _in_force(policy)


def _kept(backend: Any, name: str) -> Iterator[Any]:
    """The latest of a function and its versions."""
    entry = backend._lambdas._functions.get(name)
    if entry is not None:
        yield from (function for function in (entry["latest"], *entry["versions"]) if function)


def _granted(statement: Mapping[str, Any], function_arn: str) -> dict[str, Any]:
    """A statement as AWS has it: moto leaves principals as they were sent, and qualifies a version twice."""
    granted = {key: value for key, value in statement.items() if key in _STATEMENT}
    principal, qualifiers = granted["Principal"], granted["Resource"].split(":")[7:]
    if isinstance(principal, str) and principal != "*":
        granted["Principal"] = {"AWS": principal}
    granted["Resource"] = ":".join([function_arn, *qualifiers[-1:]])
    # What else was sent narrows the grant: FunctionUrlAuthType, for example.
    if more := {
        f"lambda:{key}": value for key, value in statement.items() if key not in _STATEMENT
    }:
        conditions = dict(granted.get("Condition", {}))
        conditions["StringEquals"] = {**conditions.get("StringEquals", {}), **more}
        granted["Condition"] = conditions
    return granted
