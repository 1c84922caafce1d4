"""Who sent a request: its signature checked against the keys that the cloud knows.

LIMITATIONS: a signature's age is taken from wall time, whatever clock drives the resources.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.cloud.errors import AwsError
from harness.cloud.identity import sigv4
from harness.cloud.identity.keys import FindKey, Key
from harness.cloud.identity.principals import Principal
from harness.cloud.identity.sigv4 import Signature, basic

SKEW = timedelta(minutes=15)


@dataclass(frozen=True)
class Caller:
    """Who signed a request, and for which region."""

    account: str
    region: str
    access_key_id: str
    principal_arn: str
    administrator: bool
    identity_arn: str | None = None
    session_policy: str | None = field(default=None, repr=False)

    @property
    def principal(self) -> Principal:
        """The caller as policies see it."""
        return Principal(
            arn=self.principal_arn,
            account=self.account,
            identity_arn=self.identity_arn or self.principal_arn,
            session_policy=self.session_policy,
            administrator=self.administrator,
        )


class Authenticator:
    """Checks signatures. `find_key` looks an access key id up; `now` is wall time (UTC)."""

    def __init__(
        self, find_key: FindKey, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._find_key = find_key
        self._now = now

    def authenticate(
        self, scope: Mapping[str, Any], body: bytes, service: str | None = None
    ) -> Caller:
        """The caller of a request whose whole body is there.

        `scope` is an ASGI scope; `service` the signing name that it must be scoped to, any if None.
        Raises AwsError: MissingAuthenticationTokenException, IncompleteSignatureException,
        InvalidSignatureException, UnrecognizedClientException or ExpiredTokenException.
        """
        pending = self.begin(scope, service)
        pending.update(body)
        return pending.finish()

    def begin(self, scope: Mapping[str, Any], service: str | None = None) -> "Authentication":
        """Check all that the headers tell before the body has come; raises as `authenticate` does.

        Where the body's hash stands in X-Amz-Content-SHA256 that is the signature itself, too.
        """
        signature = sigv4.read(scope["headers"], scope.get("query_string", b""))
        if service is not None and signature.service != service:
            raise AwsError(
                "InvalidSignatureException",
                f"Credential should be scoped to correct service: '{service}'. ",
            )
        self._check_age(signature)
        key = self._find_key(signature.access_key_id)
        if key is None or not _token_fits(signature, key):
            raise AwsError(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        if key.expires is not None and key.expires <= self._now():
            raise AwsError(
                "ExpiredTokenException", "The security token included in the request is expired"
            )
        return Authentication(signature, key, scope)

    def _check_age(self, signature: Signature) -> None:
        now = self._now()
        lifetime = SKEW if signature.expires is None else timedelta(seconds=signature.expires)
        if signature.date < now - lifetime:
            raise AwsError(
                "InvalidSignatureException",
                f"Signature expired: {basic(signature.date)} is now earlier than "
                f"{basic(now - lifetime)} ({basic(now)} - {lifetime.total_seconds() / 60:g} min.)",
            )
        if signature.date > now + SKEW:
            raise AwsError(
                "InvalidSignatureException",
                f"Signature not yet current: {basic(signature.date)} is still later than "
                f"{basic(now + SKEW)} ({basic(now)} + {SKEW.total_seconds() / 60:g} min.)",
            )


class Authentication:
    """A request whose body is still coming: `update` with each chunk, then `finish`."""

    def __init__(self, signature: Signature, key: Key, scope: Mapping[str, Any]) -> None:
        self.signature = signature
        self._key = key
        self._scope = scope
        self._hash = hashlib.sha256()
        self._declared = _declared_hash(scope)
        if self._declared is not None:
            self._check(self._declared)

    def update(self, chunk: bytes) -> None:
        """Take the next piece of the body."""
        self._hash.update(chunk)

    def finish(self) -> Caller:
        """The caller, now that the body is complete; raises InvalidSignatureException."""
        digest = self._hash.hexdigest()
        if self._declared is None:
            self._check(digest)
        elif digest != self._declared and not (
            self._declared == sigv4.UNSIGNED_PAYLOAD and self.signature.service == "s3"
        ):
            raise AwsError(
                "InvalidSignatureException",
                "The value of X-Amz-Content-SHA256 is not the hash of the request's body.",
            )
        return Caller(
            account=self._key.account,
            region=self.signature.region,
            access_key_id=self.signature.access_key_id,
            principal_arn=self._key.principal_arn,
            administrator=self._key.administrator,
            identity_arn=self._key.identity_arn,
            session_policy=self._key.session_policy,
        )

    def _check(self, payload_hash: str) -> None:
        canonical = sigv4.canonical_request(self.signature, self._scope, payload_hash)
        sigv4.check(self.signature, self._key.secret, canonical)


def _declared_hash(scope: Mapping[str, Any]) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-amz-content-sha256":
            text: str = value.decode("latin-1")
            return text
    return None


def _token_fits(signature: Signature, key: Key) -> bool:
    # Settings for tests, moto's own advice among them, add a made-up token to such a key.
    if key.administrator and key.session_token is None:
        return True
    return signature.session_token == key.session_token
