"""Where the tests of the control plane stand: account, role, images; what they send and expect."""

import io
import tarfile
import threading
from collections.abc import Callable
from typing import Any

import pytest

from harness.cloud.clock import ManualClock, Timer
from harness.containers.spec import Program

REGION = "us-east-1"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/SageMakerExecutionRole"
OWN_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/own:latest"
AMAZONS_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/amazons:1"
PROGRAM = Program(module="tests.cloud.sagemaker.container")


class WatchedClock(ManualClock):
    """A clock on which a test can wait for a timer of so many seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._owed: list[float] = []
        self._changed = threading.Condition()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """As ManualClock, but remembered."""
        timer = super().call_later(seconds, callback)
        with self._changed:
            self._owed.append(seconds)
            self._changed.notify_all()
        return timer

    def until_owed(self, seconds: float) -> None:
        """Wait until somebody waits for so many seconds; each wait is found once."""
        with self._changed:
            assert self._changed.wait_for(lambda: seconds in self._owed, 30)
            self._owed.remove(seconds)


def archive(**members: str) -> bytes:
    """A tar.gz with a file for each name and text; `__` in a name stands for a dot."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for member, text in members.items():
            entry = tarfile.TarInfo(member.replace("__", "."))
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


def error_of(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """Code and message of the error that a call gets."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as refused:
        call(**request)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]
