"""Who asks for something, and how directly the Principal element of a policy names them."""

import enum
from dataclasses import dataclass, field


class Reach(enum.IntEnum):
    """How a statement reaches a principal: not at all, by its account, by its role, or itself."""

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    DIRECT = 3


@dataclass(frozen=True)
class Principal:
    """Who asks. `arn` is the caller as STS names it, or the name of a service, such as lambda.amazonaws.com.

    `identity_arn` is the IAM user or role behind it, None for a service; `session_policy` the document that
    came with the session, if any. An `administrator` may do everything.
    """

    arn: str
    account: str = ""
    identity_arn: str | None = None
    session_policy: str | None = field(default=None, repr=False)
    administrator: bool = False

    @property
    def is_session(self) -> bool:
        """Whether it is a session of a role."""
        return ":assumed-role/" in self.arn

    @property
    def is_service(self) -> bool:
        """Whether it is a service of AWS's that acts by itself."""
        return self.identity_arn is None

    def reached_by(self, kind: str, name: str) -> Reach:
        """How an entry of a Principal element, such as `AWS` and an ARN, reaches it."""
        if kind == "AWS" and name == "*":
            return Reach.DIRECT
        if self.is_service:
            return Reach.DIRECT if kind == "Service" and name == self.arn else Reach.NONE
        if kind != "AWS":
            return Reach.NONE
        if name == self.arn:
            return Reach.DIRECT
        if name == self.identity_arn:
            return Reach.ROLE if self.is_session else Reach.DIRECT
        if name == self.account or _is_root(name, self.account):
            return Reach.ACCOUNT
        return Reach.NONE


def _is_root(arn: str, account: str) -> bool:
    parts = arn.split(":")
    return len(parts) == 6 and parts[2] == "iam" and parts[4] == account and parts[5] == "root"
