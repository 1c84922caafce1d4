"""Warm execution environments, by what they run: used again while they are current, ended when nobody needs them."""

import asyncio
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from datetime import timedelta

from harness.cloud.backing.functions import FunctionVersion
from harness.cloud.clock import Timer
from harness.cloud.functions.environment import Environment
from harness.cloud.functions.tools import Tools


class Pool:
    """All environments of a cloud. Used by the event loop alone."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._idle: dict[FunctionVersion, list[Environment]] = {}
        self._all: set[Environment] = set()
        self._reaper: Timer | None = None
        self._ends: set[asyncio.Task[None]] = set()

    @property
    def versions(self) -> set[FunctionVersion]:
        """What there are environments of."""
        return {environment.function for environment in self._all}

    @asynccontextmanager
    async def environment(self, function: FunctionVersion) -> AsyncIterator[Environment]:
        """An environment for one invocation: the one that was used last, or a new one."""
        idle = self._idle.get(function)
        environment = idle.pop() if idle else Environment(function, self._tools)
        self._all.add(environment)
        usable = False
        try:
            yield environment
            usable = True
        finally:
            self._give_back(environment, usable)

    async def retire(self, versions: Set[FunctionVersion]) -> None:
        """End the idle environments of versions that will not be invoked again; those in use end when they are free."""
        gone = [environment for environment in self._all if environment.function in versions]
        for environment in gone:
            environment.retired = True
        idle = [each for each in gone if each in self._idle.get(each.function, ())]
        ends = [self._end(environment) for environment in idle]
        if ends:
            await asyncio.wait(ends)

    async def close(self) -> None:
        """End every environment; returns when all have ended."""
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
        self._idle.clear()
        for environment in list(self._all):
            self._end(environment)
        while self._ends:
            await asyncio.wait(self._ends)

    def _give_back(self, environment: Environment, usable: bool) -> None:
        if environment not in self._all:
            return  # the pool was closed meanwhile
        limits, now = self._tools.limits, self._tools.clock.now()
        environment.idle_since = now
        old = now - environment.created >= timedelta(seconds=limits.environment_seconds)
        if not usable or old or environment.retired:
            self._end(environment)
            return
        self._idle.setdefault(environment.function, []).append(environment)
        waiting = [each for group in self._idle.values() for each in group]
        if len(waiting) > limits.idle_environments:
            self._end(min(waiting, key=lambda each: each.idle_since))
        self._arm()

    def _arm(self) -> None:
        """See to it that idle environments are ended in time."""
        if self._reaper is None and any(self._idle.values()):
            self._reaper = self._tools.clock.call_later(
                self._tools.limits.idle_seconds, lambda: self._tools.call(self._reap)
            )

    def _reap(self) -> None:
        self._reaper = None
        limit = self._tools.clock.now() - timedelta(seconds=self._tools.limits.idle_seconds)
        for group in list(self._idle.values()):
            for environment in [each for each in group if each.idle_since <= limit]:
                self._end(environment)
        self._arm()

    def _end(self, environment: Environment) -> asyncio.Task[None]:
        self._all.discard(environment)
        group = self._idle.get(environment.function, [])
        if environment in group:
            group.remove(environment)
        if not group:
            self._idle.pop(environment.function, None)
        task = asyncio.get_running_loop().create_task(environment.stop())
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)
        return task
