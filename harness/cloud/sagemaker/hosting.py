"""What one endpoint runs, and where its requests go: created, updated, scaled, ended."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from harness.cloud.interruption import Interruption
from harness.cloud.parallel import in_parallel
from harness.cloud.runtime.fleet import DRAIN_SECONDS
from harness.cloud.runtime.router import Destination, Route, shares
from harness.cloud.sagemaker import variant_summaries
from harness.cloud.sagemaker.deployment_policies import ALL, Portions
from harness.cloud.sagemaker.generations import Deployment, DeploymentFailed, Generation
from harness.cloud.sagemaker.lifecycle import Gone, moment
from harness.cloud.sagemaker.records import Endpoint
from harness.cloud.sagemaker.refusals import reason
from harness.cloud.sagemaker.service import AccountRegion, SageMaker


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
            portion = self.portions.get(name, ALL)
            active = ceil(portion * fleet.size) if self.partial and portion < 1 else None
            yield Destination(fleet.pool, float(weight * portion), float(portion), active)


class Hosting:
    """What one endpoint runs. `create`, `scale`, `delete` and a Rollout are each the work of one transition."""

    def __init__(self, service: SageMaker, state: AccountRegion, endpoint: Endpoint) -> None:
        self.clock = service.clock
        # Set when the endpoint is ended: it cuts every wait short.
        self.cut = Interruption()
        self._service = service
        self._state = state
        self._endpoint = endpoint
        # Guarded by the state's lock.
        self._generations: list[Generation] = []
        self._flows: tuple[Flow, ...] = ()

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Where requests go."""
        return self._flows

    def create(self, deployment: Deployment) -> None:
        """Creating -> InService or Failed."""
        try:
            self.spend("create")
            generation = self.prepare(deployment)
            try:
                with self.explaining():
                    generation.grow(deployment.counts, self.cut)
            except BaseException:
                self.discard(generation)
                raise
        except DeploymentFailed as failure:
            self.move(status="Failed", pending=None, failure_reason=str(failure))
        except Gone:
            pass
        else:
            self.direct(Flow(generation))
            self.settle(generation, deployment)

    def scale(self, weights: Mapping[str, float], counts: Mapping[str, int]) -> None:
        """Updating -> InService, with other weights and instance counts; the instances that stay go on serving."""
        (flow,) = self._flows
        generation = flow.generation
        before = dict(generation.weights), generation.sizes
        failure_reason = None
        try:
            with self.explaining():
                self._weigh(generation, weights)
                if any(count > before[1][name] for name, count in counts.items()):
                    self.spend("scale")
                generation.grow(counts, self.cut, lambda: self.count(generation))
        except DeploymentFailed as failure:
            failure_reason = str(failure)
            self.move(status="RollingBack")
            weights, counts = before
            self._weigh(generation, weights)
        except Gone:
            return
        generation.shrink(counts, self.deadline())
        with self._state.changed:
            self.count(generation)
            self.move(
                status="InService",
                variants=variant_summaries.settled(self._record().variants),
                failure_reason=failure_reason,
            )

    def retire(self) -> None:
        """Take no more requests."""
        state = self._state
        self._service.router.remove(state.account, state.region, self._endpoint.name)

    def delete(self) -> None:
        """Deleting -> gone, once every worker has ended."""
        self.spend("delete")
        with self._state.changed:
            generations = list(self._generations)
        for generation in generations:
            generation.stop()
            self.discard(generation)
        with self._state.changed:
            self._state.hostings.pop(self._endpoint.serial, None)
            with contextlib.suppress(Gone):
                self._state.endpoints.remove(self._endpoint)
                self._state.tags.pop(self._endpoint.arn, None)

    def end(self) -> None:
        """Kill every worker at once; for a reset or the end of the cloud."""
        with self._state.changed:
            self.cut.set()
            generations = list(self._generations)
            self._state.hostings.pop(self._endpoint.serial, None)
        self.retire()
        for generation in generations:
            generation.kill()

    def prepare(self, deployment: Deployment) -> Generation:
        """A new generation with its model data, still without instances. Raises DeploymentFailed or Gone."""
        generation = Generation(self._service, self._state, self._endpoint.name, deployment)
        try:
            with self.explaining():
                with self._state.changed:
                    if self.cut.is_set():
                        raise Gone(self._endpoint.arn)
                    self._generations.append(generation)
                generation.fetch()
        except BaseException:
            self.discard(generation)
            raise
        return generation

    def discard(self, *generations: Generation) -> None:
        """End what is left of them, and forget them."""
        in_parallel([generation.kill for generation in generations])
        with self._state.changed:
            self._generations = [g for g in self._generations if g not in generations]

    @contextlib.contextmanager
    def explaining(self) -> Iterator[None]:
        """Whatever goes wrong is a DeploymentFailed, or Gone if the endpoint was ended meanwhile."""
        try:
            yield
        except Exception as error:
            if self.cut.is_set():
                raise Gone(self._endpoint.arn) from error
            if isinstance(error, DeploymentFailed):
                raise
            self._service.on_fault(error)
            raise DeploymentFailed(reason("endpoint_internal")) from error

    def direct(self, *flows: Flow) -> None:
        """From now on every new request goes along `flows`."""
        state = self._state
        with state.changed:
            if self.cut.is_set():
                return
            self._flows = flows
            route = Route(tuple(d for flow in flows for d in flow.destinations()))
            self._service.router.switch(state.account, state.region, self._endpoint.name, route)

    def settle(self, generation: Generation, deployment: Deployment) -> None:
        """The endpoint is what `generation` is, and InService."""
        planned = variant_summaries.planned(deployment, moment(self.clock))
        self.move(
            status="InService",
            config=deployment.config,
            pending=None,
            variants=variant_summaries.settled(variant_summaries.serving(planned, generation)),
        )

    def count(self, generation: Generation) -> None:
        """Show the weights and instances that there are at this moment."""
        with self._state.changed, contextlib.suppress(Gone):
            variants = variant_summaries.serving(self._record().variants, generation)
            self.move(variants=variants)

    def show(self, change: Callable[[Endpoint], Mapping[str, Any]]) -> None:
        """Change what is known of the endpoint by what it is now."""
        with self._state.changed, contextlib.suppress(Gone):
            self.move(**change(self._record()))

    def move(self, **changes: Any) -> None:
        """Change the endpoint's record, if there still is one."""
        with contextlib.suppress(Gone):
            self._state.endpoints.move(self._endpoint, **changes)

    def deadline(self) -> datetime:
        """When no request that is under way now can still be answered."""
        return self.clock.now() + timedelta(seconds=DRAIN_SECONDS)

    def spend(self, phase: str, cut: Interruption | None = None) -> None:
        """Let the time of a phase pass, as the pace has it."""
        self._service.pace.spend(f"endpoint.{phase}", self.clock, cut or self.cut)

    def _weigh(self, generation: Generation, weights: Mapping[str, float]) -> None:
        with self._state.changed:
            generation.weights.update(weights)
            self.direct(*self._flows)
            self.count(generation)

    def _record(self) -> Endpoint:
        return self._state.endpoints.current(self._endpoint)
