"""Fixtures for a user's own tests: a local cloud for the session, an SDK session that reaches it.

LIMITATIONS: `local_cloud` is one per process (per worker of pytest-xdist); tests share what is in it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.cloud.local_cloud import LocalCloud


def pytest_addoption(parser: pytest.Parser) -> None:
    """`harness_enforce_iam = false` in the configuration lets users and roles do everything."""
    parser.addini(
        "harness_enforce_iam",
        "Whether policies decide what IAM users and roles may do in the local cloud.",
        type="bool",
        default=True,
    )


@pytest.fixture(scope="session")
def local_cloud(pytestconfig: pytest.Config) -> "Iterator[LocalCloud]":
    """A running local cloud (`harness.cloud.local_cloud.LocalCloud`); it ends with the test session."""
    from harness.cloud.local_cloud import LocalCloud

    with LocalCloud(enforce_iam=pytestconfig.getini("harness_enforce_iam")) as cloud:
        yield cloud


@pytest.fixture
def local_aws(local_cloud: "LocalCloud") -> Iterator[str]:
    """The cloud's URL, with this process pointed at it: boto3 and the SDKs go there, and poll quickly."""
    from harness.sdk.environment import applied, local_environment

    with applied(local_environment(local_cloud.url)):
        yield local_cloud.url


@pytest.fixture
def sagemaker_session(local_aws: str) -> Any:
    """A `sagemaker.Session` of SDK v2 that reaches the local cloud."""
    from sagemaker.session import Session

    return Session()
