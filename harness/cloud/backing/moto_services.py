"""moto in this process: every AWS service that is not ours, loaded when the first request needs it.

LIMITATIONS: moto's state is global to a process, so a process holds one local cloud.
"""

import json
import logging
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from harness.cloud.backing.disk_buffer import DiskBuffer
from harness.cloud.backing.wsgi import Application
from harness.cloud.identity.administrators import (
    ACCOUNT,
    SESSION_KEY,
    SESSION_NAME,
    SESSION_ROLE_NAME,
    SESSION_SECRET,
    SESSION_TOKEN,
)

log = logging.getLogger(__name__)

# The environ entry under which moto looks for header names with an underscore; a test compares it with moto's.
PRESERVED_NAMES_KEY = "moto.preserved_header_names"

# Read by moto when it is imported. Answers to preflights are the API's own business, not an echo of any
# origin; a dotted host name of the cloud is not a bucket.
_SETTINGS = {"MOTO_DISABLE_GLOBAL_CORS": "1", "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}

_TRUST_POLICY = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
 "Principal": {"Service": ["sagemaker.amazonaws.com", "lambda.amazonaws.com"]}, "Action": "sts:AssumeRole"}]}"""
_MANAGED_POLICIES = ("AmazonSageMakerFullAccess", "AmazonS3FullAccess")


class MotoServices:
    """moto's backends. `lock` is held around every call into them: moto is not thread safe."""

    def __init__(self, folder: Path) -> None:
        self.lock = threading.RLock()
        self._folder = folder
        self._loading = threading.Lock()
        self._application: Application | None = None
        self._prepared: set[str] = set()

    @property
    def loaded(self) -> bool:
        """Whether any request has needed moto yet."""
        return self._application is not None

    def application(self) -> Application:
        """Moto's WSGI application, imported on the first call (about 0.2 s)."""
        with self._loading:
            if self._application is None:
                self._application = self._load()
            return self._application

    def _load(self) -> Application:
        fresh = "moto.settings" not in sys.modules
        before = {name: os.environ.get(name) for name in _SETTINGS}
        if fresh:
            os.environ.update(_SETTINGS)
        try:
            from moto.moto_server.werkzeug_app import (
                DomainDispatcherApplication,
                create_backend_app,
            )
        finally:
            for name, value in before.items():
                if fresh and value is None:
                    del os.environ[name]
        self._use_disk_buffers()
        application: Application = DomainDispatcherApplication(create_backend_app)
        return application

    def _use_disk_buffers(self) -> None:
        import moto.s3.models

        DiskBuffer.folder = self._folder

        class _Tempfile:
            SpooledTemporaryFile = DiskBuffer

        vars(moto.s3.models)["tempfile"] = _Tempfile

    def prepare(self, service: str) -> None:
        """Make what `harness env` hands out exist before STS or IAM is asked for the first time.

        STS needs the execution role and its session; IAM also all AWS-managed policies, which take a while.
        """
        if service not in ("sts", "iam") or service in self._prepared:
            return
        self.application()
        with self.lock:
            if "sts" not in self._prepared:
                self._open_session()
                self._prepared.add("sts")
            if service == "iam":
                self._load_managed_policies()
                self._attach_managed_policies()
                self._prepared.add("iam")

    def _load_managed_policies(self) -> None:
        """Without them `attach_role_policy` of an AWS-managed policy fails; S3 alone does not want their 18 MB."""
        from moto.core.config import default_user_config
        from moto.iam.models import iam_backends

        default_user_config["iam"]["load_aws_managed_policies"] = True
        for partitions in list(iam_backends.values()):
            for iam in list(partitions.values()):
                if not iam.aws_managed_policies:
                    iam.aws_managed_policies = iam._init_aws_policies()
                    iam.managed_policies.update(iam._init_managed_policies())

    def _attach_managed_policies(self) -> None:
        from moto.iam.models import iam_backends

        for policy in _MANAGED_POLICIES:
            iam_backends[ACCOUNT]["aws"].attach_role_policy(
                f"arn:aws:iam::aws:policy/{policy}", SESSION_ROLE_NAME
            )

    def _open_session(self) -> None:
        from moto.iam.models import iam_backends
        from moto.sts.models import sts_backends

        iam = iam_backends[ACCOUNT]["aws"]
        if SESSION_ROLE_NAME not in {role.name for role in iam.roles.values()}:
            iam.create_role(
                role_name=SESSION_ROLE_NAME,
                assume_role_policy_document=_TRUST_POLICY,
                path="/service-role/",
                permissions_boundary=None,
                description="The execution role of the local cloud",
                tags=[],
                max_session_duration="43200",
            )
            role = iam.get_role(SESSION_ROLE_NAME)
            for policy in map(_managed_policy, _MANAGED_POLICIES):
                role.managed_policies[policy.arn] = policy
        session = sts_backends[ACCOUNT]["aws"].assume_role(
            region_name="us-east-1",
            role_session_name=SESSION_NAME,
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/service-role/{SESSION_ROLE_NAME}",
            policy="",
            duration=43200,
            external_id="",
        )
        del iam.access_keys[session.access_key.access_key_id]
        session.access_key_id = session.access_key.access_key_id = SESSION_KEY
        session.secret_access_key = session.access_key.secret_access_key = SESSION_SECRET
        session.session_token = SESSION_TOKEN
        iam.access_keys[SESSION_KEY] = session.access_key

    def reset(self) -> None:
        """Forget everything, as `POST /moto-api/reset` does."""
        if not self.loaded:
            return
        from moto.core.config import default_user_config
        from moto.moto_api._internal.models import moto_api_backend

        with self.lock:
            default_user_config["iam"]["load_aws_managed_policies"] = False
            moto_api_backend.reset()
            self._prepared.clear()

    def close(self) -> None:
        """Forget everything, and leave moto as a program that goes on using it expects it."""
        self.reset()
        if self.loaded:
            import moto.s3.models

            vars(moto.s3.models)["tempfile"] = tempfile
            DiskBuffer.folder = None


def _managed_policy(name: str) -> Any:
    """One AWS-managed policy, read out of the middle of moto's 5 MB of JSON: the first job need not wait for all."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data
    from moto.iam.models import AWSManagedPolicy

    start = aws_managed_policies_data.index("{", aws_managed_policies_data.index(f'"{name}":'))
    content, _ = json.JSONDecoder().raw_decode(aws_managed_policies_data, start)
    return AWSManagedPolicy.from_data(name, ACCOUNT, "us-east-1", content)
