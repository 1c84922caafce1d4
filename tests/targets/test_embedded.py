"""What the embedded target takes, and that it gives all of it back."""

import os
import socket
import tempfile
from urllib.parse import urlsplit

import boto3

from harness.targets.embedded import Embedded


def test_nothing_is_left_when_a_place_is_closed() -> None:
    """Variables, temporary folder, default session and port are as they were; a second one can be opened."""
    environment, folder, session = dict(os.environ), tempfile.gettempdir(), boto3.DEFAULT_SESSION
    for _ in range(2):
        with Embedded(region="eu-west-1").open() as place:
            assert place.machine is not None
            inside = place.machine.folder
            assert tempfile.gettempdir() == str(inside)
            assert place.bucket == "sagemaker-eu-west-1-123456789012"
            url = urlsplit(str(place.endpoint_url))
        assert not inside.exists()
        with socket.socket() as probe:
            assert probe.connect_ex((str(url.hostname), url.port or 0)) != 0
    assert (dict(os.environ), tempfile.gettempdir()) == (environment, folder)
    assert boto3.DEFAULT_SESSION is session
