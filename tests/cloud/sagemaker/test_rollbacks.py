"""Alarms that roll a deployment back."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.clock import ManualClock
from harness.cloud.sagemaker.service import AccountRegion
from tests.cloud.sagemaker.ground import counts, error_of, hear, workers

Make = Callable[..., str]
Settled = Callable[[str], dict[str, Any]]
Serve = Callable[..., dict[str, Any]]
Ask = Callable[..., str]
GUARD = "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html"
HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}
ONE = {"Type": "INSTANCE_COUNT", "Value": 1}


def _canary(wait: int = 600, termination: int = 0) -> dict[str, Any]:
    routing = {"Type": "CANARY", "CanarySize": HALF, "WaitIntervalInSeconds": wait}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": termination,
        }
    }


def _rolling(wait: int = 600, **members: Any) -> dict[str, Any]:
    policy = {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": wait, **members}
    return {"RollingUpdatePolicy": policy}


@pytest.fixture(scope="module")
def cloudwatch(client: Callable[..., Any]) -> Any:
    """A boto3 client."""
    return client("cloudwatch")


@pytest.fixture
def alarm(cloudwatch: Any, name: str) -> str:
    """An alarm on the errors of the test's endpoint: more than none in a minute."""
    cloudwatch.put_metric_alarm(
        AlarmName=f"{name}-errors",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": name}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    return f"{name}-errors"


@pytest.fixture
def fail(cloudwatch: Any, clock: ManualClock, name: str) -> Callable[[float], None]:
    """`fail(seconds)`: publishes an error of the test's endpoint, so many seconds from now."""

    def put(seconds: float) -> None:
        datum = {
            "MetricName": "Invocation5XXErrors",
            "Dimensions": [{"Name": "EndpointName", "Value": name}],
            "Timestamp": clock.now() + timedelta(seconds=seconds),
            "Value": 1.0,
        }
        cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=[datum])

    return put


@pytest.fixture
def update(sagemaker: Any, name: str, alarm: str) -> Callable[..., None]:
    """`update(config, policy)`: an update of the test's endpoint that its alarm may roll back."""

    def begin(config: str, policy: dict[str, Any]) -> None:
        sagemaker.update_endpoint(
            EndpointName=name,
            EndpointConfigName=config,
            DeploymentConfig={
                **policy,
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
            },
        )

    return begin


@pytest.fixture
def baking(state: AccountRegion, name: str) -> Callable[[int], None]:
    """`baking(count)`: waits until the new variant bakes with so many active instances."""

    def wait(count: int) -> None:
        def reached(endpoint: Any) -> bool:
            assert endpoint is not None
            assert endpoint.pending is not None, endpoint
            (variant,) = endpoint.pending.variants
            status = variant.status and variant.status.status
            return (status, variant.instance_count) == ("Baking", count)

        state.endpoints.wait_for(name, reached, 30)

    return wait


@pytest.fixture
def rolled_back(
    sagemaker: Any, ask: Ask, settled: Settled, name: str, alarm: str
) -> Callable[[int], None]:
    """`rolled_back(count)`: the endpoint is as it was, with so many instances, and says which alarm it was."""

    def check(count: int) -> None:
        found = settled(name)
        assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", name)
        assert alarm in found["FailureReason"]
        assert "PendingDeploymentSummary" not in found
        assert counts(found) == {"A": (1, 1, count, count)}
        hear(ask, f"{name}/A")
        workers(ask, count)

    return check


@pytest.mark.documented(GUARD)
@pytest.mark.parametrize("policy", [_canary(), _rolling()])
def test_errors_while_it_bakes(
    sagemaker: Any,
    cloudwatch: Any,
    clock: ManualClock,
    state: AccountRegion,
    serve: Serve,
    configure: Make,
    update: Callable[..., None],
    baking: Callable[[int], None],
    fail: Callable[[float], None],
    rolled_back: Callable[[int], None],
    alarm: str,
    name: str,
    policy: dict[str, Any],
) -> None:
    """The minute after which the metric breaches sends everything back; DescribeAlarms shows the alarm."""
    serve(name, A={"InitialInstanceCount": 2})
    update(configure(f"{name}-2", A={"InitialInstanceCount": 2}), policy)
    baking(1)
    fail(200)
    clock.advance(199)
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating"
    statuses: list[str] = []

    def settled(endpoint: Any) -> bool:
        statuses.append(endpoint.status)
        return bool(endpoint.status == "InService")

    clock.advance(61)
    state.endpoints.wait_for(name, settled, 30)
    rolled_back(2)
    assert set(statuses) <= {"Updating", "RollingBack", "InService"}
    (told,) = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    assert told["StateValue"] == "ALARM"
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented(GUARD)
def test_a_quiet_alarm_stops_nothing(
    sagemaker: Any,
    clock: ManualClock,
    serve: Serve,
    configure: Make,
    update: Callable[..., None],
    baking: Callable[[int], None],
    fail: Callable[[float], None],
    settled: Settled,
    name: str,
) -> None:
    """An error that was long before, and one that comes when all is over, are none of its business."""
    serve(name, A={"InitialInstanceCount": 2})
    fail(-300)
    fail(10_000)
    update(configure(f"{name}-2", A={"InitialInstanceCount": 2}), _canary(600))
    baking(1)
    clock.advance(600)
    baking(2)
    clock.advance(600)
    found = settled(name)
    assert found["EndpointConfigName"] == f"{name}-2"
    assert "FailureReason" not in found
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.assumed("notes/alarms.md#set-by-hand")
@pytest.mark.parametrize("policy", [_canary(), _rolling()])
def test_an_alarm_set_by_hand(
    sagemaker: Any,
    cloudwatch: Any,
    clock: ManualClock,
    serve: Serve,
    configure: Make,
    update: Callable[..., None],
    baking: Callable[[int], None],
    rolled_back: Callable[[int], None],
    alarm: str,
    name: str,
    policy: dict[str, Any],
) -> None:
    """SetAlarmState while it bakes is seen at the next look."""
    serve(name, A={"InitialInstanceCount": 2})
    update(configure(f"{name}-2", A={"InitialInstanceCount": 2}), policy)
    baking(1)
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    clock.advance(10)
    rolled_back(2)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/alarms.md#baking")
@pytest.mark.parametrize("policy", [_canary(0), _rolling(0), {}])
def test_an_alarm_that_is_on_already(
    sagemaker: Any,
    cloudwatch: Any,
    serve: Serve,
    configure: Make,
    update: Callable[..., None],
    rolled_back: Callable[[int], None],
    alarm: str,
    name: str,
    policy: dict[str, Any],
) -> None:
    """Even without any wait, and without a policy, the first shift is the last."""
    serve(name, A={"InitialInstanceCount": 2})
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    update(configure(f"{name}-2", A={"InitialInstanceCount": 2}), policy)
    rolled_back(2)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.assumed("notes/endpoints.md#deployment-policies")
def test_the_last_wait_bakes_too(
    sagemaker: Any,
    clock: ManualClock,
    serve: Serve,
    configure: Make,
    update: Callable[..., None],
    baking: Callable[[int], None],
    fail: Callable[[float], None],
    rolled_back: Callable[[int], None],
    name: str,
) -> None:
    """An alarm in TerminationWaitInSeconds gives everything back to the old fleet, which is still there."""
    serve(name, A={"InitialInstanceCount": 2})
    update(configure(f"{name}-2", A={"InitialInstanceCount": 2}), _canary(0, 300))
    baking(2)
    fail(60)
    clock.advance(300)
    rolled_back(2)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#rollback")
def test_the_new_fleet_finishes_what_it_holds(
    sagemaker: Any,
    cloudwatch: Any,
    clock: ManualClock,
    state: AccountRegion,
    serve: Serve,
    configure: Make,
    update: Callable[..., None],
    baking: Callable[[int], None],
    rolled_back: Callable[[int], None],
    ask: Ask,
    alarm: str,
    name: str,
    pipe: str,
) -> None:
    """RollingBack lasts until a request that the new instance holds is answered; all others go to the old one."""
    serve(name, A={})
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 600}
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    update(configure(f"{name}-2", A={}), policy)
    baking(1)
    answers: list[str] = []
    held = threading.Thread(target=lambda: answers.append(ask(f"meet {pipe}")))
    held.start()
    with Path(pipe).open("wb") as other_end:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
        clock.advance(10)

        def ending(endpoint: Any) -> bool:
            status = endpoint.pending.variants[0].status
            return bool(endpoint.status == "RollingBack" and status.status == "Deleting")

        state.endpoints.wait_for(name, ending, 30)
        hear(ask, f"{name}/A")
        found = sagemaker.describe_endpoint(EndpointName=name)
        assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("RollingBack", name)
        assert counts(found["PendingDeploymentSummary"]) == {"A": (0, 1, 0, 1)}
        busy = f'Cannot update in-progress endpoint "{found["EndpointArn"]}".'
        assert error_of(sagemaker.delete_endpoint, EndpointName=name)[1] == busy
        other_end.write(b"late but true")
    held.join()
    assert answers == ["late but true"]
    rolled_back(1)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("sagemaker:RollingUpdatePolicy.RollbackMaximumBatchSize")
@pytest.mark.parametrize("members", [{}, {"RollbackMaximumBatchSize": ONE}])
def test_a_rolling_update_that_is_almost_done(
    sagemaker: Any,
    clock: ManualClock,
    serve: Serve,
    configure: Make,
    update: Callable[..., None],
    baking: Callable[[int], None],
    fail: Callable[[float], None],
    rolled_back: Callable[[int], None],
    name: str,
    members: dict[str, Any],
) -> None:
    """Old instances that were ended come back, at once or one by one."""
    serve(name, A={"InitialInstanceCount": 4})
    policy = _rolling(60, **members)
    policy["RollingUpdatePolicy"]["MaximumBatchSize"] = ONE
    update(configure(f"{name}-2", A={"InitialInstanceCount": 4}), policy)
    for count in (1, 2):
        baking(count)
        clock.advance(60)
    baking(3)
    fail(0)
    clock.advance(60)
    rolled_back(4)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.assumed("notes/alarms.md#baking")
def test_alarms_that_cannot_be_watched(sagemaker: Any, cloudwatch: Any, shared: str) -> None:
    """One that is not there, one without a name, and one that is not evaluated here are refused by name."""
    cloudwatch.put_metric_alarm(
        AlarmName="slowest",
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        ExtendedStatistic="p99",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    for alarms, part in (
        ([{"AlarmName": "nobody"}], "nobody"),
        ([{}], "alarms.1.member.alarmName"),
        ([{"AlarmName": "slowest"}], "the alarm slowest, for its ExtendedStatistic"),
        ([], "length greater than or equal to 1"),
        ([{"AlarmName": f"a{n}"} for n in range(11)], "length less than or equal to 10"),
    ):
        code, text = error_of(
            sagemaker.update_endpoint,
            EndpointName=shared,
            EndpointConfigName=shared,
            DeploymentConfig={"AutoRollbackConfiguration": {"Alarms": alarms}},
        )
        assert (code, part in text) == ("ValidationException", True)
    assert sagemaker.describe_endpoint(EndpointName=shared)["EndpointStatus"] == "InService"
