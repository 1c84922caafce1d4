"""The target `embedded`: a local cloud in this process. No account, no Docker, no network."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.sdk.environment import DEFAULT_REGION, applied, local_environment
from harness.targets.capabilities import Capability
from harness.targets.place import Machine, Place

# It is part of the place, not something that a lesson leaves behind.
_FORK_SERVER = "harness.containers.fork_server"


@dataclass(frozen=True)
class Embedded:
    """A local cloud of its own for each time it is opened; `pace` is "fastest" or "realistic"."""

    region: str = DEFAULT_REGION
    pace: str = "fastest"
    name: str = "embedded"

    @property
    def offers(self) -> frozenset[Capability]:
        """All that there is so far."""
        return frozenset(Capability)

    @contextmanager
    def open(self) -> Iterator[Place]:
        """Start the cloud and point this process's SDKs at it; afterwards nothing of it is left."""
        import boto3

        from harness.cloud.local_cloud import LocalCloud
        from harness.cloud.sagemaker.pace import Pace

        realistic = self.pace == "realistic"
        with ExitStack() as stack:
            folder = stack.enter_context(_folder_of_its_own())
            cloud = stack.enter_context(LocalCloud(pace=Pace.named(self.pace)))
            cloud.sagemaker.engine.warm()
            environment = local_environment(
                cloud.url, region=self.region, speed=1 if realistic else None
            )
            stack.enter_context(applied(environment))
            boto = boto3.Session(
                aws_access_key_id=environment.settings["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=environment.settings["AWS_SECRET_ACCESS_KEY"],
                aws_session_token=environment.settings["AWS_SESSION_TOKEN"],
                region_name=self.region,
            )
            # Plain boto3.client() in a lesson goes the same way.
            boto3.DEFAULT_SESSION = boto
            account, role = _identity(boto)
            yield Place(
                target=self.name,
                boto=boto,
                region=self.region,
                account=account,
                role=role,
                bucket=_bucket(boto, self.region, account),
                endpoint_url=cloud.url,
                machine=Machine(os.getpid(), folder, standing=_FORK_SERVER),
                faults=lambda: tuple(cloud.app.faults),
            )


def _identity(boto: Any) -> tuple[str, str]:
    """The account and the execution role behind the session, as `get_execution_role()` finds them."""
    caller = boto.client("sts").get_caller_identity()
    role_name = caller["Arn"].split("/")[1]
    return caller["Account"], boto.client("iam").get_role(RoleName=role_name)["Role"]["Arn"]


def _bucket(boto: Any, region: str, account: str) -> str:
    """The bucket that `Session().default_bucket()` would make."""
    name = f"sagemaker-{region}-{account}"
    where = (
        {}
        if region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    )
    boto.client("s3").create_bucket(Bucket=name, **where)
    return name


@contextmanager
def _folder_of_its_own() -> Iterator[Path]:
    """Temporary files of this process and its children go to one folder, which can be looked into and removed."""
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="harness-run-", ignore_cleanup_errors=True) as name:
        tempfile.tempdir = os.environ["TMPDIR"] = name
        try:
            yield Path(name)
        finally:
            tempfile.tempdir = before
            if variable is None:
                os.environ.pop("TMPDIR", None)
            else:
                os.environ["TMPDIR"] = variable
