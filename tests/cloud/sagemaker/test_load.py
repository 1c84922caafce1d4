"""Endpoints under load: nothing is lost and nothing is left, whatever is done to them meanwhile."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
import pytest

from harness.cloud.local_cloud import LocalCloud
from harness.cloud.sagemaker.service import AccountRegion
from tests.cloud.sagemaker.crowd import Crowd
from tests.cloud.sagemaker.ground import OWN_IMAGE, ROLE, workers

MANY = 24
Make = Callable[..., str]
Settled = Callable[[str], dict[str, Any]]
Serve = Callable[..., dict[str, Any]]
HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}


def _blue_green(kind: str, **sizes: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": 0, **sizes}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}


POLICIES: tuple[dict[str, Any] | None, ...] = (
    None,
    _blue_green("ALL_AT_ONCE"),
    _blue_green("CANARY", CanarySize=HALF),
    _blue_green("LINEAR", LinearStepSize={"Type": "CAPACITY_PERCENT", "Value": 25}),
    {"RollingUpdatePolicy": {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 0}},
)


@pytest.mark.documented("notes/endpoints.md#updates")
def test_ten_updates_lose_no_request(
    sagemaker: Any, cloud: LocalCloud, serve: Serve, configure: Make, settled: Settled, name: str
) -> None:
    """Twice by each policy, under sixteen clients: all answers are those of the old or the new configuration."""
    serve(name, A={"InitialInstanceCount": 2})
    crowd = Crowd(cloud.url, name)
    crowd.expected = frozenset({f"{name}/A"})
    with crowd.sending():
        for number in range(10):
            new, policy = f"{name}-{number}", POLICIES[number % len(POLICIES)]
            configure(new, A={"InitialInstanceCount": 2})
            crowd.expected |= {f"{new}/A"}
            sagemaker.update_endpoint(
                EndpointName=name,
                EndpointConfigName=new,
                **({} if policy is None else {"DeploymentConfig": policy}),
            )
            found = settled(name)
            assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", new)
            crowd.expected = frozenset({f"{new}/A"})
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#weights-and-capacities")
def test_scaling_loses_no_request(
    sagemaker: Any, cloud: LocalCloud, serve: Serve, settled: Settled, name: str
) -> None:
    """Out and in, with weights that come and go: each answer is one of a variant that has weight."""
    serve(name, A={"InitialInstanceCount": 1}, B={"InitialVariantWeight": 0})
    crowd = Crowd(cloud.url, name)
    crowd.expected = frozenset({f"{name}/A"})
    with crowd.sending():
        for a, b, count in ((1, 1, 3), (0, 1, 1), (1, 1, 2), (1, 0, 1)):
            crowd.expected |= {f"{name}/{v}" for v, weight in (("A", a), ("B", b)) if weight}
            sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=name,
                DesiredWeightsAndCapacities=[
                    {"VariantName": "A", "DesiredWeight": a, "DesiredInstanceCount": count},
                    {"VariantName": "B", "DesiredWeight": b, "DesiredInstanceCount": count},
                ],
            )
            settled(name)
            crowd.expected = frozenset(
                f"{name}/{v}" for v, weight in (("A", a), ("B", b)) if weight
            )
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#rollback")
def test_updates_that_fail_lose_no_request(
    sagemaker: Any,
    client: Callable[..., Any],
    cloud: LocalCloud,
    serve: Serve,
    configure: Make,
    settled: Settled,
    name: str,
) -> None:
    """A fleet that cannot start, and alarms that go off after the first shift: all goes on as before."""
    client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="N",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="breaching",
    )
    serve(name, A={"InitialInstanceCount": 2})
    crowd = Crowd(cloud.url, name)
    crowd.expected = frozenset({f"{name}/A"})
    with crowd.sending():
        sagemaker.update_endpoint(
            EndpointName=name, EndpointConfigName=configure(f"{name}-bad", A={"DO": "crash"})
        )
        assert "FailureReason" in settled(name)
        new = configure(f"{name}-new", A={"InitialInstanceCount": 2})
        crowd.expected = frozenset({f"{name}/A", f"{new}/A"})
        for policy in POLICIES:
            rollback = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name}]}}
            sagemaker.update_endpoint(
                EndpointName=name,
                EndpointConfigName=new,
                DeploymentConfig={**(policy or {}), **rollback},
            )
            found = settled(name)
            assert found["EndpointConfigName"] == name
            assert f"alarm {name} went into ALARM" in found["FailureReason"]
    sagemaker.delete_endpoint(EndpointName=name)


def test_deleting_under_load_ends_every_worker(
    sagemaker: Any,
    cloud: LocalCloud,
    state: AccountRegion,
    serve: Serve,
    ask: Callable[..., str],
    name: str,
) -> None:
    """Requests that are under way get an answer or an error, and no process is left of any variant."""
    serve(name, A={"InitialInstanceCount": 2}, B={"InitialInstanceCount": 2})
    pids = workers(ask, 4)
    crowd = Crowd(cloud.url, name, refusals=True)
    crowd.expected = frozenset({f"{name}/A", f"{name}/B"})
    with crowd.sending():
        sagemaker.delete_endpoint(EndpointName=name)
        state.endpoints.wait_for(name, lambda e: e is None, 60)
    assert not any(psutil.pid_exists(int(pid)) for pid in pids)
    assert cloud.sagemaker.background.drain(30)
    assert set(state.hostings) == {endpoint.serial for endpoint in state.endpoints}


def test_workers_that_die_while_it_is_updated(
    sagemaker: Any,
    serve: Serve,
    configure: Make,
    ask: Callable[..., str],
    settled: Settled,
    name: str,
) -> None:
    """Old workers that are killed in the middle of an update are no reason for it to fail."""
    serve(name, A={"InitialInstanceCount": 3})
    old = [psutil.Process(int(pid)) for pid in workers(ask, 3)]
    new = configure(f"{name}-2", A={"InitialInstanceCount": 3})
    sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=new, DeploymentConfig=POLICIES[4]
    )
    for process in old:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    found = settled(name)
    assert (found["EndpointConfigName"], "FailureReason" in found) == (new, False)
    workers(ask, 3)
    sagemaker.delete_endpoint(EndpointName=name)


def test_endpoints_cost_no_threads(
    sagemaker: Any, runtime: Any, cloud: LocalCloud, state: AccountRegion, name: str
) -> None:
    """Many endpoints that nobody asks anything need not one thread of the cloud; each answers when it is asked."""
    sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": OWN_IMAGE}, ExecutionRoleArn=ROLE
    )
    variant = {
        "VariantName": "A",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    assert cloud.sagemaker.background.drain(30)
    before = {thread.name for thread in threading.enumerate()}
    names = [f"{name}-{number}" for number in range(MANY)]
    for endpoint in names:
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=name)
    for endpoint in names:
        state.endpoints.wait_for(endpoint, lambda e: e is not None and e.status == "InService", 60)
    assert cloud.sagemaker.background.drain(30)
    pools = ("control-plane", "moto")
    new = {t.name for t in threading.enumerate() if not t.name.startswith(pools)} - before
    assert new == set()
    pids = {
        json.loads(runtime.invoke_endpoint(EndpointName=endpoint, Body=b"pid")["Body"].read())
        for endpoint in names
    }
    assert len(pids) == MANY
    for endpoint in names:
        sagemaker.delete_endpoint(EndpointName=endpoint)
    for endpoint in names:
        state.endpoints.wait_for(endpoint, lambda e: e is None, 60)
    assert not any(psutil.pid_exists(pid) for pid in pids)
