"""S3 for the tests of channels: moto behind HTTP. Per module, since a cloud that closes empties all of moto."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A boto3 client of a moto server."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    yield client
    client.close()
    server.stop()


@pytest.fixture(scope="module")
def new_bucket(s3: Any) -> Iterator[Callable[[dict[str, bytes]], str]]:
    """Makes buckets with objects; they are removed at the end."""
    made: list[str] = []
    numbers = itertools.count()

    def make(objects: dict[str, bytes]) -> str:
        name = f"containers-{next(numbers)}"
        s3.create_bucket(Bucket=name)
        made.append(name)
        for key, body in objects.items():  # past HTTP: there are thousands
            s3_backends["123456789012"]["aws"].put_object(name, key, body)
        return name

    yield make
    for name in made:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            keys = [{"Key": found["Key"]} for found in page.get("Contents", ())]
            if keys:
                s3.delete_objects(Bucket=name, Delete={"Objects": keys})
        s3.delete_bucket(Bucket=name)
