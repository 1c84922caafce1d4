"""Models over the wire."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud.sagemaker.ground import ACCOUNT, OWN_IMAGE, REGION, ROLE, archive, error_of


def _arn(name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/{name.lower()}"


@pytest.mark.assumed("notes/models.md#description")
def test_a_model(sagemaker: Any, client: Callable[..., Any], bucket: str, name: str) -> None:
    """It is described as it was made, with its defaults; nothing that was not sent is there."""
    client("s3").put_object(Bucket=bucket, Key=f"{name}.tar.gz", Body=archive(a="b"))
    container = {
        "Image": OWN_IMAGE,
        "ModelDataUrl": f"s3://{bucket}/{name}.tar.gz",
        "Environment": {"A": "b"},
    }
    made = sagemaker.create_model(
        ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE, Tags=[]
    )
    assert made["ModelArn"] == _arn(name)
    found = sagemaker.describe_model(ModelName=name)
    del found["ResponseMetadata"], found["CreationTime"]
    assert found == {
        "ModelName": name,
        "ModelArn": _arn(name),
        "PrimaryContainer": {**container, "Mode": "SingleModel"},
        "ExecutionRoleArn": ROLE,
        "EnableNetworkIsolation": False,
    }


@pytest.mark.documented("notes/models.md#deletion")
def test_a_deleted_model_is_unknown(sagemaker: Any, model: Callable[..., str], name: str) -> None:
    """Describe and Delete name the lower-cased ARN; the name is free again."""
    model(name)
    sagemaker.delete_model(ModelName=name)
    missing = ("ValidationException", f'Could not find model "{_arn(name)}".')
    assert error_of(sagemaker.describe_model, ModelName=name) == missing
    assert error_of(sagemaker.delete_model, ModelName=name) == missing
    model(name)


@pytest.mark.documented("notes/listing.md#names-and-arns")
def test_names_are_unique_whatever_their_case(
    sagemaker: Any, model: Callable[..., str], name: str
) -> None:
    """A second model of the name is refused."""
    model(name)
    assert error_of(
        sagemaker.create_model,
        ModelName=name.swapcase(),
        PrimaryContainer={"Image": OWN_IMAGE},
        ExecutionRoleArn=ROLE,
    ) == ("ValidationException", f'Cannot create already existing model "{_arn(name)}".')


@pytest.mark.documented("notes/models.md#checks-at-call-time")
@pytest.mark.parametrize(
    "uri",
    [
        "s3://training-bucket/nothing.tar.gz",
        "s3://no-such-bucket-at-all/model.tar.gz",
        "s3://training-bucket",
        "s3://Not_A_Bucket!/model.tar.gz",
        "https://example.com/model.tar.gz",
    ],
)
def test_missing_model_data_is_refused(sagemaker: Any, bucket: str, name: str, uri: str) -> None:
    """No object, no bucket, no key, no name of a bucket: one text."""
    assert error_of(
        sagemaker.create_model,
        ModelName=name,
        PrimaryContainer={"Image": OWN_IMAGE, "ModelDataUrl": uri},
        ExecutionRoleArn=ROLE,
    ) == ("ValidationException", f"Could not find model data at {uri}.")


@pytest.mark.documented("notes/models.md#checks-at-call-time")
def test_an_image_that_is_no_uri_of_ecr_is_refused(sagemaker: Any, name: str) -> None:
    """The text quotes the image."""
    assert error_of(
        sagemaker.create_model,
        ModelName=name,
        PrimaryContainer={"Image": "my-image"},
        ExecutionRoleArn=ROLE,
    ) == ("ValidationException", 'ECR image "my-image" is invalid.')


@pytest.mark.assumed("notes/models.md#checks-at-call-time")
def test_an_unknown_image_is_refused(sagemaker: Any, name: str) -> None:
    """An image that nobody has cannot be pulled; one of Amazon's that is not implemented is named as such."""
    unknown = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/nobody:1"
    refused = error_of(
        sagemaker.create_model,
        ModelName=name,
        PrimaryContainer={"Image": unknown},
        ExecutionRoleArn=ROLE,
    )
    assert refused == (
        "ValidationException",
        f'The role "{ROLE}" cannot pull {unknown}. Ensure that the role exists and the image was '
        "granted pull permission.",
    )
    lda = "766337827248.dkr.ecr.us-east-1.amazonaws.com/lda:1"
    refused = error_of(
        sagemaker.create_model,
        ModelName=name,
        PrimaryContainer={"Image": lda},
        ExecutionRoleArn=ROLE,
    )
    assert refused[0] == "ValidationException"
    assert "not available in this local cloud" in refused[1]
    assert lda in refused[1]


@pytest.mark.assumed("notes/models.md#missing-members")
@pytest.mark.parametrize(
    ("members", "part"),
    [
        ({"ExecutionRoleArn": ROLE}, "PrimaryContainer"),
        ({"PrimaryContainer": {}, "ExecutionRoleArn": ROLE}, "primaryContainer.image"),
        ({"PrimaryContainer": {"Image": OWN_IMAGE}}, "executionRoleArn"),
        ({"PrimaryContainer": {"Image": OWN_IMAGE, "Environment": {"MINE": "\0"}}}, "MINE"),
    ],
)
def test_what_is_missing_or_impossible_is_named(
    sagemaker: Any, name: str, members: dict[str, Any], part: str
) -> None:
    """A model without container, image or role, or with an impossible environment, cannot be made here."""
    refused = error_of(sagemaker.create_model, ModelName=name, **members)
    assert refused[0] == "ValidationException"
    assert part in refused[1]


def test_pipelines_are_refused_by_name(sagemaker: Any, name: str) -> None:
    """Containers, multi-model containers and uncompressed data are named."""
    refused = error_of(
        sagemaker.create_model,
        ModelName=name,
        Containers=[{"Image": OWN_IMAGE}, {"Image": OWN_IMAGE, "Mode": "MultiModel"}],
        ExecutionRoleArn=ROLE,
    )
    assert refused[0] == "ValidationException"
    assert "Containers[].Image" in refused[1]
    source = {
        "S3DataSource": {"S3Uri": "s3://b/c/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    }
    refused = error_of(
        sagemaker.create_model,
        ModelName=name,
        PrimaryContainer={"Image": OWN_IMAGE, "Mode": "MultiModel", "ModelDataSource": source},
        ExecutionRoleArn=ROLE,
    )
    assert "PrimaryContainer.Mode other than SingleModel" in refused[1]
    assert "PrimaryContainer.ModelDataSource.S3DataSource.S3Uri" in refused[1]


@pytest.mark.documented("notes/listing.md#order")
def test_the_list_is_newest_first(sagemaker: Any, model: Callable[..., str], name: str) -> None:
    """By default by creation, descending; by boto3's paginator every model once."""
    names = [model(f"{name}-{number}") for number in range(12)]
    paginator = sagemaker.get_paginator("list_models")
    found = [
        row["ModelName"]
        for page in paginator.paginate(NameContains=name, PaginationConfig={"PageSize": 5})
        for row in page["Models"]
    ]
    assert found == names[::-1]
    assert len(sagemaker.list_models(NameContains=name)["Models"]) == 10
