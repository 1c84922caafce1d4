"""boto3 through the cloud's port gets what boto3 gets from moto's own server."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cloud.local_cloud import LocalCloud

Make = Callable[..., Any]

# Values that differ between two runs of moto itself.
_VOLATILE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|A[A-Z]{3}[A-Z0-9]{16,17}"
)
_VOLATILE_KEYS = {
    "RequestId",
    "HostId",
    "HTTPHeaders",
    "RetryAttempts",
    "CreateDate",
    "LastModified",
    "creationTime",
    "CreationDate",
    "UploadId",
    "Date",
    "timestamp",
    "ingestionTime",
    "lastIngestionTime",
    "RoleId",
    "UserId",
    "RoleLastUsed",
    "nextSequenceToken",
    "SecretAccessKey",
    "uploadSequenceToken",
    "AttachmentCount",
    "firstEventTimestamp",
    "lastEventTimestamp",
    "UpdateDate",
    "BucketKeyEnabled",
}


def normalized(value: Any) -> Any:
    """An answer without what differs between two runs."""
    if isinstance(value, dict):
        return {k: normalized(v) for k, v in value.items() if k not in _VOLATILE_KEYS}
    if isinstance(value, list):
        return [normalized(item) for item in value]
    if hasattr(value, "read"):
        return value.read()
    return _VOLATILE.sub("*", value) if isinstance(value, str) else value


def answer(call: Callable[..., Any], **arguments: Any) -> Any:
    """What a caller sees: the answer, or the error's code, message and status."""
    try:
        return normalized(call(**arguments))
    except ClientError as error:
        return normalized(error.response)


S3_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("create_bucket", {"Bucket": "lesson-one"}),
    ("create_bucket", {"Bucket": "Not A Bucket!"[:3]}),
    (
        "put_object",
        {
            "Bucket": "lesson-one",
            "Key": "a/b.csv",
            "Body": b"1,2\n3,4\n",
            "Metadata": {"x_y": "1", "x-z": "2"},
        },
    ),
    ("put_object", {"Bucket": "lesson-one", "Key": "große/ü+%2F é", "Body": b"x" * 100_000}),
    ("put_object", {"Bucket": "no-such-bucket-anywhere", "Key": "k", "Body": b""}),
    ("get_object", {"Bucket": "lesson-one", "Key": "a/b.csv"}),
    ("get_object", {"Bucket": "lesson-one", "Key": "große/ü+%2F é", "Range": "bytes=10-19"}),
    ("get_object", {"Bucket": "lesson-one", "Key": "missing"}),
    ("head_object", {"Bucket": "lesson-one", "Key": "a/b.csv"}),
    ("head_object", {"Bucket": "lesson-one", "Key": "missing"}),
    ("copy_object", {"Bucket": "lesson-one", "Key": "copy", "CopySource": "lesson-one/a/b.csv"}),
    ("list_objects_v2", {"Bucket": "lesson-one", "Prefix": "a", "Delimiter": "/"}),
    ("list_objects_v2", {"Bucket": "lesson-one", "MaxKeys": 1}),
    (
        "put_object_tagging",
        {
            "Bucket": "lesson-one",
            "Key": "copy",
            "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]},
        },
    ),
    ("get_object_tagging", {"Bucket": "lesson-one", "Key": "copy"}),
    (
        "put_bucket_versioning",
        {"Bucket": "lesson-one", "VersioningConfiguration": {"Status": "Enabled"}},
    ),
    ("get_bucket_versioning", {"Bucket": "lesson-one"}),
    ("delete_object", {"Bucket": "lesson-one", "Key": "copy"}),
    ("get_bucket_location", {"Bucket": "lesson-one"}),
    ("delete_bucket", {"Bucket": "lesson-one"}),
    ("list_multipart_uploads", {"Bucket": "lesson-one"}),
]
IAM_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}),
    ("create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}),
    (
        "attach_role_policy",
        {"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"},
    ),
    ("attach_role_policy", {"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/NoSuchPolicy"}),
    ("list_attached_role_policies", {"RoleName": "r"}),
    (
        "put_role_policy",
        {
            "RoleName": "r",
            "PolicyName": "p",
            "PolicyDocument": '{"Version":"2012-10-17","Statement":[]}',
        },
    ),
    ("get_role_policy", {"RoleName": "r", "PolicyName": "p"}),
    ("get_role", {"RoleName": "absent"}),
    ("create_user", {"UserName": "administrator"}),
    ("list_users", {}),
    ("delete_role", {"RoleName": "r"}),
]
LOGS_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("create_log_group", {"logGroupName": "/g"}),
    ("create_log_group", {"logGroupName": "/g"}),
    ("create_log_stream", {"logGroupName": "/g", "logStreamName": "s"}),
    ("get_log_events", {"logGroupName": "/g", "logStreamName": "s"}),
    ("get_log_events", {"logGroupName": "/absent", "logStreamName": "s"}),
    ("describe_log_streams", {"logGroupName": "/g"}),
    ("describe_log_groups", {}),
    ("put_retention_policy", {"logGroupName": "/g", "retentionInDays": 7}),
    ("delete_log_group", {"logGroupName": "/g"}),
]


@pytest.mark.parametrize(
    ("service", "calls"), [("s3", S3_CALLS), ("iam", IAM_CALLS), ("logs", LOGS_CALLS)]
)
def test_same_answers(
    service: str, calls: list[tuple[str, dict[str, Any]]], client: Make, moto_client: Make
) -> None:
    """A sequence of good and bad calls is answered alike."""
    ours, motos = client(service), moto_client(service)
    for operation, arguments in calls:
        expected = answer(getattr(motos, operation), **arguments)
        actual = answer(getattr(ours, operation), **arguments)
        if operation == "create_role" and "Error" not in expected:
            assert expected["Role"]["Arn"] == actual["Role"]["Arn"]
        assert expected == actual, operation


def test_same_answers_to_a_multipart_upload(client: Make, moto_client: Make) -> None:
    """Parts of 5 MB and a ranged read across them are answered alike."""
    seen = []
    for make in (moto_client, client):
        s3 = make("s3")
        s3.create_bucket(Bucket="parts")
        upload = s3.create_multipart_upload(Bucket="parts", Key="k")["UploadId"]
        sent = [
            s3.upload_part(
                Bucket="parts", Key="k", UploadId=upload, PartNumber=n, Body=bytes([n]) * 5_300_000
            )
            for n in (1, 2)
        ]
        s3.complete_multipart_upload(
            Bucket="parts",
            Key="k",
            UploadId=upload,
            MultipartUpload={
                "Parts": [{"PartNumber": n, "ETag": part["ETag"]} for n, part in enumerate(sent, 1)]
            },
        )
        seen.append(answer(s3.get_object, Bucket="parts", Key="k", Range="bytes=5299990-5300009"))
        s3.delete_object(Bucket="parts", Key="k")
    assert seen[0] == seen[1]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    key=st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\"),
        min_size=1,
        max_size=40,
    ).filter(lambda key: key not in (".", "..") and not key.startswith("/")),
    body=st.binary(max_size=200),
)
def test_any_key_comes_back(key: str, body: bytes, client: Make, cloud: LocalCloud) -> None:
    """An object of any name that S3 takes is listed and read back under that name."""
    s3 = client("s3")
    if "keys" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="keys")
    s3.put_object(Bucket="keys", Key=key, Body=body)
    assert body == s3.get_object(Bucket="keys", Key=key)["Body"].read()
    assert [key] == [item["Key"] for item in s3.list_objects_v2(Bucket="keys")["Contents"]]
    s3.delete_object(Bucket="keys", Key=key)


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("braket", "search_devices", {"filters": []}),
        ("iam", "list_delegation_requests", {}),
        ("sagemaker", "list_hubs", {}),
    ],
)
def test_an_operation_that_nobody_has_says_so(
    service: str, operation: str, arguments: dict[str, Any], client: Make
) -> None:
    """Each protocol carries the refusal in its own form, and no client retries it."""
    with pytest.raises(ClientError, match="does not implement"):
        getattr(client(service), operation)(**arguments)
