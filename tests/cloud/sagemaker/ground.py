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
# Of one answer in ten none is heard in so many tries once in 10**22.
TRIES = 500
PROGRAM = Program(module="tests.cloud.sagemaker.container")


class WatchedClock(ManualClock):
    """A clock on which a test can wait for a timer of so many seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._timers: list[tuple[float, Timer]] = []
        self._changed = threading.Condition()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """As ManualClock, but remembered."""
        timer = super().call_later(seconds, callback)
        with self._changed:
            self._timers.append((seconds, timer))
            self._changed.notify_all()
        return timer

    def until_owed(self, seconds: float) -> None:
        """Wait until somebody waits for so many seconds; each wait is found once."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._find(seconds) is not None, 30)
            found = self._find(seconds)
            assert found is not None
            self._timers.remove(found)

    def _find(self, seconds: float) -> tuple[float, Timer] | None:
        now = self.now()
        # What was cancelled or has fired is nobody's wait any more.
        self._timers = [(s, t) for s, t in self._timers if not t.cancelled and t.due > now]
        return next((entry for entry in self._timers if entry[0] == seconds), None)


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


def counts(description: dict[str, Any]) -> dict[str, tuple[float, float, int, int]]:
    """Current and desired weight, current and desired instance count, of each variant of a description."""
    return {
        variant["VariantName"]: (
            variant["CurrentWeight"],
            variant["DesiredWeight"],
            variant["CurrentInstanceCount"],
            variant["DesiredInstanceCount"],
        )
        for variant in description["ProductionVariants"]
    }


def workers(ask: Callable[..., str], count: int, variant: str | None = None) -> set[str]:
    """The process ids of an endpoint's `count` workers, each of which answers sooner or later."""
    pids: set[str] = set()
    for _ in range(TRIES):
        pids.add(ask("pid", variant))
        if len(pids) == count:
            return pids
    raise AssertionError(f"{len(pids)} workers answered, not {count}")


def hear(ask: Callable[..., str], *answers: str) -> None:
    """All of `answers` are given sooner or later, and no others."""
    missing = set(answers)
    for _ in range(TRIES):
        answer = ask()
        assert answer in answers
        missing.discard(answer)
        if not missing:
            break
    assert not missing
    # One that is given too, half of the time, would be missed once in a million.
    assert {ask() for _ in range(20)} <= {*answers}
