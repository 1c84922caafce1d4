"""Endpoint configurations: which models serve, and how (docs/notes/endpoints.md, "Configurations").

LIMITATIONS: serverless, asynchronous, shadow, captured and autoscaled variants are refused by name, and so is
a variant of more instances than a machine could hold.
"""

import math
from typing import Any

from harness.cloud.context import RequestContext
from harness.cloud.protocol.model_exceptions import already_exists, not_found
from harness.cloud.sagemaker import listing
from harness.cloud.sagemaker.arns import sagemaker_arn
from harness.cloud.sagemaker.lifecycle import moment
from harness.cloud.sagemaker.models import find_model
from harness.cloud.sagemaker.records import EndpointConfig
from harness.cloud.sagemaker.refusals import refusal
from harness.cloud.sagemaker.service import SageMaker
from harness.cloud.sagemaker.tags import checked

Request = dict[str, Any]

# An instance is a process of this machine.
MOST_INSTANCES = 100

LIST: listing.Listing[EndpointConfig] = listing.Listing(
    members="EndpointConfigs",
    summary=lambda config: {
        "EndpointConfigName": config.name,
        "EndpointConfigArn": config.arn,
        "CreationTime": config.created,
    },
    sort_by="CreationTime",
    sort_order="Descending",
    sort_keys={"Name": lambda c: c.name, "CreationTime": lambda c: c.created},
    filters={
        "NameContains": listing.name_contains,
        "CreationTimeAfter": listing.created_since,
        "CreationTimeBefore": listing.created_before,
    },
)


def create_endpoint_config(
    service: SageMaker, context: RequestContext, request: Request
) -> Request:
    """Checks the variants and that their models exist, and keeps the configuration."""
    name = request["EndpointConfigName"]
    if not name:
        raise refusal("required_member", path="endpointConfigName")
    arn = sagemaker_arn(context.account, context.region, "endpoint-config", name)
    tags = checked(request.get("Tags", ()))
    state = service.state(context)
    if state.endpoint_configs.find(name) is not None:
        raise already_exists("CreateEndpointConfig", arn)
    variants = _checked_variants(request["ProductionVariants"])
    for variant in variants:
        find_model(service, context, "CreateEndpointConfig", variant["ModelName"])
    kept = {key: value for key, value in request.items() if key != "Tags"}
    kept["ProductionVariants"] = variants
    now = moment(service.clock)
    with state.changed:
        if state.endpoint_configs.find(name) is not None:
            raise already_exists("CreateEndpointConfig", arn)
        state.endpoint_configs.add(
            EndpointConfig(
                name=name,
                arn=arn,
                created=now,
                modified=now,
                serial=state.endpoint_configs.next_serial(),
                request=kept,
            )
        )
        state.tags[arn] = tags
    return {"EndpointConfigArn": arn}


def describe_endpoint_config(
    service: SageMaker, context: RequestContext, request: Request
) -> Request:
    """What was asked for, with the defaults."""
    config = find_endpoint_config(
        service, context, "DescribeEndpointConfig", request["EndpointConfigName"]
    )
    return {
        **config.request,
        "EndpointConfigArn": config.arn,
        "CreationTime": config.created,
    }


def list_endpoint_configs(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """A page of the configurations."""
    return LIST.answer(service.state(context).endpoint_configs, request)


def delete_endpoint_config(service: SageMaker, context: RequestContext, request: Request) -> None:
    """Forgets the configuration. Endpoints that run it go on."""
    state = service.state(context)
    with state.changed:
        config = find_endpoint_config(
            service, context, "DeleteEndpointConfig", request["EndpointConfigName"]
        )
        state.endpoint_configs.remove(config)
        state.tags.pop(config.arn, None)


def find_endpoint_config(
    service: SageMaker, context: RequestContext, operation: str, name: str
) -> EndpointConfig:
    """The configuration of this name, or the refusal of `operation` for a missing one."""
    config = service.state(context).endpoint_configs.find(name)
    if config is None:
        arn = sagemaker_arn(context.account, context.region, "endpoint-config", name)
        raise not_found(operation, arn, name=name)
    return config


def _checked_variants(variants: list[Request]) -> list[Request]:
    """The variants with their defaults. Raises a ValidationException for what cannot be run."""
    seen: set[str] = set()
    for place, variant in enumerate(variants, 1):
        if variant["VariantName"] in seen:
            raise refusal("variant_name_twice", name=variant["VariantName"])
        seen.add(variant["VariantName"])
        for member in ("ModelName", "InstanceType", "InitialInstanceCount"):
            if member not in variant:
                path = f"productionVariants.{place}.member.{member[0].lower()}{member[1:]}"
                raise refusal("required_member", path=path)
        check_instance_count(variant["VariantName"], variant["InitialInstanceCount"])
        check_weight(variant["VariantName"], variant.get("InitialVariantWeight", 1.0))
    return [{"InitialVariantWeight": 1.0, **variant} for variant in variants]


def check_weight(variant: str, weight: float) -> None:
    """Raise a ValidationException for a weight that is no part of any sum; JSON as such has no infinity."""
    if not math.isfinite(weight):
        raise refusal("weight_not_finite", name=variant)


def check_instance_count(variant: str, count: int) -> None:
    """Raise a ValidationException for a number of instances that a variant cannot have here."""
    if count == 0:
        raise refusal("no_instances", name=variant)
    if count > MOST_INSTANCES:
        raise refusal("too_many_instances", name=variant, limit=MOST_INSTANCES)
