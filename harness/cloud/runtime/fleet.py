"""The instances of one variant in one deployment: grown, shrunk and ended without losing a request."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from harness.cloud.interruption import Interruption
from harness.cloud.parallel import in_parallel
from harness.cloud.runtime.instances import Instance, InstanceTools, Unhealthy, VariantSpec
from harness.cloud.runtime.router import Pool, Router

# A request has 60 seconds (docs/notes/endpoints.md, "Updates"); none that an instance holds can be older.
DRAIN_SECONDS = 60.0


@dataclass(frozen=True)
class FleetTools(InstanceTools):
    """What a fleet works with."""

    router: Router


class Fleet:
    """`pool` holds the workers that are healthy, `size` counts the instances that have been."""

    def __init__(self, spec: VariantSpec, tools: FleetTools) -> None:
        self.spec = spec
        self.pool = Pool(spec.variant, spec.container, spec.strategy)
        self._tools = tools
        self._lock = threading.Lock()
        self._instances: list[Instance] = []
        self._starting: set[Instance] = set()
        # What each of those that finish their requests waits with.
        self._leaving: dict[Instance, Interruption] = {}
        self._closed = False

    @property
    def size(self) -> int:
        """How many instances have been healthy and were not told to end."""
        with self._lock:
            return len(self._instances)

    def grow(
        self,
        size: int,
        interruption: Interruption,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Have `size` instances, each healthy; calls `changed` after each that is.

        Raises Unhealthy if one is not; then those that were begun are gone.
        """
        new: list[Instance] = []
        try:
            for _ in range(size - self.size):
                new.append(self._begin())
                new[-1].launch()
            for instance in new:
                instance.admit(interruption)
                with self._lock:
                    self._starting.discard(instance)
                    self._instances.append(instance)
                changed()
        except BaseException:
            in_parallel([instance.kill for instance in new])
            with self._lock:
                self._starting.difference_update(new)
                self._instances = [kept for kept in self._instances if kept not in new]
            raise

    def shrink(self, size: int, deadline: datetime) -> None:
        """Have `size` instances. The others finish what they hold, or what they can until `deadline`, and end."""
        with self._lock:
            # Those without a living worker first, then the youngest.
            ranked = sorted(self._instances, key=lambda instance: instance.worker is None)
            self._instances, leaving = ranked[:size], ranked[size:]
            self._leaving |= {instance: Interruption() for instance in leaving}
        in_parallel([partial(self._retire, instance, deadline) for instance in leaving])

    def stop(self) -> None:
        """End every worker as the platform does: SIGTERM, 30 seconds, SIGKILL."""
        in_parallel([instance.stop for instance in self._close()])

    def kill(self) -> None:
        """End every worker at once."""
        in_parallel([instance.kill for instance in self._close()])

    def _begin(self) -> Instance:
        instance = Instance(self.spec, self._tools, self.pool)
        with self._lock:
            if self._closed:
                raise Unhealthy(self.spec.variant)
            self._starting.add(instance)
        return instance

    def _close(self) -> Sequence[Instance]:
        with self._lock:
            self._closed = True
            for idle in self._leaving.values():
                idle.set()
            instances = [*self._instances, *self._starting, *self._leaving]
            self._instances, self._starting = [], set()
            return instances

    def _retire(self, instance: Instance, deadline: datetime) -> None:
        worker = instance.withdraw()
        idle = self._leaving[instance]
        if worker is not None:
            self._tools.router.when_idle(worker, idle.set)
            idle.pause_until(deadline, self._tools.clock)
        instance.stop()
        with self._lock:
            del self._leaving[instance]
