"""Every operation of the model is carried out, passed on, truthfully empty or absent, or refused by name."""

from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from harness.cloud.protocol.models import load
from harness.cloud.sagemaker.operations import FUNCTIONS, OWN, function_name, others
from tests.cloud.sagemaker.ground import error_of

ABSENT = [operation for of_a_kind in others()["absent"].values() for operation in of_a_kind]


def test_each_operation_is_decided_once() -> None:
    """No operation stands in two places, and each of them is one of the model's."""
    decided = [*OWN, *others()["passed"], *others()["empty_lists"], *ABSENT]
    assert len(decided) == len(set(decided))
    assert set(decided) <= set(load("sagemaker").operation_names)


def test_each_of_ours_has_a_function_of_its_name() -> None:
    """A reader finds CreateEndpointConfig as create_endpoint_config in endpoint_configs."""
    assert set(FUNCTIONS) == set(OWN)
    for operation, function in FUNCTIONS.items():
        assert function.__name__ == function_name(operation)
    assert FUNCTIONS["CreateEndpointConfig"].__module__.endswith(".endpoint_configs")


def test_moto_has_what_is_passed_to_it() -> None:
    """moto implements every operation on the list."""
    from moto.core.utils import camelcase_to_underscores
    from moto.sagemaker.responses import SageMakerResponse

    for operation in [*others()["passed"], "Search"]:
        assert hasattr(SageMakerResponse, camelcase_to_underscores(operation)), operation


@pytest.mark.parametrize("operation", others()["empty_lists"])
def test_lists_of_what_cannot_be_here_are_empty(sagemaker: Any, operation: str) -> None:
    """The answer has its one list, and that is empty."""
    answer = getattr(sagemaker, xform_name(operation))()
    del answer["ResponseMetadata"]
    assert list(answer.values()) == [[]]


@pytest.mark.parametrize("operation", ABSENT)
def test_what_cannot_be_here_is_not_found(sagemaker: Any, operation: str, name: str) -> None:
    """A Describe, Stop, Update or Delete of it gets AWS's refusal for a missing one."""
    shape = load("sagemaker").operation(operation).input
    assert shape is not None
    member = next(member for member in shape.members if member in shape.required)
    code, _ = error_of(getattr(sagemaker, xform_name(operation)), **{member: name.lower()[:32]})
    assert code in ("ValidationException", "ResourceNotFound")


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTransformJob.html"
)
def test_waiters_of_the_absent_end(sagemaker: Any) -> None:
    """botocore's waiter for a notebook that is not there takes the refusal for "deleted"."""
    sagemaker.get_waiter("notebook_instance_deleted").wait(NotebookInstanceName="nobody")


def test_what_would_pretend_to_run_something_is_refused_by_name(sagemaker: Any) -> None:
    """An operation that nobody here implements says so, and nobody retries it."""
    refused = error_of(
        sagemaker.create_transform_job,
        TransformJobName="t",
        ModelName="m",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/"}}
        },
        TransformOutput={"S3OutputPath": "s3://b/"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    assert refused[0] == "UnsupportedOperation"
    assert "CreateTransformJob" in refused[1]


def test_records_are_kept(sagemaker: Any, name: str) -> None:
    """Experiments and model package groups are made, listed and searched."""
    sagemaker.create_experiment(ExperimentName=name)
    listed = sagemaker.list_experiments()["ExperimentSummaries"]
    assert name in [experiment["ExperimentName"] for experiment in listed]
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    found = sagemaker.search(Resource="Experiment")["Results"]
    assert name in [result["Experiment"]["ExperimentName"] for result in found]
    assert error_of(sagemaker.search, Resource="TrainingJob")[0] == "ValidationException"


def test_no_operation_is_a_failure_of_ours(sagemaker: Any) -> None:
    """Whatever operation of the model is sent without any member: an answer or a 400, never a 500."""
    statuses = {}
    for operation in load("sagemaker").operation_names:
        try:
            answer = getattr(sagemaker, xform_name(operation))()
        except ClientError as error:
            answer = error.response
        statuses[operation] = answer["ResponseMetadata"]["HTTPStatusCode"]
    assert set(statuses.values()) == {200, 400}, statuses
