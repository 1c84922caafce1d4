"""Lambda functions as moto keeps them, read as records: what runs a function knows nothing of moto.

LIMITATIONS: a layer version that was deleted is gone for the functions that use it, since moto keeps only its
name with them; of a function's configuration for asynchronous invocations, destinations are not read.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.cloud.backing.clients import Credentials
from harness.cloud.backing.moto_services import MotoServices

LATEST = "$LATEST"
SESSION_SECONDS = 43_200
# moto's method that runs a function; a test holds what it takes and answers.
_RUN = "_invoke_lambda"


class FunctionNotFound(LookupError):
    """There is no such function, version or alias."""


class LayerNotFound(LookupError):
    """A layer version that a function was created with is not there any more."""


@dataclass(frozen=True)
class Archive:
    """A zip archive and its SHA-256 as Lambda shows it; equal if the hash is."""

    sha256: str
    content: bytes = field(repr=False, compare=False)


@dataclass(frozen=True)
class FunctionVersion:
    """One version of a function with all that decides how it runs; two that are equal run alike.

    `timeout` in seconds, `memory_size` in megabytes; `layers` in the order in which they are unpacked.
    """

    account: str
    region: str
    name: str
    version: str
    package_type: str
    runtime: str | None
    handler: str | None
    timeout: int
    memory_size: int
    role: str
    environment: tuple[tuple[str, str], ...]
    code: Archive
    layers: tuple[Archive, ...]

    @property
    def log_group(self) -> str:
        """Where its output goes."""
        return f"/aws/lambda/{self.name}"


@dataclass(frozen=True)
class Found:
    """A version, chosen by a qualifier, and what holds for its function: None reserved is no reservation.

    `retries` and `event_seconds` are those of PutFunctionEventInvokeConfig, if there was one;
    `has_destination` tells whether it, or the function, names where failed events go.
    """

    version: FunctionVersion
    reserved: int | None
    retries: int | None = None
    event_seconds: int | None = None
    has_destination: bool = False


# Takes an event for a function, and returns at once: the caller may hold moto's lock.
Trigger = Callable[[FunctionVersion, bytes], None]


class Functions(Protocol):
    """Where functions are kept."""

    def find(self, account: str, region: str, name: str, qualifier: str | None) -> Found:
        """The version that a qualifier names, or that an alias chooses. Raises FunctionNotFound, LayerNotFound."""

    def has(self, version: FunctionVersion) -> bool:
        """Whether a version is still there, and still the same."""

    def open_session(self, version: FunctionVersion, name: str) -> Credentials:
        """A new session of the function's role."""

    def close_session(self, credentials: Credentials) -> None:
        """The session will not be used any more."""

    def route_triggers(self, trigger: Trigger) -> Callable[[], None]:
        """Have events from other services (SNS, S3, SQS, ...) go to `trigger`; undone by calling the answer."""


class MotoFunctions:
    """The in-process implementation. `chance` draws from [0, 1), for the weights of aliases."""

    def __init__(self, services: MotoServices, chance: Callable[[], float] = random.random) -> None:
        self._services = services
        self._chance = chance

    def find(self, account: str, region: str, name: str, qualifier: str | None) -> Found:
        """Look a function up (Functions.find)."""
        self._services.application()
        with self._services.lock:
            latest = self._latest(account, region, name)
            function = self._qualified(account, region, latest, qualifier)
            config = latest.event_invoke_config[-1].config if latest.event_invoke_config else {}
            return Found(
                _version(function),
                None if latest.reserved_concurrency is None else int(latest.reserved_concurrency),
                config.get("MaximumRetryAttempts"),
                config.get("MaximumEventAgeInSeconds"),
                bool(config.get("DestinationConfig")),
            )

    def has(self, version: FunctionVersion) -> bool:
        """Look whether a version is the same (Functions.has)."""
        try:
            found = self.find(version.account, version.region, version.name, version.version)
        except LookupError:
            return False
        return found.version == version

    def open_session(self, version: FunctionVersion, name: str) -> Credentials:
        """Assume the role (Functions.open_session)."""
        self._services.prepare("sts")
        from moto.sts.models import sts_backends

        with self._services.lock:
            session = sts_backends[version.account]["aws"].assume_role(
                region_name=version.region,
                role_session_name=name,
                role_arn=version.role,
                policy="",
                duration=SESSION_SECONDS,
                external_id="",
            )
        return Credentials(session.access_key_id, session.secret_access_key, session.session_token)

    def close_session(self, credentials: Credentials) -> None:
        """Forget the session (Functions.close_session)."""
        from moto.iam.models import iam_backends
        from moto.sts.models import sts_backends

        with self._services.lock:
            for account, partitions in list(sts_backends.items()):
                for partition, sts in list(partitions.items()):
                    session = sts.get_assumed_role_from_access_key(credentials.access_key_id)
                    if session is not None:
                        sts.assumed_roles.remove(session)
                        iam_backends[account][partition].access_keys.pop(
                            credentials.access_key_id, None
                        )

    def route_triggers(self, trigger: Trigger) -> Callable[[], None]:
        """Have `trigger` called in place of moto's own way to run a function (Functions.route_triggers)."""
        from moto.awslambda.models import LambdaFunction

        def invoke(function: Any, event: Any = None) -> tuple[str, bool, str]:
            trigger(_version(function), json.dumps(event).encode())
            return "", False, ""

        original = getattr(LambdaFunction, _RUN)
        setattr(LambdaFunction, _RUN, invoke)
        return lambda: setattr(LambdaFunction, _RUN, original)

    def _latest(self, account: str, region: str, name: str) -> Any:
        from moto.awslambda.exceptions import UnknownFunctionException
        from moto.awslambda.models import lambda_backends

        try:
            function = lambda_backends[account][region].get_function(name)
        except (UnknownFunctionException, KeyError):  # moto has no such region
            raise FunctionNotFound(name) from None
        if function is None:  # DeleteFunction with the qualifier $LATEST
            raise FunctionNotFound(name)
        return function

    def _qualified(self, account: str, region: str, latest: Any, qualifier: str | None) -> Any:
        if qualifier is None or qualifier == LATEST:
            return latest
        from moto.awslambda.exceptions import UnknownAliasException, UnknownFunctionException
        from moto.awslambda.models import lambda_backends

        backend = lambda_backends[account][region]
        name = latest.function_name
        try:
            if not qualifier.isdigit():
                qualifier = self._chosen(backend.get_alias(qualifier, name))
            return latest if qualifier == LATEST else backend.get_function(name, qualifier)
        except (UnknownAliasException, UnknownFunctionException):
            raise FunctionNotFound(name) from None

    def _chosen(self, alias: Any) -> str:
        """The version that an alias sends this invocation to."""
        weights = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
        place = self._chance()
        for version, weight in weights.items():
            if place < weight:
                return str(version)
            place -= weight
        return str(alias.function_version)


def _version(function: Any) -> FunctionVersion:
    image = function.package_type != "Zip"
    return FunctionVersion(
        account=function.account_id,
        region=function.region,
        name=function.function_name,
        version=str(function.version),
        package_type=function.package_type,
        runtime=function.run_time,
        handler=function.handler,
        timeout=int(function.timeout),
        memory_size=int(function.memory_size),
        role=function.role,
        environment=tuple(sorted((function.environment_vars or {}).items())),
        code=Archive(function.code_sha_256, b"" if image else function.code_bytes),
        layers=tuple(_layer(function, layer["Arn"]) for layer in function.layers or ()),
    )


def _layer(function: Any, arn: str) -> Archive:
    from moto.awslambda.models import lambda_backends

    backend = lambda_backends[function.account_id][function.region]
    layer = backend.layers_versions_by_arn(arn)
    if layer is None:
        raise LayerNotFound(arn)
    return Archive(layer.code_sha_256, layer.code_bytes)
