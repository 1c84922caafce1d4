"""Which function carries out which operation, and what becomes of the others (operations.toml)."""

import functools
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.cloud.context import RequestContext
from harness.cloud.protocol.control_plane import not_implemented
from harness.cloud.protocol.model_exceptions import not_found
from harness.cloud.protocol.models import load
from harness.cloud.sagemaker import (
    endpoint_configs,
    endpoints,
    models,
    tags,
    training_jobs,
)
from harness.cloud.sagemaker.arns import sagemaker_arn
from harness.cloud.sagemaker.members import refuse_unsupported
from harness.cloud.sagemaker.refusals import refusal
from harness.cloud.sagemaker.service import SageMaker

Request = dict[str, Any]
Operation = Callable[[SageMaker, RequestContext, Request], Request | None]

_MODULES = (training_jobs, models, endpoint_configs, endpoints, tags)
OWN = (
    "CreateTrainingJob", "DescribeTrainingJob", "ListTrainingJobs", "StopTrainingJob", "DeleteTrainingJob",
    "CreateModel", "DescribeModel", "ListModels", "DeleteModel",
    "CreateEndpointConfig", "DescribeEndpointConfig", "ListEndpointConfigs", "DeleteEndpointConfig",
    "CreateEndpoint", "DescribeEndpoint", "ListEndpoints", "UpdateEndpoint",
    "UpdateEndpointWeightsAndCapacities", "DeleteEndpoint",
    "AddTags", "ListTags", "DeleteTags",
)  # fmt: skip


def function_name(operation: str) -> str:
    """`CreateEndpointConfig` -> `create_endpoint_config`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


def _functions() -> dict[str, Operation]:
    """Each of our operations by its name, found by that name in the module of its resource."""
    found: dict[str, Operation] = {}
    for operation in OWN:
        name = function_name(operation)
        (found[operation],) = [getattr(m, name) for m in _MODULES if hasattr(m, name)]
    return found


FUNCTIONS: Mapping[str, Operation] = _functions()


@functools.cache
def others() -> Mapping[str, Any]:
    """The table of operations that have no function."""
    return tomllib.loads((Path(__file__).parent / "operations.toml").read_text("utf-8"))


def delegated(operation: str, request: Mapping[str, Any]) -> bool:
    """Whether moto answers this request, because the operation only keeps records."""
    if operation in ("AddTags", "ListTags", "DeleteTags"):
        return not tags.is_ours(request["ResourceArn"])
    if operation == "Search":
        return request["Resource"] in others()["passed_searches"]
    return operation in others()["passed"]


def perform(
    service: SageMaker, operation: str, context: RequestContext, request: Request
) -> Request | None:
    """Carry out an operation that is not delegated. Raises AwsError."""
    if operation in FUNCTIONS:
        refuse_unsupported(operation, request)
        return FUNCTIONS[operation](service, context, request)
    if operation in others()["empty_lists"]:
        return {_list_member(operation): []}
    for kind, about_one in others()["absent"].items():
        if operation in about_one:
            name = request[_name_member(operation)]
            arn = sagemaker_arn(context.account, context.region, kind, name)
            raise not_found(operation, arn, name=name)
    if operation == "Search":
        raise refusal("members_not_here", operation="Search", members=request["Resource"])
    raise not_implemented(operation)


@functools.cache
def _list_member(operation: str) -> str:
    """The one list in the answer of a List operation."""
    shape = load("sagemaker").operation(operation).output
    assert shape is not None, f"{operation} has an answer"
    (name,) = [name for name, member in shape.members.items() if member.shape.type == "list"]
    return name


@functools.cache
def _name_member(operation: str) -> str:
    """The first required member of an operation on one resource: its name."""
    shape = load("sagemaker").operation(operation).input
    assert shape is not None, f"{operation} has a request"
    return next(name for name in shape.members if name in shape.required)
