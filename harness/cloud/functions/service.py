"""Functions of a cloud: whoever invokes one (Invoke, an API, a service within moto) does it here.

LIMITATIONS: zip packages for Python only. No provisioned concurrency, SnapStart, durable or streamed invocations,
extensions, VPC, file systems or X-Ray; destinations and dead-letter queues are kept, not served.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from harness.cloud.backing.functions import (
    LATEST,
    Found,
    FunctionNotFound,
    Functions,
    FunctionVersion,
    LayerNotFound,
)
from harness.cloud.backing.logs import LogStore
from harness.cloud.clock import Clock
from harness.cloud.errors import AwsError
from harness.cloud.functions import runtime_folder
from harness.cloud.functions.code_store import CodeStore
from harness.cloud.functions.concurrency import Concurrency
from harness.cloud.functions.events import Event, EventQueue
from harness.cloud.functions.limits import Settings
from harness.cloud.functions.names import FunctionName
from harness.cloud.functions.pool import Pool
from harness.cloud.functions.runtime_process import Invocation
from harness.cloud.functions.tools import Tools
from harness.containers import opt_ml
from harness.containers.process_engine import ProcessEngine

THREADS = 16
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What a function answered: `failed` if the payload is an error; the end of its log; the version that ran."""

    payload: bytes
    failed: bool
    tail: bytes
    version: str


class FunctionService:
    """Runs functions. `open` it in an event loop, to which its coroutines belong; `close` it from elsewhere."""

    def __init__(
        self,
        functions: Functions,
        logs: LogStore,
        clock: Clock,
        settings: Settings,
        folder: Path,
        scratch: Path,
        endpoint_url: Callable[[], str],
        on_fault: Callable[[Exception], object],
    ) -> None:
        self.limits = settings.limits
        self._functions = functions
        self.folder = folder
        self._threads = ThreadPoolExecutor(THREADS, "functions")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: ProcessEngine | None = None
        self._closing = False
        self._unlisten: Callable[[], None] | None = None
        self._making = threading.Lock()
        code = CodeStore(folder / "code", settings.limits.unzipped_bytes)

        @cache
        def bootstrap() -> Path:
            return runtime_folder.build(folder / "runtime", settings.native_client)

        self._tools = Tools(
            functions=functions,
            logs=logs,
            clock=clock,
            limits=settings.limits,
            code=code,
            folder=folder / "environments",
            endpoint_url=endpoint_url,
            engine=lambda: self._make_engine(scratch),
            bootstrap=self._once(bootstrap),
            call=self._call,
            in_thread=self._in_thread,
        )
        self._concurrency = Concurrency(settings.limits.concurrency)
        self._pool = Pool(self._tools)
        self._queue = EventQueue(
            clock,
            settings.limits,
            self._concurrency,
            self.find,
            self._attempt,
            self._call,
            on_fault,
        )

    def open(self) -> None:
        """Belong to the running event loop."""
        self._loop = asyncio.get_running_loop()

    def listen(self) -> None:
        """Have what other services send to functions come here; from any thread, and as often as one likes."""
        with self._making:
            if self._unlisten is None:
                self._unlisten = self._functions.route_triggers(self.trigger)

    async def find(self, name: FunctionName) -> Found:
        """The version that is meant. Raises ResourceNotFoundException."""
        if self._closing:
            raise AwsError("ServiceException", "This local cloud is about to end.", 500)
        try:
            return await self._in_thread(
                lambda: self._functions.find(name.account, name.region, name.name, name.qualifier)
            )
        except FunctionNotFound:
            wanted = f"{name.unqualified_arn}:{name.qualifier or LATEST}"
            raise AwsError(
                "ResourceNotFoundException", f"Function not found: {wanted}", 404
            ) from None
        except LayerNotFound as error:
            raise AwsError(
                "ResourceNotFoundException",
                f"This local cloud has no layer {error}: it was deleted.",
                404,
            ) from None

    async def invoke(
        self,
        name: FunctionName,
        payload: bytes,
        request_id: str,
        client_context: str | None = None,
    ) -> Outcome:
        """Have a function handle an event and wait for its answer. Raises AwsError if it cannot run."""
        return await self._run(name, await self.find(name), payload, request_id, client_context)

    async def submit(self, name: FunctionName, payload: bytes, request_id: str) -> None:
        """Have a function handle an event some time. Raises AwsError if it is not there, or too much waits."""
        check_runs_here((await self.find(name)).version)
        self._queue.put(name, payload, request_id)

    def trigger(self, version: FunctionVersion, payload: bytes) -> None:
        """Take an event from another service; from any thread, also from one that holds moto's lock."""
        qualifier = None if version.version == LATEST else version.version
        name = FunctionName(version.account, version.region, version.name, qualifier)
        self._call(self._queue.put_or_drop, name, payload)

    async def refresh(self) -> None:
        """Functions may have been changed or deleted: end what runs code that is not theirs any more."""
        self._concurrency.wake()
        versions = self._pool.versions
        gone = await self._in_thread(
            lambda: {version for version in versions if not self._functions.has(version)}
        )
        await self._pool.retire(gone)
        await self._in_thread(self._prune)
        if self._engine is None:
            self._in_thread(self._warm)

    def settle(self) -> None:
        """Wait until no event is at work; those that wait for a further attempt are not waited for."""
        self._await_in_loop(self._queue.settle)

    def reset(self) -> None:
        """End every environment and forget what waits; from any thread but the loop's."""
        self._await_in_loop(self._stop)
        self._tools.code.prune(lambda version: False)

    def close(self) -> None:
        """End everything, and remove its folder; from any thread but the loop's."""
        self._closing = True
        if self._unlisten is not None:
            self._unlisten()
        self._await_in_loop(self._stop)
        self._threads.shutdown()
        if self._engine is not None:
            self._engine.close()
        opt_ml.remove_tree(self.folder)

    async def _run(
        self,
        name: FunctionName,
        found: Found,
        payload: bytes,
        request_id: str,
        client_context: str | None = None,
    ) -> Outcome:
        version = found.version
        check_runs_here(version)
        invocation = Invocation(request_id, name.arn, payload, _trace(), client_context)
        with self._concurrency.slot(found):
            async with self._pool.environment(version) as environment:
                answer = await environment.invoke(invocation)
                return Outcome(answer.payload, answer.failed, environment.tail(), version.version)

    async def _attempt(self, event: Event, found: Found) -> bool:
        return (await self._run(event.name, found, event.payload, event.request_id)).failed

    async def _stop(self) -> None:
        await self._queue.clear()
        await self._pool.close()

    def _warm(self) -> None:
        """Begin what the first process waits for: somebody keeps functions here, and will invoke one."""
        self._tools.engine().warm()
        self._tools.bootstrap()

    def _prune(self) -> None:
        in_use = self._pool.versions
        self._tools.code.prune(lambda each: each in in_use or self._functions.has(each))

    def _await_in_loop(self, work: Callable[[], Any]) -> None:
        if self._loop is not None and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        """Have `function` called in the event loop, unless that has ended."""
        assert self._loop is not None, "nothing runs before it is open"
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    def _in_thread(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _once(self, make: Callable[[], T]) -> Callable[[], T]:
        def made() -> T:
            with self._making:
                return make()

        return made

    def _make_engine(self, scratch: Path) -> ProcessEngine:
        """An engine of its own: that of training jobs begins with imports which no function needs."""
        with self._making:
            if self._engine is None:
                self._engine = ProcessEngine(scratch, preload=())
            return self._engine


def check_runs_here(version: FunctionVersion) -> None:
    """Raise UnsupportedOperation for a function that no process of this Python can run."""
    if version.package_type != "Zip":
        what = f"functions with PackageType {version.package_type}"
    elif not (version.runtime or "").startswith("python3."):
        what = f"functions for the runtime {version.runtime}"
    else:
        return
    raise AwsError("UnsupportedOperation", f"This local cloud does not run {what}.")


def _trace() -> str:
    root = f"{int(time.time()):08x}-{random.getrandbits(96):024x}"
    return f"Root=1-{root};Parent={random.getrandbits(64):016x};Sampled=0"
