"""Which worker of which variant answers a request: a registry of endpoints, switched atomically.

Used by the event loop, so nothing here waits: the one lock is held for a few dictionary steps.
"""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


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


@dataclass(eq=False)
class VariantRoute:
    """The workers of one variant. `workers` is replaced as a whole, never changed."""

    name: str
    weight: float
    container: str = "primary"
    workers: tuple[Worker, ...] = ()


@dataclass(eq=False)
class Route:
    """Where the requests of one endpoint go: one deployment's variants."""

    variants: tuple[VariantRoute, ...]
    in_flight: int = 0
    on_idle: list[Callable[[], None]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Lease:
    """Leave to send one request to `address`; give it back with `Router.release`, once."""

    address: tuple[str, int]
    variant_name: str
    container_name: str
    worker: Worker
    route: Route


Key = tuple[str, str, str]


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
            variant = self._variant(route.variants, target_variant)
            if not variant.workers:
                raise NoWorker(variant.name)
            worker = self._random.choice(variant.workers)
            worker.in_flight += 1
            route.in_flight += 1
            return Lease(worker.address, variant.name, variant.container, worker, route)

    def release(self, lease: Lease) -> None:
        """The request of this lease is over."""
        with self._lock:
            lease.worker.in_flight -= 1
            lease.route.in_flight -= 1
            waiting: list[Callable[[], None]] = []
            if lease.route.in_flight == 0:
                waiting, lease.route.on_idle = lease.route.on_idle, []
        for callback in waiting:
            callback()

    def suspect(self, lease: Lease) -> None:
        """The worker of this lease broke the connection: it gets nothing more until its fleet has seen to it."""
        lease.worker.suspect()

    def when_idle(self, route: Route, callback: Callable[[], None]) -> None:
        """Call `callback` once no request travels along `route`: now, or when the last one is released."""
        with self._lock:
            if route.in_flight:
                route.on_idle.append(callback)
                return
        callback()

    def _variant(self, variants: Sequence[VariantRoute], target: str | None) -> VariantRoute:
        if target is not None:
            for variant in variants:
                if variant.name == target:
                    return variant
            raise VariantNotFound(target)
        weights = [variant.weight for variant in variants]
        # AWS does not say what all-zero weights mean; every variant is as good as another then.
        return self._random.choices(variants, weights if any(weights) else None)[0]
