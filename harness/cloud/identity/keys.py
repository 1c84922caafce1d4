"""Access keys: what the cloud knows of who signs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Key:
    """The secret behind an access key id, and whose it is.

    `principal_arn` is the caller as STS names it. A session's key has a `session_token`, which each
    of its requests must show, and may end at `expires`. An `administrator` may do everything; if it
    has no session token, its requests may show any: settings for tests often carry a made-up one.
    `identity_arn` is the IAM user or role behind it, `session_policy` the document that limits a session.
    """

    secret: str = field(repr=False)
    session_token: str | None = field(repr=False)
    account: str
    principal_arn: str
    administrator: bool
    expires: datetime | None = None
    identity_arn: str | None = None
    session_policy: str | None = field(default=None, repr=False)


# Finds the key of an access key id; None if there is none.
FindKey = Callable[[str], Key | None]
