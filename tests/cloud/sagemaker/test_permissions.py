"""What each operation needs leave for."""

import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from harness.cloud.identity.authorization import Need
from harness.cloud.protocol.models import load
from harness.cloud.sagemaker.operations import OWN, others
from harness.cloud.sagemaker.permissions import needs
from tests.cloud.sagemaker.ground import ACCOUNT, REGION, ROLE

TABLE = tomllib.loads(
    resources.files("harness.cloud.sagemaker").joinpath("permissions.toml").read_text("utf-8")
)
REFERENCE = (
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html"
)
BASE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


def needed(operation: str, tags: dict[str, str] | None = None, **request: Any) -> list[Need]:
    """What a request needs, where every resource has these tags."""
    return list(needs(operation, request, ACCOUNT, REGION, lambda arn: tags or {}))


def asked(operation: str, **request: Any) -> list[tuple[str, str]]:
    """Actions and resources that a request needs."""
    return [(need.action, need.resource) for need in needed(operation, **request)]


def test_the_table_names_what_the_model_has() -> None:
    """Each operation has the members that its resource is made of; roles and conditions are members too."""
    model = load("sagemaker")
    for template, operations in TABLE["resources"].items():
        for operation in operations:
            shape = model.operation(operation).input
            assert shape is not None
            assert set(re.findall(r"\{(\w+)\}", template)) <= set(shape.members), operation
    named = {*TABLE["roles"]["members"], *TABLE["conditions"].values()}
    known = {m for name in model.operation_names for m in _members(model.operation(name).input)}
    assert named <= known


def _members(shape: Any, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    if shape is None or shape.name in seen:
        return
    if shape.type == "list":
        yield from _members(shape.member, seen | {shape.name})
    elif shape.type == "structure":
        for name, member in shape.members.items():
            yield name
            yield from _members(member.shape, seen | {shape.name})


def test_what_is_about_one_resource_names_it() -> None:
    """Of the operations that this cloud answers, only lists and searches are authorized on `*`."""
    listed = {operation for operations in TABLE["resources"].values() for operation in operations}
    answered = {*OWN, *others()["passed"]}.union(*others()["absent"].values())
    plain = {name for name in answered - listed if not name.startswith(("List", "Search"))}
    assert plain == set()


@pytest.mark.documented(REFERENCE)
@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("ListModels", {"NameContains": "x"}, [("sagemaker:ListModels", "*")]),
        ("ListDomains", {}, [("sagemaker:ListDomains", f"{BASE}:domain/*")]),
        ("Search", {"Resource": "TrainingJob"}, [("sagemaker:Search", "*")]),
        (
            "DescribeTrainingJob",
            {"TrainingJobName": "Job-A"},
            [("sagemaker:DescribeTrainingJob", f"{BASE}:training-job/job-a")],
        ),
        (
            "CreateEndpoint",
            {"EndpointName": "E", "EndpointConfigName": "C"},
            [
                ("sagemaker:CreateEndpoint", f"{BASE}:endpoint/e"),
                ("sagemaker:CreateEndpoint", f"{BASE}:endpoint-config/c"),
            ],
        ),
        (
            "AddTags",
            {"ResourceArn": f"{BASE}:model/m", "Tags": [{"Key": "a", "Value": "b"}]},
            [("sagemaker:AddTags", f"{BASE}:model/m")],
        ),
        (
            "CreateModel",
            {"ModelName": "M", "ExecutionRoleArn": ROLE, "Tags": [{"Key": "a", "Value": "b"}]},
            [
                ("sagemaker:CreateModel", f"{BASE}:model/m"),
                ("sagemaker:AddTags", f"{BASE}:model/m"),
                ("iam:PassRole", ROLE),
            ],
        ),
        (
            "CreateHyperParameterTuningJob",
            {
                "HyperParameterTuningJobName": "T",
                "TrainingJobDefinition": {"RoleArn": "arn:aws:iam::1:role/a"},
                "TrainingJobDefinitions": [{"RoleArn": "arn:aws:iam::1:role/b"}, {}],
            },
            [
                ("sagemaker:CreateHyperParameterTuningJob", f"{BASE}:hyper-parameter-tuning-job/t"),
                ("iam:PassRole", "arn:aws:iam::1:role/a"),
                ("iam:PassRole", "arn:aws:iam::1:role/b"),
            ],
        ),
        (
            "DescribeModelPackage",
            {"ModelPackageName": f"{BASE}:model-package/Group/1"},
            [("sagemaker:DescribeModelPackage", f"{BASE}:model-package/Group/1")],
        ),
        (
            "CreateTrial",
            {"TrialName": "t", "ExperimentName": "e", "Tags": [{"Key": "a", "Value": "b"}]},
            [
                ("sagemaker:CreateTrial", f"{BASE}:experiment-trial/t"),
                ("sagemaker:CreateTrial", f"{BASE}:experiment/e"),
                ("sagemaker:AddTags", f"{BASE}:experiment-trial/t"),
            ],
        ),
    ],
)
def test_an_operation_needs_its_resources(
    operation: str, request_: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Its own, tags where it brings some, and the roles that it passes on, wherever they stand."""
    assert asked(operation, **request_) == expected


@pytest.mark.documented("sagemaker:CreateTrainingJob")
def test_a_role_in_a_map_of_the_users_is_none() -> None:
    """A hyperparameter or a variable of that name passes no role on."""
    found = asked(
        "CreateTrainingJob",
        TrainingJobName="j",
        RoleArn=ROLE,
        HyperParameters={"RoleArn": "x"},
        Environment={"ExecutionRoleArn": "y"},
    )
    assert found[1:] == [("iam:PassRole", ROLE)]


@pytest.mark.documented(REFERENCE)
def test_a_request_brings_its_condition_keys() -> None:
    """Tags of the request and of the resource, and members by the table."""
    create, add, pass_role = needed(
        "CreateTrainingJob",
        {"Team": "red"},
        TrainingJobName="j",
        RoleArn=ROLE,
        ResourceConfig={"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "k"},
        VpcConfig={"Subnets": ["a", "b"], "SecurityGroupIds": ["g"]},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        EnableNetworkIsolation=False,
        Tags=[{"Key": "Cost", "Value": "7"}],
    )
    of_request = {
        "sagemaker:InstanceTypes": ["ml.m5.large"],
        "sagemaker:VolumeKmsKey": ["k"],
        "sagemaker:VolumeKmsKeyArn": ["k"],
        "sagemaker:VpcSubnets": ["a", "b"],
        "sagemaker:VpcSecurityGroupIds": ["g"],
        "sagemaker:MaxRuntimeInSeconds": ["60"],
        "sagemaker:NetworkIsolation": ["false"],
        "aws:RequestTag/Cost": ["7"],
        "aws:TagKeys": ["Cost"],
    }
    of_resource = {"aws:ResourceTag/Team": "red", "sagemaker:ResourceTag/Team": "red"}
    assert create.context == {**of_request, **of_resource}
    assert add.context == {**of_request, "sagemaker:TaggingAction": "CreateTrainingJob"}
    assert pass_role.context == {"iam:PassedToService": "sagemaker.amazonaws.com"}
    (delete,) = needed("DeleteTags", ResourceArn=f"{BASE}:model/m", TagKeys=["a", "b"])
    assert delete.context == {"aws:TagKeys": ["a", "b"]}
