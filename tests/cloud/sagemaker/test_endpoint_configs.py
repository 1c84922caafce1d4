"""Endpoint configurations over the wire."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud.sagemaker.ground import ACCOUNT, REGION, error_of


def _arn(name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint-config/{name.lower()}"


def _variant(model: str, **members: Any) -> dict[str, Any]:
    return {
        "VariantName": "A",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **members,
    }


@pytest.mark.documented("sagemaker:ProductionVariant.InitialVariantWeight")
def test_a_configuration(sagemaker: Any, model: Callable[..., str], name: str) -> None:
    """It is described as it was made, with the default weight."""
    variant = _variant(model(name))
    made = sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    assert made["EndpointConfigArn"] == _arn(name)
    found = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    del found["ResponseMetadata"], found["CreationTime"]
    assert found == {
        "EndpointConfigName": name,
        "EndpointConfigArn": _arn(name),
        "ProductionVariants": [{**variant, "InitialVariantWeight": 1.0}],
    }


@pytest.mark.documented("notes/listing.md#names-and-arns")
def test_missing_and_existing_names(
    sagemaker: Any, model: Callable[..., str], config: Callable[..., str], name: str
) -> None:
    """The texts quote the lower-cased ARN."""
    config(name, model(name))
    assert error_of(
        sagemaker.create_endpoint_config,
        EndpointConfigName=name.upper(),
        ProductionVariants=[_variant(name)],
    ) == (
        "ValidationException",
        f'Cannot create already existing endpoint configuration "{_arn(name)}".',
    )
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    missing = ("ValidationException", f'Could not find endpoint configuration "{_arn(name)}".')
    for call in (sagemaker.describe_endpoint_config, sagemaker.delete_endpoint_config):
        assert error_of(call, EndpointConfigName=name) == missing


@pytest.mark.documented("sagemaker:CreateEndpointConfig")
def test_the_models_must_exist(sagemaker: Any, name: str) -> None:
    """A variant of a model that is not there is refused with that model's ARN."""
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/{name.lower()}"
    assert error_of(
        sagemaker.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[_variant(name)],
    ) == ("ValidationException", f'Could not find model "{arn}".')


@pytest.mark.assumed("notes/endpoints.md#configurations")
def test_variant_names_differ(sagemaker: Any, model: Callable[..., str], name: str) -> None:
    """Two variants of one name are refused with the name."""
    model(name)
    refused = error_of(
        sagemaker.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[_variant(name), _variant(name)],
    )
    assert refused == (
        "ValidationException",
        "Production variant names must be unique within an endpoint configuration: A",
    )


@pytest.mark.parametrize(
    ("members", "part"),
    [
        ({"InitialInstanceCount": 101}, "at most 100 instances"),
        ({"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}, "ServerlessConfig"),
        ({"RoutingConfig": {"RoutingStrategy": "PREFIX_AWARE"}}, "RoutingConfig.RoutingStrategy"),
        ({"RoutingConfig": {"RoutingStrategy": "KV_AWARE"}}, "RoutingConfig.RoutingStrategy"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(
    sagemaker: Any, model: Callable[..., str], name: str, members: dict[str, Any], part: str
) -> None:
    """More instances than a machine could hold, serverless variants and prompt caches are named; nothing is made."""
    model(name)
    refused = error_of(
        sagemaker.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[_variant(name, **members)],
    )
    assert refused[0] == "ValidationException"
    assert part in refused[1]
    found = error_of(sagemaker.describe_endpoint_config, EndpointConfigName=name)
    assert found[1].startswith("Could not find")


@pytest.mark.documented("sagemaker:ProductionVariantList")
def test_up_to_ten_variants(sagemaker: Any, model: Callable[..., str], name: str) -> None:
    """Ten are kept in their order with their weights and counts; an eleventh is one too many."""
    model(name)
    variants = [
        _variant(
            name,
            VariantName=f"V{number}",
            InitialVariantWeight=number / 4,
            InitialInstanceCount=number + 1,
        )
        for number in range(11)
    ]
    code, text = error_of(
        sagemaker.create_endpoint_config, EndpointConfigName=name, ProductionVariants=variants
    )
    assert code == "ValidationException"
    assert "'productionVariants' failed to satisfy constraint: Member must have length less" in text
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants[:10])
    found = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert found["ProductionVariants"] == variants[:10]


@pytest.mark.documented("notes/validation.md#the-form-of-a-message")
@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"InitialInstanceCount": 0}, "productionVariants.1.member.initialInstanceCount"),
        ({"InitialVariantWeight": -0.5}, "productionVariants.1.member.initialVariantWeight"),
    ],
)
def test_numbers_out_of_range(
    sagemaker: Any, model: Callable[..., str], name: str, members: dict[str, Any], path: str
) -> None:
    """No instances at all, or a weight below nothing, is named by its path."""
    model(name)
    code, text = error_of(
        sagemaker.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[_variant(name, **members)],
    )
    assert code == "ValidationException"
    assert f"at '{path}' failed to satisfy constraint: Member must have value greater" in text


@pytest.mark.assumed("notes/endpoints.md#configurations")
def test_a_weight_is_finite(sagemaker: Any, model: Callable[..., str], name: str) -> None:
    """Infinity has no share of anything."""
    model(name)
    refused = error_of(
        sagemaker.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[_variant(name, InitialVariantWeight=float("inf"))],
    )
    assert refused == (
        "ValidationException",
        "The weight of variant A must be a finite number.",
    )


def test_shadows_and_capture_are_refused_by_name(
    sagemaker: Any, model: Callable[..., str], name: str
) -> None:
    """Neither is run yet."""
    model(name)
    refused = error_of(
        sagemaker.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[_variant(name)],
        ShadowProductionVariants=[_variant(name, VariantName="B")],
        DataCaptureConfig={
            "InitialSamplingPercentage": 10,
            "DestinationS3Uri": "s3://b/c",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
    )
    assert "ShadowProductionVariants[].VariantName" in refused[1]
    assert "DataCaptureConfig.InitialSamplingPercentage" in refused[1]


@pytest.mark.assumed("notes/endpoints.md#configurations")
@pytest.mark.parametrize("member", ["ModelName", "InstanceType", "InitialInstanceCount"])
def test_an_incomplete_variant_is_refused(
    sagemaker: Any, model: Callable[..., str], name: str, member: str
) -> None:
    """What an instance-based variant needs is named by its path."""
    variant = _variant(model(name))
    del variant[member]
    refused = error_of(
        sagemaker.create_endpoint_config, EndpointConfigName=name, ProductionVariants=[variant]
    )
    assert refused[0] == "ValidationException"
    assert f"'productionVariants.1.member.{member[0].lower()}{member[1:]}'" in refused[1]


@pytest.mark.documented("notes/listing.md#order")
def test_the_list(
    sagemaker: Any, model: Callable[..., str], config: Callable[..., str], name: str
) -> None:
    """Newest first by default, by name if asked."""
    model(name)
    for number in (2, 0, 1):
        config(f"{name}-{number}", name)
    for arguments, order in (({}, "102"), ({"SortBy": "Name", "SortOrder": "Ascending"}, "012")):
        rows = sagemaker.list_endpoint_configs(NameContains=f"{name}-", **arguments)
        names = [row["EndpointConfigName"] for row in rows["EndpointConfigs"]]
        assert names == [f"{name}-{number}" for number in order]
