"""What DescribeEndpoint says of the variants of a generation."""

import hashlib
from dataclasses import replace
from datetime import datetime

from harness.cloud.sagemaker.generations import Deployment, Generation
from harness.cloud.sagemaker.records import PendingDeployment, VariantStatus, VariantSummary
from harness.cloud.sagemaker.refusals import reason


def planned(deployment: Deployment, now: datetime) -> tuple[VariantSummary, ...]:
    """The variants of a deployment that has nothing yet."""
    summaries = []
    for variant in deployment.config.variants:
        name = variant["VariantName"]
        image = deployment.model_of(variant).request["PrimaryContainer"]["Image"]
        summaries.append(
            VariantSummary(
                name=name,
                image=image,
                resolved_image=_resolved(image),
                resolved=now,
                instance_type=variant["InstanceType"],
                routing=variant.get("RoutingConfig"),
                weight=0.0,
                desired_weight=deployment.weights[name],
                instance_count=0,
                desired_instance_count=deployment.counts[name],
            )
        )
    return tuple(summaries)


def pending(deployment: Deployment, now: datetime) -> PendingDeployment:
    """A deployment that begins now."""
    variants = [
        replace(
            variant,
            status=VariantStatus(
                "Creating", reason("variant_launching", count=variant.desired_instance_count), now
            ),
        )
        for variant in planned(deployment, now)
    ]
    return PendingDeployment(deployment.config, now, tuple(variants))


def desired(
    variant: VariantSummary, weight: float | None, count: int | None, now: datetime
) -> VariantSummary:
    """A variant that is to have another weight or another number of instances, if either is given."""
    if weight is not None:
        variant = replace(variant, desired_weight=weight)
    if count is not None and count != variant.instance_count:
        message = "variant_scaling_out" if count > variant.instance_count else "variant_scaling_in"
        variant = replace(
            variant,
            desired_instance_count=count,
            status=VariantStatus("Updating", reason(message, count=count), now),
        )
    return variant


def serving(
    variants: tuple[VariantSummary, ...], generation: Generation
) -> tuple[VariantSummary, ...]:
    """The variants with the weights and instances that `generation` has at this moment."""
    sizes = generation.sizes
    return tuple(
        replace(
            variant, weight=generation.weights[variant.name], instance_count=sizes[variant.name]
        )
        for variant in variants
    )


def settled(variants: tuple[VariantSummary, ...]) -> tuple[VariantSummary, ...]:
    """The variants when nothing more is asked for than is there."""
    return tuple(
        replace(
            variant,
            desired_weight=variant.weight,
            desired_instance_count=variant.instance_count,
            status=None,
        )
        for variant in variants
    )


def _resolved(image: str) -> str:
    """The image with a digest. No image is pulled, so the digest is that of its name."""
    head, _, last = image.rpartition("/")
    repository = last.partition("@")[0].partition(":")[0]
    digest = hashlib.sha256(image.encode()).hexdigest()
    return f"{head}/{repository}@sha256:{digest}" if head else f"{repository}@sha256:{digest}"
