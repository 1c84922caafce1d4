"""The refusals that the model does not tell: code and text of each, for whom it holds."""

from collections import Counter
from collections.abc import Callable
from string import Formatter
from typing import Any

import botocore.session
import pytest
from botocore.waiter import WaiterModel

from harness.cloud.errors import AwsError
from harness.cloud.protocol import model_exceptions
from harness.cloud.protocol.model_exceptions import Entry
from tests.cloud.protocol.generated import service_model

NAME = "A-Name"


def arn(resource: str) -> str:
    """The ARN of something of this type: SageMaker's ARNs are in lower case."""
    return f"arn:aws:sagemaker:us-east-1:123456789012:{resource}/{NAME.lower()}"


RAISED: dict[str, Callable[[str, str], AwsError]] = {
    "not_found": lambda operation, arn: model_exceptions.not_found(operation, arn, name=NAME),
    "exists": lambda operation, arn: model_exceptions.already_exists(operation, arn, name=NAME),
    "busy": lambda operation, arn: model_exceptions.busy(
        operation, arn, status="Pending", target="Deleting", allowed=("Stopped", "Failed")
    ),
    "finished": lambda operation, arn: model_exceptions.finished(operation, arn, status="Failed"),
    "unfinished": lambda operation, arn: model_exceptions.in_use(
        operation, arn, status="InProgress"
    ),
}

ENTRIES = model_exceptions.entries()


def title(entry: Entry) -> str:
    """An entry in a test's name."""
    return "-".join((entry.situation, entry.resource, *entry.operations))


@pytest.mark.parametrize("entry", ENTRIES, ids=title)
def test_each_entry_is_raised_as_it_stands(entry: Entry) -> None:
    """For its resource and operations an entry's code and text arrive, every field filled in."""
    fields = {
        "arn": arn(entry.resource),
        "name": NAME,
        "account": "123456789012",
        "status": {"busy": "Pending", "finished": "Failed", "unfinished": "InProgress"}.get(
            entry.situation
        ),
        "target": "Deleting",
        "allowed": "Stopped, Failed",
    }
    text = entry.text
    for field, value in fields.items():
        text = text.replace(f"{{{field}}}", str(value))
    for operation in entry.operations or ("AnyOperation",):
        error = RAISED[entry.situation](operation, arn(entry.resource))
        assert (error.code, error.message, error.status) == (entry.code, text, 400)
        assert "{" not in error.message


@pytest.mark.parametrize("entry", ENTRIES, ids=title)
def test_each_entry_has_a_source_and_known_fields(entry: Entry) -> None:
    """An entry says where it comes from, and wants no field that is not there."""
    assert entry.source
    wanted = {field for _, field, _, _ in Formatter().parse(entry.text) if field}
    allowed = {"arn", "name", "account"}
    if entry.situation in ("busy", "finished", "unfinished"):
        allowed |= {"status"}
    if entry.situation == "busy":
        allowed |= {"target", "allowed"}
    assert wanted <= allowed


@pytest.mark.parametrize("entry", ENTRIES, ids=title)
def test_each_code_is_one_that_clients_know(entry: Entry) -> None:
    """A code is ValidationException, the runtime's ValidationError, or one that the operation declares."""
    service = "sagemaker-runtime" if entry.code == "ValidationError" else "sagemaker"
    model = service_model(service)
    for name in entry.operations:
        declared = {shape.name for shape in model.operation_model(name).error_shapes}
        assert entry.code in declared | {"ValidationException"}
    assert entry.code in {"ValidationException"} | {
        shape.name
        for name in model.operation_names
        for shape in model.operation_model(name).error_shapes
    }


def test_no_situation_is_told_twice() -> None:
    """Situation, resource and operation lead to one entry."""
    keys = Counter(
        (entry.situation, entry.resource, operation)
        for entry in ENTRIES
        for operation in entry.operations or (None,)
    )
    assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.recorded("notes/validation.md#exceptions-to-the-model")
@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            model_exceptions.not_found("DescribeTrainingJob", arn("training-job")),
            "ValidationException",
            "Requested resource not found.",
        ),
        (
            model_exceptions.not_found("DescribeEndpoint", arn("endpoint"), name=NAME),
            "ValidationException",
            f'Could not find endpoint "{arn("endpoint")}".',
        ),
        (
            model_exceptions.not_found("CreateEndpoint", arn("endpoint-config"), name=NAME),
            "ValidationException",
            f'Could not find endpoint configuration "{arn("endpoint-config")}".',
        ),
        (
            model_exceptions.not_found("CreateEndpointConfig", arn("model"), name=NAME),
            "ValidationException",
            f'Could not find model "{arn("model")}".',
        ),
        (
            model_exceptions.not_found(
                "StopHyperParameterTuningJob", arn("hyper-parameter-tuning-job"), name=NAME
            ),
            "ResourceNotFound",
            "Amazon SageMaker can't find a tuning job called A-Name. Type another name.",
        ),
        (
            model_exceptions.already_exists("CreateTrainingJob", arn("training-job")),
            "ResourceInUse",
            "Training job names must be unique within an AWS account and region, and a training job "
            f"with this name already exists ({arn('training-job')})",
        ),
        (
            model_exceptions.busy("DeleteEndpoint", arn("endpoint")),
            "ValidationException",
            f'Cannot update in-progress endpoint "{arn("endpoint")}".',
        ),
    ],
)
def test_what_was_seen_is_said(error: AwsError, code: str, message: str) -> None:
    """The refusals that everybody meets have the code and the text of the service."""
    assert (error.code, error.message) == (code, message)


@pytest.mark.documented("sagemaker:DeleteTrainingJob")
def test_an_operation_s_own_entry_goes_before_the_general_one() -> None:
    """A missing training job is ResourceNotFound to DeleteTrainingJob alone."""
    codes = {
        operation: model_exceptions.not_found(operation, arn("training-job")).code
        for operation in ("DescribeTrainingJob", "StopTrainingJob", "DeleteTrainingJob")
    }
    assert codes == {
        "DescribeTrainingJob": "ValidationException",
        "StopTrainingJob": "ValidationException",
        "DeleteTrainingJob": "ResourceNotFound",
    }


RESOURCES = {
    "DescribeEndpoint": "endpoint",
    "DescribeNotebookInstance": "notebook-instance",
    "DescribeProcessingJob": "processing-job",
    "DescribeTrainingJob": "training-job",
    "DescribeTransformJob": "transform-job",
}


@pytest.mark.sdk_source("notes/validation.md#exceptions-to-the-model")
def test_waiters_understand_what_is_missing() -> None:
    """Where a waiter of botocore waits for an error, a missing resource has just that code."""
    loader = botocore.session.Session().get_component("data_loader")
    waiters = WaiterModel(loader.load_service_model("sagemaker", "waiters-2"))
    waited: dict[str, set[Any]] = {}
    for name in waiters.waiter_names:
        waiter = waiters.get_waiter(name)
        if waiter.operation in RESOURCES:
            waited.setdefault(waiter.operation, set()).update(
                acceptor.expected for acceptor in waiter.acceptors if acceptor.matcher == "error"
            )
    assert waited.keys() == RESOURCES.keys()
    for operation, codes in waited.items():
        assert codes == {model_exceptions.not_found(operation, arn(RESOURCES[operation])).code}


def test_the_name_is_the_request_s_or_else_the_arn_s() -> None:
    """A text that names the resource has it as the request wrote it; without a request, from the ARN."""
    found = model_exceptions.not_found
    transform = arn("transform-job")
    assert found("DescribeTransformJob", transform, name=NAME).message.endswith(": A-Name")
    assert found("DescribeTransformJob", transform).message.endswith(": a-name")


def test_what_is_not_in_the_file_is_a_mistake_of_ours() -> None:
    """A resource or a situation without an entry is a LookupError that says which, never a made-up text."""
    with pytest.raises(LookupError, match="not_found of no-such-thing in DescribeNoSuchThing"):
        model_exceptions.not_found("DescribeNoSuchThing", arn("no-such-thing"))
    with pytest.raises(LookupError, match="finished of model in StopModel"):
        model_exceptions.finished("StopModel", arn("model"), status="Over")


@pytest.mark.recorded("notes/validation.md#exceptions-to-the-model")
def test_a_quota_that_is_used_up() -> None:
    """Limit, use and request are told, with the advice that the service gives."""
    error = model_exceptions.limit_exceeded(
        "ml.m4.xlarge for endpoint usage", limit=2, current=1, delta=3
    )
    assert (error.code, error.message) == (
        "ResourceLimitExceeded",
        "The account-level service limit 'ml.m4.xlarge for endpoint usage' is 2 Instances, with "
        "current utilization of 1 Instances and a request delta of 3 Instances. Please use AWS "
        "Service Quotas to request an increase for this quota. If AWS Service Quotas is not "
        "available, contact AWS support to request an increase for this quota.",
    )


@pytest.mark.recorded("notes/validation.md#exceptions-to-the-model")
def test_an_instance_type_that_the_region_lacks() -> None:
    """The resource is named by its type in an ARN."""
    error = model_exceptions.instance_type_unavailable("training-job", "ml.t3.medium")
    assert (error.code, error.message) == (
        "ValidationException",
        "The requested resource training-job/ml.t3.medium is not available in this region",
    )
