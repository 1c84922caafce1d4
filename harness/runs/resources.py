"""What a run can create, by which request, and how it is deleted again: one row per kind of resource."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import WaiterError

ClientOf = Callable[[str], Any]

# A container that never gets healthy keeps an endpoint in Creating for long; 15 minutes on AWS's clock.
_PATIENCE = {"Delay": 15, "MaxAttempts": 60}


@dataclass(frozen=True)
class Resource:
    """Something with a name: its kind and the parameters that identify it."""

    kind: str
    names: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.kind} {'/'.join(value for _, value in self.names)}"


@dataclass(frozen=True)
class Kind:
    """A kind of resource. Teardown goes by rising `order`: users before what they use.

    `kept` says that AWS's own lessons leave it (a record without cost), so that it is no leftover of a
    lesson; the run deletes it all the same.
    """

    name: str
    service: str
    creates: str
    names: tuple[str, ...]
    deletes: str
    order: int
    kept: bool = False
    before: Callable[[ClientOf, Mapping[str, str]], None] | None = None

    def resource(self, parameters: Mapping[str, Any]) -> Resource | None:
        """What a request with these parameters creates; None if it does not say."""
        values = [parameters.get(name) for name in self.names]
        if not all(isinstance(value, str) and value for value in values):
            return None
        return Resource(self.name, tuple(sorted((n, str(parameters[n])) for n in self.names)))

    def delete(self, client_of: ClientOf, resource: Resource) -> None:
        """Delete it; botocore's ClientError if that is refused."""
        client = client_of(self.service)
        names = dict(resource.names)
        if self.before is not None:
            self.before(client_of, names)
        getattr(client, self.deletes)(**names)


def _empty(client_of: ClientOf, names: Mapping[str, str]) -> None:
    """A bucket is deleted only when it is empty."""
    s3 = client_of("s3")
    for page in s3.get_paginator("list_object_versions").paginate(**names):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        if objects:
            s3.delete_objects(**names, Delete={"Objects": objects, "Quiet": True})


def _abort_uploads(client_of: ClientOf, names: Mapping[str, str]) -> None:
    """An upload in parts that was not finished is no object; its parts are kept, and cost."""
    s3 = client_of("s3")
    answer = s3.list_multipart_uploads(Bucket=names["Bucket"], Prefix=names["Key"])
    for upload in answer.get("Uploads", ()):
        if upload["Key"] == names["Key"]:
            s3.abort_multipart_upload(**names, UploadId=upload["UploadId"])


def _end_job(client_of: ClientOf, names: Mapping[str, str]) -> None:
    """A training job is deleted only when it has ended; what it wrote to S3 goes with it."""
    sagemaker = client_of("sagemaker")
    description = sagemaker.describe_training_job(**names)
    status = description["TrainingJobStatus"]
    if status == "InProgress":
        sagemaker.stop_training_job(**names)
    if status in ("InProgress", "Stopping"):
        with suppress(WaiterError):  # it failed, which is an end too
            sagemaker.get_waiter("training_job_completed_or_stopped").wait(**names)
    where = urlsplit(description["OutputDataConfig"]["S3OutputPath"])
    prefix = "/".join(filter(None, (where.path.strip("/"), names["TrainingJobName"])))
    s3 = client_of("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=where.netloc, Prefix=f"{prefix}/")
    for page in pages:
        objects = [{"Key": item["Key"]} for item in page.get("Contents", ())]
        if objects:
            s3.delete_objects(Bucket=where.netloc, Delete={"Objects": objects, "Quiet": True})


def _settle_endpoint(client_of: ClientOf, names: Mapping[str, str]) -> None:
    """An endpoint is deleted only when it is not being created or updated."""
    sagemaker = client_of("sagemaker")
    status = sagemaker.describe_endpoint(**names)["EndpointStatus"]
    if status in ("Creating", "Updating", "SystemUpdating", "RollingBack"):
        with suppress(WaiterError):  # a failed one can be deleted
            sagemaker.get_waiter("endpoint_in_service").wait(**names, WaiterConfig=_PATIENCE)


def _detach_policies(client_of: ClientOf, names: Mapping[str, str]) -> None:
    """A role is deleted only without policies."""
    iam = client_of("iam")
    for policy in iam.list_attached_role_policies(**names)["AttachedPolicies"]:
        iam.detach_role_policy(**names, PolicyArn=policy["PolicyArn"])
    for name in iam.list_role_policies(**names)["PolicyNames"]:
        iam.delete_role_policy(**names, PolicyName=name)


_ROWS = (
    Kind(
        "Endpoint", "sagemaker", "CreateEndpoint", ("EndpointName",), "delete_endpoint", 10,
        before=_settle_endpoint,
    ),
    Kind(
        "EndpointConfig", "sagemaker", "CreateEndpointConfig", ("EndpointConfigName",),
        "delete_endpoint_config", 20,
    ),
    Kind("Model", "sagemaker", "CreateModel", ("ModelName",), "delete_model", 30),
    Kind(
        "TrainingJob", "sagemaker", "CreateTrainingJob", ("TrainingJobName",),
        "delete_training_job", 40, kept=True, before=_end_job,
    ),
    Kind("LogGroup", "logs", "CreateLogGroup", ("logGroupName",), "delete_log_group", 50),
    Kind("Object", "s3", "PutObject", ("Bucket", "Key"), "delete_object", 60),
    Kind("Object", "s3", "CopyObject", ("Bucket", "Key"), "delete_object", 60),
    Kind(
        "Upload", "s3", "CreateMultipartUpload", ("Bucket", "Key"), "delete_object", 60,
        before=_abort_uploads,
    ),
    Kind("Bucket", "s3", "CreateBucket", ("Bucket",), "delete_bucket", 70, before=_empty),
    Kind("Role", "iam", "CreateRole", ("RoleName",), "delete_role", 80, before=_detach_policies),
)  # fmt: skip

#: (service, operation) -> the kind that it creates.
KINDS: dict[tuple[str, str], Kind] = {(row.service, row.creates): row for row in _ROWS}


def kind_named(name: str) -> Kind:
    """The (first) row of this kind."""
    return next(row for row in _ROWS if row.name == name)
