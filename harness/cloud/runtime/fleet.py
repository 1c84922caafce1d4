"""The workers of one production variant: started, pinged until healthy, replaced when they die, stopped."""

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
from harness.cloud.runtime.router import VariantRoute, Worker
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
    """A container ended, or did not answer its ping in time."""


@dataclass(frozen=True)
class FleetSpec:
    """What a fleet runs. `model` is a folder with the extracted model data, shared by its workers."""

    account: str
    region: str
    endpoint: str
    variant: str
    weight: float
    image: str
    program: Program
    environment: Mapping[str, str]
    model: Path
    size: int = 1
    startup_seconds: float = STARTUP_SECONDS
    container: str = "primary"


@dataclass(frozen=True)
class FleetTools:
    """What a fleet works with. `start_thread(name, work)` runs work beside; `folder(purpose)` makes a folder."""

    engine: Engine
    clock: Clock
    logs: LogStore
    folder: Callable[[str], Path]
    start_thread: Callable[[str, Callable[[], None]], None]


@dataclass(eq=False)
class _Member:
    """A worker with its container and its folder."""

    worker: Worker
    container: Container
    root: Path
    stream: str
    ended: threading.Event = field(default_factory=threading.Event)
    admitted: bool = False


class Fleet:
    """One variant's workers. `route` holds those that are healthy."""

    def __init__(self, spec: FleetSpec, tools: FleetTools) -> None:
        self.spec = spec
        self.route = VariantRoute(spec.variant, spec.weight, spec.container)
        self._tools = tools
        self._lock = threading.Lock()
        self._members: list[_Member] = []
        self._closing = Interruption()

    @property
    def group(self) -> str:
        """The log group of the endpoint."""
        return f"/aws/sagemaker/Endpoints/{self.spec.endpoint}"

    def start(self, interruption: Interruption) -> None:
        """Start every worker and wait until all are healthy. Raises Unhealthy; then the fleet is closed."""
        try:
            for member in [self._launch() for _ in range(self.spec.size)]:
                if member is None:
                    raise Unhealthy("the fleet was closed")
                self._wait_until_healthy(member, interruption)
                self._admit(member)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End every worker as the platform does: SIGTERM, 30 seconds, SIGKILL."""
        self._end(lambda member: stop_within(member.container, GRACE_SECONDS, self._tools.clock))

    def kill(self) -> None:
        """End every worker at once."""
        self._end(lambda member: member.container.kill())

    def _launch(self) -> _Member | None:
        """Start one worker; None if the fleet was closed meanwhile."""
        spec = self.spec
        root = self._tools.folder("worker")
        try:
            (root / "model").symlink_to(spec.model, target_is_directory=True)
            instance_id = f"i-{secrets.token_hex(8)}{secrets.token_hex(1)[:1]}"
            stream = f"{spec.variant}/{instance_id}"
            self._tools.logs.open(spec.account, spec.region, self.group, stream)
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
                    spec.account, spec.region, self.group, stream, lines
                ),
            )
        except BaseException:
            opt_ml.remove_tree(root)
            raise
        assert container.address is not None, "a serving container has an address"
        member = _Member(Worker(container.address, instance_id), container, root, stream)
        with self._lock:
            closed = self._closing.is_set()
            if not closed:
                self._members.append(member)
        member.worker.suspect = lambda: self._suspect(member)
        container.add_exit_callback(lambda exit: self._ended(member, exit))
        if closed:
            container.kill()
            self._discard(member)
            return None
        return member

    def _wait_until_healthy(self, member: _Member, interruption: Interruption) -> None:
        expired = threading.Event()
        timer = self._tools.clock.call_later(self.spec.startup_seconds, expired.set)
        pause = FIRST_PAUSE
        try:
            while not ping(member.worker.address):
                if member.ended.is_set() or expired.is_set() or self._closing.is_set():
                    raise Unhealthy(self.spec.variant)
                if interruption.pause(pause):
                    raise Unhealthy(self.spec.variant)
                pause = min(pause * 1.5, LONGEST_PAUSE)
        finally:
            timer.cancel()

    def _admit(self, member: _Member) -> None:
        with self._lock:
            if member.ended.is_set() or member not in self._members:
                raise Unhealthy(self.spec.variant)
            member.admitted = True
            self.route.workers = (*self.route.workers, member.worker)

    def _ended(self, member: _Member, exit: Exit) -> None:
        """A container ended, of itself or because we stopped it."""
        member.ended.set()
        with self._lock:
            self._withdraw(member)
            replace = member.admitted and member in self._members and not self._closing.is_set()
            if replace:
                self._members.remove(member)
        if replace:
            log.warning(
                "%s/%s: worker %s ended with exit code %s and is replaced",
                self.spec.endpoint,
                self.spec.variant,
                member.worker.instance_id,
                exit.shell_code,
            )
            self._tools.start_thread("replace", lambda: self._replace(member))

    def _withdraw(self, member: _Member) -> bool:
        """Send the worker nothing more; whether it was sent anything until now. The caller holds the lock."""
        before = self.route.workers
        self.route.workers = tuple(worker for worker in before if worker is not member.worker)
        return len(self.route.workers) < len(before)

    def _suspect(self, member: _Member) -> None:
        """The worker broke a connection. It serves again once it has answered a ping, if it ever does."""
        with self._lock:
            if not self._withdraw(member) or self._closing.is_set():
                return

        def look_after() -> None:
            try:
                self._wait_until_healthy(member, self._closing)
                self._admit(member)
            except Unhealthy:
                # Its end has it replaced.
                member.container.kill()

        self._tools.start_thread("look after", look_after)

    def _replace(self, dead: _Member) -> None:
        """Put a new worker in the place of a dead one, trying again more and more slowly."""
        self._discard(dead)
        backoff = 0.0
        while not self._closing.pause(backoff, self._tools.clock):
            backoff = min(max(1.0, backoff * 2), LONGEST_BACKOFF)
            member = self._launch()
            if member is None:
                return
            try:
                self._wait_until_healthy(member, self._closing)
                self._admit(member)
            except Unhealthy:
                with self._lock:
                    if member not in self._members:
                        return
                    self._members.remove(member)
                member.container.kill()
                self._discard(member)
            else:
                return

    def _end(self, how: Callable[[_Member], Exit]) -> None:
        self._closing.set()
        with self._lock:
            members, self._members = self._members, []
            self.route.workers = ()
        threads = [threading.Thread(target=how, args=(member,), daemon=True) for member in members]
        for thread in threads:
            thread.start()
        for thread, member in zip(threads, members, strict=True):
            thread.join()
            self._discard(member)

    def _discard(self, member: _Member) -> None:
        """Forget a worker whose container has ended."""
        member.container.wait()
        self._tools.logs.finish(self.spec.account, self.spec.region, self.group, member.stream)
        opt_ml.remove_tree(member.root)


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
