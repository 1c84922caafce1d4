"""Which worker of which variant answers a request: a registry of endpoints, switched atomically.

Used by the event loop, so nothing here waits: the one lock is held for a few steps over one endpoint's destinations.
"""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

RANDOM = "RANDOM"
LEAST_OUTSTANDING_REQUESTS = "LEAST_OUTSTANDING_REQUESTS"


class EndpointNotFound(Exception):
    """No endpoint of exactly this name serves."""


class VariantNotFound(Exception):
    """The endpoint serves, but has no variant of this name."""


class NoWorker(Exception):
    """The variant has no worker that is alive at this moment."""


@dataclass(eq=False)
class Worker:
    """One container that answers at `address`; `in_flight` counts its requests.

    `suspect` is called without waiting when the worker broke a connection.
    """

    address: tuple[str, int]
    instance_id: str
    in_flight: int = 0
    suspect: Callable[[], None] = lambda: None
    on_idle: list[Callable[[], None]] = field(default_factory=list)


class Pool:
    """The workers of one variant in one deployment that may be sent requests."""

    def __init__(
        self,
        variant: str,
        container: str = "primary",
        strategy: str = RANDOM,
        workers: Sequence[Worker] = (),
    ) -> None:
        self.variant = variant
        self.container = container
        self.strategy = strategy
        # Replaced as a whole, never changed: the router reads it while others come and go.
        self.workers = tuple(workers)
        self._lock = threading.Lock()

    def add(self, worker: Worker) -> None:
        """Send requests to `worker` too."""
        with self._lock:
            self.workers = (*self.workers, worker)

    def remove(self, worker: Worker) -> bool:
        """Send `worker` nothing more; whether it was sent anything until now."""
        with self._lock:
            before = self.workers
            self.workers = tuple(other for other in before if other is not worker)
            return len(self.workers) < len(before)


@dataclass(frozen=True)
class Destination:
    """A pool and what it gets: `weight` of the requests without a target, `share` of those for its variant.

    `active` is how many of its workers take part; None for all.
    """

    pool: Pool
    weight: float
    share: float = 1.0
    active: int | None = None

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Those that take requests at this moment."""
        return self.pool.workers[: self.active]


@dataclass(frozen=True, eq=False)
class Route:
    """Where the requests of one endpoint go. A destination without a share gets nothing, not even as a target."""

    destinations: tuple[Destination, ...]


@dataclass(frozen=True, eq=False)
class Lease:
    """Leave to send one request to `address`; give it back with `Router.release`, once."""

    address: tuple[str, int]
    variant_name: str
    container_name: str
    worker: Worker


Key = tuple[str, str, str]
T = TypeVar("T")


def shares(weights: Sequence[float]) -> list[Fraction]:
    """What each weight is of their sum, exactly.

    AWS does not say what all-zero weights mean; every variant is as good as another then.
    """
    exact = [Fraction(weight) for weight in weights]
    total = sum(exact)
    return [weight / total if total else Fraction(1, len(exact)) for weight in exact]


class Router:
    """The endpoints that serve, by account, region and exact name."""

    def __init__(self, seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self._routes: dict[Key, Route] = {}
        self._random = random.Random(seed)

    def switch(self, account: str, region: str, endpoint: str, route: Route) -> Route | None:
        """Send every later request of the endpoint along `route`; returns the route until now."""
        with self._lock:
            before = self._routes.get((account, region, endpoint))
            self._routes[account, region, endpoint] = route
            return before

    def remove(self, account: str, region: str, endpoint: str) -> Route | None:
        """Send no more requests; returns the route until now."""
        with self._lock:
            return self._routes.pop((account, region, endpoint), None)

    def acquire(
        self, account: str, region: str, endpoint: str, target_variant: str | None = None
    ) -> Lease:
        """Choose a worker: `target_variant`'s, or by the weights.

        Raises EndpointNotFound, VariantNotFound or NoWorker.
        """
        with self._lock:
            route = self._routes.get((account, region, endpoint))
            if route is None:
                raise EndpointNotFound(endpoint)
            pool, workers = self._pool(route, target_variant)
            worker = self._worker(pool.strategy, workers)
            worker.in_flight += 1
            return Lease(worker.address, pool.variant, pool.container, worker)

    def release(self, lease: Lease) -> None:
        """The request of this lease is over."""
        worker = lease.worker
        with self._lock:
            worker.in_flight -= 1
            waiting: list[Callable[[], None]] = []
            if worker.in_flight == 0:
                waiting, worker.on_idle = worker.on_idle, []
        for callback in waiting:
            callback()

    def suspect(self, lease: Lease) -> None:
        """The worker of this lease broke the connection: it gets nothing more until its fleet has seen to it."""
        lease.worker.suspect()

    def when_idle(self, worker: Worker, callback: Callable[[], None]) -> None:
        """Call `callback` once the worker holds no request: now, or when its last one is released."""
        with self._lock:
            if worker.in_flight:
                worker.on_idle.append(callback)
                return
        callback()

    def _pool(self, route: Route, target: str | None) -> tuple[Pool, Sequence[Worker]]:
        """A pool with its living workers; if the one that was drawn has none, another of its variant."""
        if target is None:
            drawn = self._draw(route.destinations, [d.weight for d in route.destinations])
            # Read once: a worker may be withdrawn at any moment.
            if workers := drawn.workers:
                return drawn.pool, workers
            target = drawn.pool.variant
        candidates = [d for d in route.destinations if d.share and d.pool.variant == target]
        if not candidates:
            raise VariantNotFound(target)
        alive = [(d, workers) for d in candidates if (workers := d.workers)]
        if not alive:
            raise NoWorker(target)
        destination, workers = self._draw(alive, [d.share for d, _ in alive])
        return destination.pool, workers

    def _worker(self, strategy: str, workers: Sequence[Worker]) -> Worker:
        if strategy == LEAST_OUTSTANDING_REQUESTS:
            least = min(worker.in_flight for worker in workers)
            workers = [worker for worker in workers if worker.in_flight == least]
        return self._random.choice(workers)

    def _draw(self, things: Sequence[T], weights: Sequence[float]) -> T:
        return things[0] if len(things) == 1 else self._random.choices(things, weights)[0]
