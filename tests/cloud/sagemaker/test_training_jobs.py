"""Training jobs over the wire: what they answer, do and leave."""

import io
import json
import os
import signal
import tarfile
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
    AMAZONS_IMAGE,
    OWN_IMAGE,
    REGION,
    ROLE,
    WatchedClock,
    error_of,
)

Job = Callable[..., dict[str, Any]]
Finished = Callable[[str], dict[str, Any]]
Client = Callable[..., Any]


def _members(client: Client, uri: str) -> dict[str, str]:
    """The files of an archive in S3."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        found = {}
        for member in tar:
            content = tar.extractfile(member)
            if content is not None:
                found[member.name] = content.read().decode()
        return found


def _check_transitions(job: dict[str, Any]) -> None:
    """What holds of the rows of every job that has ended."""
    rows = job["SecondaryStatusTransitions"]
    assert rows[0]["StartTime"] == job["CreationTime"]
    assert [row["EndTime"] for row in rows[:-1]] == [row["StartTime"] for row in rows[1:]]
    assert rows[-1]["Status"] == job["SecondaryStatus"]
    assert rows[-1]["StartTime"] == rows[-1]["EndTime"]
    if "TrainingStartTime" in job:
        assert rows[0]["EndTime"] == job["TrainingStartTime"]
        assert rows[-1]["EndTime"] == job["TrainingEndTime"]
        assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
        assert job["TrainingEndTime"] <= job["LastModifiedTime"]


def _path(job: dict[str, Any]) -> list[str]:
    return [row["Status"] for row in job["SecondaryStatusTransitions"]]


@pytest.mark.documented("notes/training-jobs.md#transitions")
def test_a_job_that_succeeds(sagemaker: Any, job: Job, finished: Finished, name: str) -> None:
    """Its rows and messages, its times, its artifact's path; nothing that is not known is there."""
    request = job({"1-model": "trained"})
    arn = sagemaker.create_training_job(**request)["TrainingJobArn"]
    assert arn == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name.lower()}"
    done = finished(name)
    _check_transitions(done)
    assert [
        (row["Status"], row["StatusMessage"]) for row in done["SecondaryStatusTransitions"]
    ] == [
        ("Starting", "Preparing the instances for training"),
        ("Downloading", "Downloading the training image"),
        ("Training", "Training image download completed. Training in progress."),
        ("Uploading", "Uploading generated training model"),
        ("Completed", "Training job completed"),
    ]
    del done["ResponseMetadata"], done["SecondaryStatusTransitions"]
    for time in ("CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime"):
        del done[time]
    channel = {
        **request["InputDataConfig"][0],
        "CompressionType": "None",
        "RecordWrapperType": "None",
    }
    assert done == {
        "TrainingJobName": name,
        "TrainingJobArn": arn,
        "ModelArtifacts": {
            "S3ModelArtifacts": f"s3://training-bucket/out/{name}/output/model.tar.gz"
        },
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "HyperParameters": {"1-model": "trained"},
        "AlgorithmSpecification": {
            "TrainingImage": OWN_IMAGE,
            "TrainingInputMode": "File",
            "EnableSageMakerMetricsTimeSeries": False,
        },
        "RoleArn": ROLE,
        "InputDataConfig": [channel],
        "OutputDataConfig": {"KmsKeyId": "", "S3OutputPath": "s3://training-bucket/out/"},
        "ResourceConfig": request["ResourceConfig"],
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        "TrainingTimeInSeconds": 1,
        "BillableTimeInSeconds": 1,
    }


@pytest.mark.documented("notes/training-jobs.md#artifacts")
def test_artifacts_are_stored(
    sagemaker: Any, client: Client, job: Job, finished: Finished, name: str
) -> None:
    """model.tar.gz and output.tar.gz hold what the program left in its two folders, under relative names."""
    sagemaker.create_training_job(**job({"1-model": "weights", "2-output": "notes"}))
    uri = finished(name)["ModelArtifacts"]["S3ModelArtifacts"]
    assert _members(client, uri) == {"model.txt": "weights"}
    assert _members(client, uri.replace("model.tar", "output.tar")) == {"output.txt": "notes"}


@pytest.mark.documented("notes/training-jobs.md#artifacts")
def test_a_program_that_leaves_no_model(
    sagemaker: Any, client: Client, job: Job, finished: Finished, name: str
) -> None:
    """Exit code 0 without a model is a success; no object is written, though its path is named."""
    sagemaker.create_training_job(**job())
    done = finished(name)
    assert done["TrainingJobStatus"] == "Completed"
    assert done["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"/{name}/output/model.tar.gz")
    listed = client("s3").list_objects_v2(Bucket="training-bucket", Prefix=f"out/{name}/")
    assert listed["KeyCount"] == 0


@pytest.mark.documented("notes/training-jobs.md#container")
def test_what_the_program_sees(
    sagemaker: Any, client: Client, job: Job, finished: Finished, name: str
) -> None:
    """The request's environment and the platform's, the channel's data, the three configuration files."""
    request = job({"1-environment": "", "2-tree": ""}, Environment={"MINE": "yes"})
    arn = sagemaker.create_training_job(**request)["TrainingJobArn"]
    model = _members(client, finished(name)["ModelArtifacts"]["S3ModelArtifacts"])
    environment = json.loads(model["environment.json"])
    expected = {
        "MINE": "yes",
        "TRAINING_JOB_NAME": name,
        "TRAINING_JOB_ARN": arn,
        "AWS_REGION": REGION,
    }
    assert expected.items() <= environment.items()
    assert "input/data/train/train.csv" in json.loads(model["tree.json"])


@pytest.mark.documented("notes/training-jobs.md#logs")
def test_the_log(
    sagemaker: Any,
    clock: ManualClock,
    job: Job,
    finished: Finished,
    name: str,
    log_of: Callable[[str, str], dict[str, list[str]]],
) -> None:
    """What the program prints is in the group of all jobs, in a stream of the job's one host."""
    epoch = int(clock.now().timestamp())
    sagemaker.create_training_job(**job({"1-print": "first", "2-print": "second"}))
    finished(name)
    streams = log_of("/aws/sagemaker/TrainingJobs", f"{name}/")
    assert streams == {f"{name}/algo-1-{epoch}": ["first", "second"]}


def test_a_flood_of_output_does_no_harm(
    sagemaker: Any,
    job: Job,
    finished: Finished,
    name: str,
    log_of: Callable[[str, str], dict[str, list[str]]],
) -> None:
    """A program that fills its log ends as it would have, and the beginning is kept."""
    sagemaker.create_training_job(**job({"1-flood": "150000"}))
    assert finished(name)["TrainingJobStatus"] == "Completed"
    (messages,) = log_of("/aws/sagemaker/TrainingJobs", f"{name}/").values()
    assert messages[0] == "line 0"


@pytest.mark.documented("notes/training-jobs.md#failures")
@pytest.mark.parametrize(
    ("do", "reason"),
    [
        ({"1-exit": "3"}, "AlgorithmError: , exit code: 3"),
        ({"1-kill": ""}, "AlgorithmError: , exit code: 137"),
        ({"1-failure": "boom", "2-exit": "1"}, "AlgorithmError: boom, exit code: 1"),
        (
            {"1-failure": "Customer Error: no label", "2-exit": "2"},
            "ClientError: no label, exit code: 2",
        ),
        (
            {"1-failure": "Algorithm Error: NaN", "2-exit": "1"},
            "AlgorithmError: NaN, exit code: 1",
        ),
        (
            {"1-failure": "Platform Error: x", "2-exit": "3"},
            "InternalServerError: We encountered an internal error. Please try again.",
        ),
    ],
)
def test_a_job_that_fails(
    sagemaker: Any, job: Job, finished: Finished, name: str, do: dict[str, str], reason: str
) -> None:
    """The reason tells how the program ended and what its failure file says; Uploading comes before Failed."""
    sagemaker.create_training_job(**job(do))
    done = finished(name)
    _check_transitions(done)
    assert (done["TrainingJobStatus"], done["FailureReason"]) == ("Failed", reason)
    assert _path(done) == ["Starting", "Downloading", "Training", "Uploading", "Failed"]
    assert done["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Training job failed"


@pytest.mark.assumed("notes/training-jobs.md#artifacts")
def test_a_failed_job_keeps_what_there_is(
    sagemaker: Any, client: Client, job: Job, finished: Finished, name: str
) -> None:
    """What the program wrote before it failed is stored."""
    sagemaker.create_training_job(**job({"1-model": "half", "2-exit": "1"}))
    uri = finished(name)["ModelArtifacts"]["S3ModelArtifacts"]
    assert _members(client, uri) == {"model.txt": "half"}


@pytest.mark.assumed("notes/training-jobs.md#failures")
def test_an_artifact_that_cannot_be_stored(
    sagemaker: Any, job: Job, finished: Finished, name: str
) -> None:
    """A missing output bucket fails the job when it uploads, with a reason that names the place."""
    output = {"S3OutputPath": "s3://no-such-bucket-anywhere/out"}
    sagemaker.create_training_job(**job({"1-model": "x"}, OutputDataConfig=output))
    done = finished(name)
    assert done["TrainingJobStatus"] == "Failed"
    assert done["FailureReason"].startswith(
        "ClientError: Artifact upload failed:Unable to upload file to "
        f"s3://no-such-bucket-anywhere/out/{name}/output/model.tar.gz"
    )


def test_a_model_that_cannot_be_packed(
    sagemaker: Any, job: Job, finished: Finished, name: str
) -> None:
    """A link that leads nowhere fails the upload; the job is not lost."""
    sagemaker.create_training_job(**job({"1-link": "/no/such/file"}))
    assert finished(name)["FailureReason"].startswith("ClientError: Artifact upload failed:")


@pytest.mark.documented("notes/training-jobs.md#metrics")
def test_final_metrics(sagemaker: Any, job: Job, finished: Finished, name: str) -> None:
    """The last value of each metric that the log holds, as a 32-bit number; the others are absent."""
    algorithm = {
        "TrainingImage": OWN_IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [
            {"Name": "loss", "Regex": "loss=([0-9.]+)"},
            {"Name": "rmse", "Regex": "#011rmse:([0-9.]+)"},
            {"Name": "never", "Regex": "accuracy=([0-9.]+)"},
        ],
    }
    do = {"1-print": "loss=0.5", "2-print": "[1]\trmse:2.5", "3-print": "loss=0.1"}
    sagemaker.create_training_job(**job(do, AlgorithmSpecification=algorithm))
    metrics = finished(name)["FinalMetricDataList"]
    assert [(metric["MetricName"], metric["Value"]) for metric in metrics] == [
        ("loss", 0.10000000149011612),
        ("rmse", 2.5),
    ]


@pytest.mark.documented("notes/training-jobs.md#checks-at-call-time")
def test_amazons_images_bring_their_metrics(
    sagemaker: Any, job: Job, finished: Finished, name: str
) -> None:
    """Their definitions are shown and used; a request with its own is refused."""
    algorithm = {"TrainingImage": AMAZONS_IMAGE, "TrainingInputMode": "File"}
    mine = {**algorithm, "MetricDefinitions": [{"Name": "a", "Regex": "b"}]}
    assert error_of(sagemaker.create_training_job, **job(AlgorithmSpecification=mine)) == (
        "ValidationException",
        "You can't override the metric definitions for Amazon SageMaker algorithms. "
        "Please retry the request without specifying metric definitions.",
    )
    do = {"1-print": "[0]\t#011rmse:4.0"}
    sagemaker.create_training_job(**job(do, AlgorithmSpecification=algorithm))
    done = finished(name)
    assert done["AlgorithmSpecification"]["MetricDefinitions"] == [
        {"Name": "validation:rmse", "Regex": "#011rmse:([0-9.]+)"}
    ]
    assert done["FinalMetricDataList"][0]["MetricName"] == "validation:rmse"


@pytest.mark.documented("notes/training-jobs.md#stop")
def test_a_job_that_is_stopped(
    sagemaker: Any, client: Client, job: Job, finished: Finished, name: str, pipe: str
) -> None:
    """SIGTERM reaches the program, which saves its model; the job ends as Stopped with the model stored."""
    sagemaker.create_training_job(**job({"1-term": pipe}))
    assert Path(pipe).read_text() == "waiting"
    assert sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training"
    sagemaker.stop_training_job(TrainingJobName=name)
    done = finished(name)
    _check_transitions(done)
    assert done["TrainingJobStatus"] == "Stopped"
    assert _path(done) == [
        "Starting", "Downloading", "Training", "Stopping", "Uploading", "Stopped",
    ]  # fmt: skip
    assert done["SecondaryStatusTransitions"][3]["StatusMessage"] == "Stopping the training job"
    model = _members(client, done["ModelArtifacts"]["S3ModelArtifacts"])
    assert model == {"model.txt": "saved on SIGTERM"}
    assert "FailureReason" not in done


@pytest.mark.documented("notes/training-jobs.md#stop")
def test_a_program_that_ignores_the_stop_is_killed_after_120_seconds(
    sagemaker: Any,
    state: AccountRegion,
    clock: WatchedClock,
    job: Job,
    finished: Finished,
    name: str,
    pipe: str,
) -> None:
    """The grace passes on the clock; a second StopTrainingJob meanwhile changes nothing."""
    sagemaker.create_training_job(**job({"1-hang": pipe}))
    Path(pipe).read_text()
    sagemaker.stop_training_job(TrainingJobName=name)
    sagemaker.stop_training_job(TrainingJobName=name)
    stopping = sagemaker.describe_training_job(TrainingJobName=name)
    assert (stopping["TrainingJobStatus"], stopping["SecondaryStatus"]) == ("Stopping", "Stopping")
    assert "EndTime" not in stopping["SecondaryStatusTransitions"][-1]
    clock.until_owed(120.0)
    clock.advance(119)
    assert state.training_jobs.find(name).status == "Stopping"  # type: ignore[union-attr]
    clock.advance(1)
    assert finished(name)["TrainingJobStatus"] == "Stopped"


@pytest.mark.assumed("notes/training-jobs.md#transitions")
def test_a_job_that_takes_too_long(
    sagemaker: Any, clock: ManualClock, job: Job, finished: Finished, name: str, pipe: str
) -> None:
    """After MaxRuntimeInSeconds it is stopped: primary Stopped, secondary MaxRuntimeExceeded."""
    sagemaker.create_training_job(
        **job({"1-term": pipe}, StoppingCondition={"MaxRuntimeInSeconds": 60})
    )
    assert Path(pipe).read_text() == "waiting"
    clock.advance(60)
    done = finished(name)
    _check_transitions(done)
    assert (done["TrainingJobStatus"], done["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert done["TrainingTimeInSeconds"] == 60


@pytest.mark.documented("notes/training-jobs.md#defaults")
def test_managed_spot_training_waits_no_longer_than_told(
    sagemaker: Any, clock: ManualClock, job: Job, finished: Finished, name: str, pipe: str
) -> None:
    """MaxWaitTimeInSeconds counts from the creation and ends the job as MaxWaitTimeExceeded."""
    stopping = {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600}
    sagemaker.create_training_job(
        **job({"1-term": pipe}, StoppingCondition=stopping, EnableManagedSpotTraining=True)
    )
    assert Path(pipe).read_text() == "waiting"
    clock.advance(600)
    done = finished(name)
    # Both limits are reached; the one that was set first is the one of the wait.
    assert (done["TrainingJobStatus"], done["SecondaryStatus"]) == (
        "Stopped",
        "MaxWaitTimeExceeded",
    )
    assert done["EnableManagedSpotTraining"] is True


@pytest.mark.documented("notes/training-jobs.md#failures")
def test_a_container_that_is_killed_from_outside(
    sagemaker: Any, job: Job, finished: Finished, name: str, pipe: str
) -> None:
    """SIGKILL from nowhere fails the job as it fails one on AWS."""
    sagemaker.create_training_job(**job({"1-hang": pipe}))
    os.kill(int(Path(pipe).read_text()), signal.SIGKILL)
    assert finished(name)["FailureReason"] == "AlgorithmError: , exit code: 137"


@pytest.mark.documented("notes/training-jobs.md#stop")
def test_a_finished_job_cannot_be_stopped(
    sagemaker: Any, job: Job, finished: Finished, name: str
) -> None:
    """The refusal names the status, and nothing changes."""
    sagemaker.create_training_job(**job())
    before = finished(name)
    assert error_of(sagemaker.stop_training_job, TrainingJobName=name) == (
        "ValidationException",
        "The request was rejected because the training job is in status Completed.",
    )
    after = sagemaker.describe_training_job(TrainingJobName=name)
    del before["ResponseMetadata"], after["ResponseMetadata"]
    assert after == before


@pytest.mark.documented("notes/training-jobs.md#deletion")
def test_deletion(sagemaker: Any, job: Job, finished: Finished, name: str, pipe: str) -> None:
    """A job that runs cannot be deleted; one that has ended can, and its name is free then."""
    sagemaker.create_training_job(**job({"1-term": pipe}))
    assert Path(pipe).read_text() == "waiting"
    assert error_of(sagemaker.delete_training_job, TrainingJobName=name)[0] == "ResourceInUse"
    sagemaker.stop_training_job(TrainingJobName=name)
    finished(name)
    sagemaker.delete_training_job(TrainingJobName=name)
    assert error_of(sagemaker.describe_training_job, TrainingJobName=name) == (
        "ValidationException",
        "Requested resource not found.",
    )
    sagemaker.create_training_job(**job())
    assert finished(name)["TrainingJobStatus"] == "Completed"


@pytest.mark.documented("notes/listing.md#names-and-arns")
def test_names_are_unique_whatever_their_case(
    sagemaker: Any, job: Job, finished: Finished, name: str
) -> None:
    """A second job of a name that differs in case only is refused with the ARN of the first."""
    arn = sagemaker.create_training_job(**job())["TrainingJobArn"]
    finished(name)
    assert error_of(
        sagemaker.create_training_job, **{**job(), "TrainingJobName": name.upper()}
    ) == (
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job "
        f"with this name already exists ({arn})",
    )


@pytest.mark.documented("notes/training-jobs.md#checks-at-call-time")
@pytest.mark.parametrize("uri", ["s3://training-bucket/nothing/", "s3://no-such-bucket-at-all/x"])
def test_a_channel_without_data_is_refused_at_once(
    sagemaker: Any, job: Job, name: str, uri: str
) -> None:
    """An empty prefix and a missing bucket get the same text, and no job is made."""
    request = job()
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = uri
    bucket = uri.split("/")[2]
    assert error_of(sagemaker.create_training_job, **request) == (
        "ValidationException",
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the '
        f"bucket exists in the selected region ({REGION}), that objects exist under that S3 prefix, and "
        f'that the role "{ROLE}" has "s3:ListBucket" permissions on bucket "{bucket}".',
    )
    assert (
        error_of(sagemaker.describe_training_job, TrainingJobName=name)[0] == "ValidationException"
    )


@pytest.mark.documented("notes/training-jobs.md#checks-at-call-time")
@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("my-image", "Invalid training image. Please provide a valid Amazon Elastic Container"),
        (
            f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/other:1",
            f"Cannot find repository: other in registry ID: {ACCOUNT} Please check if your ECR",
        ),
    ],
)
def test_an_unknown_image_is_refused(sagemaker: Any, job: Job, image: str, message: str) -> None:
    """What is no URI of ECR, and what is one of nothing that can be run, get AWS's texts."""
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    refused = error_of(sagemaker.create_training_job, **job(AlgorithmSpecification=algorithm))
    assert refused[0] == "ValidationException"
    assert refused[1].startswith(message)


@pytest.mark.assumed("notes/training-jobs.md#checks-at-call-time")
@pytest.mark.parametrize(
    ("members", "part"),
    [
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "TrainingImage"),
        ({"ResourceConfig": {"InstanceCount": 1}}, "ResourceConfig"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 2_419_201}}, "2419200"),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds"),
        ({"Environment": {"MINE": "zero\0byte"}}, "MINE"),
        ({"StoppingCondition": {"MaxWaitTimeInSeconds": 90000}}, "EnableManagedSpotTraining"),
    ],
)
def test_contradictions_are_refused(
    sagemaker: Any, job: Job, members: dict[str, Any], part: str
) -> None:
    """What the model lets through but no job can be made of is a ValidationException that names it."""
    refused = error_of(sagemaker.create_training_job, **job(**members))
    assert refused[0] == "ValidationException"
    assert part in refused[1]


@pytest.mark.assumed("notes/training-jobs.md#checks-at-call-time")
def test_channels_and_metrics_are_looked_at(sagemaker: Any, job: Job) -> None:
    """Two channels or metrics of one name, an impossible name and a broken expression are refused."""
    request = job()
    twice = {**request, "InputDataConfig": request["InputDataConfig"] * 2}
    assert "train" in error_of(sagemaker.create_training_job, **twice)[1]
    parent = {
        **request,
        "InputDataConfig": [{**request["InputDataConfig"][0], "ChannelName": ".."}],
    }
    assert ".." in error_of(sagemaker.create_training_job, **parent)[1]
    without = {
        **request,
        "InputDataConfig": [{**request["InputDataConfig"][0], "DataSource": {}}],
    }
    assert "train" in error_of(sagemaker.create_training_job, **without)[1]
    for definitions, part in (
        ([{"Name": "a", "Regex": "("}], "("),
        ([{"Name": "a", "Regex": "b"}] * 2, "unique"),
    ):
        algorithm = {**request["AlgorithmSpecification"], "MetricDefinitions": definitions}
        refused = error_of(
            sagemaker.create_training_job, **{**request, "AlgorithmSpecification": algorithm}
        )
        assert refused[0] == "ValidationException"
        assert part in refused[1]


def test_what_is_not_done_is_refused_by_name(sagemaker: Any, job: Job) -> None:
    """Pipe mode and two instances are named in one error, and no job is made."""
    algorithm = {"TrainingImage": OWN_IMAGE, "TrainingInputMode": "Pipe"}
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    refused = error_of(
        sagemaker.create_training_job,
        **job(AlgorithmSpecification=algorithm, ResourceConfig=resources),
    )
    assert refused[0] == "ValidationException"
    assert "AlgorithmSpecification.TrainingInputMode other than File" in refused[1]
    assert "ResourceConfig.InstanceCount other than 1" in refused[1]


@pytest.mark.sdk_source("notes/training-jobs.md#description")
def test_what_the_sdk_always_sends_is_echoed(
    sagemaker: Any, job: Job, finished: Finished, name: str
) -> None:
    """DebugHookConfig and ProfilerConfig come back, with the default interval and the status of profiling."""
    debug = {"S3OutputPath": "s3://training-bucket/", "CollectionConfigurations": []}
    profiler = {"S3OutputPath": "s3://training-bucket/", "DisableProfiler": False}
    sagemaker.create_training_job(**job(DebugHookConfig=debug, ProfilerConfig=profiler))
    done = finished(name)
    assert done["DebugHookConfig"] == debug
    assert done["ProfilerConfig"] == {**profiler, "ProfilingIntervalInMilliseconds": 500}
    assert done["ProfilingStatus"] == "Enabled"


def test_more_jobs_than_places_wait_in_starting(
    sagemaker: Any, state: AccountRegion, job: Job, finished: Finished, name: str, tmp_path: Path
) -> None:
    """Jobs over the number of places wait as Starting; one that is stopped there ends at once, never started."""
    places = max(4, os.cpu_count() or 1)
    pipes = []
    for number in range(places):
        path = tmp_path / f"pipe-{number}"
        os.mkfifo(path)
        pipes.append(path)
        request = job({"1-meet": str(path)})
        sagemaker.create_training_job(**{**request, "TrainingJobName": f"{name}-{number}"})
    for number in range(places):
        state.training_jobs.wait_for(
            f"{name}-{number}", lambda j: j is not None and j.secondary == "Training", 60
        )
    for late in ("stopped", "patient"):
        sagemaker.create_training_job(**{**job(), "TrainingJobName": f"{name}-{late}"})
    waiting = sagemaker.describe_training_job(TrainingJobName=f"{name}-patient")
    assert waiting["SecondaryStatus"] == "Starting"
    sagemaker.stop_training_job(TrainingJobName=f"{name}-stopped")
    stopped = sagemaker.describe_training_job(TrainingJobName=f"{name}-stopped")
    _check_transitions(stopped)
    assert _path(stopped) == ["Starting", "Stopping", "Stopped"]
    assert not {"TrainingStartTime", "TrainingEndTime", "TrainingTimeInSeconds"} & set(stopped)
    for path in pipes:
        path.write_text("go on")
    assert finished(f"{name}-patient")["TrainingJobStatus"] == "Completed"
    for number in range(places):
        finished(f"{name}-{number}")


def test_nothing_is_left_of_a_job(
    sagemaker: Any,
    cloud: LocalCloud,
    state: AccountRegion,
    clock: WatchedClock,
    job: Job,
    finished: Finished,
    name: str,
    pipe: str,
) -> None:
    """Its folder, its processes and what worked for it are gone, also when it had to be killed."""
    sagemaker.create_training_job(**job({"1-model": "x", "2-hang": pipe}))
    pid = int(Path(pipe).read_text())
    sagemaker.stop_training_job(TrainingJobName=name)
    clock.until_owed(120.0)
    clock.advance(120)
    finished(name)
    # The run tidies up behind the last transition.
    assert cloud.sagemaker.background.drain(30)
    assert not psutil.pid_exists(pid)
    assert list(cloud.sagemaker.folder("probe").parent.glob("training-*")) == []
    assert state.training_runs == {}
