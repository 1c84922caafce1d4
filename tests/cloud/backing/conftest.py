"""moto's own server in a child process: what the mounted moto is compared with."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def moto_server_url() -> Iterator[str]:
    """The URL of a moto_server on a free port, with the settings that the mounted one uses."""
    environment = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", "0"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            match = re.search(r"http://127\.0\.0\.1:\d+", line)
            if match:
                break
        else:
            raise AssertionError("moto_server did not start")
        yield match[0]
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture(scope="module")
def moto_client(moto_server_url: str) -> Iterator[Callable[..., Any]]:
    """`moto_client(service)`: a boto3 client of moto's own server."""
    import boto3

    made = []
    session = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )

    def make(service: str, **arguments: Any) -> Any:
        made.append(session.client(service, endpoint_url=moto_server_url, **arguments))
        return made[-1]

    yield make
    for client in made:
        client.close()
