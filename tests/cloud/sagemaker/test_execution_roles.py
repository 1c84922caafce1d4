"""A role that exists does what its policies allow: channels, artifacts, model data; a made-up one, everything."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloud.people import TRUST, People, document, statement, trust
from tests.cloud.sagemaker.ground import OWN_IMAGE, REGION, ROLE, archive, error_of

NOTE = "notes/permissions.md#execution-roles"


@pytest.fixture
def data(bucket: str) -> str:
    """The ARN of the training data's bucket."""
    return f"arn:aws:s3:::{bucket}"


def may(*actions: tuple[str, str]) -> list[dict[str, Any]]:
    """Statements of a role that may do this and that to resources."""
    return [statement(f"s3:{action}", resource) for action, resource in actions]


@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html")
def test_a_job_needs_three_permissions(
    people: People,
    sagemaker: Any,
    job: Callable[..., dict[str, Any]],
    finished: Callable[[str], dict[str, Any]],
    client: Callable[..., Any],
    data: str,
    bucket: str,
) -> None:
    """To list the channel, to read its objects and to write the artifacts; with just these it completes."""
    role = people.role(
        *may(("ListBucket", data), ("GetObject", f"{data}/data/*"), ("PutObject", f"{data}/out/*"))
    )
    request = job({"1-model": "learned"}, RoleArn=role)
    sagemaker.create_training_job(**request)
    description = finished(request["TrainingJobName"])
    assert description["TrainingJobStatus"] == "Completed", description.get("FailureReason")
    key = f"out/{request['TrainingJobName']}/output/model.tar.gz"
    assert client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0


@pytest.mark.recorded("notes/training-jobs.md#checks-at-call-time")
def test_a_role_that_may_not_list_is_refused_at_once(
    people: People, sagemaker: Any, job: Callable[..., dict[str, Any]], data: str, bucket: str
) -> None:
    """The text is that of a prefix without objects; a prefix in a condition counts."""
    role = people.role(*may(("GetObject", f"{data}/*"), ("PutObject", f"{data}/*")))
    code, message = error_of(sagemaker.create_training_job, **job(RoleArn=role))
    assert code == "ValidationException"
    assert message.startswith(f'No S3 objects found under S3 URL "s3://{bucket}/data/"')
    assert message.endswith(
        f'the role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )
    for prefix, listed in (("other/*", False), ("data/*", True)):
        condition = {"StringLike": {"s3:prefix": prefix}}
        people.allow(role, statement("s3:ListBucket", data, Condition=condition), policy="list")
        if listed:
            assert sagemaker.create_training_job(**job(RoleArn=role))["TrainingJobArn"]
        else:
            assert error_of(sagemaker.create_training_job, **job(RoleArn=role))[0] == code


@pytest.mark.recorded(NOTE)
def test_a_job_that_may_not_read_fails(
    people: People,
    sagemaker: Any,
    job: Callable[..., dict[str, Any]],
    finished: Callable[[str], dict[str, Any]],
    data: str,
    bucket: str,
) -> None:
    """It begins, since the channel can be listed, and fails while it downloads."""
    role = people.role(*may(("ListBucket", data), ("PutObject", f"{data}/*")))
    request = job(RoleArn=role)
    sagemaker.create_training_job(**request)
    description = finished(request["TrainingJobName"])
    assert description["TrainingJobStatus"] == "Failed"
    assert description["FailureReason"] == (
        f"ClientError: Data download failed:Unable to download object s3://{bucket}/data/train.csv "
        "(AccessDenied: Access Denied)"
    )


@pytest.mark.recorded(NOTE)
def test_a_job_that_may_not_write_fails(
    people: People,
    sagemaker: Any,
    job: Callable[..., dict[str, Any]],
    finished: Callable[[str], dict[str, Any]],
    data: str,
) -> None:
    """After training, when it stores its model; nobody looks at the output before."""
    role = people.role(*may(("ListBucket", data), ("GetObject", f"{data}/*")))
    request = job({"1-model": "learned"}, RoleArn=role)
    sagemaker.create_training_job(**request)
    assert finished(request["TrainingJobName"])["FailureReason"] == (
        "ClientError: Artifact upload failed:Error 7: AccessDenied (403): Access Denied"
    )


@pytest.mark.documented(
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html"
)
def test_the_policy_of_the_bucket_counts(
    people: People,
    sagemaker: Any,
    client: Callable[..., Any],
    job: Callable[..., dict[str, Any]],
    finished: Callable[[str], dict[str, Any]],
    name: str,
) -> None:
    """It can grant a role what its own policies do not, and deny what they grant."""
    s3, bucket = client("s3"), name.lower()
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="data/train.csv", Body=b"1,2\n")
    both = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    role = people.role()
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/data/"}
    request = job(
        RoleArn=role,
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
    )
    assert error_of(sagemaker.create_training_job, **request)[0] == "ValidationException"
    grant = {"Effect": "Allow", "Action": "s3:*", "Resource": both, "Principal": {"AWS": role}}
    s3.put_bucket_policy(Bucket=bucket, Policy=document(grant))
    sagemaker.create_training_job(**request)
    assert finished(name)["TrainingJobStatus"] == "Completed"
    deny = {**grant, "Effect": "Deny", "Principal": "*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=document(deny))
    people.allow(role, statement("s3:*"))
    again = {**request, "TrainingJobName": f"{name}-2"}
    assert error_of(sagemaker.create_training_job, **again)[0] == "ValidationException"


@pytest.mark.recorded("notes/training-jobs.md#checks-at-call-time")
def test_a_role_must_trust_sagemaker(
    people: People,
    sagemaker: Any,
    job: Callable[..., dict[str, Any]],
    finished: Callable[[str], dict[str, Any]],
) -> None:
    """A trust policy for another service is refused at once, until it is changed."""
    role = people.role(statement("s3:*"), trust=trust("lambda.amazonaws.com"))
    assert error_of(sagemaker.create_training_job, **job(RoleArn=role)) == (
        "ValidationException",
        f"Could not assume role {role}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role.",
    )
    name = role.rpartition("/")[2]
    people.iam.update_assume_role_policy(RoleName=name, PolicyDocument=TRUST)
    request = job(RoleArn=role)
    sagemaker.create_training_job(**request)
    assert finished(request["TrainingJobName"])["TrainingJobStatus"] == "Completed"


@pytest.mark.assumed("notes/permissions.md#what-is-decided")
def test_a_role_that_is_made_up_may_do_everything(
    sagemaker: Any,
    job: Callable[..., dict[str, Any]],
    finished: Callable[[str], dict[str, Any]],
    people: People,
) -> None:
    """As in countless examples: no such role in IAM, and the job runs; one that was deleted is refused."""
    request = job(RoleArn="arn:aws:iam::123456789012:role/SageMakerRole")
    sagemaker.create_training_job(**request)
    assert finished(request["TrainingJobName"])["TrainingJobStatus"] == "Completed"
    gone = people.role()
    request = job(RoleArn=gone, TrainingJobName=f"{request['TrainingJobName']}-2")
    assert error_of(sagemaker.create_training_job, **request)[1].startswith("No S3 objects")
    people.iam.delete_role(RoleName=gone.rpartition("/")[2])
    assert error_of(sagemaker.create_training_job, **request)[1].startswith("Could not assume role")


# Models.


@pytest.fixture
def artifact(client: Callable[..., Any], bucket: str) -> str:
    """The URI of a model's archive."""
    client("s3").put_object(Bucket=bucket, Key="models/m.tar.gz", Body=archive(model__txt="m"))
    return f"s3://{bucket}/models/m.tar.gz"


@pytest.mark.recorded("notes/models.md#checks-at-call-time")
def test_a_model_needs_its_data(
    people: People, sagemaker: Any, artifact: str, data: str, name: str
) -> None:
    """A role that may not read the archive, or does not trust SageMaker, is refused by name; with leave it is taken."""
    role = people.role()
    request = {
        "ModelName": name,
        "ExecutionRoleArn": role,
        "PrimaryContainer": {"Image": OWN_IMAGE, "ModelDataUrl": artifact},
    }
    code, message = error_of(sagemaker.create_model, **request)
    assert code == "ValidationException"
    assert message.startswith(
        f'Could not access model data at {artifact}. Please ensure that the role "{role}" exists'
    )
    people.allow(role, statement("s3:GetObject", f"{data}/models/*"))
    sagemaker.create_model(**request)
    stranger = people.role(statement("s3:*"), trust=trust("lambda.amazonaws.com"))
    code, message = error_of(
        sagemaker.create_model,
        **{**request, "ModelName": f"{name}-2", "ExecutionRoleArn": stranger},
    )
    assert code == "ValidationException"
    assert message.startswith(f'The execution role ARN "{stranger}" is invalid.')


@pytest.mark.documented("s3:GetObject")
def test_what_is_missing_is_denied_to_who_may_not_list(
    people: People, sagemaker: Any, bucket: str, data: str, name: str
) -> None:
    """Without ListBucket an object that is not there looks like one that is forbidden."""
    role = people.role(statement("s3:GetObject", f"{data}/*"))
    container = {"Image": OWN_IMAGE, "ModelDataUrl": f"s3://{bucket}/models/none.tar.gz"}
    request = {"ModelName": name, "ExecutionRoleArn": role, "PrimaryContainer": container}
    assert error_of(sagemaker.create_model, **request)[1].startswith("Could not access model data")
    people.allow(role, statement("s3:ListBucket", data), policy="list")
    assert error_of(sagemaker.create_model, **request)[1].startswith("Could not find model data")


@pytest.mark.recorded("notes/permissions.md#execution-roles")
def test_an_endpoint_whose_role_may_no_longer_read_fails(
    people: People,
    sagemaker: Any,
    artifact: str,
    data: str,
    name: str,
    config: Callable[..., str],
    settled: Callable[[str], Any],
) -> None:
    """The model's role is asked again when the endpoint fetches the archive; given back, another one serves."""
    role = people.role(statement("s3:GetObject", f"{data}/*"))
    container = {"Image": OWN_IMAGE, "ModelDataUrl": artifact}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    people.allow(role, statement("s3:ListBucket", data))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config(name, name))
    description = settled(name)
    assert description["EndpointStatus"] == "Failed"
    assert "has permissions to download the object" in description["FailureReason"]
    people.allow(role, statement("s3:GetObject", f"{data}/*"))
    sagemaker.create_endpoint(EndpointName=f"{name}-2", EndpointConfigName=name)
    assert settled(f"{name}-2")["EndpointStatus"] == "InService"


# What a client of a role is told.


@pytest.mark.documented("https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html")
def test_a_guarded_client_is_answered_as_by_s3(cloud: Any, people: People, bucket: str) -> None:
    """403, with a code where the answer has a body; a session of SageMaker's is who asks."""
    role = people.role(
        statement("s3:GetObject", Condition={"StringLike": {"aws:userid": "*:SageMaker"}})
    )
    s3 = cloud.sagemaker.backing.role_client("s3", REGION, role)
    assert s3.get_object(Bucket=bucket, Key="data/train.csv")["Body"].read() == b"1,2\n"
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: s3.put_object(Bucket=bucket, Key="x", Body=b""), "AccessDenied"),
        (lambda: s3.list_objects_v2(Bucket=bucket), "AccessDenied"),
        (lambda: s3.head_bucket(Bucket=bucket), "403"),
        (lambda: s3.delete_object(Bucket=bucket, Key="data/train.csv"), "AccessDenied"),
    ]
    for call, code in calls:
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == code
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    free = cloud.sagemaker.backing.role_client("s3", REGION, ROLE)
    assert free.head_object(Bucket=bucket, Key="data/train.csv")["ContentLength"] == 4
