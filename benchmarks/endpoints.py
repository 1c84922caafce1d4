"""A ready artifact behind an endpoint: from the request to InService; and what two hundred endpoints cost."""

import io
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from benchmarks.servers import CLOUD, CREDENTIALS, REGION, running
from benchmarks.table import Row

MANY = 200
ROLE = "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
# As often as a program asks that wants to know when it is there.
POLL_SECONDS = 0.005


def _client(url: str, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=CREDENTIALS[0],
        aws_secret_access_key=CREDENTIALS[1],
    )


def _artifact() -> bytes:
    """A model of a few trees, as a training job would have left it."""
    import numpy
    import xgboost

    x = numpy.random.default_rng(0).normal(size=(200, 13))
    booster = xgboost.train({"max_depth": 3}, xgboost.DMatrix(x, label=x.sum(axis=1)), 10)
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "xgboost-model"
        booster.save_model(path.with_suffix(".ubj"))
        with tarfile.open(fileobj=content, mode="w:gz") as tar:
            tar.add(path.with_suffix(".ubj"), "xgboost-model")
    return content.getvalue()


class _Deployer:
    """Makes endpoints of the artifact."""

    def __init__(self, url: str) -> None:
        self.sagemaker = _client(url, "sagemaker")
        self.runtime = _client(url, "sagemaker-runtime")
        self._numbers = count()
        s3 = _client(url, "s3")
        s3.create_bucket(Bucket="models")
        s3.put_object(Bucket="models", Key="model.tar.gz", Body=_artifact())
        self.sagemaker.create_model(
            ModelName="m",
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://models/model.tar.gz"},
        )
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": "m",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        self.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])

    def begin(self) -> str:
        """Ask for an endpoint."""
        name = f"e{next(self._numbers)}"
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="c")
        return name

    def wait(self, name: str) -> None:
        """Until it is InService."""
        while True:
            found = self.sagemaker.describe_endpoint(EndpointName=name)
            if found["EndpointStatus"] != "Creating":
                break
            time.sleep(POLL_SECONDS)
        assert found["EndpointStatus"] == "InService", found

    def ask(self, name: str) -> None:
        """Have it predict."""
        row = ",".join(["1"] * 13).encode()
        answer = self.runtime.invoke_endpoint(EndpointName=name, Body=row, ContentType="text/csv")
        float(answer["Body"].read())

    def seconds(self) -> tuple[float, float]:
        """From CreateEndpoint to InService, and to the first prediction."""
        begin = time.perf_counter()
        name = self.begin()
        self.wait(name)
        in_service = time.perf_counter() - begin
        self.ask(name)
        return in_service, time.perf_counter() - begin


@contextmanager
def _deployer() -> Iterator[tuple[_Deployer, psutil.Process]]:
    with running(CLOUD) as (url, process):
        yield _Deployer(url), psutil.Process(process.pid)


def _own_megabytes(processes: list[psutil.Process]) -> float:
    """What they do not share with anybody (pages of a fork that were never written are its parent's)."""
    return sum(process.memory_full_info().uss for process in processes) / 1e6


def measure(runs: int) -> list[Row]:
    """One after the other, then two hundred at once."""
    with _deployer() as (deployer, process):
        # The first starts what later ones are forked from.
        deployer.seconds()
        single = [deployer.seconds() for _ in range(runs)]
        front, threads = _own_megabytes([process]), process.num_threads()
        workers = _own_megabytes(process.children(recursive=True))
        begin = time.perf_counter()
        names = [deployer.begin() for _ in range(MANY)]
        for name in names:
            deployer.wait(name)
            deployer.ask(name)
        together = time.perf_counter() - begin
        more_front = _own_megabytes([process]) - front
        more_threads = process.num_threads() - threads
        more_workers = _own_megabytes(process.children(recursive=True)) - workers
        busy = process.cpu_percent(2.0)
    each = 1000 / MANY
    return [
        Row(
            "a ready XGBoost artifact, CreateEndpoint to InService",
            "s",
            [in_service for in_service, _ in single],
            goal="< 0.3",
        ),
        Row("the same, to its first prediction", "s", [answer for _, answer in single]),
        Row(f"{MANY} endpoints, created at once, each has predicted", "s", [together]),
        Row("memory of the cloud per endpoint", "kB", [more_front * each]),
        Row("memory of its worker and supervisor, unshared", "kB", [more_workers * each]),
        Row(f"threads of the cloud for {MANY} idle endpoints", "", [more_threads]),
        Row(f"the cloud's processor time with {MANY} idle endpoints", "%", [busy]),
    ]
