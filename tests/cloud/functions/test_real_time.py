"""Every timer of functions once on the real clock; the long ones shortened."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness.cloud.clock import SystemClock
from harness.cloud.functions.limits import Limits, Settings
from harness.cloud.local_cloud import LocalCloud
from tests.cloud.functions.conftest import Bell, Lambdas
from tests.containers.processes import wait_until_gone

pytestmark = pytest.mark.realtime
SHORT = replace(Limits.current(), idle_seconds=0.5, retry_seconds=0.1, init_seconds=0)


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """A cloud on the real clock, in which idle environments end soon and events are soon tried again."""
    with LocalCloud(clock=SystemClock(), functions=Settings(SHORT)) as cloud:
        yield cloud
        assert cloud.app.faults == []


def test_time_is_up(lambdas: Lambdas) -> None:
    """A function that hangs is ended after its timeout."""
    name = lambdas.create(Timeout=1)
    lambdas.do(name, "count")
    assert lambdas.do(name, "hang").json["errorType"] == "Sandbox.Timedout"


def test_loading_takes_too_long(lambdas: Lambdas) -> None:
    """A module that never loads is ended, too."""
    name = lambdas.create("import threading; threading.Event().wait()", Timeout=1)
    assert lambdas.invoke(name).json["errorType"] == "Sandbox.Timedout"


def test_idle_environments_end(lambdas: Lambdas) -> None:
    """A process that nobody needs ends by itself."""
    name = lambdas.create()
    wait_until_gone(lambdas.do(name, "pid").json)


def test_failed_events_are_tried_again(lambdas: Lambdas, bell: Bell) -> None:
    """A failed event comes again, and a last time."""
    name = lambdas.create()
    lambdas.invoke(name, bell.order(), InvocationType="Event")
    for _ in range(3):
        bell.wait().answer({"do": "raise", "with": "no"})
