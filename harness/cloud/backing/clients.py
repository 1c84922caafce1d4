"""boto3 clients with which the control plane reaches S3, STS and the rest: over the wire, at one URL."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.cloud.backing.role_access import SESSION_NAME, RoleAccess

SESSION_SECONDS = 3600


@dataclass(frozen=True)
class Credentials:
    """Keys to sign with; `session_token` only for an assumed role."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


class Clients:
    """Clients of the services at `endpoint_url()`, each made once and then shared (they are thread safe).

    Those of a role may do what `access` says, everything without it.
    """

    def __init__(
        self,
        endpoint_url: Callable[[], str],
        own: Credentials,
        access: RoleAccess | None = None,
    ) -> None:
        self._endpoint_url = endpoint_url
        self._own = own
        self._access = access
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[tuple[str, str, Credentials], Any] = {}
        self._roles: dict[tuple[str, str], tuple[datetime, Credentials]] = {}

    def client(self, service: str, region: str) -> Any:
        """A boto3 client with the cloud's own credentials."""
        return self._client(service, region, self._own, None)

    def role_client(self, service: str, region: str, role_arn: str) -> Any:
        """A boto3 client with the session credentials of `role_arn`.

        Raises botocore's ClientError if STS refuses, or the role does not trust SageMaker. A call to S3 that
        the role may not make raises it, too.
        """
        if self._access is not None:
            self._access.check_assumable(region, role_arn)
        return self._client(service, region, self.role_credentials(region, role_arn), role_arn)

    def _client(
        self, service: str, region: str, credentials: Credentials, role_arn: str | None
    ) -> Any:
        key = (service, region, credentials)
        with self._lock:
            if key not in self._clients:
                made = self._clients[key] = self._make(service, region, credentials)
                if service == "s3" and role_arn is not None and self._access is not None:
                    self._access.guard(made, role_arn)
            return self._clients[key]

    def role_credentials(self, region: str, role_arn: str) -> Credentials:
        """A session of the role, assumed again when less than half of its time is left."""
        key = (region, role_arn)
        with self._lock:
            known = self._roles.get(key)
        if known is not None and known[0] > datetime.now(UTC):
            return known[1]
        answer = self.client("sts", region).assume_role(
            RoleArn=role_arn, RoleSessionName=SESSION_NAME, DurationSeconds=SESSION_SECONDS
        )["Credentials"]
        credentials = Credentials(
            answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]
        )
        with self._lock:
            self._roles[key] = (
                datetime.now(UTC) + timedelta(seconds=SESSION_SECONDS / 2),
                credentials,
            )
        return credentials

    def forget_roles(self) -> None:
        """Drop every session, since the services have forgotten them."""
        with self._lock:
            self._roles.clear()
            self._clients.clear()

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def _make(self, service: str, region: str, credentials: Credentials) -> Any:
        from botocore.config import Config

        if self._session is None:
            self._session = _session_without_the_users_settings()
        return self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self._endpoint_url(),
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=Config(
                max_pool_connections=32,
                retries={"max_attempts": 2, "mode": "standard"},
                s3={"addressing_style": "path"},
                proxies={},
                tcp_keepalive=True,
            ),
        )


def _session_without_the_users_settings() -> Any:
    """A botocore session that reads neither the user's files nor AWS_PROFILE, which need not exist here."""
    import botocore.session

    return botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
