"""A container that does not answer in time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.cloud.runtime.limits import Limits


@pytest.fixture(scope="module")
def limits() -> Limits:
    """The documented limits, but a container has an instant to answer."""
    return replace(Limits.current(), container_seconds=0.2)


@pytest.mark.documented("notes/invocations.md#model-errors")
def test_a_hanging_container_times_out(endpoint: str, client: Callable[..., Any]) -> None:
    """The caller gets ModelError with status 0 and the advice; the worker answers others meanwhile."""
    runtime = client("sagemaker-runtime", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName=endpoint, Body=b'{"hang": true}')
    answer: dict[str, Any] = caught.value.response  # type: ignore[assignment]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == 0
    assert answer["Error"]["Message"].startswith(
        'Received server error (0) from primary with message "Your invocation timed out while '
        "waiting for a response from container primary."
    )
    assert runtime.invoke_endpoint(EndpointName=endpoint, Body=b"1")["Body"].read()
