"""UpdateEndpoint by every deployment policy: each shift, each wait, and the way back."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.cloud.clock import ManualClock
from harness.cloud.local_cloud import LocalCloud
from harness.cloud.sagemaker.service import AccountRegion
from tests.cloud.sagemaker.ground import counts, error_of, hear, workers

Make = Callable[..., str]
Settled = Callable[[str], dict[str, Any]]
Serve = Callable[..., dict[str, Any]]
Ask = Callable[..., str]
Until = Callable[..., dict[str, Any]]
SHARE = "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html"
EVENTS = (
    "https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"
)


def percent(value: int) -> dict[str, Any]:
    """A CapacitySize."""
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict[str, Any]:
    """A CapacitySize."""
    return {"Type": "INSTANCE_COUNT", "Value": value}


def blue_green(kind: str, wait: int = 0, termination: int = 0, **members: Any) -> dict[str, Any]:
    """A DeploymentConfig; members that end in Size belong to the traffic routing."""
    sizes = {name: members.pop(name) for name in list(members) if name.endswith("Size")}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **sizes},
            "TerminationWaitInSeconds": termination,
            **members,
        }
    }


def rolling(batch: dict[str, Any], wait: int = 0, **members: Any) -> dict[str, Any]:
    """A DeploymentConfig."""
    policy = {"MaximumBatchSize": batch, "WaitIntervalInSeconds": wait, **members}
    return {"RollingUpdatePolicy": policy}


@pytest.fixture
def update(sagemaker: Any, name: str) -> Callable[..., None]:
    """`update(config, DeploymentConfig)`: begins an update of the test's endpoint."""

    def begin(config: str, deployment: dict[str, Any] | None = None, **members: Any) -> None:
        if deployment is not None:
            members["DeploymentConfig"] = deployment
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **members)

    return begin


@pytest.fixture
def until(sagemaker: Any, state: AccountRegion, name: str) -> Until:
    """`until(status, count)`: waits until the new variant is so, with so many active instances; describes it."""

    def wait(status: str, count: int, member: str = "") -> dict[str, Any]:
        def reached(endpoint: Any) -> bool:
            assert endpoint is not None
            assert endpoint.pending is not None, endpoint
            variant = endpoint.pending.variants[0]
            return bool(
                variant.status is not None
                and (variant.status.status, variant.instance_count) == (status, count)
                and member in variant.status.message
            )

        state.endpoints.wait_for(name, reached, 30)
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        return found

    return wait


def _alive(pids: set[str]) -> set[str]:
    return {pid for pid in pids if psutil.pid_exists(int(pid))}


@pytest.mark.documented(SHARE)
def test_a_canary(
    sagemaker: Any,
    clock: ManualClock,
    serve: Serve,
    configure: Make,
    ask: Ask,
    update: Callable[..., None],
    until: Until,
    settled: Settled,
    name: str,
) -> None:
    """A quarter of the requests goes to one new instance for a while, then all; the old fleet ends last."""
    serve(name, A={"InitialInstanceCount": 2})
    blue = workers(ask, 2)
    new = configure(f"{name}-2", A={"InitialInstanceCount": 4, "InitialVariantWeight": 2})
    config = blue_green("CANARY", 600, 300, CanarySize=instances(1))
    update(new, config)
    baking = until("Baking", 1)
    assert (baking["EndpointStatus"], baking["EndpointConfigName"]) == ("Updating", name)
    assert counts(baking) == {"A": (1, 1, 2, 2)}
    pending = baking["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == new
    assert counts(pending) == {"A": (2, 2, 1, 4)}
    (variant,) = pending["ProductionVariants"]
    assert variant["InstanceType"] == "ml.m5.large"
    assert variant["VariantStatus"][0]["StatusMessage"] == (
        "Baking for 600 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of "
        "1 instance(s)."
    )
    pids = workers(ask, 3)
    assert {ask("pid", "A") for _ in range(60)} <= pids
    hear(partial(ask, variant="A"), f"{name}/A", f"{new}/A")
    # A quarter of 300, within six standard deviations.
    assert 30 < [ask() for _ in range(300)].count(f"{new}/A") < 120
    clock.advance(599)
    assert until("Baking", 1)["EndpointStatus"] == "Updating"
    clock.advance(1)
    baking = until("Baking", 4)
    hear(ask, f"{new}/A")
    assert _alive(blue) == blue
    clock.advance(600)
    until("Baking", 4, "TerminationWaitInSeconds")
    clock.advance(300)
    done = settled(name)
    assert (done["EndpointStatus"], done["EndpointConfigName"]) == ("InService", new)
    assert counts(done) == {"A": (2, 2, 4, 4)}
    assert done["LastDeploymentConfig"] == config
    assert not {"PendingDeploymentSummary", "FailureReason"} & {*done}
    assert "VariantStatus" not in done["ProductionVariants"][0]
    assert _alive(blue) == set()
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented(SHARE)
@pytest.mark.parametrize(
    ("config", "active"),
    [
        (blue_green("LINEAR", 60, LinearStepSize=percent(30)), [1, 2, 3, -3]),
        (blue_green("LINEAR", 60, LinearStepSize=percent(40)), [2, 3, -3]),
        (blue_green("ALL_AT_ONCE", 60), [-3]),
        (rolling(percent(33), 60), [1, 2, -3]),
        (rolling(percent(50), 60), [2, -3]),
    ],
)
def test_step_by_step(
    sagemaker: Any,
    clock: ManualClock,
    serve: Serve,
    configure: Make,
    ask: Ask,
    update: Callable[..., None],
    until: Until,
    settled: Settled,
    name: str,
    config: dict[str, Any],
    active: list[int],
) -> None:
    """After each shift so many of three new instances have requests; a rolling update ends old ones then."""
    serve(name, A={"InitialInstanceCount": 3})
    blue = workers(ask, 3)
    new = configure(f"{name}-2", A={"InitialInstanceCount": 3})
    update(new, config)
    left = 3
    for part in active:
        # A negative number is the whole fleet with all requests.
        count = abs(part)
        baking = until("Baking", count, "full capacity" if part < 0 else "on capacity")
        assert counts(baking["PendingDeploymentSummary"]) == {"A": (1, 1, count, 3)}
        assert counts(baking) == {"A": (1, 1, left, 3)}
        assert len(_alive(blue)) == left
        hear(ask, f"{new}/A", *([] if part < 0 else [f"{name}/A"]))
        if "RollingUpdatePolicy" in config:
            left = 3 - count
        clock.advance(60)
    assert counts(settled(name)) == {"A": (1, 1, 3, 3)}
    assert _alive(blue) == set()
    hear(ask, f"{new}/A")
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("sagemaker:RollingUpdatePolicy")
def test_a_rolling_update_needs_no_second_fleet(
    sagemaker: Any,
    clock: ManualClock,
    serve: Serve,
    configure: Make,
    ask: Ask,
    update: Callable[..., None],
    until: Until,
    settled: Settled,
    name: str,
) -> None:
    """There are never more instances than the fleet and one batch."""
    serve(name, A={"InitialInstanceCount": 4})
    pids = workers(ask, 4)
    new = configure(f"{name}-2", A={"InitialInstanceCount": 4})
    update(new, rolling(instances(1), 10))
    for count in (1, 2, 3, 4):
        until("Baking", count)
        # The last old one has no requests any more.
        pids |= workers(ask, 5 if count < 4 else 4)
        assert len(_alive(pids)) == 5
        clock.advance(10)
    settled(name)
    assert len(_alive(pids)) == 4
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#rollback")
def test_a_batch_that_fails_brings_the_old_instances_back(
    sagemaker: Any,
    clock: ManualClock,
    serve: Serve,
    configure: Make,
    ask: Ask,
    update: Callable[..., None],
    until: Until,
    settled: Settled,
    name: str,
    tmp_path: Path,
) -> None:
    """InService with the old configuration, all its instances and all requests; FailureReason says why."""
    serve(name, A={"InitialInstanceCount": 3})
    new = configure(
        f"{name}-2", A={"InitialInstanceCount": 3, "DO": f"times 2 {tmp_path / 'flag'}"}
    )
    config = rolling(percent(33), 10, RollbackMaximumBatchSize=instances(1))
    update(new, config)
    for count in (1, 2):
        until("Baking", count)
        clock.advance(10)
    found = settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", name)
    assert counts(found) == {"A": (1, 1, 3, 3)}
    assert "A did not pass the ping health check" in found["FailureReason"]
    assert found["LastDeploymentConfig"] == config
    assert "PendingDeploymentSummary" not in found
    hear(ask, f"{name}/A")
    workers(ask, 3)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#rollback")
def test_a_rollback_that_fails_leaves_a_mixture(
    sagemaker: Any,
    runtime: Any,
    clock: ManualClock,
    state: AccountRegion,
    serve: Serve,
    configure: Make,
    ask: Ask,
    update: Callable[..., None],
    until: Until,
    settled: Settled,
    name: str,
    tmp_path: Path,
) -> None:
    """Both configurations serve; scaling is refused, a bad update changes nothing, a good one repairs it."""
    serve(name, A={"InitialInstanceCount": 2, "DO": f"times 2 {tmp_path / 'old'}"})
    new = configure(f"{name}-2", A={"InitialInstanceCount": 2, "DO": f"times 1 {tmp_path / 'new'}"})
    update(new, rolling(percent(50), 10))
    until("Baking", 1)
    clock.advance(10)
    found = settled(name)
    assert found["EndpointStatus"] == "UpdateRollbackFailed"
    assert found["EndpointConfigName"] == name
    assert counts(found) == {"A": (1, 1, 1, 2)}
    assert "rollback failed as well" in found["FailureReason"]
    both = {f"{name}/A", f"{new}/A"}
    hear(ask, *both)
    refused = error_of(
        sagemaker.update_endpoint_weights_and_capacities,
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "A", "DesiredWeight": 2}],
    )
    assert "UpdateRollbackFailed" in refused[1]
    update(configure(f"{name}-3", A={"DO": "crash"}))
    assert settled(name)["EndpointStatus"] == "UpdateRollbackFailed"
    hear(ask, *both)
    # A rolling update of both at once.
    good = configure(f"{name}-4", A={"InitialInstanceCount": 2})
    update(good, rolling(percent(50), 10))
    until("Baking", 1)
    hear(ask, *both, f"{good}/A")
    clock.advance(10)
    until("Baking", 2)
    clock.advance(10)
    found = settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", good)
    assert "FailureReason" not in found
    hear(ask, f"{good}/A")
    sagemaker.delete_endpoint(EndpointName=name)
    state.endpoints.wait_for(name, lambda e: e is None, 60)


@pytest.mark.documented("sagemaker:RollingUpdatePolicy.MaximumExecutionTimeoutInSeconds")
@pytest.mark.parametrize("shifted", [False, True])
def test_a_deployment_that_takes_too_long_is_rolled_back(
    sagemaker: Any,
    clock: ManualClock,
    serve: Serve,
    configure: Make,
    ask: Ask,
    update: Callable[..., None],
    until: Until,
    settled: Settled,
    name: str,
    tmp_path: Path,
    shifted: bool,
) -> None:
    """Whether it hangs before or after requests have moved, the old configuration has them all afterwards."""
    serve(name, A={"InitialInstanceCount": 2})
    new = configure(
        f"{name}-2",
        A={
            "InitialInstanceCount": 2,
            "ContainerStartupHealthCheckTimeoutInSeconds": 3600,
            "DO": f"stall {int(shifted)} {tmp_path / 'flag'}",
        },
    )
    update(new, rolling(percent(50), 100, MaximumExecutionTimeoutInSeconds=600))
    if shifted:
        until("Baking", 1)
        clock.advance(100)
    until("Creating", int(shifted))
    clock.advance(500 if shifted else 600)
    found = settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", name)
    assert "its MaximumExecutionTimeoutInSeconds of 600 seconds" in found["FailureReason"]
    assert counts(found) == {"A": (1, 1, 2, 2)}
    hear(ask, f"{name}/A")
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("sagemaker:UpdateEndpointInput.RetainDeploymentConfig")
def test_a_deployment_config_is_kept(
    sagemaker: Any,
    clock: ManualClock,
    configure: Make,
    update: Callable[..., None],
    until: Until,
    settled: Settled,
    name: str,
) -> None:
    """CreateEndpoint only keeps it; an update uses it if told to, and leaves it where it has none of its own."""
    config = blue_green("CANARY", 30, CanarySize=percent(10))
    sagemaker.create_endpoint(
        EndpointName=name, EndpointConfigName=configure(name, A={}), DeploymentConfig=config
    )
    assert settled(name)["LastDeploymentConfig"] == config
    update(configure(f"{name}-2", A={}))
    found = settled(name)
    assert (found["EndpointConfigName"], found["LastDeploymentConfig"]) == (f"{name}-2", config)
    update(configure(f"{name}-3", A={}), RetainDeploymentConfig=True)
    until("Baking", 1, "canary capacity")
    clock.advance(30)
    until("Baking", 1, "full capacity")
    clock.advance(30)
    assert settled(name)["EndpointConfigName"] == f"{name}-3"
    other = rolling(percent(50))
    update(configure(f"{name}-4", A={}), other)
    assert settled(name)["LastDeploymentConfig"] == other
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.assumed("notes/endpoints.md#deployment-policies")
@pytest.mark.parametrize(
    ("members", "part"),
    [
        (
            {"RetainDeploymentConfig": True, "DeploymentConfig": blue_green("ALL_AT_ONCE")},
            "RetainDeploymentConfig",
        ),
        ({"DeploymentConfig": blue_green("CANARY")}, "CanarySize"),
        ({"DeploymentConfig": rolling(instances(1))}, "MaximumBatchSize"),
        ({"DeploymentConfig": {**blue_green("ALL_AT_ONCE"), **rolling(percent(50))}}, "Only one"),
        ({"DeploymentConfig": blue_green("ALL_AT_ONCE", 3601)}, "less than or equal to 3600"),
        ({"DeploymentConfig": blue_green("ALL_AT_ONCE", 0, 3601)}, "less than or equal to 3600"),
        (
            {"DeploymentConfig": rolling(percent(50), MaximumExecutionTimeoutInSeconds=599)},
            "greater than or equal to 600",
        ),
        ({"DeploymentConfig": blue_green("SUDDENLY")}, "enum value set"),
        (
            {"DeploymentConfig": blue_green("CANARY", CanarySize=percent(0))},
            "greater than or equal to 1",
        ),
    ],
)
def test_updates_that_cannot_be(
    sagemaker: Any, shared: str, members: dict[str, Any], part: str
) -> None:
    """Each is refused by what is wrong with it, at an update as at a creation, and nothing begins."""
    code, text = error_of(
        sagemaker.update_endpoint, EndpointName=shared, EndpointConfigName=shared, **members
    )
    assert (code, part in text) == ("ValidationException", True)
    assert sagemaker.describe_endpoint(EndpointName=shared)["EndpointStatus"] == "InService"
    if "RetainDeploymentConfig" not in members:
        code, text = error_of(
            sagemaker.create_endpoint, EndpointName="other", EndpointConfigName=shared, **members
        )
        assert (code, part in text) == ("ValidationException", True)


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html"
)
def test_a_policy_needs_the_same_variants(
    sagemaker: Any,
    configure: Make,
    serve: Serve,
    ask: Ask,
    update: Callable[..., None],
    settled: Settled,
    name: str,
) -> None:
    """Other variants are refused with an update policy; without one they take over at once."""
    serve(name, A={})
    other = configure(f"{name}-2", A={}, B={})
    code, text = error_of(
        sagemaker.update_endpoint,
        EndpointName=name,
        EndpointConfigName=other,
        DeploymentConfig=blue_green("CANARY", CanarySize=percent(10)),
    )
    assert code == "ValidationException"
    assert "variants of the endpoint: A" in text
    update(other)
    assert set(counts(settled(name))) == {"A", "B"}
    hear(ask, f"{other}/A", f"{other}/B")
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("sagemaker:PendingDeploymentSummary")
def test_what_is_shown_before_any_instance_is_healthy(
    sagemaker: Any, configure: Make, settled: Settled, name: str, pipe: str
) -> None:
    """An endpoint that is created shows the pending configuration, without weight or instance so far."""
    configure(name, A={"DO": f"gate {pipe}", "InitialVariantWeight": 3})
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    creating = sagemaker.describe_endpoint(EndpointName=name)
    assert creating["PendingDeploymentSummary"]["EndpointConfigName"] == name
    assert counts(creating["PendingDeploymentSummary"]) == {"A": (0, 3, 0, 1)}
    (variant,) = creating["PendingDeploymentSummary"]["ProductionVariants"]
    (status,) = variant["VariantStatus"]
    assert (status["Status"], status["StatusMessage"]) == ("Creating", "Launching 1 instance(s).")
    Path(pipe).write_text("go on")
    assert "PendingDeploymentSummary" not in settled(name)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.parametrize(
    "config",
    [blue_green("CANARY", 60, CanarySize=percent(50)), rolling(percent(50), 60)],
)
def test_an_end_in_the_middle_leaves_nothing(
    cloud: LocalCloud,
    serve: Serve,
    configure: Make,
    ask: Ask,
    update: Callable[..., None],
    until: Until,
    name: str,
    config: dict[str, Any],
) -> None:
    """When the cloud is reset while a deployment bakes, old and new instances are gone, and whatever waited."""
    serve(name, A={"InitialInstanceCount": 2})
    pids = workers(ask, 2)
    update(configure(f"{name}-2", A={"InitialInstanceCount": 2}), config)
    until("Baking", 1)
    pids |= workers(ask, 3)
    cloud.sagemaker.reset()
    assert cloud.sagemaker.background.drain(30)
    assert _alive(pids) == set()
