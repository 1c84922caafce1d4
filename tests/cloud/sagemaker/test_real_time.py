"""Every timer of the control plane once on the real clock; the long ones shortened."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.cloud.clock import SystemClock
from harness.cloud.local_cloud import LocalCloud
from harness.cloud.sagemaker import baking, generations, training_runs
from harness.cloud.sagemaker.pace import Pace
from harness.containers.images import Images, Implementation

pytestmark = pytest.mark.realtime

PHASE = 0.3
Job = Callable[..., dict[str, Any]]
Finished = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def cloud(own_images: dict[str, Implementation]) -> Iterator[LocalCloud]:
    """A cloud on the real clock, in which some phases take a moment."""
    pace = Pace("short", {"training.launch": PHASE, "endpoint.create": PHASE})
    with LocalCloud(clock=SystemClock(), images=Images(own_images), pace=pace) as cloud:
        yield cloud
        assert cloud.app.faults == []


def test_a_job_may_run_as_long_as_it_was_given(
    sagemaker: Any, job: Job, finished: Finished, name: str, pipe: str
) -> None:
    """MaxRuntimeInSeconds passes, the program is told to stop and saves its model; launching does not count."""
    sagemaker.create_training_job(
        **job({"1-term": pipe}, StoppingCondition={"MaxRuntimeInSeconds": 3})
    )
    assert Path(pipe).read_text() == "waiting"
    done = finished(name)
    assert (done["TrainingJobStatus"], done["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert done["TrainingTimeInSeconds"] >= 3
    assert done["TrainingStartTime"] - done["CreationTime"] >= timedelta(seconds=PHASE * 0.9)


def test_a_spot_job_waits_as_long_as_it_was_given(
    sagemaker: Any, job: Job, finished: Finished, name: str, pipe: str
) -> None:
    """MaxWaitTimeInSeconds counts from the beginning, so that it ends before MaxRuntimeInSeconds."""
    stopping = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 1}
    sagemaker.create_training_job(
        **job({"1-meet": pipe}, EnableManagedSpotTraining=True, StoppingCondition=stopping)
    )
    assert finished(name)["SecondaryStatus"] == "MaxWaitTimeExceeded"


def test_a_program_that_ignores_the_stop_is_killed(
    sagemaker: Any,
    job: Job,
    finished: Finished,
    name: str,
    pipe: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the grace the program is gone and the job has ended."""
    monkeypatch.setattr(training_runs, "GRACE_SECONDS", 0.5)
    sagemaker.create_training_job(**job({"1-hang": pipe}))
    pid = int(Path(pipe).read_text())
    sagemaker.stop_training_job(TrainingJobName=name)
    assert finished(name)["TrainingJobStatus"] == "Stopped"
    assert not psutil.pid_exists(pid)


def test_an_endpoint_takes_its_time(
    sagemaker: Any,
    model: Callable[..., str],
    config: Callable[..., str],
    settled: Callable[[str], dict[str, Any]],
    name: str,
) -> None:
    """The pace's seconds pass before it is InService."""
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config(name, model(name)))
    found = settled(name)
    assert found["EndpointStatus"] == "InService"
    assert found["LastModifiedTime"] - found["CreationTime"] >= timedelta(seconds=PHASE * 0.9)


def test_a_container_that_answers_no_ping_is_given_up(
    sagemaker: Any,
    model: Callable[..., str],
    config: Callable[..., str],
    settled: Callable[[str], dict[str, Any]],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the start-up time is over the endpoint has failed and the container is gone."""
    monkeypatch.setattr(generations, "STARTUP_SECONDS", 5.0)
    silent = model(name, DO=f"pid {tmp_path / 'pid'}")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config(name, silent))
    assert settled(name)["EndpointStatus"] == "Failed"
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_a_deployment_bakes_and_watches(
    client: Callable[..., Any],
    sagemaker: Any,
    serve: Callable[..., dict[str, Any]],
    configure: Callable[..., str],
    ask: Callable[..., str],
    settled: Callable[[str], dict[str, Any]],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both waits of an update pass; an alarm that goes off in the middle of one cuts it short."""
    monkeypatch.setattr(baking, "LOOK_SECONDS", 0.1)
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="N",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )

    def update(config: str, wait: int) -> None:
        routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": wait}
        sagemaker.update_endpoint(
            EndpointName=name,
            EndpointConfigName=config,
            DeploymentConfig={
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": routing,
                    "TerminationWaitInSeconds": 1,
                },
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name}]},
            },
        )

    begin = serve(name, A={})["LastModifiedTime"]
    update(configure(f"{name}-2", A={}), 1)
    done = settled(name)
    assert done["EndpointConfigName"] == f"{name}-2"
    assert done["LastModifiedTime"] - begin >= timedelta(seconds=2)
    update(configure(f"{name}-3", A={}), 3600)
    while ask() != f"{name}-3/A":
        pass
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    done = settled(name)
    assert (done["EndpointConfigName"], name in done["FailureReason"]) == (f"{name}-2", True)
