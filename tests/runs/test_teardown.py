"""Teardown by the ledger deletes what a run created, in whatever state it is, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from harness.runs import ledger as ledgers
from harness.runs.calls import Calls
from harness.runs.inventory import Inventory, Item
from harness.runs.ledger import Ledger
from harness.runs.resources import Resource
from harness.runs.teardown import teardown
from harness.targets import Lab, Place

ClientOf = Callable[[str], Any]


class Nobody:
    """Does not care about checks."""

    def check(self, verdict: object) -> None:
        """Nothing."""

    def prediction(self, *what: object) -> None:
        """Nothing."""


def created(place: Place, path: Path, create: Callable[[Any, Lab], None]) -> list[ledgers.Entry]:
    """The ledger of what `create` did with a session of its own."""
    boto = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=place.region
    )
    lab = Lab(place, run_id=path.parent.name[:20], notebook=Nobody(), fixtures=())
    with Ledger(path, "run") as ledger, Calls(boto, ledger, lambda call: None):
        create(boto, lab)
    return ledgers.read(path)


def looked(client_of: ClientOf, place: Place) -> frozenset[Item]:
    """What is there, logs and all."""
    return Inventory(client_of, [place.bucket]).look()


def train(boto: Any, lab: Lab, name: str, rounds: int) -> None:
    """Begin a job of so many rounds."""
    boto.client("s3").put_object(Bucket=lab.bucket, Key=f"{name}/x.csv", Body=b"1,2\n2,3\n" * 50)
    boto.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=lab.role,
        AlgorithmSpecification={
            "TrainingImage": lab.image("xgboost", "1.7-1"),
            "TrainingInputMode": "File",
        },
        HyperParameters={"num_round": str(rounds), "objective": "reg:squarederror"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{lab.bucket}/{name}/",
                    }
                },
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{lab.bucket}/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )


def test_a_job_that_runs_is_stopped_and_goes_with_all_that_it_wrote(
    place: Place, client_of: ClientOf, tmp_path: Path
) -> None:
    """Running job, its input, its artifact and its logs: after the teardown nothing of it is there."""
    before = looked(client_of, place)

    def create(boto: Any, lab: Lab) -> None:
        train(boto, lab, "long", rounds=10_000_000)
        train(boto, lab, "short", rounds=2)
        waiter = client_of("sagemaker").get_waiter("training_job_completed_or_stopped")
        waiter.wait(TrainingJobName="short", WaiterConfig={"Delay": 1})

    entries = created(place, tmp_path / "ledger.jsonl", create)
    assert looked(client_of, place) > before
    refused = teardown(client_of, entries, existed=before)
    assert refused == {}
    assert looked(client_of, place) == before


def test_an_endpoint_goes_before_what_it_uses(
    place: Place, client_of: ClientOf, tmp_path: Path
) -> None:
    """Endpoint, configuration, model, objects, bucket and role are deleted in an order that works."""
    before = looked(client_of, place)
    order: list[Resource] = []

    def create(boto: Any, lab: Lab) -> None:
        train(boto, lab, "model", rounds=2)
        sagemaker = boto.client("sagemaker")
        waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
        waiter.wait(TrainingJobName="model", WaiterConfig={"Delay": 1})
        sagemaker.create_model(
            ModelName="m",
            ExecutionRoleArn=lab.role,
            PrimaryContainer={
                "Image": lab.image("xgboost", "1.7-1"),
                "ModelDataUrl": f"s3://{lab.bucket}/out/model/output/model.tar.gz",
            },
        )
        sagemaker.create_endpoint_config(
            EndpointConfigName="c",
            ProductionVariants=[
                {
                    "VariantName": "v",
                    "ModelName": "m",
                    "InitialInstanceCount": 1,
                    "InstanceType": "ml.m5.large",
                }
            ],
        )
        sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
        boto.client("s3").create_bucket(Bucket="teardown-bucket")
        boto.client("s3").put_object(Bucket="teardown-bucket", Key="k", Body=b"")
        boto.client("s3").create_multipart_upload(Bucket=lab.bucket, Key="unfinished")
        client_of("s3").put_object(Bucket="teardown-bucket", Key="by-someone-else", Body=b"")
        iam = boto.client("iam")
        iam.create_role(RoleName="teardown", AssumeRolePolicyDocument="{}")
        iam.put_role_policy(
            RoleName="teardown",
            PolicyName="p",
            PolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
                }
            ),
        )

    entries = created(place, tmp_path / "ledger.jsonl", create)
    teardown(client_of, entries, existed=before, told=order.append)
    kinds = list(dict.fromkeys(resource.kind for resource in order))
    assert kinds == [
        "Endpoint", "EndpointConfig", "Model", "TrainingJob", "Object", "Upload", "Bucket", "Role",
    ]  # fmt: skip
    waiter = client_of("sagemaker").get_waiter("endpoint_deleted")
    waiter.wait(EndpointName="e", WaiterConfig={"Delay": 1})
    assert looked(client_of, place) == before


def test_what_is_gone_already_is_no_trouble(
    place: Place, client_of: ClientOf, tmp_path: Path
) -> None:
    """A second teardown by the same ledger deletes nothing and says what was refused."""
    entries = created(
        place,
        tmp_path / "ledger.jsonl",
        lambda boto, lab: boto.client("iam").create_role(
            RoleName="twice", AssumeRolePolicyDocument="{}"
        ),
    )
    before = looked(client_of, place)
    assert teardown(client_of, entries) == {}
    after = looked(client_of, place)
    assert after < before
    (refused,) = teardown(client_of, entries).items()
    assert str(refused[0]) == "Role twice"
    assert "NoSuchEntity" in refused[1]
    assert looked(client_of, place) == after


@pytest.mark.parametrize("confirmed", [True, False, None])
def test_only_what_may_exist_is_deleted(
    place: Place, client_of: ClientOf, confirmed: bool | None
) -> None:
    """A refused creation is left alone: what has that name belongs to somebody else."""
    s3 = client_of("s3")
    s3.put_object(Bucket=place.bucket, Key="theirs", Body=b"")
    resource = Resource("Object", (("Bucket", place.bucket), ("Key", "theirs")))
    teardown(client_of, [ledgers.Entry("r", 1, "s", resource, confirmed)])
    left = s3.list_objects_v2(Bucket=place.bucket, Prefix="theirs")["KeyCount"]
    assert left == (1 if confirmed is False else 0)
    s3.delete_object(Bucket=place.bucket, Key="theirs")
