"""What the decisions need to know of IAM, S3 and Lambda, whoever keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Identity:
    """What IAM holds of a user or a role.

    `documents` are its identity-based policies, a user's groups' among them; `boundary` its permissions
    boundary, `trust` a role's trust policy. `name` is a user's, None for a role.
    """

    unique_id: str
    documents: tuple[str, ...]
    boundary: str | None = None
    trust: str | None = None
    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bucket:
    """What S3 holds of a bucket: whose it is, and its policy."""

    account: str
    policy: str | None


class Store(Protocol):
    """Asked for each decision, so an answer must be quick and show every change at once."""

    def identity(self, arn: str) -> Identity | None:
        """The user or role of this ARN; None if IAM has never had it."""

    def bucket(self, name: str) -> Bucket | None:
        """The bucket of this name."""

    def function_policy(self, arn: str) -> str | None:
        """The policy of a function; one for all its versions and aliases."""
