"""Tags over the wire."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud.sagemaker.ground import ACCOUNT, OWN_IMAGE, REGION, ROLE, error_of


def _tags(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@pytest.fixture
def arn(sagemaker: Any, name: str) -> str:
    """The ARN of a model that was made with two tags."""
    made = sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": OWN_IMAGE},
        ExecutionRoleArn=ROLE,
        Tags=_tags(a="1", b="2"),
    )
    return str(made["ModelArn"])


@pytest.mark.documented("notes/listing.md#tags")
def test_tags_are_added_overwritten_and_deleted(sagemaker: Any, arn: str) -> None:
    """AddTags answers with all of them; DeleteTags minds no key that is not there."""
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == _tags(a="1", b="2")
    added = sagemaker.add_tags(ResourceArn=arn, Tags=_tags(b="3", c="4"))
    assert added["Tags"] == _tags(a="1", b="3", c="4")
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "nobody"])
    assert sagemaker.list_tags(ResourceArn=arn, MaxResults=50)["Tags"] == _tags(b="3", c="4")


@pytest.mark.documented("sagemaker:TagList")
def test_a_resource_has_fifty_tags_at_most(sagemaker: Any, arn: str) -> None:
    """Fifty are taken; with one more nothing is added."""
    sagemaker.add_tags(ResourceArn=arn, Tags=_tags(**{f"k{n}": "" for n in range(48)}))
    assert error_of(sagemaker.add_tags, ResourceArn=arn, Tags=_tags(x="", y=""))[0] == (
        "ValidationException"
    )
    assert len(sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 50


@pytest.mark.assumed("notes/listing.md#tags")
def test_keys_that_cannot_be_are_refused(sagemaker: Any, arn: str, name: str) -> None:
    """A key twice in a request, and one that AWS keeps for itself; also when a resource is created."""
    twice, reserved = _tags(x="1") * 2, [{"Key": "aws:x", "Value": ""}]
    for tags in (twice, reserved):
        for call, request in (
            (sagemaker.add_tags, {"ResourceArn": arn}),
            (
                sagemaker.create_model,
                {
                    "ModelName": f"{name}-2",
                    "PrimaryContainer": {"Image": OWN_IMAGE},
                    "ExecutionRoleArn": ROLE,
                },
            ),
        ):
            refused = error_of(call, Tags=tags, **request)
            assert refused[0] == "ValidationException"
            assert tags[0]["Key"] in refused[1]


@pytest.mark.assumed("notes/listing.md#tags")
def test_tags_go_with_their_resource(sagemaker: Any, arn: str, name: str) -> None:
    """After the deletion the ARN is unknown, and a new resource of that name begins without tags."""
    sagemaker.delete_model(ModelName=name)
    for call, arguments in (
        (sagemaker.list_tags, {}),
        (sagemaker.add_tags, {"Tags": []}),
        (sagemaker.delete_tags, {"TagKeys": ["a"]}),
    ):
        refused = error_of(call, ResourceArn=arn, **arguments)
        assert refused[0] == "ValidationException"
        assert arn in refused[1]
    sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": OWN_IMAGE}, ExecutionRoleArn=ROLE
    )
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


def test_tags_of_what_moto_keeps(sagemaker: Any, name: str) -> None:
    """An experiment's tags are where the experiment is."""
    made = sagemaker.create_experiment(ExperimentName=name)
    sagemaker.add_tags(ResourceArn=made["ExperimentArn"], Tags=_tags(a="1"))
    assert sagemaker.list_tags(ResourceArn=made["ExperimentArn"])["Tags"] == _tags(a="1")


@pytest.mark.documented("notes/listing.md#tags")
def test_every_resource_can_be_tagged(
    sagemaker: Any,
    model: Callable[..., str],
    config: Callable[..., str],
    job: Callable[..., dict[str, Any]],
    finished: Callable[[str], dict[str, Any]],
    name: str,
) -> None:
    """Jobs, models, configurations and endpoints alike."""
    arns = [
        sagemaker.create_training_job(**job(Tags=_tags(x="y")))["TrainingJobArn"],
        sagemaker.create_endpoint(
            EndpointName=name, EndpointConfigName=config(name, model(name)), Tags=_tags(x="y")
        )["EndpointArn"],
    ]
    for arn in arns:
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == _tags(x="y")
    for kind in ("model", "endpoint-config"):
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name.lower()}"
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []
    finished(name)
