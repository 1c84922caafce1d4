"""A cloud whose images run container.py, and the clients and the state of its one region."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.local_cloud import LocalCloud
from harness.cloud.sagemaker.service import AccountRegion
from harness.containers.images import Implementation, MetricDefinition
from tests.cloud.sagemaker.ground import (
    ACCOUNT,
    AMAZONS_IMAGE,
    OWN_IMAGE,
    PROGRAM,
    REGION,
    ROLE,
    WatchedClock,
)


@pytest.fixture(scope="module")
def clock() -> WatchedClock:
    """The clock of the module's cloud."""
    return WatchedClock()


@pytest.fixture(scope="module")
def own_images() -> dict[str, Implementation]:
    """An image of a user's, and one that counts as Amazon's and brings its metrics."""
    return {
        OWN_IMAGE: Implementation(name="own", version="1", program=PROGRAM),
        AMAZONS_IMAGE: Implementation(
            name="amazons",
            version="1",
            program=PROGRAM,
            metric_definitions=(MetricDefinition("validation:rmse", "#011rmse:([0-9.]+)"),),
            first_party=True,
        ),
    }


@pytest.fixture(scope="module")
def sagemaker(client: Callable[..., Any]) -> Any:
    """A boto3 client that leaves checking to the server."""
    from botocore.config import Config

    return client("sagemaker", config=Config(parameter_validation=False))


@pytest.fixture(scope="module")
def runtime(client: Callable[..., Any]) -> Any:
    """A boto3 client of the runtime that asks once."""
    from botocore.config import Config

    return client("sagemaker-runtime", config=Config(retries={"max_attempts": 0}))


@pytest.fixture(scope="module")
def bucket(client: Callable[..., Any]) -> str:
    """A bucket with a little training data under data/."""
    s3 = client("s3")
    s3.create_bucket(Bucket="training-bucket")
    s3.put_object(Bucket="training-bucket", Key="data/train.csv", Body=b"1,2\n")
    return "training-bucket"


@pytest.fixture
def state(cloud: LocalCloud) -> AccountRegion:
    """The state behind the clients, to wait on."""
    return cloud.sagemaker.account_region(ACCOUNT, REGION)


@pytest.fixture
def name() -> str:
    """A name that nothing else has, in mixed case."""
    return f"Test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def pipe(tmp_path: Path) -> str:
    """A named pipe: each end waits for the other."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return str(path)


@pytest.fixture
def job(bucket: str, name: str) -> Callable[..., dict[str, Any]]:
    """`job(do={"1-model": ...}, **members)`: a request of CreateTrainingJob."""

    def make(do: dict[str, str] | None = None, **members: Any) -> dict[str, Any]:
        return {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": OWN_IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "HyperParameters": do or {},
            "InputDataConfig": [
                {
                    "ChannelName": "train",
                    "ContentType": "text/csv",
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": f"s3://{bucket}/data/",
                        }
                    },
                }
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out/"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            **members,
        }

    return make


@pytest.fixture
def finished(sagemaker: Any, state: AccountRegion) -> Callable[[str], dict[str, Any]]:
    """`finished(name)`: waits until the training job has ended and describes it."""

    def wait(name: str) -> dict[str, Any]:
        state.training_jobs.wait_for(
            name, lambda j: j is not None and state.training_jobs.lifecycle.terminal(j.state), 60
        )
        answer: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        return answer

    return wait


@pytest.fixture
def settled(sagemaker: Any, state: AccountRegion) -> Callable[[str], dict[str, Any] | None]:
    """`settled(name)`: waits until nothing happens to the endpoint and describes it; None if it is gone."""

    def wait(name: str) -> dict[str, Any] | None:
        found = state.endpoints.wait_for(
            name,
            lambda e: e is None or e.status in ("InService", "Failed", "UpdateRollbackFailed"),
            60,
        )
        if found is None:
            return None
        answer: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        return answer

    return wait


@pytest.fixture
def model(sagemaker: Any) -> Callable[..., str]:
    """`model(name, data=None, **environment)`: creates a model of the own image and returns its name."""

    def make(name: str, data: str | None = None, **environment: str) -> str:
        container: dict[str, Any] = {"Image": OWN_IMAGE, "Environment": environment}
        if data is not None:
            container["ModelDataUrl"] = data
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        return name

    return make


@pytest.fixture
def config(sagemaker: Any) -> Callable[..., str]:
    """`config(name, model, **members of the variant)`: creates an endpoint configuration."""

    def make(name: str, model: str, **members: Any) -> str:
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            **members,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        return name

    return make


@pytest.fixture
def configure(sagemaker: Any, model: Callable[..., str]) -> Callable[..., str]:
    """`configure(name, A={...}, B={...})`: a configuration whose variants answer `<name>/<variant>`.

    DO in a variant's members is an instruction for its containers.
    """

    def make(name: str, **variants: dict[str, Any]) -> str:
        sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": variant,
                    "ModelName": model(
                        f"{name}-{variant}", NAME=f"{name}/{variant}", DO=members.pop("DO", "")
                    ),
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    **members,
                }
                for variant, members in variants.items()
            ],
        )
        return name

    return make


@pytest.fixture
def serve(
    sagemaker: Any, configure: Callable[..., str], settled: Callable[[str], dict[str, Any] | None]
) -> Callable[..., dict[str, Any]]:
    """As `configure`, and an endpoint of the same name that serves it; describes that."""

    def make(name: str, **variants: dict[str, Any]) -> dict[str, Any]:
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configure(name, **variants))
        found = settled(name)
        assert found is not None
        assert found["EndpointStatus"] == "InService"
        return found

    return make


@pytest.fixture
def ask(runtime: Any, name: str) -> Callable[..., str]:
    """`ask(body, variant)`: the endpoint's answer. A variant that is not the one in the header fails the test."""

    def invoke(body: str = "", variant: str | None = None) -> str:
        target = {} if variant is None else {"TargetVariant": variant}
        answer = runtime.invoke_endpoint(EndpointName=name, Body=body.encode(), **target)
        text: str = answer["Body"].read().decode()
        if not body:
            assert text.rpartition("/")[2] == answer["InvokedProductionVariant"]
        assert variant in (None, answer["InvokedProductionVariant"])
        return text

    return invoke


@pytest.fixture(scope="module")
def shared(sagemaker: Any, cloud: LocalCloud) -> str:
    """An endpoint of one variant A, in service, that nothing changes."""
    name = "shared"
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
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    endpoints = cloud.sagemaker.account_region(ACCOUNT, REGION).endpoints
    endpoints.wait_for(name, lambda e: e is not None and e.status == "InService", 30)
    return name


@pytest.fixture
def log_of(client: Callable[..., Any]) -> Callable[[str, str], dict[str, list[str]]]:
    """`log_of(group, prefix)`: the messages of each stream of a log group."""

    def read(group: str, prefix: str) -> dict[str, list[str]]:
        logs = client("logs")
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)
        return {
            stream["logStreamName"]: [
                event["message"]
                for event in logs.get_log_events(
                    logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
                )["events"]
            ]
            for stream in streams["logStreams"]
        }

    return read
