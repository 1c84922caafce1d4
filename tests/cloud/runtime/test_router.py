"""The router."""

import threading
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.cloud.runtime.router import (
    LEAST_OUTSTANDING_REQUESTS,
    RANDOM,
    Destination,
    EndpointNotFound,
    Lease,
    NoWorker,
    Pool,
    Route,
    Router,
    VariantNotFound,
    Worker,
    shares,
)

HERE = ("123456789012", "us-east-1")
# Chi-square's quantiles of 1 - 10**-9, by degrees of freedom: a right router exceeds them once in 10**9 seeds.
CHI_SQUARE = {1: 37.33, 2: 41.45, 3: 44.84, 4: 47.88, 5: 50.69}
WEIGHTS = st.lists(
    st.floats(0, 1000, allow_subnormal=False).filter(lambda w: w == 0 or w > 1e-3), min_size=1
)


def _pool(name: str, workers: int = 1, strategy: str = RANDOM) -> Pool:
    return Pool(
        name,
        strategy=strategy,
        workers=[Worker(("127.0.0.1", 1000 + n), f"i-{name}-{n}") for n in range(workers)],
    )


def _route(*names: str, weight: float = 1.0) -> Route:
    return Route(tuple(Destination(_pool(name), weight) for name in names))


def _chi_square(seen: Counter[str], expected: dict[str, float]) -> float:
    n = seen.total()
    return sum((seen[name] - n * share) ** 2 / (n * share) for name, share in expected.items())


@pytest.mark.documented("sagemaker:CreateEndpoint")
def test_the_name_must_match_in_case() -> None:
    """InvokeEndpoint finds an endpoint by its exact name only."""
    router = Router()
    router.switch(*HERE, "My-Endpoint", _route("A"))
    assert router.acquire(*HERE, "My-Endpoint").variant_name == "A"
    with pytest.raises(EndpointNotFound):
        router.acquire(*HERE, "my-endpoint")
    with pytest.raises(EndpointNotFound):
        router.acquire("123456789012", "eu-west-1", "My-Endpoint")


@pytest.mark.documented("sagemaker:ProductionVariant.InitialVariantWeight")
@given(weights=WEIGHTS.filter(any))
def test_a_share_is_the_weight_over_the_sum(weights: list[float]) -> None:
    """Exactly, whatever the weights; together they are everything."""
    found = shares(weights)
    assert sum(found) == 1
    total = sum(map(Fraction, weights))
    assert [share * total for share in found] == [Fraction(weight) for weight in weights]


@pytest.mark.assumed("notes/endpoints.md#variants")
@given(count=st.integers(1, 10))
def test_variants_without_any_weight_are_equal(count: int) -> None:
    """When all weights are zero each variant gets as much as another."""
    assert shares([0.0] * count) == [Fraction(1, count)] * count


@pytest.mark.documented("sagemaker:ProductionVariant.InitialVariantWeight")
@given(
    weights=st.lists(st.integers(0, 5), min_size=2, max_size=6).filter(
        lambda w: sum(map(bool, w)) > 1
    ),
    seed=st.integers(0, 2**32),
)
def test_requests_follow_the_weights(weights: list[int], seed: int) -> None:
    """Each variant's share of many requests is its weight over the sum; one without weight gets none."""
    router = Router(seed)
    names = [f"V{n}" for n in range(len(weights))]
    router.switch(
        *HERE,
        "e",
        Route(
            tuple(
                Destination(_pool(name), float(share))
                for name, share in zip(names, shares(weights), strict=True)
            )
        ),
    )
    seen = Counter(router.acquire(*HERE, "e").variant_name for _ in range(2000))
    expected = {n: w / sum(weights) for n, w in zip(names, weights, strict=True) if w}
    assert set(seen) <= set(expected)
    assert _chi_square(seen, expected) < CHI_SQUARE[len(expected) - 1]


@pytest.mark.documented("sagemaker:RoutingStrategy")
def test_random_routing_treats_workers_alike() -> None:
    """RANDOM draws each of a variant's workers equally often, whatever they hold."""
    router = Router(0)
    pool = _pool("A", workers=4)
    pool.workers[0].in_flight = 1000
    router.switch(*HERE, "e", Route((Destination(pool, 1.0),)))
    seen = Counter(router.acquire(*HERE, "e").worker.instance_id for _ in range(4000))
    expected = {worker.instance_id: 0.25 for worker in pool.workers}
    assert _chi_square(seen, expected) < CHI_SQUARE[3]


@pytest.mark.documented("sagemaker:RoutingStrategy")
@given(
    held=st.lists(st.integers(0, 3), min_size=1, max_size=5),
    requests=st.lists(st.booleans(), max_size=30),
    seed=st.integers(0, 2**32),
)
def test_least_outstanding_requests(held: list[int], requests: list[bool], seed: int) -> None:
    """Each request goes to a worker that holds no more than any other, while others come and go."""
    router = Router(seed)
    pool = _pool("A", workers=len(held), strategy=LEAST_OUTSTANDING_REQUESTS)
    for worker, count in zip(pool.workers, held, strict=True):
        worker.in_flight = count
    router.switch(*HERE, "e", Route((Destination(pool, 1.0),)))
    leases: list[Lease] = []
    for comes in requests:
        if comes or not leases:
            before = {worker.instance_id: worker.in_flight for worker in pool.workers}
            leases.append(router.acquire(*HERE, "e"))
            assert before[leases[-1].worker.instance_id] == min(before.values())
        else:
            router.release(leases.pop(seed % len(leases)))


@pytest.mark.documented("sagemaker-runtime:InvokeEndpointInput.TargetVariant")
@given(
    weights=st.lists(st.integers(0, 5), min_size=1, max_size=5),
    strategy=st.sampled_from([RANDOM, LEAST_OUTSTANDING_REQUESTS]),
    seed=st.integers(0, 2**32),
)
def test_a_target_variant_overrides_the_weights(
    weights: list[int], strategy: str, seed: int
) -> None:
    """TargetVariant reaches its variant whatever the weights; an unknown one is told from a missing endpoint."""
    router = Router(seed)
    pools = [_pool(f"V{n}", strategy=strategy) for n in range(len(weights))]
    divided = zip(pools, shares(weights), strict=True)
    router.switch(*HERE, "e", Route(tuple(Destination(p, float(s)) for p, s in divided)))
    for pool in pools:
        assert router.acquire(*HERE, "e", pool.variant).worker is pool.workers[0]
    with pytest.raises(VariantNotFound):
        router.acquire(*HERE, "e", "v0")


@pytest.mark.parametrize("target", [None, "A"])
def test_a_variant_in_two_deployments_is_divided(target: str | None) -> None:
    """The share says how many of a variant's requests each pool gets, and `active` how many workers take part."""
    router = Router(1)
    blue, green = _pool("A", workers=3), _pool("A", workers=3)
    router.switch(
        *HERE,
        "e",
        Route((Destination(blue, 0.7, 0.7), Destination(green, 0.3, 0.3, active=1))),
    )
    seen = Counter(
        "green" if router.acquire(*HERE, "e", target).worker in green.workers else "blue"
        for _ in range(4000)
    )
    assert _chi_square(seen, {"blue": 0.7, "green": 0.3}) < CHI_SQUARE[1]
    assert [worker.in_flight for worker in green.workers[1:]] == [0, 0]


def test_a_destination_without_a_share_is_not_even_a_target() -> None:
    """What gets nothing of a variant's requests is not reached by its name either."""
    router = Router()
    blue, green = _pool("A"), _pool("B")
    router.switch(*HERE, "e", Route((Destination(blue, 1.0), Destination(green, 0.0, 0.0))))
    with pytest.raises(VariantNotFound):
        router.acquire(*HERE, "e", "B")


def test_a_pool_without_a_living_worker_is_stood_in_for_by_the_variant_s_other() -> None:
    """While two deployments serve a variant, its requests go to workers that are there."""
    router = Router(0)
    blue, green = _pool("A"), _pool("A", workers=0)
    router.switch(*HERE, "e", Route((Destination(blue, 0.5, 0.5), Destination(green, 0.5, 0.5))))
    assert {router.acquire(*HERE, "e").worker for _ in range(50)} == set(blue.workers)
    assert router.acquire(*HERE, "e", "A").worker is blue.workers[0]


def test_a_variant_without_a_living_worker_says_so() -> None:
    """NoWorker is neither a missing endpoint nor a missing variant, and another variant does not stand in."""
    router = Router()
    router.switch(
        *HERE, "e", Route((Destination(_pool("A", workers=0), 1.0), Destination(_pool("B"), 0.0)))
    )
    with pytest.raises(NoWorker):
        router.acquire(*HERE, "e")
    with pytest.raises(NoWorker):
        router.acquire(*HERE, "e", "A")


def test_idle_is_told_once_and_only_when_the_last_request_is_over() -> None:
    """when_idle waits for every lease on that worker, and not for those on another."""
    router = Router()
    old, new = _route("A"), _route("B")
    router.switch(*HERE, "e", old)
    leases = [router.acquire(*HERE, "e") for _ in range(3)]
    assert router.switch(*HERE, "e", new) is old
    later = router.acquire(*HERE, "e")
    assert later.variant_name == "B"
    told = threading.Event()
    router.when_idle(leases[0].worker, told.set)
    for lease in leases[:2]:
        router.release(lease)
    assert not told.is_set()
    router.release(leases[2])
    assert told.is_set()
    router.release(later)


class Switching(RuleBasedStateMachine):
    """Requests and workers come and go while endpoints are switched and removed."""

    def __init__(self) -> None:
        super().__init__()
        self.router = Router(0)
        self.current: Route | None = None
        self.leases: list[Lease] = []
        self.retired: list[tuple[Worker, list[bool]]] = []

    @rule(names=st.lists(st.sampled_from("ABC"), min_size=1, unique=True))
    def switch(self, names: Sequence[str]) -> None:
        new = _route(*names)
        before = self.router.switch(*HERE, "e", new)
        assert before is self.current
        self._retire(before)
        self.current = new

    @rule()
    def remove(self) -> None:
        assert self.router.remove(*HERE, "e") is self.current
        self._retire(self.current)
        self.current = None

    def _retire(self, route: Route | None) -> None:
        for destination in route.destinations if route is not None else ():
            for worker in destination.workers:
                self._watch(worker)

    def _watch(self, worker: Worker) -> None:
        idle: list[bool] = []
        self.router.when_idle(worker, lambda: idle.append(True))
        self.retired.append((worker, idle))

    @precondition(lambda self: self.current is not None)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """A worker leaves its pool and holds what it holds."""
        assert self.current is not None
        pool = data.draw(st.sampled_from([d.pool for d in self.current.destinations]))
        for worker in pool.workers:
            assert pool.remove(worker)
            assert not pool.remove(worker)
            self._watch(worker)

    @precondition(lambda self: self.current is not None)
    @rule(data=st.data())
    def admit(self, data: st.DataObject) -> None:
        assert self.current is not None
        pool = data.draw(st.sampled_from([d.pool for d in self.current.destinations]))
        pool.add(Worker(("127.0.0.1", 1), "i-new"))

    @rule(variant=st.sampled_from([None, "A", "B"]))
    def request(self, variant: str | None) -> None:
        if self.current is None:
            with pytest.raises(EndpointNotFound):
                self.router.acquire(*HERE, "e", variant)
            return
        pools = {d.pool.variant: d.pool for d in self.current.destinations}
        try:
            lease = self.router.acquire(*HERE, "e", variant)
        except VariantNotFound:
            assert variant not in pools
        except NoWorker:
            empty = [name for name, pool in pools.items() if not pool.workers]
            assert variant in empty if variant is not None else empty
        else:
            assert variant in (None, lease.variant_name)
            assert lease.worker in pools[lease.variant_name].workers
            self.leases.append(lease)

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.leases) - 1))
        self.router.release(self.leases.pop(place))

    @invariant()
    def counts_are_right(self) -> None:
        for worker, idle in self.retired:
            held = sum(lease.worker is worker for lease in self.leases)
            assert worker.in_flight == held
            assert idle == ([] if held else [True])


TestSwitching = Switching.TestCase
