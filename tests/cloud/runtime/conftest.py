"""A model of our own that does what the request's body says, behind an endpoint."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.local_cloud import LocalCloud
from harness.containers.images import Implementation
from harness.containers.spec import Program
from tests.cloud.conftest import ACCOUNT, REGION, ROLE

IMAGE = "obedient-model"


@pytest.fixture(scope="module")
def own_images() -> dict[str, Implementation]:
    """The obedient model's image."""
    script = Path(__file__).parent / "obedient_model.py"
    return {
        IMAGE: Implementation(
            name=IMAGE, version="1", program=Program(arguments=(sys.executable, str(script)))
        )
    }


@pytest.fixture(scope="module")
def endpoint(cloud: LocalCloud, client: Callable[..., Any]) -> str:
    """The name of an endpoint, in service, of the obedient model."""
    sagemaker = client("sagemaker")
    sagemaker.create_model(
        ModelName="obedient", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="obedient",
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": "obedient",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    sagemaker.create_endpoint(EndpointName="Obedient-1", EndpointConfigName="obedient")
    endpoints = cloud.sagemaker.account_region(ACCOUNT, REGION).endpoints
    endpoints.wait_for("Obedient-1", lambda e: e is not None and e.state != "Creating", 30)
    assert sagemaker.describe_endpoint(EndpointName="Obedient-1")["EndpointStatus"] == "InService"
    return "Obedient-1"
