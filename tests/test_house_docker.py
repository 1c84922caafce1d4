"""The image: the local cloud in a container, as `docker compose up` starts it."""

import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).parent.parent
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1500)]


def _run(*command: str, **environment: str) -> str:
    """A command's output; its failure is the test's, with what it printed."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _compose() -> list[str]:
    """The compose command of this machine; without Docker the test is skipped, in CI it fails."""
    if (
        not shutil.which("docker")
        or subprocess.run(["docker", "info"], capture_output=True).returncode
    ):
        if "CI" in os.environ:
            pytest.fail("no Docker engine answers")
        pytest.skip("no Docker engine answers")
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    return ["docker", "compose"]


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """The URL of a cloud in a container; afterwards no container, network or image is left."""
    project = f"harness-test-{uuid.uuid4().hex[:8]}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    compose = [*_compose(), "--project-name", project]
    environment = {"HARNESS_PORT": port, "HARNESS_IMAGE": project}
    arguments = [
        f"--build-arg={name}={os.environ[name]}"
        for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
        if name in os.environ
    ]
    dangling = ("docker", "image", "ls", "--quiet", "--filter", "dangling=true")
    before = _run(*dangling).split()
    try:
        _run(*compose, "build", *arguments, **environment)
        _run(*compose, "up", "--detach", "--wait", **environment)
        yield f"http://127.0.0.1:{port}"
    finally:
        print(_run(*compose, "logs", "--no-color", **environment))
        _run(*compose, "down", "--volumes", **environment)
        # Compose's own --rmi leaves the layers that an older builder keeps as images without a name.
        if _run("docker", "image", "ls", "--quiet", project):
            _run("docker", "image", "rm", project)
    label = f"label=com.docker.compose.project={project}"
    for kind in (["ps", "--all"], ["network", "ls"], ["volume", "ls"]):
        assert _run("docker", *kind, "--quiet", "--filter", label) == ""
    assert _run("docker", "image", "ls", "--quiet", project) == ""
    assert set(_run(*dangling).split()) <= set(before)


def test_a_model_is_trained_deployed_and_asked(cloud: str) -> None:
    """boto3 outside drives the cloud inside from data to prediction, and removes it all."""
    session = boto3.Session("test", "test", region_name="us-east-1")
    s3 = session.client("s3", endpoint_url=cloud)
    sagemaker = session.client("sagemaker", endpoint_url=cloud)
    runtime = session.client("sagemaker-runtime", endpoint_url=cloud)
    role = "arn:aws:iam::123456789012:role/docker"
    rows = "".join(f"{2 * x},{x},{x % 3}\n" for x in range(50))
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="train/rows.csv", Body=rows)
    sagemaker.create_training_job(
        TrainingJobName="job",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=role,
        HyperParameters={"objective": "reg:squarederror", "num_round": "20"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train/"}
                },
            }
        ],
        OutputDataConfig={"S3OutputPath": "s3://data/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    quick = {"Delay": 1, "MaxAttempts": 120}
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="job", WaiterConfig=quick
    )
    artifact = sagemaker.describe_training_job(TrainingJobName="job")["ModelArtifacts"]
    sagemaker.create_model(
        ModelName="model",
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artifact["S3ModelArtifacts"]},
    )
    variant = {
        "VariantName": "only",
        "ModelName": "model",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="endpoint", WaiterConfig=quick)
    answer = runtime.invoke_endpoint(EndpointName="endpoint", ContentType="text/csv", Body="20,2")
    assert abs(float(answer["Body"].read()) - 40) < 5

    sagemaker.delete_endpoint(EndpointName="endpoint")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="endpoint", WaiterConfig=quick)
    sagemaker.delete_endpoint_config(EndpointConfigName="config")
    sagemaker.delete_model(ModelName="model")
    assert sagemaker.list_endpoints()["Endpoints"] == []
