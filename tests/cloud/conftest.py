"""One local cloud per test module, with a clock that only tests move."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.cloud.clock import ManualClock
from harness.cloud.functions.limits import Settings
from harness.cloud.local_cloud import LocalCloud
from harness.cloud.runtime.limits import Limits
from harness.containers.images import Images, Implementation
from tests.cloud.people import People

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole"


@pytest.fixture(scope="module")
def own_images() -> dict[str, Implementation]:
    """Images that a test module registers for itself; the cloud looks here first."""
    return {}


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    """The clock of the module's cloud."""
    return ManualClock()


@pytest.fixture(scope="module")
def limits() -> Limits:
    """What InvokeEndpoint enforces."""
    return Limits.current()


@pytest.fixture(scope="module")
def function_settings() -> Settings:
    """How Lambda functions are run."""
    return Settings()


@pytest.fixture(scope="module")
def cloud(
    own_images: dict[str, Implementation],
    clock: ManualClock,
    limits: Limits,
    function_settings: Settings,
) -> Iterator[LocalCloud]:
    """A running cloud. An internal failure anywhere in the module fails its last test."""
    with LocalCloud(
        clock=clock, images=Images(own_images), limits=limits, functions=function_settings
    ) as cloud:
        yield cloud
        assert cloud.app.faults == []


@pytest.fixture(scope="module")
def client(cloud: LocalCloud) -> Iterator[Callable[..., Any]]:
    """`client(service, region=...)`: a boto3 client of the cloud, as a user has it."""
    import boto3

    made = []
    session = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
    )

    def make(service: str, region: str = REGION, **arguments: Any) -> Any:
        made.append(
            session.client(service, region_name=region, endpoint_url=cloud.url, **arguments)
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture(scope="module")
def people(client: Callable[..., Any]) -> People:
    """Makes users and roles, and clients with their keys."""
    return People(client)
