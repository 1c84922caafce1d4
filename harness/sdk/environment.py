"""The environment variables that point boto3, the AWS CLI and the SageMaker SDK at a local cloud."""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.cloud.identity import administrators
from harness.sdk import hook

DEFAULT_REGION = "us-east-1"

_HERE = Path(__file__).parent
#: The folder that goes on PYTHONPATH; it holds one file, `sitecustomize.py`.
SITE = _HERE / "site"
_SETTINGS = _HERE / "settings"

# What would lead a client elsewhere or give it other credentials (botocore's configuration variables).
REMOVED = (
    "AWS_CA_BUNDLE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECURITY_TOKEN",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
_SERVICE_ENDPOINT = "AWS_ENDPOINT_URL_"


@dataclass(frozen=True)
class Environment:
    """Variables to set; whatever is in `REMOVED` or names one service's endpoint goes."""

    settings: Mapping[str, str]

    def applied_to(
        self, environment: Mapping[str, str], *, hook_path: bool = True
    ) -> dict[str, str]:
        """`environment` with this in it; with `hook_path` its Pythons load the hook at start-up."""
        result = {k: v for k, v in environment.items() if not _leads_elsewhere(k)}
        result.update(self.settings)
        for name in ("NO_PROXY", "no_proxy"):
            result[name] = _joined(self._direct_hosts(), result.get(name), ",")
        if hook_path:
            result["PYTHONPATH"] = _joined([str(SITE)], result.get("PYTHONPATH"), os.pathsep)
        return result

    def exports(self, environment: Mapping[str, str]) -> str:
        """Lines for a POSIX shell that turn `environment` into `applied_to(environment)`."""
        wanted = self.applied_to(environment)
        gone = sorted(name for name in environment if name not in wanted)
        changed = {k: v for k, v in wanted.items() if environment.get(k) != v}
        lines = [f"unset {' '.join(gone)}"] if gone else []
        lines += [f"export {name}={shlex.quote(value)}" for name, value in sorted(changed.items())]
        return "".join(f"{line}\n" for line in lines)

    def _direct_hosts(self) -> list[str]:
        host = self.settings["AWS_ENDPOINT_URL"].split("//", 1)[-1].rsplit(":", 1)[0].strip("[]")
        return list(dict.fromkeys(["127.0.0.1", "localhost", host]))


def local_environment(
    url: str, *, region: str = DEFAULT_REGION, speed: float | None = None
) -> Environment:
    """What unchanged SDK code needs to run against the local cloud at `url`.

    `speed` is how many times quicker than on AWS the SDK polls; 1 leaves its pauses as they are.
    """
    settings = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": administrators.SESSION_KEY,
        "AWS_SECRET_ACCESS_KEY": administrators.SESSION_SECRET,
        "AWS_SESSION_TOKEN": administrators.SESSION_TOKEN,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_CONFIG_FILE": str(_SETTINGS / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(_SETTINGS / "aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(_SETTINGS / "sagemaker.yaml"),
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(_SETTINGS / "sagemaker-admin.yaml"),
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
        hook.SWITCH: "on",
    }
    if speed is not None:
        settings[hook.SPEED] = f"{speed:g}"
    return Environment(settings)


def without_hook(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` as a job sees it: the hook is neither on its path nor switched on."""
    result = {k: v for k, v in environment.items() if k not in (hook.SWITCH, hook.SPEED)}
    entries = [e for e in result.pop("PYTHONPATH", "").split(os.pathsep) if e and e != str(SITE)]
    if entries:
        result["PYTHONPATH"] = os.pathsep.join(entries)
    return result


@contextmanager
def applied(environment: Environment) -> Iterator[None]:
    """Point this process at the cloud: variables, hook, boto3's default session; all put back."""
    before = dict(os.environ)
    hook.install()
    os.environ.clear()
    os.environ.update(environment.applied_to(before, hook_path=False))
    try:
        with _fresh_default_session():
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _fresh_default_session() -> Iterator[None]:
    """boto3.client() remembers the environment of its first call."""
    before = getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)
    _set_default_session(None)
    try:
        yield
    finally:
        _set_default_session(before)


def _set_default_session(session: object) -> None:
    boto3 = sys.modules.get("boto3")
    if boto3 is not None:
        boto3.DEFAULT_SESSION = session  # type: ignore[attr-defined]


def _leads_elsewhere(name: str) -> bool:
    return name in REMOVED or name.startswith(_SERVICE_ENDPOINT)


def _joined(first: list[str], rest: str | None, separator: str) -> str:
    return separator.join(dict.fromkeys([*first, *(rest or "").split(separator)])).rstrip(separator)
