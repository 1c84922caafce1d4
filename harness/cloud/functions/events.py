"""Asynchronous invocations: events that wait for their function, and for its next attempt."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from harness.cloud.backing.functions import Found
from harness.cloud.clock import Clock
from harness.cloud.errors import AwsError
from harness.cloud.functions.concurrency import Concurrency, Throttled
from harness.cloud.functions.limits import Limits
from harness.cloud.functions.names import FunctionName

log = logging.getLogger(__name__)

# What an event takes besides its payload, roughly.
_OVERHEAD = 1024


@dataclass(frozen=True, eq=False)
class Event:
    """An event for a function; which version that is, is seen at each attempt."""

    name: FunctionName
    payload: bytes
    request_id: str
    accepted: datetime

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.payload) + _OVERHEAD


Find = Callable[[FunctionName], Awaitable[Found]]
# Makes one attempt; whether the function failed. Raises AwsError if it cannot run.
Attempt = Callable[[Event, Found], Awaitable[bool]]


class EventQueue:
    """Events that were accepted. Used by the event loop alone.

    LIMITATIONS: it is lost with the process; no event goes to a destination or a dead-letter queue.
    """

    def __init__(
        self,
        clock: Clock,
        limits: Limits,
        concurrency: Concurrency,
        find: Find,
        attempt: Attempt,
        call: Callable[..., None],
        on_fault: Callable[[Exception], object],
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._concurrency = concurrency
        self._find = find
        self._attempt = attempt
        self._call = call
        self._on_fault = on_fault
        self._bytes = 0
        self._waiting: set[Event] = set()
        self._changed: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, name: FunctionName, payload: bytes, request_id: str) -> None:
        """Accept an event. Raises Throttled if too many wait."""
        event = Event(name, payload, request_id, self._clock.now())
        if self._bytes + event.size > self._limits.queued_bytes:
            raise Throttled("ConcurrentInvocationLimitExceeded")
        self._bytes += event.size
        task = asyncio.get_running_loop().create_task(self._work(event))
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def put_or_drop(self, name: FunctionName, payload: bytes) -> None:
        """Accept an event that nobody waits to hear of."""
        try:
            self.put(name, payload, str(uuid.uuid4()))
        except Throttled:
            log.warning("%s: too many events wait; one is dropped", name.arn)

    async def settle(self) -> None:
        """Wait until every event has been handled or waits for its time."""
        while len(self._tasks) > len(self._waiting):
            changed = asyncio.get_running_loop().create_future()
            self._changed.add(changed)
            await changed

    async def clear(self) -> None:
        """Forget everything."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._tell()

    def _tell(self) -> None:
        changed, self._changed = self._changed, set()
        for each in changed:
            each.set_result(None)

    @contextmanager
    def _at_rest(self, event: Event) -> Iterator[None]:
        """While it waits."""
        self._waiting.add(event)
        self._tell()
        try:
            yield
        finally:
            self._waiting.discard(event)

    async def _work(self, event: Event) -> None:
        try:
            await self._deliver(event)
        except AwsError as error:
            log.warning("%s: an event is dropped: %s", event.name.arn, error)
        except Exception as error:
            self._on_fault(error)
        finally:
            self._bytes -= event.size

    async def _deliver(self, event: Event) -> None:
        """Have it handled, again after failures, while it is not too old."""
        failures = 0
        while True:
            found = await self._find(event.name)
            expires = event.accepted + timedelta(
                seconds=self._limits.event_seconds
                if found.event_seconds is None
                else found.event_seconds
            )
            if self._clock.now() > expires:
                break
            try:
                if not await self._attempt(event, found):
                    return
            except Throttled:
                with self._at_rest(event):
                    await self._wait_for_slot(expires)
                continue
            retries = self._limits.retries if found.retries is None else found.retries
            if failures >= retries:
                break
            failures += 1
            with self._at_rest(event):
                await self._pause(failures * self._limits.retry_seconds)
        where = "; it goes to no destination" if found.has_destination else ""
        log.warning("%s: an event is given up%s", event.name.arn, where)

    async def _wait_for_slot(self, expires: datetime) -> None:
        changed = self._concurrency.changed()
        left = (expires - self._clock.now()).total_seconds()
        timer = self._clock.call_later(
            max(left, 0.0) + 1.0, partial(self._call, self._concurrency.wake)
        )
        try:
            await changed
        finally:
            timer.cancel()

    async def _pause(self, seconds: float) -> None:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def finish() -> None:
            if not over.done():
                over.set_result(None)

        timer = self._clock.call_later(seconds, partial(self._call, finish))
        try:
            await over
        finally:
            timer.cancel()
