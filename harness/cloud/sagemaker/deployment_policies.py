"""What a DeploymentConfig asks for: by which steps traffic moves to a new deployment.

docs/notes/endpoints.md, "Deployment policies".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from harness.cloud.sagemaker.refusals import refusal

Members = Mapping[str, Any]
Portions = Mapping[str, Fraction]
ALL = Fraction(1)


@dataclass(frozen=True)
class Size:
    """A part of a fleet: a number of instances, or a percentage of them."""

    value: int
    percent: bool

    @classmethod
    def read(cls, size: Members) -> "Size":
        """From a CapacitySize."""
        return cls(size["Value"], size["Type"] == "CAPACITY_PERCENT")

    def portion(self, total: int) -> Fraction:
        """What part of `total` instances it is; more than 1 where it asks for more than there are."""
        return Fraction(self.value, 100 if self.percent else total)

    def instances(self, total: int) -> int:
        """How many of `total` instances it is: at least one, at most all."""
        return min(total, ceil(self.portion(total) * total))


@dataclass(frozen=True)
class BlueGreen:
    """Traffic moves in one or more shifts to a whole new fleet; the old one goes when all is well.

    `first` is the size of the first shift, `step` that of each; without them everything moves at once.
    """

    first: Size | None = None
    step: Size | None = None
    wait: int = 0
    termination_wait: int = 0
    limit: int | None = None

    def shifts(self, counts: Mapping[str, int]) -> Sequence[Portions]:
        """After each shift: the portion of each variant's requests that the new fleet gets."""
        if self.first is not None:
            canary = {name: min(ALL, self.first.portion(n)) for name, n in counts.items()}
            return [canary, dict.fromkeys(counts, ALL)]
        if self.step is not None:
            return _steps({name: self.step.portion(n) for name, n in counts.items()})
        return [dict.fromkeys(counts, ALL)]

    def waiting(self, counts: Mapping[str, int]) -> int:
        """The seconds that a deployment waits if nothing goes wrong."""
        return self.wait * len(self.shifts(counts)) + self.termination_wait


@dataclass(frozen=True)
class Rolling:
    """Traffic moves batch by batch; the old instances of a batch go before the next comes."""

    batch: Size
    rollback: Size | None = None
    wait: int = 0
    limit: int | None = None

    def shifts(self, counts: Mapping[str, int]) -> Sequence[Portions]:
        """After each batch: the portion of each variant's instances that are new, and of its requests."""
        return _steps({name: Fraction(self.batch.instances(n), n) for name, n in counts.items()})

    def rollback_step(self, total: int) -> Fraction:
        """The portion of `total` old instances that a step of a rollback brings back."""
        size = self.rollback or Size(100, percent=True)
        return Fraction(size.instances(total), total)

    def waiting(self, counts: Mapping[str, int]) -> int:
        """The seconds that a deployment waits if nothing goes wrong."""
        return self.wait * len(self.shifts(counts))


Policy = BlueGreen | Rolling
ALL_AT_ONCE = BlueGreen()


def policy_of(config: Members, counts: Mapping[str, int]) -> Policy:
    """The policy of a DeploymentConfig for variants of so many instances.

    Raises a ValidationException where it contradicts itself or does not fit the instances.
    """
    blue_green, rolling = config.get("BlueGreenUpdatePolicy"), config.get("RollingUpdatePolicy")
    if blue_green is not None and rolling is not None:
        raise refusal("deployment_policies_both")
    policy: Policy = ALL_AT_ONCE
    if blue_green is not None:
        policy = _blue_green(blue_green, counts)
    elif rolling is not None and len(counts) == 1:
        # An endpoint of several variants is excluded: it falls back to all at once, without baking.
        policy = _rolling(rolling, counts)
    waiting = policy.waiting(counts)
    if policy.limit is not None and policy.limit <= waiting:
        raise refusal("deployment_limit_too_short", limit=policy.limit, waiting=waiting)
    return policy


def alarm_names(config: Members) -> Sequence[str]:
    """The alarms that may roll a deployment back. Raises a ValidationException for one without a name."""
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", ())
    for place, alarm in enumerate(alarms, 1):
        if "AlarmName" not in alarm:
            path = f"deploymentConfig.autoRollbackConfiguration.alarms.{place}.member.alarmName"
            raise refusal("required_member", path=path)
    return list(dict.fromkeys(alarm["AlarmName"] for alarm in alarms))


def _blue_green(policy: Members, counts: Mapping[str, int]) -> BlueGreen:
    routing = policy["TrafficRoutingConfiguration"]
    sizes = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
    for kind, member in sizes.items():
        if (member in routing) != (routing["Type"] == kind):
            raise refusal("deployment_size_of_type", member=member, type=kind)
    first = step = None
    if routing["Type"] == "CANARY":
        first = _checked("CanarySize", routing["CanarySize"], counts, 0, 50)
    if routing["Type"] == "LINEAR":
        step = _checked("LinearStepSize", routing["LinearStepSize"], counts, 10, 50)
    return BlueGreen(
        first,
        step,
        routing["WaitIntervalInSeconds"],
        policy.get("TerminationWaitInSeconds", 0),
        policy.get("MaximumExecutionTimeoutInSeconds"),
    )


def _rolling(policy: Members, counts: Mapping[str, int]) -> Rolling:
    rollback = None
    if "RollbackMaximumBatchSize" in policy:
        size = policy["RollbackMaximumBatchSize"]
        # Instances may be more than the fleet has: it may have been scaled since.
        limited = counts if size["Type"] == "CAPACITY_PERCENT" else {}
        rollback = _checked("RollbackMaximumBatchSize", size, limited, 0, 100)
    return Rolling(
        _checked("MaximumBatchSize", policy["MaximumBatchSize"], counts, 5, 50),
        rollback,
        policy["WaitIntervalInSeconds"],
        policy.get("MaximumExecutionTimeoutInSeconds"),
    )


def _checked(member: str, size: Members, counts: Mapping[str, int], least: int, most: int) -> Size:
    """The size, if it is between `least` and `most` percent of each variant's instances."""
    checked = Size.read(size)
    for name, total in counts.items():
        if not Fraction(least, 100) <= checked.portion(total) <= Fraction(most, 100):
            raise refusal(
                "deployment_size_out_of_range",
                member=member,
                least=least,
                most=most,
                variant=name,
                total=total,
            )
    return checked


def _steps(portions: Portions) -> Sequence[Portions]:
    """Equal steps until every variant is complete."""
    count = max(ceil(1 / portion) for portion in portions.values())
    return [
        {name: min(ALL, number * portion) for name, portion in portions.items()}
        for number in range(1, count + 1)
    ]
