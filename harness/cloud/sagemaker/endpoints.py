"""Endpoints: create, describe, list, update, delete (docs/notes/endpoints.md).

LIMITATIONS: one production variant with one worker; every update is blue/green, all at once, without baking;
deployment policies are refused by name.
"""

from dataclasses import replace
from typing import Any

from harness.cloud.context import RequestContext
from harness.cloud.protocol.model_exceptions import already_exists, busy, not_found
from harness.cloud.sagemaker import listing
from harness.cloud.sagemaker.arns import sagemaker_arn
from harness.cloud.sagemaker.deployments import Deployment, Hosting
from harness.cloud.sagemaker.endpoint_configs import find_endpoint_config
from harness.cloud.sagemaker.lifecycle import moment
from harness.cloud.sagemaker.models import find_model
from harness.cloud.sagemaker.records import (
    ENDPOINT_IN_PROGRESS,
    Endpoint,
    VariantSummary,
)
from harness.cloud.sagemaker.refusals import refusal
from harness.cloud.sagemaker.service import SageMaker
from harness.cloud.sagemaker.tags import checked

Request = dict[str, Any]

LIST: listing.Listing[Endpoint] = listing.Listing(
    members="Endpoints",
    summary=lambda endpoint: {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
        "EndpointStatus": endpoint.status,
    },
    sort_by="CreationTime",
    sort_order="Descending",
    sort_keys={
        "Name": lambda endpoint: endpoint.name,
        "CreationTime": lambda endpoint: endpoint.created,
        "Status": lambda endpoint: endpoint.status,
    },
    filters={
        "NameContains": listing.name_contains,
        "CreationTimeAfter": listing.created_since,
        "CreationTimeBefore": listing.created_before,
        "LastModifiedTimeAfter": listing.modified_since,
        "LastModifiedTimeBefore": listing.modified_before,
        "StatusEquals": lambda endpoint, value: endpoint.status == value,
    },
)


def create_endpoint(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """Keeps the endpoint as Creating and begins to start its workers."""
    name = request["EndpointName"]
    if not name:
        raise refusal("required_member", path="endpointName")
    arn = sagemaker_arn(context.account, context.region, "endpoint", name)
    tags = checked(request.get("Tags", ()))
    state = service.state(context)
    with state.changed:
        if state.endpoints.find(name) is not None:
            raise already_exists("CreateEndpoint", arn)
        deployment = _deployment(service, context, "CreateEndpoint", request["EndpointConfigName"])
        now = moment(service.clock)
        endpoint = Endpoint(
            name=name,
            arn=arn,
            created=now,
            modified=now,
            serial=state.endpoints.next_serial(),
            config=deployment.config,
        )
        hosting = Hosting(service, state, endpoint)
        state.endpoints.add(endpoint)
        state.tags[arn] = tags
        state.hostings[endpoint.serial] = hosting
    service.engine.warm()
    service.background.start(f"create endpoint {name}", lambda: hosting.create(deployment))
    return {"EndpointArn": arn}


def describe_endpoint(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """The endpoint as it stands. Variants are absent until they have served."""
    endpoint = find_endpoint(service, context, "DescribeEndpoint", request["EndpointName"])
    answer: Request = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config.name,
        "EndpointStatus": endpoint.status,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
    }
    if endpoint.variants:
        answer["ProductionVariants"] = [_described(variant) for variant in endpoint.variants]
    if endpoint.failure_reason is not None:
        answer["FailureReason"] = endpoint.failure_reason
    if endpoint.pending is not None:
        answer["PendingDeploymentSummary"] = {
            "EndpointConfigName": endpoint.pending.name,
            "ProductionVariants": [
                {
                    "VariantName": variant["VariantName"],
                    "DesiredWeight": variant["InitialVariantWeight"],
                    "CurrentInstanceCount": 0,
                    "DesiredInstanceCount": variant["InitialInstanceCount"],
                    "InstanceType": variant["InstanceType"],
                }
                for variant in endpoint.pending.variants
            ],
            "StartTime": endpoint.pending_since,
        }
    return answer


def list_endpoints(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """A page of the endpoints."""
    return LIST.answer(service.state(context).endpoints, request)


def update_endpoint(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """Deploys another configuration beside the one that serves, which goes on until the new one is healthy."""
    state = service.state(context)
    excluded = {
        entry["VariantPropertyType"]
        for entry in request.get("ExcludeRetainedVariantProperties", ())
    }
    with state.changed:
        endpoint = _updatable(service, context, "UpdateEndpoint", request["EndpointName"])
        deployment = _deployment(service, context, "UpdateEndpoint", request["EndpointConfigName"])
        if request.get("RetainAllVariantProperties") and "DesiredWeight" not in excluded:
            deployment = _with_weights_of(deployment, endpoint)
        hosting = state.hostings[endpoint.serial]
        endpoint = state.endpoints.move(
            endpoint,
            status="Updating",
            pending=deployment.config,
            pending_since=moment(service.clock),
            failure_reason=None,
        )
    service.background.start(f"update endpoint {endpoint.name}", lambda: hosting.update(deployment))
    return {"EndpointArn": endpoint.arn}


def update_endpoint_weights_and_capacities(
    service: SageMaker, context: RequestContext, request: Request
) -> Request:
    """Changes weights of variants that serve; the workers stay."""
    state = service.state(context)
    with state.changed:
        endpoint = _updatable(
            service, context, "UpdateEndpointWeightsAndCapacities", request["EndpointName"]
        )
        known = {variant.name for variant in endpoint.variants}
        weights: dict[str, float] = {}
        for wish in request["DesiredWeightsAndCapacities"]:
            name = wish["VariantName"]
            if name not in known:
                raise refusal("unknown_variant", name=name, config=endpoint.config.name)
            if "DesiredWeight" in wish:
                weights[name] = wish["DesiredWeight"]
        hosting = state.hostings[endpoint.serial]
        endpoint = state.endpoints.move(endpoint, status="Updating", failure_reason=None)
    service.background.start(
        f"update weights of {endpoint.name}", lambda: hosting.set_weights(weights)
    )
    return {"EndpointArn": endpoint.arn}


def delete_endpoint(service: SageMaker, context: RequestContext, request: Request) -> None:
    """Takes the endpoint out of service and begins to end its workers; it is gone when they have ended."""
    state = service.state(context)
    with state.changed:
        endpoint = find_endpoint(service, context, "DeleteEndpoint", request["EndpointName"])
        if endpoint.status in ENDPOINT_IN_PROGRESS:
            raise busy("DeleteEndpoint", endpoint.arn, status=endpoint.status)
        hosting = state.hostings[endpoint.serial]
        state.endpoints.move(endpoint, status="Deleting")
        hosting.retire()
    service.background.start(f"delete endpoint {endpoint.name}", hosting.delete)


def find_endpoint(
    service: SageMaker, context: RequestContext, operation: str, name: str
) -> Endpoint:
    """The endpoint of this name, or the refusal of `operation` for a missing one."""
    endpoint = service.state(context).endpoints.find(name)
    if endpoint is None:
        arn = sagemaker_arn(context.account, context.region, "endpoint", name)
        raise not_found(operation, arn, name=name)
    return endpoint


def _updatable(service: SageMaker, context: RequestContext, operation: str, name: str) -> Endpoint:
    endpoint = find_endpoint(service, context, operation, name)
    if endpoint.status in ENDPOINT_IN_PROGRESS:
        raise busy(operation, endpoint.arn, status=endpoint.status)
    if endpoint.status != "InService":
        raise refusal("endpoint_not_updatable", arn=endpoint.arn, status=endpoint.status)
    return endpoint


def _deployment(
    service: SageMaker, context: RequestContext, operation: str, name: str
) -> Deployment:
    """A configuration with its models as they are now; either may be deleted while it runs."""
    config = find_endpoint_config(service, context, operation, name)
    models = {
        variant["ModelName"]: find_model(service, context, operation, variant["ModelName"])
        for variant in config.variants
    }
    return Deployment(config, models)


def _with_weights_of(deployment: Deployment, endpoint: Endpoint) -> Deployment:
    live = {variant.name: variant.weight for variant in endpoint.variants}
    return replace(deployment, weights=live)


def _described(variant: VariantSummary) -> Request:
    return {
        "VariantName": variant.name,
        "DeployedImages": [
            {
                "SpecifiedImage": variant.image,
                "ResolvedImage": variant.resolved_image,
                "ResolutionTime": variant.resolved,
            }
        ],
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.weight,
        "CurrentInstanceCount": variant.instance_count,
        "DesiredInstanceCount": variant.instance_count,
    }
