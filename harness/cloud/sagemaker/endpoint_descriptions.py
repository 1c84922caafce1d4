"""An endpoint as DescribeEndpoint shows it."""

from typing import Any

from harness.cloud.sagemaker.records import Endpoint, PendingDeployment, VariantSummary

Answer = dict[str, Any]


def described(endpoint: Endpoint) -> Answer:
    """The answer of DescribeEndpoint; what there is not is absent."""
    answer: Answer = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config.name,
        "EndpointStatus": endpoint.status,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
    }
    if endpoint.variants:
        answer["ProductionVariants"] = [_variant(variant) for variant in endpoint.variants]
    if endpoint.failure_reason is not None:
        answer["FailureReason"] = endpoint.failure_reason
    if endpoint.pending is not None:
        answer["PendingDeploymentSummary"] = _pending(endpoint.pending)
    if endpoint.deployment_config is not None:
        answer["LastDeploymentConfig"] = endpoint.deployment_config
    return answer


def _pending(pending: PendingDeployment) -> Answer:
    return {
        "EndpointConfigName": pending.config.name,
        "ProductionVariants": [
            # The model has the type of the instances here, and not of those that serve.
            {**_variant(variant), "InstanceType": variant.instance_type}
            for variant in pending.variants
        ],
        "StartTime": pending.since,
    }


def _variant(variant: VariantSummary) -> Answer:
    answer: Answer = {
        "VariantName": variant.name,
        "DeployedImages": [
            {
                "SpecifiedImage": variant.image,
                "ResolvedImage": variant.resolved_image,
                "ResolutionTime": variant.resolved,
            }
        ],
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.desired_weight,
        "CurrentInstanceCount": variant.instance_count,
        "DesiredInstanceCount": variant.desired_instance_count,
    }
    if variant.routing is not None:
        answer["RoutingConfig"] = variant.routing
    if variant.status is not None:
        answer["VariantStatus"] = [
            {
                "Status": variant.status.status,
                "StatusMessage": variant.status.message,
                "StartTime": variant.status.since,
            }
        ]
    return answer
