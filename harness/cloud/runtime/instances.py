"""One instance of a variant: its container started, pinged until healthy, replaced when it dies, stopped."""

import http.client
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.cloud.backing.logs import LogStore
from harness.cloud.clock import Clock
from harness.cloud.interruption import Interruption
from harness.cloud.runtime.router import RANDOM, Pool, Worker
from harness.cloud.runtime.stopping import stop_within
from harness.containers import opt_ml
from harness.containers.spec import Container, ContainerSpec, Engine, Exit, Program

log = logging.getLogger(__name__)

# docs/notes/endpoints.md, "Health check" and "Stop".
PING_SECONDS = 2.0
STARTUP_SECONDS = 480.0
GRACE_SECONDS = 30.0
# Between two pings: short at first, since a forked worker answers within some 25 ms.
FIRST_PAUSE, LONGEST_PAUSE = 0.003, 0.25
# Before a worker that keeps dying is started again, in seconds on the clock.
LONGEST_BACKOFF = 60.0


class Unhealthy(Exception):
    """A container of `variant` ended, or did not answer its ping in time."""

    def __init__(self, variant: str) -> None:
        super().__init__(variant)
        self.variant = variant


@dataclass(frozen=True)
class VariantSpec:
    """What the instances of a variant run. `model` is a folder with the extracted model data, shared by them."""

    account: str
    region: str
    endpoint: str
    variant: str
    image: str
    program: Program
    environment: Mapping[str, str]
    model: Path
    strategy: str = RANDOM
    startup_seconds: float = STARTUP_SECONDS
    container: str = "primary"

    @property
    def group(self) -> str:
        """The log group of the endpoint."""
        return f"/aws/sagemaker/Endpoints/{self.endpoint}"


@dataclass(frozen=True)
class InstanceTools:
    """What instances work with. `start_thread(name, work)` runs work beside; `folder(purpose)` makes a folder."""

    engine: Engine
    clock: Clock
    logs: LogStore
    folder: Callable[[str], Path]
    start_thread: Callable[[str, Callable[[], None]], None]


@dataclass(eq=False)
class _Tenant:
    """The container that an instance runs at present, with its worker and its folder."""

    worker: Worker
    container: Container
    root: Path
    stream: str
    ended: threading.Event = field(default_factory=threading.Event)
    admitted: bool = False


class Instance:
    """A place that always has a worker, once it has been admitted to `pool`."""

    def __init__(self, spec: VariantSpec, tools: InstanceTools, pool: Pool) -> None:
        self._spec = spec
        self._tools = tools
        self._pool = pool
        self._lock = threading.Lock()
        self._tenant: _Tenant | None = None
        self._closing = Interruption()

    @property
    def worker(self) -> Worker | None:
        """The present worker; None while it is being replaced, and in the end."""
        with self._lock:
            return None if self._tenant is None else self._tenant.worker

    def launch(self) -> None:
        """Start the first container; returns before it is ready. Raises Unhealthy if the instance was closed."""
        if self._launch() is None:
            raise Unhealthy(self._spec.variant)

    def admit(self, interruption: Interruption) -> None:
        """Wait until what was launched is healthy, and let it have requests. Raises Unhealthy."""
        with self._lock:
            tenant = self._tenant
        if tenant is None:
            raise Unhealthy(self._spec.variant)
        self._admit_when_healthy(tenant, interruption)

    def withdraw(self) -> Worker | None:
        """Take no more requests, and have no more replacements; returns the worker, which may hold some."""
        self._closing.set()
        worker = self.worker
        if worker is not None:
            self._pool.remove(worker)
        return worker

    def stop(self) -> None:
        """End the worker as the platform does: SIGTERM, 30 seconds, SIGKILL."""
        self._end(lambda container: stop_within(container, GRACE_SECONDS, self._tools.clock))

    def kill(self) -> None:
        """End the worker at once."""
        self._end(lambda container: container.kill())

    def _launch(self) -> _Tenant | None:
        """Start a container; None if the instance was closed meanwhile."""
        spec = self._spec
        root = self._tools.folder("worker")
        try:
            (root / "model").symlink_to(spec.model, target_is_directory=True)
            instance_id = f"i-{secrets.token_hex(8)}{secrets.token_hex(1)[:1]}"
            stream = f"{spec.variant}/{instance_id}"
            self._tools.logs.open(spec.account, spec.region, spec.group, stream)
            container = self._tools.engine.start(
                ContainerSpec(
                    name=f"{spec.endpoint}/{spec.variant}",
                    image=spec.image,
                    program=spec.program,
                    command="serve",
                    environment=opt_ml.hosting_environment(
                        root, region=spec.region, environment=spec.environment
                    ),
                    root=root,
                ),
                lambda lines: self._tools.logs.put(
                    spec.account, spec.region, spec.group, stream, lines
                ),
            )
        except BaseException:
            opt_ml.remove_tree(root)
            raise
        assert container.address is not None, "a serving container has an address"
        tenant = _Tenant(Worker(container.address, instance_id), container, root, stream)
        with self._lock:
            closed = self._closing.is_set()
            if not closed:
                self._tenant = tenant
        tenant.worker.suspect = lambda: self._suspect(tenant)
        container.add_exit_callback(lambda exit: self._ended(tenant, exit))
        if closed:
            container.kill()
            self._discard(tenant)
            return None
        return tenant

    def _admit_when_healthy(self, tenant: _Tenant, interruption: Interruption) -> None:
        self._wait_until_healthy(tenant, interruption)
        with self._lock:
            if tenant.ended.is_set() or tenant is not self._tenant or self._closing.is_set():
                raise Unhealthy(self._spec.variant)
            tenant.admitted = True
            self._pool.add(tenant.worker)

    def _wait_until_healthy(self, tenant: _Tenant, interruption: Interruption) -> None:
        expired = threading.Event()
        timer = self._tools.clock.call_later(self._spec.startup_seconds, expired.set)
        pause = FIRST_PAUSE
        try:
            while not ping(tenant.worker.address):
                if tenant.ended.is_set() or expired.is_set() or self._closing.is_set():
                    raise Unhealthy(self._spec.variant)
                if interruption.pause(pause):
                    raise Unhealthy(self._spec.variant)
                pause = min(pause * 1.5, LONGEST_PAUSE)
        finally:
            timer.cancel()

    def _ended(self, tenant: _Tenant, exit: Exit) -> None:
        """A container ended, of itself or because we stopped it."""
        tenant.ended.set()
        with self._lock:
            self._pool.remove(tenant.worker)
            replace = tenant.admitted and tenant is self._tenant and not self._closing.is_set()
            if replace:
                self._tenant = None
        if replace:
            log.warning(
                "%s/%s: worker %s ended with exit code %s and is replaced",
                self._spec.endpoint,
                self._spec.variant,
                tenant.worker.instance_id,
                exit.shell_code,
            )
            self._tools.start_thread("replace", lambda: self._replace(tenant))

    def _suspect(self, tenant: _Tenant) -> None:
        """The worker broke a connection. It serves again once it has answered a ping, if it ever does."""
        if not self._pool.remove(tenant.worker) or self._closing.is_set():
            return

        def look_after() -> None:
            try:
                self._admit_when_healthy(tenant, self._closing)
            except Unhealthy:
                # Its end has it replaced, unless the instance is to have no more workers.
                if not self._closing.is_set():
                    tenant.container.kill()

        self._tools.start_thread("look after", look_after)

    def _replace(self, dead: _Tenant) -> None:
        """Put a new worker in the place of a dead one, trying again more and more slowly."""
        self._discard(dead)
        backoff = 0.0
        while not self._closing.pause(backoff, self._tools.clock):
            backoff = min(max(1.0, backoff * 2), LONGEST_BACKOFF)
            tenant = self._launch()
            if tenant is None:
                return
            try:
                self._admit_when_healthy(tenant, self._closing)
            except Unhealthy:
                with self._lock:
                    if tenant is not self._tenant:
                        return
                    self._tenant = None
                tenant.container.kill()
                self._discard(tenant)
            else:
                return

    def _end(self, how: Callable[[Container], Exit]) -> None:
        self._closing.set()
        with self._lock:
            tenant = self._tenant
        if tenant is None:
            return
        self._pool.remove(tenant.worker)
        # A kill may come while a stop waits.
        how(tenant.container)
        with self._lock:
            mine, self._tenant = self._tenant is tenant, None
        if mine:
            self._discard(tenant)

    def _discard(self, tenant: _Tenant) -> None:
        """Forget a worker whose container has ended."""
        tenant.container.wait()
        spec = self._spec
        self._tools.logs.finish(spec.account, spec.region, spec.group, tenant.stream)
        opt_ml.remove_tree(tenant.root)


def ping(address: tuple[str, int], timeout: float = PING_SECONDS) -> bool:
    """Whether GET /ping is answered with 200."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
