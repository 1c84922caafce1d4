"""Models: an image, its environment and where the model data is (docs/notes/models.md).

LIMITATIONS: one container, one .tar.gz archive; pipelines, multi-model containers, uncompressed model data
and model packages are refused by name.
"""

from typing import Any

from botocore.exceptions import ClientError

from harness.cloud.context import RequestContext
from harness.cloud.protocol.model_exceptions import already_exists, not_found
from harness.cloud.sagemaker import listing
from harness.cloud.sagemaker.arns import sagemaker_arn
from harness.cloud.sagemaker.image_checks import check_environment, image_of_model
from harness.cloud.sagemaker.lifecycle import moment
from harness.cloud.sagemaker.records import Model
from harness.cloud.sagemaker.refusals import refusal
from harness.cloud.sagemaker.s3_access import Access, access_to_object
from harness.cloud.sagemaker.service import SageMaker
from harness.cloud.sagemaker.tags import checked

Request = dict[str, Any]

LIST: listing.Listing[Model] = listing.Listing(
    members="Models",
    summary=lambda model: {
        "ModelName": model.name,
        "ModelArn": model.arn,
        "CreationTime": model.created,
    },
    sort_by="CreationTime",
    sort_order="Descending",
    sort_keys={"Name": lambda m: m.name, "CreationTime": lambda m: m.created},
    filters={
        "NameContains": listing.name_contains,
        "CreationTimeAfter": listing.created_since,
        "CreationTimeBefore": listing.created_before,
    },
)


def create_model(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """Checks role, image and model data as AWS does, at once, and keeps the model."""
    name = request["ModelName"]
    if not name:
        raise refusal("required_member", path="modelName")
    arn = sagemaker_arn(context.account, context.region, "model", name)
    if "PrimaryContainer" not in request:
        raise refusal("model_container_missing")
    container = request["PrimaryContainer"]
    if "Image" not in container:
        raise refusal("required_member", path="primaryContainer.image")
    check_environment(container.get("Environment", {}))
    role = request.get("ExecutionRoleArn")
    if role is None:
        raise refusal("required_member", path="executionRoleArn")
    tags = checked(request.get("Tags", ()))
    state = service.state(context)
    if state.models.find(name) is not None:
        raise already_exists("CreateModel", arn)
    implementation = image_of_model(service.images, container["Image"], role)
    _check_model_data(service, context, role, container.get("ModelDataUrl"))
    kept = {key: value for key, value in request.items() if key != "Tags"}
    kept["PrimaryContainer"] = {"Mode": "SingleModel", **container}
    now = moment(service.clock)
    with state.changed:
        if state.models.find(name) is not None:
            raise already_exists("CreateModel", arn)
        state.models.add(
            Model(
                name=name,
                arn=arn,
                created=now,
                modified=now,
                serial=state.models.next_serial(),
                request=kept,
                implementation=implementation,
            )
        )
        state.tags[arn] = tags
    return {"ModelArn": arn}


def describe_model(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """What was asked for, with the defaults."""
    model = find_model(service, context, "DescribeModel", request["ModelName"])
    return {
        "EnableNetworkIsolation": False,
        **model.request,
        "ModelArn": model.arn,
        "CreationTime": model.created,
    }


def list_models(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """A page of the models."""
    return LIST.answer(service.state(context).models, request)


def delete_model(service: SageMaker, context: RequestContext, request: Request) -> None:
    """Forgets the model. Endpoints that run it go on."""
    state = service.state(context)
    with state.changed:
        model = find_model(service, context, "DeleteModel", request["ModelName"])
        state.models.remove(model)
        state.tags.pop(model.arn, None)


def find_model(service: SageMaker, context: RequestContext, operation: str, name: str) -> Model:
    """The model of this name, or the refusal of `operation` for a missing one."""
    model = service.state(context).models.find(name)
    if model is None:
        arn = sagemaker_arn(context.account, context.region, "model", name)
        raise not_found(operation, arn, name=name)
    return model


def _check_model_data(
    service: SageMaker, context: RequestContext, role: str, uri: str | None
) -> None:
    try:
        s3 = service.backing.role_client("s3", context.region, role)
    except ClientError as error:
        raise refusal("model_role_invalid", role=role) from error
    if not uri:
        return
    access = access_to_object(s3, uri)
    if access is Access.MISSING:
        raise refusal("model_data_not_found", uri=uri)
    if access is Access.DENIED:
        raise refusal("model_data_not_accessible", uri=uri, role=role, region=context.region)
