"""What a role's clients may do: its trust policy is asked before a session, its permissions before each call to S3.

moto checks neither.
LIMITATIONS: the tags of objects and the keys of KMS are not looked at.
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from harness.cloud.identity.authorization import Authorizer, Need
from harness.cloud.identity.decisions import Decision
from harness.cloud.identity.principals import Principal
from harness.cloud.identity.store import Store

SERVICE = "sagemaker.amazonaws.com"
# SageMaker's sessions of an execution role are named so.
SESSION_NAME = "SageMaker"

# The action of an operation of S3, where it is not the operation's own name
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html).
_ACTIONS = {
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}
# Condition keys of an operation's parameters.
_KEYS = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
}
_BUCKET = "role_access_bucket"


class RoleAccess:
    """Decides for the roles that SageMaker assumes."""

    def __init__(self, authorizer: Authorizer, store: Store) -> None:
        self._authorizer = authorizer
        self._store = store

    def check_assumable(self, region: str, role_arn: str) -> None:
        """Raise botocore's ClientError, as STS would, unless the role trusts SageMaker."""
        account = _account(role_arn)
        context = {
            "aws:SourceAccount": account,
            "aws:SourceArn": f"arn:{_partition(role_arn)}:sagemaker:{region}:{account}:*",
        }
        if not self._authorizer.may_be_assumed(role_arn, SERVICE, context):
            text = f"User: {SERVICE} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
            raise ClientError(_denial("AccessDenied", text), "AssumeRole")

    def guard(self, s3: Any, role_arn: str) -> None:
        """Have each call of a client of S3 refused that the role may not make."""
        guard = _Guard(self._authorizer, self._store, role_arn)
        s3.meta.events.register("before-parameter-build.s3", guard.before)
        s3.meta.events.register("after-call.s3", guard.after)


class _Guard:
    """The guard of one client. Both methods are handlers of botocore's events."""

    def __init__(self, authorizer: Authorizer, store: Store, role_arn: str) -> None:
        self._authorizer = authorizer
        self._store = store
        self._partition = _partition(role_arn)
        account, name = _account(role_arn), role_arn.rpartition("/")[2]
        self._principal = Principal(
            arn=f"arn:{self._partition}:sts::{account}:assumed-role/{name}/{SESSION_NAME}",
            account=account,
            identity_arn=role_arn,
        )

    def before(self, params: Mapping[str, Any], model: Any, context: Any, **_: Any) -> None:
        """Raise ClientError for a call that the role may not make."""
        operation, bucket, key = model.name, params.get("Bucket"), params.get("Key")
        if not bucket:
            return
        context[_BUCKET] = bucket
        action = _ACTIONS.get(operation, operation)
        asked = {name: str(params[member]) for member, name in _KEYS.items() if member in params}
        if not self._may(action, bucket, key, asked).allowed:
            fields = {"BucketName": bucket, **({"Key": key} if key else {})}
            raise ClientError(_denial_of(operation, fields), operation)

    def after(self, http_response: Any, parsed: Any, model: Any, context: Any, **_: Any) -> None:
        """Without leave to list a bucket, what is missing in it is denied (S3's GetObject)."""
        bucket = context.get(_BUCKET)
        if (
            http_response.status_code == 404
            and model.name in ("GetObject", "HeadObject")
            and self._store.bucket(bucket) is not None
            and not self._may("ListBucket", bucket, None, {}).allowed
        ):
            parsed.update(_denial_of(model.name, {}))

    def _may(
        self, action: str, bucket: str, key: str | None, context: Mapping[str, str]
    ) -> Decision:
        found = self._store.bucket(bucket)
        return self._authorizer.may(
            self._principal,
            Need(
                f"s3:{action}",
                f"arn:{self._partition}:s3:::{bucket}" + (f"/{key}" if key else ""),
                {"aws:SecureTransport": "true", **context},
                resource_policy=found.policy if found else None,
                owner=found.account if found else None,
            ),
        )


def _denial_of(operation: str, fields: Mapping[str, str]) -> Any:
    """An answer of S3's; one to HEAD has no body, so that the status is its code."""
    if operation.startswith("Head"):
        return _denial("403", "Forbidden", fields)
    return _denial("AccessDenied", "Access Denied", fields)


def _denial(code: str, message: str, fields: Mapping[str, str] | None = None) -> Any:
    return {
        "Error": {"Code": code, "Message": message, **(fields or {})},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }


def _partition(arn: str) -> str:
    return arn.split(":", 2)[1]


def _account(arn: str) -> str:
    return arn.split(":", 5)[4]
