"""Who asks, where, and under which request id."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RequestContext:
    """One request's circumstances. `principal_arn` is the caller as STS would name it."""

    account: str
    region: str
    request_id: str
    access_key_id: str
    principal_arn: str
