"""Asynchronous invocations: accepted at once, handled later, again after failures, by the clock."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness.cloud.functions.limits import Limits, Settings
from harness.cloud.local_cloud import LocalCloud
from tests.cloud.functions.clockwork import Clockwork
from tests.cloud.functions.conftest import OBEDIENT, Bell, Client, Lambdas
from tests.cloud.functions.generic_log import END, FIRST, INIT, LATER, START, generic
from tests.containers.processes import PATIENCE

NOTE = "notes/functions.md"
LIMITS = replace(Limits.current(), queued_bytes=20_000)


@pytest.fixture(scope="module")
def function_settings() -> Settings:
    """Little room for events that wait."""
    return Settings(LIMITS)


FAILING = """class CustomException(Exception):
    pass
def handler(event, context):
    raise CustomException("some error occurred")
"""


class Warnings(logging.Handler):
    """What the cloud says of events that it gives up."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        with self._changed:
            self._texts.append(record.getMessage())
            self._changed.notify_all()

    def wait_for(self, part: str) -> str:
        """The first with this part; waits for it."""

        def found() -> str | None:
            return next((text for text in self._texts if part in text), None)

        with self._changed:
            text = self._changed.wait_for(found, PATIENCE)
        assert text is not None, self._texts
        return text


@pytest.fixture
def warnings() -> Iterator[Warnings]:
    """The queue's warnings during a test."""
    logger = logging.getLogger("harness.cloud.functions.events")
    handler = Warnings()
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture(scope="module")
def clock() -> Clockwork:
    """The clock of the module's cloud."""
    return Clockwork()


@pytest.fixture(autouse=True)
def quiet(cloud: LocalCloud, clock: Clockwork) -> Iterator[None]:
    """No test meets an event of another one."""
    clock.forget()
    yield
    cloud.functions.settle()


@pytest.mark.recorded(f"{NOTE}#events")
def test_an_event_that_fails_is_tried_again(
    lambdas: Lambdas, clock: Clockwork, bell: Bell, warnings: Warnings
) -> None:
    """A failed event is tried twice more, after one minute and after two, with the same request id."""
    name = lambdas.create()
    result = lambdas.invoke(name, bell.order("try"), InvocationType="Event")
    assert (result.status, result.payload) == (202, b"")
    for pause in (60, 120, None):
        call = bell.wait()
        assert call.heard == {"say": "try", "id": result.request_id}
        call.answer({"do": "raise", "with": "some error occurred"})
        if pause is not None:
            clock.wait_for(pause)
            clock.advance(pause)
    assert name in warnings.wait_for("given up")
    log = lambdas.messages(name)
    assert log.count(f"END RequestId: {result.request_id}\n") == 3
    assert log.count(f"START RequestId: {result.request_id} Version: $LATEST\n") == 3


@pytest.mark.recorded(f"{NOTE}#log")
def test_the_log_of_two_attempts(
    lambdas: Lambdas, clock: Clockwork, bell: Bell, warnings: Warnings
) -> None:
    """An exception is one event, in the form of AWS's runtime client; attempts share the stream and the process."""
    name = lambdas.create(FAILING)
    lambdas.client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    lambdas.invoke(name, {}, InvocationType="Event")
    clock.wait_for(60)
    clock.advance(60)
    warnings.wait_for(name)
    error = (
        "[ERROR] CustomException: some error occurred\nTraceback (most recent call last):\n"
        '\u00a0\u00a0File "/var/task/handler.py", line 4, in handler\n'
        '\u00a0\u00a0\u00a0\u00a0raise CustomException("some error occurred")'
    )
    attempt = [START, error, END]
    assert generic(lambdas.messages(name)) == [INIT, *attempt, FIRST, *attempt, LATER]


@pytest.mark.recorded(f"{NOTE}#events")
def test_a_second_attempt_that_succeeds(
    cloud: LocalCloud, lambdas: Lambdas, clock: Clockwork, bell: Bell
) -> None:
    """An event that succeeds is not tried again, whether it failed before or not."""
    name = lambdas.create()
    lambdas.invoke(name, bell.order("first"), InvocationType="Event")
    bell.wait().answer({"do": "exit", "with": 1})
    clock.wait_for(60)
    clock.advance(60)
    bell.wait().answer()
    cloud.functions.settle()
    clock.advance(500)
    lambdas.invoke(name, bell.order("second"), InvocationType="Event")
    call = bell.wait()
    assert call.heard["say"] == "second"
    call.answer()


@pytest.mark.documented("lambda:MaximumRetryAttempts")
def test_no_further_attempts(lambdas: Lambdas, bell: Bell, warnings: Warnings) -> None:
    """PutFunctionEventInvokeConfig may forbid further attempts; a destination there is not served, which is told."""
    name = lambdas.create()
    lambdas.client.put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=0,
        DestinationConfig={
            "OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:123456789012:{name}"}
        },
    )
    lambdas.invoke(name, bell.order(), InvocationType="Event")
    bell.wait().answer({"do": "raise", "with": "no"})
    assert "it goes to no destination" in warnings.wait_for(name)


@pytest.mark.documented("lambda:MaximumEventAgeInSeconds")
def test_events_that_grow_old(
    lambdas: Lambdas, clock: Clockwork, bell: Bell, warnings: Warnings
) -> None:
    """An event that is older than it may be is not tried again."""
    name = lambdas.create()
    lambdas.client.put_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=100)
    lambdas.invoke(name, bell.order(), InvocationType="Event")
    for pause in (60, 120):
        bell.wait().answer({"do": "raise", "with": "no"})
        clock.wait_for(pause)
        clock.advance(pause)
    warnings.wait_for(name)


@pytest.mark.recorded(f"{NOTE}#events")
def test_events_wait_for_a_slot(lambdas: Lambdas, bell: Bell) -> None:
    """Events for a function that may not run more wait; they run the code that it has then."""
    name = lambdas.create()
    lambdas.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    lambdas.invoke(name, bell.order("01"), InvocationType="Event")
    first = bell.wait()
    for number in range(2, 6):
        lambdas.invoke(name, bell.order(f"{number:02}"), InvocationType="Event")
    error = lambdas.refusal(name)
    assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    changed = OBEDIENT.replace('"say": order.get("say")', '"say": order["say"] + "--variant-2"')
    lambdas.update(name, changed)
    first.answer()
    heard = []
    for _ in range(4):
        call = bell.wait()
        heard.append(call.heard["say"])
        call.answer()
    assert sorted(heard) == [f"{number:02}--variant-2" for number in range(2, 6)]


@pytest.mark.documented(f"{NOTE}#events")
def test_a_throttled_event_waits_for_a_change(lambdas: Lambdas, bell: Bell) -> None:
    """An event for a function that may not run at all runs as soon as it may."""
    name = lambdas.create()
    lambdas.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    lambdas.invoke(name, bell.order(), InvocationType="Event")
    lambdas.client.delete_function_concurrency(FunctionName=name)
    bell.wait().answer()


@pytest.mark.documented(f"{NOTE}#events")
def test_a_throttled_event_grows_old(
    lambdas: Lambdas, clock: Clockwork, warnings: Warnings
) -> None:
    """An event that never got its turn is given up after six hours."""
    name = lambdas.create()
    lambdas.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    lambdas.invoke(name, {}, InvocationType="Event")
    clock.wait_for(21_601)
    clock.advance(21_601)
    assert "given up" in warnings.wait_for(name)


@pytest.mark.assumed(f"{NOTE}#events")
def test_an_event_for_a_function_that_is_deleted(
    lambdas: Lambdas, clock: Clockwork, bell: Bell, warnings: Warnings
) -> None:
    """An event whose function is gone when its time has come is dropped."""
    name = lambdas.create()
    lambdas.invoke(name, bell.order(), InvocationType="Event")
    bell.wait().answer({"do": "raise", "with": "no"})
    clock.wait_for(60)
    lambdas.client.delete_function(FunctionName=name)
    clock.advance(60)
    assert "Function not found" in warnings.wait_for(name)


@pytest.mark.documented(f"{NOTE}#limits")
def test_events_that_are_too_large(lambdas: Lambdas) -> None:
    """An Event may have a megabyte; the refusal says how much it had."""
    name = lambdas.create()
    payload = json.dumps("x" * 1_048_575)
    error = lambdas.refusal(name, Payload=payload, InvocationType="Event")
    assert error["Error"] == {
        "Code": "RequestEntityTooLargeException",
        "Message": "1048577 byte payload is too large for the Event invocation type "
        "(limit 1048576 bytes)",
    }
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 413


@pytest.mark.assumed(f"{NOTE}#events")
def test_too_many_events(lambdas: Lambdas, client: Client) -> None:
    """More events than there is room for are throttled; those that were accepted are not lost."""
    name = lambdas.create()
    lambdas.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    for _ in range(3):
        lambdas.invoke(name, "x" * 5_000, InvocationType="Event")
    error = lambdas.refusal(name, event="x" * 5_000, InvocationType="Event")["Error"]
    assert error["Code"] == "TooManyRequestsException"
    lambdas.client.delete_function(FunctionName=name)
