"""Endpoints over the wire: deployed, updated under requests, deleted; and every way to fail."""

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.cloud.clock import ManualClock
from harness.cloud.local_cloud import LocalCloud
from harness.cloud.sagemaker.service import AccountRegion
from tests.cloud.sagemaker.ground import (
    ACCOUNT,
    OWN_IMAGE,
    REGION,
    WatchedClock,
    archive,
    error_of,
)

Client = Callable[..., Any]
Make = Callable[..., str]
Settled = Callable[[str], dict[str, Any] | None]
Deploy = Callable[..., dict[str, Any]]


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name.lower()}"


def _ask(runtime: Any, name: str, body: bytes = b"") -> tuple[bytes, str]:
    answer = runtime.invoke_endpoint(EndpointName=name, Body=body)
    return answer["Body"].read(), answer["InvokedProductionVariant"]


@pytest.fixture
def deploy(sagemaker: Any, model: Make, config: Make, settled: Settled) -> Deploy:
    """`deploy(name, data=None, **environment)`: model, configuration and endpoint of one name."""

    def make(name: str, data: str | None = None, **environment: str) -> dict[str, Any]:
        sagemaker.create_endpoint(
            EndpointName=name,
            EndpointConfigName=config(name, model(name, data, **environment)),
        )
        found = settled(name)
        assert found is not None
        return found

    return make


@pytest.mark.documented("notes/endpoints.md#status")
def test_an_endpoint_that_serves(
    sagemaker: Any, runtime: Any, deploy: Deploy, name: str, clock: ManualClock
) -> None:
    """It becomes InService with its one variant, answers, and says who answered; nothing unknown is shown."""
    found = deploy(name, NAME="blue")
    del found["ResponseMetadata"]
    (variant,) = found.pop("ProductionVariants")
    (image,) = variant.pop("DeployedImages")
    assert found == {
        "EndpointName": name,
        "EndpointArn": _arn("endpoint", name),
        "EndpointConfigName": name,
        "EndpointStatus": "InService",
        "CreationTime": found["CreationTime"],
        "LastModifiedTime": found["LastModifiedTime"],
    }
    assert variant == {
        "VariantName": "AllTraffic",
        "CurrentWeight": 1.0,
        "DesiredWeight": 1.0,
        "CurrentInstanceCount": 1,
        "DesiredInstanceCount": 1,
    }
    assert image["SpecifiedImage"] == OWN_IMAGE
    assert image["ResolvedImage"].startswith(OWN_IMAGE.replace(":latest", "@sha256:"))
    assert _ask(runtime, name) == (b"blue", "AllTraffic")
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#status")
def test_the_way_of_an_endpoint(
    sagemaker: Any,
    runtime: Any,
    state: AccountRegion,
    model: Make,
    config: Make,
    settled: Settled,
    name: str,
    pipe: str,
) -> None:
    """Creating takes no request, no update and no deletion; after the deletion the name is unknown."""
    config(name, model(name, DO=f"gate {pipe}"))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    busy = (
        "ValidationException",
        f'Cannot update in-progress endpoint "{_arn("endpoint", name)}".',
    )
    creating = sagemaker.describe_endpoint(EndpointName=name)
    assert creating["EndpointStatus"] == "Creating"
    assert "ProductionVariants" not in creating
    assert error_of(sagemaker.delete_endpoint, EndpointName=name) == busy
    assert error_of(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=name) == busy
    not_found = ("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
    assert error_of(runtime.invoke_endpoint, EndpointName=name, Body=b"") == not_found
    Path(pipe).write_text("go on")
    assert settled(name)["EndpointStatus"] == "InService"  # type: ignore[index]
    assert error_of(
        sagemaker.create_endpoint, EndpointName=name.upper(), EndpointConfigName=name
    ) == (
        "ValidationException",
        f'Cannot create already existing endpoint "{_arn("endpoint", name)}".',
    )
    sagemaker.delete_endpoint(EndpointName=name)
    assert error_of(runtime.invoke_endpoint, EndpointName=name, Body=b"") == not_found
    state.endpoints.wait_for(name, lambda e: e is None, 60)
    assert error_of(sagemaker.describe_endpoint, EndpointName=name) == (
        "ValidationException",
        f'Could not find endpoint "{_arn("endpoint", name)}".',
    )


@pytest.mark.documented("notes/endpoints.md#model-data")
def test_the_model_is_where_the_container_looks(
    runtime: Any, client: Client, bucket: str, deploy: Deploy, name: str
) -> None:
    """The archive's files lie under /opt/ml/model, and the environment is the model's and the platform's."""
    client("s3").put_object(
        Bucket=bucket, Key=f"{name}/model.tar.gz", Body=archive(weights__bin="1", code_x__py="2")
    )
    deploy(name, f"s3://{bucket}/{name}/model.tar.gz", MINE="yes")
    assert json.loads(_ask(runtime, name, b"model")[0]) == ["code_x.py", "weights.bin"]
    environment = json.loads(_ask(runtime, name, b"environment")[0])
    assert {"MINE": "yes", "AWS_REGION": REGION}.items() <= environment.items()


@pytest.mark.documented("notes/endpoints.md#logs")
def test_the_log(
    sagemaker: Any,
    runtime: Any,
    state: AccountRegion,
    deploy: Deploy,
    name: str,
    log_of: Callable[[str, str], dict[str, list[str]]],
) -> None:
    """An endpoint has a group of its own, with a stream for each instance of a variant."""
    deploy(name)
    _ask(runtime, name)
    sagemaker.delete_endpoint(EndpointName=name)
    state.endpoints.wait_for(name, lambda e: e is None, 60)
    ((stream, messages),) = log_of(f"/aws/sagemaker/Endpoints/{name}", "AllTraffic/").items()
    variant, _, instance = stream.partition("/")
    assert variant == "AllTraffic"
    assert instance.startswith("i-")
    assert len(instance) == 19
    assert "POST /invocations" in messages


@pytest.mark.documented("notes/endpoints.md#health-check")
@pytest.mark.parametrize("do", ["crash", "sick"])
def test_a_container_that_never_gets_healthy(
    sagemaker: Any,
    state: AccountRegion,
    clock: ManualClock,
    model: Make,
    config: Make,
    settled: Settled,
    name: str,
    do: str,
    pipe: str,
) -> None:
    """One that ends fails the endpoint at once, one that answers its pings badly after eight minutes."""
    config(name, model(name, DO=f"{do} {pipe}"))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    if do == "sick":
        assert Path(pipe).read_text() == "pinged"
        clock.advance(479)
        assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Creating"
        clock.advance(1)
    failed = settled(name)
    assert failed is not None
    assert (failed["EndpointStatus"], failed["FailureReason"]) == (
        "Failed",
        "The primary container for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint.",
    )
    refused = error_of(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=name)
    assert refused[0] == "ValidationException"
    sagemaker.delete_endpoint(EndpointName=name)
    assert state.endpoints.wait_for(name, lambda e: e is None, 60) is None


@pytest.mark.documented("sagemaker:ProductionVariant.ContainerStartupHealthCheckTimeoutInSeconds")
def test_the_time_to_get_healthy_can_be_set(
    sagemaker: Any,
    clock: ManualClock,
    model: Make,
    config: Make,
    settled: Settled,
    name: str,
    pipe: str,
) -> None:
    """ContainerStartupHealthCheckTimeoutInSeconds takes the place of the eight minutes."""
    config(name, model(name, DO=f"sick {pipe}"), ContainerStartupHealthCheckTimeoutInSeconds=60)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert Path(pipe).read_text() == "pinged"
    clock.advance(60)
    assert settled(name)["EndpointStatus"] == "Failed"  # type: ignore[index]


@pytest.mark.documented("notes/endpoints.md#model-data")
@pytest.mark.parametrize("content", [b"no archive", archive(**{"../outside": "x"})])
def test_model_data_that_cannot_be_extracted(
    client: Client, bucket: str, cloud: LocalCloud, deploy: Deploy, name: str, content: bytes
) -> None:
    """Garbage and a member that would land outside fail the endpoint, and nothing is written anywhere."""
    uri = f"s3://{bucket}/{name}/model.tar.gz"
    client("s3").put_object(Bucket=bucket, Key=f"{name}/model.tar.gz", Body=content)
    failed = deploy(name, uri)
    assert (failed["EndpointStatus"], failed["FailureReason"]) == (
        "Failed",
        f'Failed to extract model data archive for container "container_1" from URL "{uri}". '
        "Please ensure that the object located at the URL is a valid tar.gz archive.",
    )
    assert list(cloud.sagemaker.folder("probe").parent.rglob("outside")) == []


@pytest.mark.documented("notes/endpoints.md#model-data")
def test_model_data_that_went_away(
    sagemaker: Any,
    client: Client,
    bucket: str,
    model: Make,
    config: Make,
    settled: Settled,
    name: str,
) -> None:
    """Data that was there when the model was made and is not when it is deployed fails the endpoint."""
    s3, key = client("s3"), f"{name}/model.tar.gz"
    s3.put_object(Bucket=bucket, Key=key, Body=archive(a="b"))
    config(name, model(name, f"s3://{bucket}/{key}"))
    s3.delete_object(Bucket=bucket, Key=key)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    reason = settled(name)["FailureReason"]  # type: ignore[index]
    assert reason.startswith('Failed to download model data for container "container_1" from URL:')


@pytest.mark.documented("notes/endpoints.md#updates")
def test_the_old_fleet_finishes_what_it_holds(
    sagemaker: Any,
    runtime: Any,
    state: AccountRegion,
    clock: ManualClock,
    model: Make,
    config: Make,
    deploy: Deploy,
    settled: Settled,
    name: str,
    pipe: str,
) -> None:
    """A request that the old worker holds is answered by it; new ones go to the new worker meanwhile."""
    before = deploy(name, NAME="old")
    answers: list[bytes] = []
    held = threading.Thread(
        target=lambda: answers.append(_ask(runtime, name, f"meet {pipe}".encode())[0])
    )
    held.start()
    with Path(pipe).open("wb") as other_end:
        new = f"{name}-new"
        config(new, model(new, NAME="new"))
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
        updating = sagemaker.describe_endpoint(EndpointName=name)
        assert updating["PendingDeploymentSummary"]["EndpointConfigName"] == new
        while _ask(runtime, name)[0] != b"new":
            pass
        state.endpoints.wait_for(name, lambda e: bool(e and e.variants[0].status), 30)
        updating = sagemaker.describe_endpoint(EndpointName=name)
        assert (updating["EndpointStatus"], updating["EndpointConfigName"]) == ("Updating", name)
        (status,) = updating["ProductionVariants"][0]["VariantStatus"]
        assert (status["Status"], status["StatusMessage"]) == (
            "Deleting",
            "Terminating 1 instance(s).",
        )
        other_end.write(b"late but true")
    held.join()
    assert answers == [b"late but true"]
    after = settled(name)
    assert after is not None
    assert after["EndpointConfigName"] == new
    assert "PendingDeploymentSummary" not in after
    assert after["LastModifiedTime"] >= before["LastModifiedTime"]
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#updates")
def test_a_request_without_end_does_not_hold_up_an_update(
    sagemaker: Any,
    runtime: Any,
    clock: ManualClock,
    model: Make,
    config: Make,
    deploy: Deploy,
    settled: Settled,
    name: str,
    pipe: str,
) -> None:
    """After a minute, when no request can be older, the old workers are stopped."""
    deploy(name)
    faults: list[tuple[str, str]] = []
    held = threading.Thread(
        target=lambda: faults.append(
            error_of(runtime.invoke_endpoint, EndpointName=name, Body=f"meet {pipe}".encode())
        )
    )
    held.start()
    with Path(pipe).open("wb"):
        new = f"{name}-new"
        config(new, model(new, NAME="new"))
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
        while _ask(runtime, name)[0] != b"new":
            pass
        clock.advance(60)
        assert settled(name)["EndpointConfigName"] == new  # type: ignore[index]
        held.join()
    assert faults[0][0] == "ModelError"
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#status")
def test_an_update_that_fails_leaves_the_old_one_serving(
    sagemaker: Any,
    runtime: Any,
    model: Make,
    config: Make,
    deploy: Deploy,
    settled: Settled,
    name: str,
) -> None:
    """The endpoint is InService with its old configuration and a FailureReason, which a good update clears."""
    deploy(name, NAME="old")
    bad, good = f"{name}-bad", f"{name}-good"
    config(bad, model(bad, DO="crash"))
    config(good, model(good, NAME="good"))
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=bad)
    after = settled(name)
    assert after is not None
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", name)
    assert "did not pass the ping health check" in after["FailureReason"]
    assert _ask(runtime, name)[0] == b"old"
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=good)
    after = settled(name)
    assert after is not None
    assert after["EndpointConfigName"] == good
    assert "FailureReason" not in after
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/models.md#deletion")
def test_an_endpoint_outlives_its_configuration_and_model(
    sagemaker: Any, runtime: Any, deploy: Deploy, name: str
) -> None:
    """Both can be deleted while it serves; an update to a deleted configuration is refused."""
    deploy(name, NAME="x")
    sagemaker.delete_model(ModelName=name)
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] == name
    assert _ask(runtime, name)[0] == b"x"
    arn = _arn("endpoint-config", name)
    for call in (sagemaker.update_endpoint, sagemaker.create_endpoint):
        endpoint = name if call == sagemaker.update_endpoint else f"{name}-2"
        assert error_of(call, EndpointName=endpoint, EndpointConfigName=name) == (
            "ValidationException",
            f'Could not find endpoint configuration "{arn}".',
        )
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#health-check")
def test_a_worker_that_dies_is_replaced(
    runtime: Any, sagemaker: Any, cloud: LocalCloud, deploy: Deploy, name: str
) -> None:
    """The request it held fails, and soon another worker answers; the endpoint stays InService."""
    deploy(name, NAME="alive")
    assert error_of(runtime.invoke_endpoint, EndpointName=name, Body=b"die")[0] == "ModelError"
    assert _answered(runtime, name) == b"alive"
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
    sagemaker.delete_endpoint(EndpointName=name)


def test_a_worker_that_breaks_a_connection_stays_if_it_is_alive(
    runtime: Any, sagemaker: Any, deploy: Deploy, name: str
) -> None:
    """The request fails; the worker is asked how it is, and goes on serving as the same process."""
    deploy(name)
    pid = _ask(runtime, name, b"pid")[0]
    for _ in range(3):
        broken = error_of(runtime.invoke_endpoint, EndpointName=name, Body=b"break")
        assert broken[0] == "ModelError"
        assert _answered(runtime, name, b"pid") == pid
    sagemaker.delete_endpoint(EndpointName=name)


def test_a_worker_that_cannot_be_replaced_is_tried_more_and_more_slowly(
    runtime: Any, sagemaker: Any, clock: WatchedClock, deploy: Deploy, name: str, tmp_path: Path
) -> None:
    """Until it comes up requests get ServiceUnavailable; each pause on the clock is longer than the last."""
    deploy(name, NAME="back", DO=f"times 1 {tmp_path / 'flag'}")
    assert error_of(runtime.invoke_endpoint, EndpointName=name, Body=b"die")[0] == "ModelError"
    for pause in (1.0, 2.0, 4.0):
        clock.until_owed(pause)
        unavailable = error_of(runtime.invoke_endpoint, EndpointName=name, Body=b"")
        assert unavailable[0] == "ServiceUnavailable"
        if pause == 4.0:
            (tmp_path / "flag0").unlink()
        clock.advance(pause)
    assert _answered(runtime, name) == b"back"
    sagemaker.delete_endpoint(EndpointName=name)


def _answered(runtime: Any, name: str, body: bytes = b"") -> bytes:
    """The first answer, while a worker is looked after or replaced."""
    while True:
        try:
            return _ask(runtime, name, body)[0]
        except runtime.exceptions.ServiceUnavailable:
            continue


@pytest.mark.documented("notes/endpoints.md#stop")
def test_a_stubborn_worker_is_killed_after_30_seconds(
    sagemaker: Any,
    runtime: Any,
    cloud: LocalCloud,
    state: AccountRegion,
    clock: WatchedClock,
    deploy: Deploy,
    name: str,
) -> None:
    """DeleteEndpoint waits for the grace on the clock: Deleting until then, gone afterwards."""
    deploy(name, DO="stubborn")
    pid = json.loads(_ask(runtime, name, b"pid")[0])
    # No other worker is being stopped.
    assert cloud.sagemaker.background.drain(30)
    sagemaker.delete_endpoint(EndpointName=name)
    clock.until_owed(30.0)
    clock.advance(29)
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Deleting"
    assert psutil.pid_exists(pid)
    clock.advance(1)
    state.endpoints.wait_for(name, lambda e: e is None, 60)
    assert not psutil.pid_exists(pid)


def test_a_worker_killed_from_outside_while_it_starts(
    sagemaker: Any, model: Make, config: Make, settled: Settled, name: str, pipe: str
) -> None:
    """SIGKILL before the first ping fails the endpoint; it is not lost in Creating."""
    config(name, model(name, DO=f"pid {pipe}"))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    os.kill(int(Path(pipe).read_text()), signal.SIGKILL)
    assert settled(name)["EndpointStatus"] == "Failed"  # type: ignore[index]
    sagemaker.delete_endpoint(EndpointName=name)


def test_nothing_is_left_of_endpoints(
    sagemaker: Any, cloud: LocalCloud, state: AccountRegion, deploy: Deploy, name: str
) -> None:
    """When every endpoint is deleted no folder, no process and nothing that worked for them is left."""
    deploy(name)
    for endpoint in state.endpoints:
        sagemaker.delete_endpoint(EndpointName=endpoint.name)
    for endpoint in state.endpoints:
        state.endpoints.wait_for(endpoint.name, lambda e: e is None, 60)
    assert cloud.sagemaker.background.drain(30)
    assert state.hostings == {}
    probe = cloud.sagemaker.folder("probe")
    assert [path.name for path in probe.parent.iterdir() if "probe" not in path.name] == []
    # Supervisors end a moment after their containers; the fork servers, our children, wait for the next.
    us = psutil.Process()
    theirs = [p for child in us.children() for p in child.children(recursive=True)]
    assert psutil.wait_procs(theirs, timeout=30)[1] == []
