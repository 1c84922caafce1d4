"""The model's constraints, in AWS's words."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harness.cloud.errors import AwsError
from harness.cloud.protocol import control_plane, validation
from harness.cloud.protocol.models import load
from tests.cloud.protocol.generated import requests, service_model
from tests.cloud.protocol.mutants import mutants

ROLE = "arn:aws:iam::123456789012:role/service-role/Role"
SLOW = settings(suppress_health_check=list(HealthCheck))


def training_job(**members: Any) -> dict[str, Any]:
    """A valid CreateTrainingJob request with `members` put in; None takes one out."""
    request: dict[str, Any] = {
        "TrainingJobName": "job",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **members,
    }
    return {name: value for name, value in request.items() if value is not None}


def refusal(request: dict[str, Any], operation: str = "CreateTrainingJob") -> str:
    """The text with which a request is refused."""
    with pytest.raises(AwsError) as caught:
        control_plane.validate(operation, request)
    assert (caught.value.code, caught.value.status) == ("ValidationException", 400)
    return caught.value.message


@SLOW
@given(requests())
@pytest.mark.documented("sagemaker:CreateTrainingJob")
def test_what_the_model_allows_is_valid(request: tuple[str, dict[str, Any]]) -> None:
    """A request of any operation that keeps to the model has no violation."""
    control_plane.validate(*request)


@SLOW
@given(requests(), st.data())
@pytest.mark.documented("notes/validation.md#the-form-of-a-message")
def test_a_fault_is_told_exactly(request: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    """A valid request with one fault put in is refused with the violations of that fault and no other."""
    operation, values = request
    shape = service_model("sagemaker").operation_model(operation).input_shape
    found = mutants(shape, values)
    assume(found)
    mutant = data.draw(st.sampled_from(found))
    count = len(mutant.violations)
    head = f"{count} validation error{'' if count == 1 else 's'} detected: "
    assert refusal(mutant.request, operation) == head + "; ".join(mutant.violations)


@pytest.mark.recorded("notes/validation.md#the-form-of-a-message")
def test_one_value_may_break_two_constraints() -> None:
    """A model name out of a template that was not rendered is too long and of the wrong form: two violations."""
    name = "{{ ti.xcom_pull(task_ids='model_training')['Training']['TrainingJobName'] }}"
    pattern = load("sagemaker").shape("ModelName").pattern
    assert refusal({"ModelName": name}, "CreateModel") == (
        f"2 validation errors detected: Value '{name}' at 'modelName' failed to satisfy constraint: "
        f"Member must have length less than or equal to 63; Value '{name}' at 'modelName' failed to "
        f"satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
    )


@pytest.mark.recorded("notes/validation.md#the-form-of-a-message")
def test_an_instance_type_that_does_not_exist() -> None:
    """The enum's values are listed behind the value that is none of them."""
    message = refusal(
        training_job(
            ResourceConfig={"InstanceType": "ml.t2.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
        )
    )
    head, _, listed = message.partition(" Member must satisfy enum value set: ")
    assert head == (
        "1 validation error detected: Value 'ml.t2.medium' at 'resourceConfig.instanceType' "
        "failed to satisfy constraint:"
    )
    assert set(listed.strip("[]").split(", ")) == set(
        load("sagemaker").shape("TrainingInstanceType").enum
    )


@pytest.mark.recorded("notes/validation.md#collections-of-scalars")
def test_a_hyperparameter_that_is_too_long() -> None:
    """A map's values are one violation of the map, which prints as Java prints it."""
    long = "x" * 2501
    assert refusal(training_job(HyperParameters={"epochs": "1", "classes": long})) == (
        f"1 validation error detected: Value '{{epochs=1, classes={long}}}' at 'hyperParameters' failed "
        "to satisfy constraint: Map value must satisfy constraint: [Member must have length less than "
        "or equal to 2500, Member must have length greater than or equal to 0, Member must satisfy "
        "regular expression pattern: .*]"
    )


@pytest.mark.recorded("notes/validation.md#how-values-are-printed")
def test_too_many_hyperparameters() -> None:
    """A map's size is bounded as a length."""
    many = {f"k{n}": str(n) for n in range(101)}
    printed = ", ".join(f"{k}={v}" for k, v in many.items())
    assert refusal(training_job(HyperParameters=many)) == (
        f"1 validation error detected: Value '{{{printed}}}' at 'hyperParameters' failed to satisfy "
        "constraint: Member must have length less than or equal to 100"
    )


@pytest.mark.assumed("notes/validation.md#order")
def test_all_violations_stand_in_one_answer_in_the_models_order() -> None:
    """Missing, too small and malformed members in different places are told in the order of the model."""
    message = refusal(
        training_job(
            TrainingJobName="-",
            RoleArn=None,
            StoppingCondition={"MaxRuntimeInSeconds": 0},
            Tags=[{"Key": "a", "Value": "b"}, {"Key": "", "Value": "b"}],
        )
    )
    assert message.startswith("4 validation errors detected: ")
    paths = [part.partition("'")[0] for part in message.split(" at '")[1:]]
    assert paths == [
        "trainingJobName",
        "roleArn",
        "stoppingCondition.maxRuntimeInSeconds",
        "tags.2.member.key",
    ]


@pytest.mark.assumed("notes/validation.md#how-values-are-printed")
def test_structures_print_as_class_and_hash() -> None:
    """A list of too many structures names their class and a hash of each, always the same one."""
    tags = [{"Key": f"k{n}", "Value": "v"} for n in range(51)]
    message = refusal(training_job(Tags=tags))
    assert message == refusal(training_job(Tags=tags))
    printed = message.partition("Value '[")[2].partition("]'")[0].split(", ")
    assert len(set(printed)) == 51
    assert all(name.startswith("com.amazonaws.sagemaker.Tag@") for name in printed)


@pytest.mark.documented("notes/validation.md#how-values-are-printed")
def test_a_sensitive_value_is_not_printed() -> None:
    """The content of a model card is not repeated in the message about its length."""
    message = refusal(
        {"ModelCardName": "card", "Content": "x" * 100_001, "ModelCardStatus": "Draft"},
        "CreateModelCard",
    )
    assert message == (
        "1 validation error detected: Value at 'content' failed to satisfy constraint: "
        "Member must have length less than or equal to 100000"
    )


@pytest.mark.assumed("notes/validation.md#collections-of-scalars")
def test_a_null_among_elements_is_a_violation_at_its_place() -> None:
    """Lists of structures, of scalars and maps do not take nulls, which only raw HTTP can send."""
    body = b'{"Tags": [{"Key": "a", "Value": "b"}, null], "HyperParameters": {"a": null}}'
    sent = control_plane.parse("CreateTrainingJob", body)
    assert refusal(training_job(**sent)) == (
        "2 validation errors detected: Value null at 'hyperParameters.a.member' failed to satisfy "
        "constraint: Member must not be null; Value null at 'tags.2.member' failed to satisfy "
        "constraint: Member must not be null"
    )


def test_deep_requests_are_walked() -> None:
    """A search that nests as deep as parsing allows is validated, to its innermost member."""
    request: dict[str, Any] = {"Filters": [{}]}
    for _ in range(45):
        request = {"SubExpressions": [request]}
    message = refusal({"Resource": "Endpoint", "SearchExpression": request}, "Search")
    assert message.count("subExpressions.1.member.") == 45
    assert "filters.1.member.name" in message


def test_not_a_number_is_out_of_every_range() -> None:
    """NaN, which JSON 1.1 carries as a word, does not slip through a bound."""
    shape = load("sagemaker").shape("VariantWeight")
    assert list(validation.violations_of(shape, float("nan"), "weight")) == [
        "Value 'NaN' at 'weight' failed to satisfy constraint: "
        "Member must have value greater than or equal to 0"
    ]


def test_times_and_booleans_have_no_bounds() -> None:
    """A filter by time and a flag pass as they are."""
    control_plane.validate("ListModels", {"CreationTimeAfter": datetime(2020, 1, 1, tzinfo=UTC)})
    control_plane.validate("CreateTrainingJob", training_job(EnableNetworkIsolation=True))
