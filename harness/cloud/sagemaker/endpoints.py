"""Endpoints: create, describe, list, update, scale, delete (docs/notes/endpoints.md)."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from harness.cloud.context import RequestContext
from harness.cloud.protocol.model_exceptions import already_exists, busy, not_found
from harness.cloud.sagemaker import listing
from harness.cloud.sagemaker.arns import sagemaker_arn
from harness.cloud.sagemaker.baking import Watch
from harness.cloud.sagemaker.deployment_policies import Policy, alarm_names, policy_of
from harness.cloud.sagemaker.deployments import Rollout
from harness.cloud.sagemaker.endpoint_configs import (
    check_instance_count,
    check_weight,
    find_endpoint_config,
)
from harness.cloud.sagemaker.endpoint_descriptions import described
from harness.cloud.sagemaker.generations import Deployment
from harness.cloud.sagemaker.hosting import Hosting
from harness.cloud.sagemaker.lifecycle import moment
from harness.cloud.sagemaker.models import find_model
from harness.cloud.sagemaker.records import ENDPOINT_IN_PROGRESS, Endpoint
from harness.cloud.sagemaker.refusals import refusal
from harness.cloud.sagemaker.service import SageMaker
from harness.cloud.sagemaker.tags import checked
from harness.cloud.sagemaker.variant_summaries import desired, pending

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
            pending=pending(deployment, now),
            deployment_config=request.get("DeploymentConfig"),
        )
        # It has no effect yet, but must be one that a later update can be made by.
        policy_of(endpoint.deployment_config or {}, deployment.counts)
        alarm_names(endpoint.deployment_config or {})
        hosting = Hosting(service, state, endpoint)
        state.endpoints.add(endpoint)
        state.tags[arn] = tags
        state.hostings[endpoint.serial] = hosting
    service.engine.warm()
    service.background.start(f"create endpoint {name}", lambda: hosting.create(deployment))
    return {"EndpointArn": arn}


def describe_endpoint(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """The endpoint as it stands. Variants are absent until they have served."""
    return described(find_endpoint(service, context, "DescribeEndpoint", request["EndpointName"]))


def list_endpoints(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """A page of the endpoints."""
    return LIST.answer(service.state(context).endpoints, request)


def update_endpoint(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """Deploys another configuration beside the one that serves, which goes on until the new one is healthy."""
    state = service.state(context)
    with state.changed:
        endpoint = _updatable(
            service,
            context,
            "UpdateEndpoint",
            request["EndpointName"],
            ("InService", "UpdateRollbackFailed"),
        )
        deployment = _deployment(
            service,
            context,
            "UpdateEndpoint",
            request["EndpointConfigName"],
            _retained(endpoint, request),
        )
        deployment_config = _deployment_config(endpoint, request)
        policy = _policy(endpoint, deployment, deployment_config or {})
        watch = _watch(service, context, deployment_config or {})
        rollout = Rollout(state.hostings[endpoint.serial], deployment, policy, watch)
        endpoint = state.endpoints.move(
            endpoint,
            status="Updating",
            pending=pending(deployment, moment(service.clock)),
            failure_reason=None,
            deployment_config=deployment_config or endpoint.deployment_config,
        )
    service.background.start(f"update endpoint {endpoint.name}", rollout.run)
    return {"EndpointArn": endpoint.arn}


def update_endpoint_weights_and_capacities(
    service: SageMaker, context: RequestContext, request: Request
) -> Request:
    """Changes weights and instance counts of variants that serve; the instances that stay go on serving."""
    state = service.state(context)
    with state.changed:
        endpoint = _updatable(
            service, context, "UpdateEndpointWeightsAndCapacities", request["EndpointName"]
        )
        wishes = _checked_wishes(endpoint, request["DesiredWeightsAndCapacities"])
        weights = {n: w["DesiredWeight"] for n, w in wishes.items() if "DesiredWeight" in w}
        counts = {
            n: w["DesiredInstanceCount"] for n, w in wishes.items() if "DesiredInstanceCount" in w
        }
        hosting = state.hostings[endpoint.serial]
        now = moment(service.clock)
        endpoint = state.endpoints.move(
            endpoint,
            status="Updating",
            failure_reason=None,
            variants=tuple(
                desired(v, weights.get(v.name), counts.get(v.name), now) for v in endpoint.variants
            ),
        )
    service.background.start(f"scale {endpoint.name}", lambda: hosting.scale(weights, counts))
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


def _updatable(
    service: SageMaker,
    context: RequestContext,
    operation: str,
    name: str,
    statuses: Sequence[str] = ("InService",),
) -> Endpoint:
    """The endpoint of this name, if it is in one of `statuses`."""
    endpoint = find_endpoint(service, context, operation, name)
    if endpoint.status in ENDPOINT_IN_PROGRESS:
        raise busy(operation, endpoint.arn, status=endpoint.status)
    if endpoint.status not in statuses:
        raise refusal("endpoint_not_updatable", arn=endpoint.arn, status=endpoint.status)
    return endpoint


def _deployment_config(endpoint: Endpoint, request: Request) -> Mapping[str, Any] | None:
    """The DeploymentConfig of an update: its own, or the last one if that is to be retained."""
    given: Mapping[str, Any] | None = request.get("DeploymentConfig")
    if not request.get("RetainDeploymentConfig"):
        return given
    if given is not None:
        raise refusal("deployment_config_twice")
    return endpoint.deployment_config


def _policy(endpoint: Endpoint, deployment: Deployment, config: Mapping[str, Any]) -> Policy:
    """How an update is carried out. Raises a ValidationException if it cannot be."""
    policy = policy_of(config, deployment.counts)
    names = {variant.name for variant in endpoint.variants}
    if {"BlueGreenUpdatePolicy", "RollingUpdatePolicy"} & {*config} and names != {
        *deployment.counts
    }:
        raise refusal(
            "deployment_variants_differ",
            config=deployment.config.name,
            names=", ".join(sorted(names)),
        )
    return policy


def _watch(service: SageMaker, context: RequestContext, config: Mapping[str, Any]) -> Watch:
    """The alarms of a DeploymentConfig. Raises a ValidationException for one that cannot be watched."""
    names = alarm_names(config)
    for name in names:
        alarm = service.alarms.find(context.account, context.region, name)
        if alarm is None:
            raise refusal("alarm_not_found", name=name)
        if alarm.rule is None:
            raise refusal("alarm_not_evaluated", name=name, member=alarm.unsupported)
    return Watch(service.alarms, context.account, context.region, names)


def _deployment(
    service: SageMaker,
    context: RequestContext,
    operation: str,
    name: str,
    retained: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Deployment:
    """A configuration with its models as they are now; either may be deleted while it runs.

    `retained`: of variants by name, the weight or count that takes the place of the configuration's.
    """
    config = find_endpoint_config(service, context, operation, name)
    variants = {
        variant["VariantName"]: {**variant, **retained.get(variant["VariantName"], {})}
        for variant in config.variants
    }
    return Deployment(
        config,
        {
            variant["ModelName"]: find_model(service, context, operation, variant["ModelName"])
            for variant in config.variants
        },
        weights={name: variant["InitialVariantWeight"] for name, variant in variants.items()},
        counts={name: variant["InitialInstanceCount"] for name, variant in variants.items()},
    )


def _retained(endpoint: Endpoint, request: Request) -> dict[str, dict[str, Any]]:
    """What RetainAllVariantProperties keeps of the variants that serve."""
    if not request.get("RetainAllVariantProperties"):
        return {}
    excluded = {
        entry["VariantPropertyType"]
        for entry in request.get("ExcludeRetainedVariantProperties", ())
    }
    kept = {"DesiredWeight": "InitialVariantWeight", "DesiredInstanceCount": "InitialInstanceCount"}
    live = {
        variant.name: {
            "DesiredWeight": variant.desired_weight,
            "DesiredInstanceCount": variant.desired_instance_count,
        }
        for variant in endpoint.variants
    }
    return {
        name: {kept[kind]: value for kind, value in properties.items() if kind not in excluded}
        for name, properties in live.items()
    }


def _checked_wishes(endpoint: Endpoint, wishes: Sequence[Request]) -> dict[str, Request]:
    """What is wished for each variant. Raises a ValidationException for what cannot be."""
    known = {variant.name for variant in endpoint.variants}
    checked_wishes: dict[str, Request] = {}
    for wish in wishes:
        name = wish["VariantName"]
        if name not in known:
            raise refusal("unknown_variant", name=name, config=endpoint.config.name)
        if name in checked_wishes:
            raise refusal("variant_wished_twice", name=name)
        if "DesiredInstanceCount" in wish:
            check_instance_count(name, wish["DesiredInstanceCount"])
        if "DesiredWeight" in wish:
            check_weight(name, wish["DesiredWeight"])
        checked_wishes[name] = wish
    return checked_wishes
