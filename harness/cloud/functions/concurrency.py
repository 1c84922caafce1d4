"""How many invocations run at a time: within a function's reservation, or in what all others share."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from harness.cloud.backing.functions import Found
from harness.cloud.errors import AwsError

# A function with a reservation has a key of its own; the others share that of their account and region.
Key = tuple[str, str, str | None]


class Throttled(AwsError):
    """TooManyRequestsException, as the caller sees it."""

    def __init__(self, reason: str) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.", 429, {"Reason": reason})


class Concurrency:
    """Counts what runs. Used by the event loop alone."""

    def __init__(self, shared: int) -> None:
        self._shared = shared
        self._running: Counter[Key] = Counter()
        self._waiting: list[asyncio.Future[None]] = []

    @contextmanager
    def slot(self, found: Found) -> Iterator[None]:
        """One invocation, until the context is left. Raises Throttled."""
        version = found.version
        if found.reserved is None:
            key: Key = (version.account, version.region, None)
            limit, reason = self._shared, "ConcurrentInvocationLimitExceeded"
        else:
            key = (version.account, version.region, version.name)
            limit = found.reserved
            reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        if self._running[key] >= limit:
            raise Throttled(reason)
        self._running[key] += 1
        try:
            yield
        finally:
            self._running[key] -= 1
            self.wake()

    def changed(self) -> asyncio.Future[None]:
        """Is done when a slot may be free: one was left, or functions were changed."""
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(changed)
        return changed

    def wake(self) -> None:
        """Let those who wait look again, in the order in which they came."""
        waiting, self._waiting = self._waiting, []
        for changed in waiting:
            if not changed.done():
                changed.set_result(None)
