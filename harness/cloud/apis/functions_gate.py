"""The way to a function: may the API call it, and does it answer in time."""

import asyncio
import logging

from harness.cloud.apis.function_calls import (
    CallFunction,
    FunctionAnswer,
    FunctionCall,
    FunctionRefused,
)
from harness.cloud.apis.permissions import ApiPermissions

log = logging.getLogger(__name__)


class FunctionsGate:
    """Calls functions for APIs."""

    def __init__(self, call: CallFunction, permissions: ApiPermissions) -> None:
        self._call = call
        self._permissions = permissions
        self._running: set[asyncio.Task[FunctionAnswer]] = set()

    async def call(self, call: FunctionCall, seconds: float) -> FunctionAnswer:
        """What the function gave. Raises FunctionRefused, or TimeoutError: the function then runs on."""
        if not self._permissions.may_call(call):
            raise FunctionRefused(f"{call.source_arn} may not call {call.function.arn}")
        task = asyncio.ensure_future(self._call(call))
        self._running.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise TimeoutError
        return task.result()

    def _ended(self, task: "asyncio.Task[FunctionAnswer]") -> None:
        self._running.discard(task)
        # Whoever still waits gets the exception as well; without a reader asyncio would complain.
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("a function's call ended with %r", error)

    async def close(self) -> None:
        """Leave the calls that nobody waits for any more."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
