"""The router."""

import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.cloud.runtime.router import (
    EndpointNotFound,
    Lease,
    NoWorker,
    Route,
    Router,
    VariantNotFound,
    VariantRoute,
    Worker,
)

HERE = ("123456789012", "us-east-1")


def _route(*names: str, weight: float = 1.0) -> Route:
    return Route(
        tuple(
            VariantRoute(name, weight, workers=(Worker(("127.0.0.1", port), f"i-{name}"),))
            for port, name in enumerate(names, 1000)
        )
    )


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


@pytest.mark.documented("sagemaker-runtime:InvokeEndpointInput.TargetVariant")
def test_a_target_variant_overrides_the_weights() -> None:
    """TargetVariant reaches a variant whatever its weight; an unknown one is told from a missing endpoint."""
    router = Router()
    router.switch(*HERE, "e", Route((*_route("A").variants, *_route("B", weight=0.0).variants)))
    assert {router.acquire(*HERE, "e").variant_name for _ in range(50)} == {"A"}
    assert router.acquire(*HERE, "e", "B").variant_name == "B"
    with pytest.raises(VariantNotFound):
        router.acquire(*HERE, "e", "b")


@pytest.mark.documented("sagemaker:ProductionVariant.InitialVariantWeight")
@given(
    weights=st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(any),
    seed=st.integers(0, 2**32),
)
def test_shares_follow_the_weights(weights: list[int], seed: int) -> None:
    """A variant's share of the requests is its weight over the sum; one without weight gets none."""
    router = Router(seed)
    variants = [
        VariantRoute(str(i), float(w), workers=(Worker(("127.0.0.1", 1), "i"),))
        for i, w in enumerate(weights)
    ]
    router.switch(*HERE, "e", Route(tuple(variants)))
    n = 2000
    seen = Counter(router.acquire(*HERE, "e").variant_name for _ in range(n))
    for i, weight in enumerate(weights):
        share = weight / sum(weights)
        # Eight standard deviations of a binomial: wrong once in 10**14.
        allowed = 8 * (n * share * (1 - share)) ** 0.5
        assert abs(seen[str(i)] - n * share) <= allowed


def test_a_variant_without_a_living_worker_says_so() -> None:
    """NoWorker is neither a missing endpoint nor a missing variant."""
    router = Router()
    router.switch(*HERE, "e", Route((VariantRoute("A", 1.0),)))
    with pytest.raises(NoWorker):
        router.acquire(*HERE, "e")


def test_idle_is_told_once_and_only_when_the_last_request_is_over() -> None:
    """when_idle waits for every lease on that route, and not for those on the next one."""
    router = Router()
    old, new = _route("A"), _route("B")
    router.switch(*HERE, "e", old)
    leases = [router.acquire(*HERE, "e") for _ in range(3)]
    assert router.switch(*HERE, "e", new) is old
    later = router.acquire(*HERE, "e")
    assert later.variant_name == "B"
    told = threading.Event()
    router.when_idle(old, told.set)
    for lease in leases[:2]:
        router.release(lease)
    assert not told.is_set()
    router.release(leases[2])
    assert told.is_set()
    router.release(later)


class Switching(RuleBasedStateMachine):
    """Requests come and go while endpoints are switched and removed."""

    def __init__(self) -> None:
        super().__init__()
        self.router = Router(0)
        self.current: Route | None = None
        self.leases: list[Lease] = []
        self.retired: list[tuple[Route, list[bool]]] = []

    @rule(names=st.sets(st.sampled_from("ABC"), min_size=1))
    def switch(self, names: set[str]) -> None:
        new = _route(*sorted(names))
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
        if route is not None:
            idle: list[bool] = []
            self.router.when_idle(route, lambda: idle.append(True))
            self.retired.append((route, idle))

    @rule()
    def request(self) -> None:
        if self.current is None:
            with pytest.raises(EndpointNotFound):
                self.router.acquire(*HERE, "e")
        else:
            lease = self.router.acquire(*HERE, "e")
            assert lease.route is self.current
            self.leases.append(lease)

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.leases) - 1))
        self.router.release(self.leases.pop(place))

    @invariant()
    def counts_are_right(self) -> None:
        for old, idle in self.retired:
            held = sum(lease.route is old for lease in self.leases)
            assert old.in_flight == held
            assert idle == ([] if held else [True])


TestSwitching = Switching.TestCase
