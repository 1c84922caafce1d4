"""UpdateEndpoint on its way: traffic moves from the fleets that serve to those of another configuration, or back.

docs/notes/endpoints.md, "Deployment policies".
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import ceil
from typing import Any

from harness.cloud.interruption import Interruption
from harness.cloud.parallel import in_parallel
from harness.cloud.sagemaker.baking import Watch
from harness.cloud.sagemaker.deployment_policies import ALL, BlueGreen, Policy, Portions, Rolling
from harness.cloud.sagemaker.generations import Deployment, DeploymentFailed, Generation
from harness.cloud.sagemaker.hosting import Flow, Hosting
from harness.cloud.sagemaker.lifecycle import Gone, moment
from harness.cloud.sagemaker.records import Endpoint, VariantStatus, VariantSummary
from harness.cloud.sagemaker.refusals import reason


class Rollout:
    """Updating -> InService, with the new configuration (green) or, if it cannot serve, with the old one (blue).

    Blue is more than one generation if an earlier update could not be rolled back.
    """

    def __init__(
        self, hosting: Hosting, deployment: Deployment, policy: Policy, watch: Watch
    ) -> None:
        self._hosting = hosting
        self._deployment = deployment
        self._policy = policy
        self._watch = watch
        self._blue = hosting.flows
        self._sizes = [flow.generation.sizes for flow in self._blue]
        # What green gets at present of each variant's requests.
        self._shifted: Portions = {}
        self._cut = Interruption()
        self._cut.follow(hosting.cut)
        self._timed_out = False
        self._deadline = hosting.deadline()
        self._timer = (
            hosting.clock.call_later(policy.limit, self._time_out) if policy.limit else None
        )

    def run(self) -> None:
        """The whole of it; afterwards the endpoint is InService or UpdateRollbackFailed, or gone."""
        hosting = self._hosting
        try:
            hosting.spend("update", self._cut)
            green = hosting.prepare(self._deployment)
            try:
                with hosting.explaining():
                    self._advance(green)
            except DeploymentFailed as failure:
                self._roll_back(green, self._why(failure))
            else:
                self._finish(green)
        except DeploymentFailed as failure:
            self._return(self._why(failure))
        except Gone:
            pass
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _time_out(self) -> None:
        self._timed_out = True
        self._cut.set()

    def _why(self, failure: DeploymentFailed) -> str:
        if self._timed_out:
            return reason("endpoint_update_timed_out", limit=self._policy.limit)
        return str(failure)

    def _advance(self, green: Generation) -> None:
        """Shift after shift, until green has everything. Raises DeploymentFailed."""
        policy, counts = self._policy, self._deployment.counts
        rolling = isinstance(policy, Rolling)
        if not rolling:
            green.grow(counts, self._cut)
        for portions in policy.shifts(counts):
            if rolling:
                self._launch_batch(green, portions)
            self._shift(green, portions)
            self._bake(policy.wait, "WaitIntervalInSeconds")
            if rolling and min(portions.values()) < 1:
                self._release(portions)
        if isinstance(policy, BlueGreen):
            self._bake(policy.termination_wait, "TerminationWaitInSeconds")

    def _launch_batch(self, green: Generation, portions: Portions) -> None:
        sizes, before = self._part(portions), green.sizes
        self._show(
            "Creating",
            lambda name: reason("variant_launching", count=sizes[name] - before[name]),
        )
        green.grow(sizes, self._cut)

    def _shift(self, green: Generation, portions: Portions) -> None:
        """Give green these portions of the requests, and blue the rest."""
        self._deadline = self._hosting.deadline()
        self._shifted = portions
        self._hosting.direct(*self._flows(green))
        self._show("ActivatingTraffic", partial(self._told, "variant_activating"))

    def _flows(self, green: Generation) -> Sequence[Flow]:
        rest = {name: ALL - portion for name, portion in self._shifted.items()}
        kept = [
            Flow(
                flow.generation,
                {
                    name: flow.portions.get(name, ALL) * rest.get(name, 0)
                    for name in flow.generation.fleets
                },
            )
            for flow in self._blue
            if any(rest.values())
        ]
        return [*kept, Flow(green, self._shifted, partial=isinstance(self._policy, BlueGreen))]

    def _bake(self, seconds: int, member: str) -> None:
        """Wait, and watch the alarms. Raises DeploymentFailed if one goes off, or the time for all of it is over."""
        # Taken before anybody can see that it bakes, and move the clock.
        begin = self._hosting.clock.now()
        if seconds:
            told = partial(self._told, "variant_baking", seconds=seconds, member=member)
            self._show("Baking", told)
        alarm = self._watch.bake(begin, seconds, self._hosting.clock, self._cut)
        if alarm is not None:
            raise DeploymentFailed(reason("endpoint_alarm", alarm=alarm))
        if self._cut.is_set():
            raise DeploymentFailed("interrupted")

    def _release(self, portions: Portions) -> None:
        """End the blue instances whose requests green has now."""
        for flow, sizes in zip(self._blue, self._sizes, strict=True):
            rest = {name: ceil(size * (ALL - portions[name])) for name, size in sizes.items()}
            flow.generation.shrink(rest, self._deadline)
            self._hosting.count(self._blue[0].generation)

    def _finish(self, green: Generation) -> None:
        """End blue: the endpoint is green's."""
        now = moment(self._hosting.clock)

        def terminating(variant: VariantSummary) -> VariantSummary:
            message = _terminating(variant.instance_count)
            return replace(variant, status=VariantStatus("Deleting", message, now))

        self._show("", lambda name: "")
        self._hosting.show(lambda e: {"variants": tuple(map(terminating, e.variants))})
        blue = [flow.generation for flow in self._blue]
        # Whatever becomes of them, the endpoint is green's.
        with suppress(DeploymentFailed), self._hosting.explaining():
            in_parallel([partial(generation.drain, self._deadline) for generation in blue])
        self._hosting.discard(*blue)
        self._hosting.direct(Flow(green))
        self._hosting.settle(green, self._deployment)

    def _roll_back(self, green: Generation, why: str) -> None:
        """Blue has all requests again, or as many as it can be given back. Raises Gone."""
        if self._shifted:
            self._hosting.move(status="RollingBack")
            try:
                with self._hosting.explaining():
                    self._retreat(green)
            except DeploymentFailed as failure:
                why = reason("endpoint_rollback_failed", why=why, rollback=failure)
                self._hosting.move(status="UpdateRollbackFailed", pending=None, failure_reason=why)
                return
            self._shifted = {}
            self._show("Deleting", lambda name: _terminating(green.sizes[name]))
            green.drain(self._deadline)
        self._hosting.discard(green)
        self._return(why)

    def _retreat(self, green: Generation) -> None:
        """Move the requests back, bringing back the instances for them. Raises DeploymentFailed."""
        hosting = self._hosting
        if isinstance(self._policy, BlueGreen):
            self._deadline = hosting.deadline()
            hosting.direct(*self._blue)
            return
        total = sum(sum(sizes.values()) for sizes in self._sizes)
        step = self._policy.rollback_step(total)
        while any(self._shifted.values()):
            portions = {name: max(p - step, Fraction(0)) for name, p in self._shifted.items()}
            for flow, sizes in zip(self._blue, self._sizes, strict=True):
                wanted = {name: ceil(n * (ALL - portions[name])) for name, n in sizes.items()}
                flow.generation.grow(wanted, hosting.cut)
            self._deadline = hosting.deadline()
            self._shifted = portions
            hosting.direct(*(self._flows(green) if any(portions.values()) else self._blue))
            hosting.count(self._blue[0].generation)
            green.shrink(self._part(portions), self._deadline)

    def _return(self, why: str) -> None:
        """The endpoint is what it was before."""
        self._hosting.move(
            # What could not be rolled back once is still a mixture.
            status="UpdateRollbackFailed" if len(self._blue) > 1 else "InService",
            pending=None,
            failure_reason=why,
        )

    def _part(self, portions: Portions) -> dict[str, int]:
        """How many of green's instances these portions are."""
        counts = self._deployment.counts
        return {name: ceil(portion * counts[name]) for name, portion in portions.items()}

    def _told(self, message: str, name: str, **fields: object) -> str:
        """A message about the instances of a variant that have requests."""
        capacity = "full capacity"
        if self._shifted[name] < 1:
            canary = isinstance(self._policy, BlueGreen) and self._policy.first is not None
            capacity = "canary capacity" if canary else "capacity"
        count = self._part(self._shifted)[name]
        return reason(message, capacity=capacity, count=count, **fields)

    def _show(self, status: str, message: Callable[[str], str]) -> None:
        """What is being done to green's variants, and how much of them has requests."""
        now, weights, active = (
            moment(self._hosting.clock),
            self._deployment.weights,
            self._part(self._shifted),
        )

        def shown(variant: VariantSummary) -> VariantSummary:
            name = variant.name
            return replace(
                variant,
                weight=weights[name] if active.get(name) else 0.0,
                instance_count=active.get(name, 0),
                status=VariantStatus(status, message(name), now) if status else None,
            )

        def change(endpoint: Endpoint) -> Mapping[str, Any]:
            assert endpoint.pending is not None, "a deployment is under way"
            variants = tuple(map(shown, endpoint.pending.variants))
            return {"pending": replace(endpoint.pending, variants=variants)}

        self._hosting.show(change)


def _terminating(count: int) -> str:
    return reason("variant_terminating", count=count)
