"""What a role can see in S3, asked before work begins."""

import enum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.sagemaker.arns import split_s3_uri


class Access(enum.Enum):
    """Whether something can be read."""

    THERE = enum.auto()
    MISSING = enum.auto()
    DENIED = enum.auto()


def access_to_object(s3: Any, uri: str) -> Access:
    """Whether `s3` (a boto3 client) can read the object at `uri`."""
    bucket, key = split_s3_uri(uri)
    if not key:
        return Access.MISSING
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        return _of_error(error)
    except BotoCoreError:
        # Not even the name of a bucket.
        return Access.MISSING
    return Access.THERE


def access_to_prefix(s3: Any, uri: str) -> Access:
    """Whether `s3` can list at least one object whose key begins with that of `uri`."""
    bucket, prefix = split_s3_uri(uri)
    try:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    except ClientError as error:
        return _of_error(error)
    except BotoCoreError:
        return Access.MISSING
    return Access.THERE if found.get("Contents") else Access.MISSING


def _of_error(error: ClientError) -> Access:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return Access.MISSING if status in (301, 400, 404) else Access.DENIED
