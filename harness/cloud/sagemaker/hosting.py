"""What one endpoint runs, and where its requests go: created, updated, scaled, ended."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any

from harness.cloud.interruption import Interruption
from harness.cloud.runtime.fleet import DRAIN_SECONDS
from harness.cloud.runtime.router import Destination, Route, shares
from harness.cloud.sagemaker import variant_summaries
from harness.cloud.sagemaker.generations import Deployment, DeploymentFailed, Generation
from harness.cloud.sagemaker.lifecycle import Gone, moment
from harness.cloud.sagemaker.records import Endpoint, VariantSummary
from harness.cloud.sagemaker.refusals import reason
from harness.cloud.sagemaker.service import AccountRegion, SageMaker

Portions = Mapping[str, Fraction]


@dataclass(frozen=True)
class Flow:
    """A generation and the portion of each variant's requests that it gets; all of them unless told.

    `partial`: only as many instances take part as the portion is of the fleet.
    """

    generation: Generation
    portions: Portions = field(default_factory=dict)
    partial: bool = False

    def destinations(self) -> Iterator[Destination]:
        """One for each variant."""
        weights = self.generation.weights
        for name, weight in zip(weights, shares(list(weights.values())), strict=True):
            fleet = self.generation.fleets[name]
            portion = self.portions.get(name, Fraction(1))
            active = ceil(portion * fleet.size) if self.partial and portion < 1 else None
            yield Destination(fleet.pool, float(weight * portion), float(portion), active)


class Hosting:
    """What one endpoint runs. `create`, `update`, `scale` and `delete` are each the work of one transition."""

    def __init__(self, service: SageMaker, state: AccountRegion, endpoint: Endpoint) -> None:
        self._service = service
        self._state = state
        self._endpoint = endpoint
        # What cuts the waits of the transition in progress short.
        self._cut = Interruption()
        # Guarded by the state's lock.
        self._ended = False
        self._generations: list[Generation] = []
        self._flows: tuple[Flow, ...] = ()

    def create(self, deployment: Deployment) -> None:
        """Creating -> InService or Failed."""
        try:
            self._spend("create")
            generation = self._launch(deployment)
        except DeploymentFailed as failure:
            self._move(status="Failed", pending=None, failure_reason=str(failure))
        except Gone:
            pass
        else:
            self._take_over(deployment, generation)

    def update(self, deployment: Deployment) -> None:
        """Updating -> InService, with the new configuration or, if it cannot serve, with the old one."""
        try:
            self._spend("update")
            generation = self._launch(deployment)
        except DeploymentFailed as failure:
            self._move(status="InService", pending=None, failure_reason=str(failure))
            return
        except Gone:
            return
        old, deadline = self._flows, self._deadline()
        self._direct(Flow(generation))
        for flow in old:
            flow.generation.drain(deadline)
            self._forget(flow.generation)
        self._take_over(deployment, generation)

    def scale(self, weights: Mapping[str, float], counts: Mapping[str, int]) -> None:
        """Updating -> InService, with other weights and instance counts; the instances that stay go on serving."""
        (flow,) = self._flows
        generation = flow.generation
        before = dict(generation.weights), generation.sizes
        try:
            with self._explaining():
                self._weigh(generation, weights)
                generation.grow(counts, self._cut, lambda: self._count(generation))
        except DeploymentFailed as failure:
            self._move(status="RollingBack")
            self._settle(generation, *before, failure_reason=str(failure))
        except Gone:
            return
        else:
            self._settle(generation, weights, counts)

    def retire(self) -> None:
        """Take no more requests."""
        state = self._state
        self._service.router.remove(state.account, state.region, self._endpoint.name)

    def delete(self) -> None:
        """Deleting -> gone, once every worker has ended."""
        self._spend("delete")
        with self._state.changed:
            generations = list(self._generations)
        for generation in generations:
            generation.stop()
            self._forget(generation)
        with self._state.changed:
            self._state.hostings.pop(self._endpoint.serial, None)
            with contextlib.suppress(Gone):
                self._state.endpoints.remove(self._endpoint)
                self._state.tags.pop(self._endpoint.arn, None)

    def end(self) -> None:
        """Kill every worker at once; for a reset or the end of the cloud."""
        with self._state.changed:
            self._ended = True
            generations = list(self._generations)
            self._state.hostings.pop(self._endpoint.serial, None)
        self._cut.set()
        self.retire()
        for generation in generations:
            generation.kill()

    def _launch(self, deployment: Deployment) -> Generation:
        """Start every instance; return when all are healthy. Raises DeploymentFailed or Gone; nothing is left then."""
        generation = Generation(self._service, self._state, self._endpoint.name, deployment)
        try:
            with self._explaining():
                with self._state.changed:
                    if self._ended:
                        raise Gone(self._endpoint.arn)
                    self._generations.append(generation)
                generation.fetch()
                generation.grow(deployment.counts, self._cut)
        except BaseException:
            generation.kill()
            self._forget(generation)
            raise
        return generation

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        """Whatever goes wrong is a DeploymentFailed, or Gone if the endpoint was ended meanwhile."""
        try:
            yield
        except Exception as error:
            if self._ended:
                raise Gone(self._endpoint.arn) from error
            if isinstance(error, DeploymentFailed):
                raise
            self._service.on_fault(error)
            raise DeploymentFailed(reason("endpoint_internal")) from error

    def _direct(self, *flows: Flow) -> None:
        """From now on every new request goes along `flows`."""
        state = self._state
        with state.changed:
            if self._ended:
                return
            self._flows = flows
            route = Route(tuple(d for flow in flows for d in flow.destinations()))
            self._service.router.switch(state.account, state.region, self._endpoint.name, route)

    def _weigh(self, generation: Generation, weights: Mapping[str, float]) -> None:
        with self._state.changed:
            generation.weights.update(weights)
            self._direct(*self._flows)
        self._count(generation)

    def _settle(
        self,
        generation: Generation,
        weights: Mapping[str, float],
        counts: Mapping[str, int],
        failure_reason: str | None = None,
    ) -> None:
        """Have these weights and not more than these instances, and be InService."""
        self._weigh(generation, weights)
        generation.shrink(counts, self._deadline())
        self._count(
            generation,
            lambda variants: {
                "status": "InService",
                "variants": variant_summaries.settled(variants),
                "failure_reason": failure_reason,
            },
        )

    def _take_over(self, deployment: Deployment, generation: Generation) -> None:
        """The endpoint is what `generation` is, and InService."""
        self._direct(Flow(generation))
        planned = variant_summaries.planned(deployment, moment(self._service.clock))
        self._move(
            status="InService",
            config=deployment.config,
            pending=None,
            variants=variant_summaries.settled(variant_summaries.serving(planned, generation)),
        )

    def _count(
        self,
        generation: Generation,
        further: Callable[[tuple[VariantSummary, ...]], Mapping[str, Any]] = lambda _: {},
    ) -> None:
        """Show the weights and instances that there are at this moment."""
        with self._state.changed, contextlib.suppress(Gone):
            endpoint = self._state.endpoints.current(self._endpoint)
            variants = variant_summaries.serving(endpoint.variants, generation)
            self._move(**{"variants": variants, **further(variants)})

    def _deadline(self) -> datetime:
        """When no request that is under way now can still be answered."""
        return self._service.clock.now() + timedelta(seconds=DRAIN_SECONDS)

    def _forget(self, generation: Generation) -> None:
        with self._state.changed, contextlib.suppress(ValueError):
            self._generations.remove(generation)

    def _move(self, **changes: Any) -> None:
        with contextlib.suppress(Gone):
            self._state.endpoints.move(self._endpoint, **changes)

    def _spend(self, phase: str) -> None:
        self._service.pace.spend(f"endpoint.{phase}", self._service.clock, self._cut)
