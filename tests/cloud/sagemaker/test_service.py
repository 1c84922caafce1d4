"""The service as a whole: reset, end, faults of our own, pace, regions."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from harness.cloud.clock import ManualClock
from harness.cloud.context import RequestContext
from harness.cloud.errors import AwsError
from harness.cloud.local_cloud import LocalCloud
from harness.cloud.sagemaker import operations
from harness.cloud.sagemaker.lifecycle import Registry
from harness.cloud.sagemaker.pace import Pace
from harness.cloud.sagemaker.records import TRAINING_JOB, TrainingJob
from harness.cloud.sagemaker.service import AccountRegion, Backing, SageMaker
from harness.containers.process_engine import ProcessEngine
from harness.containers.spec import LogLine
from tests.cloud.sagemaker.ground import (
    ACCOUNT,
    OWN_IMAGE,
    REGION,
    ROLE,
    WatchedClock,
    archive,
    error_of,
)

CONTEXT = RequestContext(ACCOUNT, REGION, "request", "test", f"arn:aws:iam::{ACCOUNT}:root")


class FullDisk:
    """A store of logs that cannot store anything."""

    def open(self, account: str, region: str, group: str, stream: str) -> None:
        """Fail."""
        raise OSError(28, "No space left on device")

    def put(
        self, account: str, region: str, group: str, stream: str, lines: Sequence[LogLine]
    ) -> None:
        """Fail."""
        raise OSError(28, "No space left on device")

    def finish(self, account: str, region: str, group: str, stream: str) -> None:
        """Nothing to do."""


@pytest.fixture
def second(cloud: LocalCloud, tmp_path: Path) -> Iterator[Callable[..., SageMaker]]:
    """`second(**arguments)`: a service of its own over the cloud's S3, closed after the test."""
    made: list[SageMaker] = []
    engine = ProcessEngine()

    def make(**arguments: Any) -> SageMaker:
        service = SageMaker(
            **{
                "clock": cloud.clock,
                "engine": engine,
                "images": cloud.sagemaker.images,
                "backing": cloud.sagemaker.backing,
                "logs": cloud.sagemaker.logs,
                "alarms": cloud.sagemaker.alarms,
                "state_dir": tmp_path,
                **arguments,
            }
        )
        made.append(service)
        return service

    yield make
    for service in made:
        service.close()
    engine.close()
    assert list(tmp_path.iterdir()) == []


def _ended(jobs: Registry[TrainingJob], name: str) -> TrainingJob:
    job = jobs.wait_for(name, lambda j: j is not None and TRAINING_JOB.terminal(j.state), 30)
    assert job is not None
    return job


def test_a_fault_of_ours_fails_the_job_and_is_told(
    second: Callable[..., SageMaker], job: Callable[..., dict[str, Any]], name: str
) -> None:
    """A job is never lost: it fails with AWS's words for an internal error, and the fault is reported."""
    faults: list[Exception] = []
    service = second(logs=FullDisk(), on_fault=faults.append)
    operations.perform(service, "CreateTrainingJob", CONTEXT, job())
    failed = _ended(service.state(CONTEXT).training_jobs, name)
    assert failed.status == "Failed"
    assert failed.failure_reason == (
        "InternalServerError: We encountered an internal error. Please try again."
    )
    assert [type(fault) for fault in faults] == [OSError]


def test_a_fault_of_ours_fails_the_endpoint_and_is_told(
    second: Callable[..., SageMaker],
    sagemaker: Any,
    name: str,
) -> None:
    """Neither is an endpoint lost in Creating."""
    faults: list[Exception] = []
    service = second(logs=FullDisk(), on_fault=faults.append)

    def perform(operation: str, **request: Any) -> None:
        operations.perform(service, operation, CONTEXT, request)

    perform(
        "CreateModel",
        ModelName=name,
        PrimaryContainer={"Image": OWN_IMAGE},
        ExecutionRoleArn=ROLE,
    )
    variant = {
        "VariantName": "A",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    perform("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])
    perform("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    endpoints = service.state(CONTEXT).endpoints
    failed = endpoints.wait_for(name, lambda e: e is not None and e.status == "Failed", 30)
    assert failed is not None
    assert str(failed.failure_reason).startswith("Request to service failed")
    assert [type(fault) for fault in faults] == [OSError]


@pytest.mark.documented("notes/training-jobs.md#transitions")
def test_a_realistic_pace_shows_every_message(
    second: Callable[..., SageMaker], job: Callable[..., dict[str, Any]], name: str
) -> None:
    """Each phase lasts as long as the pace says, on the clock, and shows its messages in order."""
    clock, pace = WatchedClock(), Pace.named("realistic")
    service = second(clock=clock, pace=pace)
    operations.perform(service, "CreateTrainingJob", CONTEXT, job())
    jobs = service.state(CONTEXT).training_jobs
    shown = []
    for phase in ("launch", "prepare", "download", "image", "upload"):
        seconds = pace.seconds[f"training.{phase}"]
        clock.until_owed(seconds)
        found = jobs.find(name)
        assert found is not None
        shown.append(found.transitions[-1].message)
        clock.advance(seconds)
    assert shown == [
        "Launching requested ML instances",
        "Preparing the instances for training",
        "Downloading input data",
        "Downloading the training image",
        "Uploading generated training model",
    ]
    done = _ended(jobs, name)
    durations = {
        row.status: (row.end - row.start).total_seconds() for row in done.transitions if row.end
    }
    assert durations == {
        "Starting": pace.seconds["training.launch"] + pace.seconds["training.prepare"],
        "Downloading": pace.seconds["training.download"] + pace.seconds["training.image"],
        "Training": 0,
        "Uploading": pace.seconds["training.upload"],
        "Completed": 0,
    }


def test_a_stop_ends_a_realistic_wait(
    second: Callable[..., SageMaker], job: Callable[..., dict[str, Any]], name: str
) -> None:
    """A job that is stopped while its instances launch ends without the clock moving."""
    service = second(clock=ManualClock(), pace=Pace.named("realistic"))
    operations.perform(service, "CreateTrainingJob", CONTEXT, job())
    jobs = service.state(CONTEXT).training_jobs
    launching = "Launching requested ML instances"
    jobs.wait_for(name, lambda j: j is not None and j.transitions[-1].message == launching, 30)
    operations.perform(service, "StopTrainingJob", CONTEXT, {"TrainingJobName": name})
    stopped = _ended(jobs, name)
    assert [row.status for row in stopped.transitions] == ["Starting", "Stopping", "Stopped"]
    assert stopped.started is None


def test_a_stop_while_data_is_downloaded(
    second: Callable[..., SageMaker], job: Callable[..., dict[str, Any]], name: str
) -> None:
    """Nothing has been trained, so nothing is uploaded; the job has started, so it has its times."""
    clock, pace = WatchedClock(), Pace.named("realistic")
    service = second(clock=clock, pace=pace)
    operations.perform(service, "CreateTrainingJob", CONTEXT, job())
    for phase in ("launch", "prepare"):
        clock.until_owed(pace.seconds[f"training.{phase}"])
        clock.advance(pace.seconds[f"training.{phase}"])
    clock.until_owed(pace.seconds["training.download"])
    operations.perform(service, "StopTrainingJob", CONTEXT, {"TrainingJobName": name})
    stopped = _ended(service.state(CONTEXT).training_jobs, name)
    path = [row.status for row in stopped.transitions]
    assert path == ["Starting", "Downloading", "Stopping", "Stopped"]
    assert stopped.started == stopped.transitions[0].end
    assert stopped.ended == stopped.transitions[-1].end


@pytest.mark.assumed("notes/training-jobs.md#failures")
def test_data_that_went_away_fails_the_job(
    second: Callable[..., SageMaker],
    client: Callable[..., Any],
    bucket: str,
    job: Callable[..., dict[str, Any]],
    name: str,
) -> None:
    """What was there when the job was made and is not when it downloads is a ClientError."""
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key=f"{name}/x", Body=b"1")
    clock, pace = WatchedClock(), Pace.named("realistic")
    service = second(clock=clock, pace=pace)
    request = job()
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{bucket}/{name}/"
    operations.perform(service, "CreateTrainingJob", CONTEXT, request)
    clock.until_owed(pace.seconds["training.launch"])
    s3.delete_object(Bucket=bucket, Key=f"{name}/x")
    clock.advance(pace.seconds["training.launch"])
    clock.until_owed(pace.seconds["training.prepare"])
    clock.advance(pace.seconds["training.prepare"])
    failed = _ended(service.state(CONTEXT).training_jobs, name)
    assert str(failed.failure_reason).startswith("ClientError: Data download failed:")
    assert [row.status for row in failed.transitions] == ["Starting", "Downloading", "Failed"]


class RefusingSts:
    """The services behind a cloud, but STS lets nobody assume a role once `refuses` is set."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self.refuses = False

    def client(self, service: str, region: str) -> Any:
        """As the cloud has it."""
        return self._backing.client(service, region)

    def role_client(self, service: str, region: str, role_arn: str) -> Any:
        """A client, or what botocore raises when STS refuses."""
        if self.refuses:
            error = {"Error": {"Code": "AccessDenied", "Message": "not authorized"}}
            raise ClientError(error, "AssumeRole")  # type: ignore[arg-type]
        return self._backing.role_client(service, region, role_arn)


@pytest.mark.documented("notes/training-jobs.md#checks-at-call-time")
def test_a_role_that_cannot_be_assumed(
    second: Callable[..., SageMaker],
    cloud: LocalCloud,
    client: Callable[..., Any],
    bucket: str,
    job: Callable[..., dict[str, Any]],
    name: str,
) -> None:
    """Creation is refused at once; a job, and an endpoint with model data, for which it comes later, fails."""
    client("s3").put_object(Bucket=bucket, Key=f"{name}.tar.gz", Body=archive(a="b"))
    sts, clock, pace = RefusingSts(cloud.sagemaker.backing), WatchedClock(), Pace.named("realistic")
    service = second(backing=sts, clock=clock, pace=pace)
    state = service.state(CONTEXT)

    def perform(operation: str, **request: Any) -> None:
        operations.perform(service, operation, CONTEXT, request)

    container = {"Image": OWN_IMAGE, "ModelDataUrl": f"s3://{bucket}/{name}.tar.gz"}
    model = {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": ROLE}
    perform("CreateTrainingJob", **job())
    perform("CreateModel", **model)
    variant = {
        "VariantName": "A",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    perform("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])
    perform("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    sts.refuses = True
    for phase in ("training.launch", "training.prepare", "endpoint.create"):
        clock.until_owed(pace.seconds[phase])
        clock.advance(pace.seconds[phase])
    failed = _ended(state.training_jobs, name)
    assert "unable to perform: sts:AssumeRole on the role" in str(failed.failure_reason)
    assert (failed.started, failed.ended) == (None, None)
    endpoint = state.endpoints.wait_for(name, lambda e: e is not None and e.status == "Failed", 30)
    assert endpoint is not None
    assert str(endpoint.failure_reason).startswith("Failed to download model data for container")
    with pytest.raises(AwsError) as refused:
        perform("CreateTrainingJob", **{**job(), "TrainingJobName": f"{name}-2"})
    assert refused.value.message == (
        f"Could not assume role {ROLE}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )
    with pytest.raises(AwsError) as refused:
        perform("CreateModel", **{**model, "ModelName": f"{name}-2"})
    assert refused.value.message.startswith(f'The execution role ARN "{ROLE}" is invalid.')


def test_a_reset_ends_what_runs(
    sagemaker: Any,
    cloud: LocalCloud,
    state: AccountRegion,
    job: Callable[..., dict[str, Any]],
    model: Callable[..., str],
    config: Callable[..., str],
    runtime: Any,
    name: str,
    pipe: str,
) -> None:
    """Jobs that ignore SIGTERM and endpoints are gone with their processes, folders and records."""
    sagemaker.create_training_job(**job({"1-hang": pipe}))
    pids = [int(Path(pipe).read_text())]
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config(name, model(name)))
    state.endpoints.wait_for(name, lambda e: e is not None and e.status == "InService", 30)
    answer = runtime.invoke_endpoint(EndpointName=name, Body=b"pid")["Body"].read()
    pids.append(int(answer))
    cloud.reset()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    assert error_of(runtime.invoke_endpoint, EndpointName=name, Body=b"")[0] == "ValidationError"
    probe = cloud.sagemaker.folder("probe")
    assert [path.name for path in probe.parent.iterdir()] == [probe.name]
    probe.rmdir()


def test_closing_ends_what_runs_and_what_waits(
    second: Callable[..., SageMaker],
    bucket: str,
    client: Callable[..., Any],
    job: Callable[..., dict[str, Any]],
    name: str,
    tmp_path: Path,
) -> None:
    """One job that hangs, one in the queue, one that waits for its instances: close ends them all."""
    client("s3").create_bucket(Bucket=bucket) if not client("s3").list_buckets()[
        "Buckets"
    ] else None
    client("s3").put_object(Bucket=bucket, Key="data/train.csv", Body=b"1,2\n")
    service = second(clock=ManualClock(), parallel_jobs=1)
    os.mkfifo(tmp_path / "pipe")
    operations.perform(
        service, "CreateTrainingJob", CONTEXT, job({"1-hang": str(tmp_path / "pipe")})
    )
    queued = {**job(), "TrainingJobName": f"{name}-2"}
    operations.perform(service, "CreateTrainingJob", CONTEXT, queued)
    pid = int((tmp_path / "pipe").read_text())
    service.close()
    service.close()
    assert not psutil.pid_exists(pid)
    (tmp_path / "pipe").unlink()


def test_many_at_once(
    sagemaker: Any,
    client: Callable[..., Any],
    bucket: str,
    job: Callable[..., dict[str, Any]],
    finished: Callable[[str], dict[str, Any]],
    name: str,
) -> None:
    """Of twenty requests for one name one makes the job; requests for other names do not disturb it."""
    client("s3").create_bucket(Bucket=bucket)
    client("s3").put_object(Bucket=bucket, Key="data/train.csv", Body=b"1,2\n")
    codes: list[str] = []

    def create(number: int) -> None:
        same = job() if number % 2 else {**job(), "TrainingJobName": f"{name}-{number}"}
        try:
            sagemaker.create_training_job(**same)
            codes.append("made")
        except sagemaker.exceptions.ResourceInUse:
            codes.append("in use")

    threads = [threading.Thread(target=create, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["in use"] * 9 + ["made"] * 11
    for row in sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]:
        assert finished(row["TrainingJobName"])["TrainingJobStatus"] == "Completed"


def test_regions_are_apart(
    client: Callable[..., Any], sagemaker: Any, model: Callable[..., str], name: str
) -> None:
    """A name in one region says nothing about another."""
    model(name)
    elsewhere = client("sagemaker", region="eu-west-1")
    assert "eu-west-1" in error_of(elsewhere.describe_model, ModelName=name)[1]
    assert elsewhere.list_models()["Models"] == []
