"""Describe calls by boto3: the local cloud against moto's own server."""

import time
from typing import Any

from benchmarks.servers import CLOUD, MOTO, REGION, running
from benchmarks.table import Row, in_turn

CALLS = 300


def _client(url: str, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def _prepare(url: str) -> Any:
    """An endpoint configuration that both describe."""
    sagemaker, s3 = _client(url, "sagemaker"), _client(url, "s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="model.tar.gz", Body=b"")
    image = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
    sagemaker.create_model(
        ModelName="m",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
        PrimaryContainer={"Image": image, "ModelDataUrl": "s3://models/model.tar.gz"},
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="c",
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": "m",
                "InstanceType": "ml.m5.xlarge",
                "InitialInstanceCount": 1,
            }
        ],
    )
    return sagemaker


def _per_call(sagemaker: Any) -> float:
    times = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        sagemaker.describe_endpoint_config(EndpointConfigName="c")
        times.append(time.perf_counter() - begin)
    return 1000 * sorted(times)[len(times) // 2]


def measure(runs: int) -> list[Row]:
    """The median of 300 calls, in turn."""
    with running(CLOUD) as (ours_url, _), running(MOTO) as (moto_url, _):
        ours, motos = _prepare(ours_url), _prepare(moto_url)
        a, b = in_turn(lambda: _per_call(ours), lambda: _per_call(motos), runs)
    return [
        Row("boto3 DescribeEndpointConfig, p50 of 300", "ms", a, "moto_server", b, "ratio <= 0.5")
    ]
