"""What a DeploymentConfig asks for: its shifts, and what is no DeploymentConfig."""

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.errors import AwsError
from harness.cloud.sagemaker.deployment_policies import (
    ALL_AT_ONCE,
    BlueGreen,
    Rolling,
    policy_of,
)

COUNTS = st.dictionaries(st.sampled_from("ABC"), st.integers(1, 40), min_size=1)
WAITS = st.integers(0, 3600)


def _percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def _instances(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def _blue_green(kind: str = "ALL_AT_ONCE", wait: int = 0, **members: Any) -> dict[str, Any]:
    sizes = {name: members.pop(name) for name in list(members) if name.endswith("Size")}
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **sizes}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **members}}


def _rolling(batch: dict[str, Any], wait: int = 0, **members: Any) -> dict[str, Any]:
    policy = {"MaximumBatchSize": batch, "WaitIntervalInSeconds": wait, **members}
    return {"RollingUpdatePolicy": policy}


@pytest.mark.documented("sagemaker:BlueGreenUpdatePolicy")
@given(counts=COUNTS)
def test_without_a_policy_all_moves_at_once(counts: dict[str, int]) -> None:
    """One shift of everything, no wait and no limit."""
    assert policy_of({}, counts) == ALL_AT_ONCE == policy_of(_blue_green(), counts)
    assert ALL_AT_ONCE.shifts(counts) == [dict.fromkeys(counts, Fraction(1))]
    assert ALL_AT_ONCE.waiting(counts) == 0


@pytest.mark.documented("sagemaker:TrafficRoutingConfigType")
@given(counts=COUNTS, percent=st.integers(1, 50), wait=WAITS, termination=WAITS)
def test_a_canary_is_two_shifts(
    counts: dict[str, int], percent: int, wait: int, termination: int
) -> None:
    """A small portion, exactly as large as was said, then the rest; after each the wait, then the last one."""
    policy = policy_of(
        _blue_green(
            "CANARY", wait, CanarySize=_percent(percent), TerminationWaitInSeconds=termination
        ),
        counts,
    )
    assert isinstance(policy, BlueGreen)
    assert policy.shifts(counts) == [
        dict.fromkeys(counts, Fraction(percent, 100)),
        dict.fromkeys(counts, 1),
    ]
    assert policy.waiting(counts) == 2 * wait + termination


@pytest.mark.documented("sagemaker:TrafficRoutingConfigType")
@given(counts=COUNTS, percent=st.integers(10, 50))
def test_linear_is_equal_steps(counts: dict[str, int], percent: int) -> None:
    """As many as it takes to make 100 %; all but the last are of the size that was said."""
    shifts = policy_of(_blue_green("LINEAR", LinearStepSize=_percent(percent)), counts).shifts(
        counts
    )
    assert len(shifts) == ceil(100 / percent)
    assert shifts[-1] == dict.fromkeys(counts, 1)
    for number, portions in enumerate(shifts[:-1], 1):
        assert portions == dict.fromkeys(counts, Fraction(number * percent, 100))


@pytest.mark.documented("sagemaker:RollingUpdatePolicy.MaximumBatchSize")
@given(
    total=st.integers(1, 100),
    batch=st.builds(_percent, st.integers(5, 50)) | st.builds(_instances, st.integers(1, 50)),
)
def test_rolling_is_whole_batches(total: int, batch: dict[str, Any]) -> None:
    """Each batch is a whole number of instances, at least one and the last perhaps fewer, until all are new."""
    counts = {"A": total}
    try:
        policy = policy_of(_rolling(batch), counts)
    except AwsError:
        assert batch["Type"] == "INSTANCE_COUNT"
        assert not 0.05 <= batch["Value"] / total <= 0.5
        return
    assert isinstance(policy, Rolling)
    sizes = [portions["A"] * total for portions in policy.shifts(counts)]
    assert all(size.denominator == 1 for size in sizes)
    first = ceil(Fraction(batch["Value"], 100) * total)
    if batch["Type"] == "INSTANCE_COUNT":
        first = batch["Value"]
    assert sizes == [min(total, n * first) for n in range(1, ceil(total / first) + 1)]


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html"
)
def test_a_third_of_three_is_one() -> None:
    """33 % of three instances, as in Amazon's own example, are batches of one."""
    shifts = policy_of(_rolling(_percent(33)), {"A": 3}).shifts({"A": 3})
    assert [portions["A"] * 3 for portions in shifts] == [1, 2, 3]


@pytest.mark.documented("sagemaker:CapacitySizeType")
def test_instances_are_counted_by_variant() -> None:
    """Two of four and two of eight are different portions; each variant is complete in its own time."""
    counts = {"A": 4, "B": 8}
    shifts = policy_of(_blue_green("LINEAR", LinearStepSize=_instances(2)), counts).shifts(counts)
    assert [portions["A"] * 4 for portions in shifts] == [2, 4, 4, 4]
    assert [portions["B"] * 8 for portions in shifts] == [2, 4, 6, 8]


@pytest.mark.documented("sagemaker:RollingUpdatePolicy.RollbackMaximumBatchSize")
def test_a_rollback_without_a_size_is_all_of_it() -> None:
    """Absent or 100 % brings everything back at once; a smaller size in steps."""
    steps = []
    for size in (None, _percent(100), _percent(30), _instances(1), _instances(99)):
        rollback: dict[str, Any] = {} if size is None else {"RollbackMaximumBatchSize": size}
        policy = policy_of(_rolling(_percent(50), **rollback), {"A": 4})
        assert isinstance(policy, Rolling)
        steps.append(policy.rollback_step(4))
    assert steps == [1, 1, Fraction(1, 2), Fraction(1, 4), 1]


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html"
)
def test_rolling_is_not_for_several_variants() -> None:
    """Such an endpoint falls back to all at once, without baking."""
    assert policy_of(_rolling(_percent(50), wait=60), {"A": 2, "B": 2}) == ALL_AT_ONCE


@pytest.mark.assumed("notes/endpoints.md#deployment-policies")
@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({**_blue_green(), **_rolling(_percent(50))}, "Only one update policy"),
        (_blue_green("CANARY"), "CanarySize must be specified"),
        (_blue_green("LINEAR"), "LinearStepSize must be specified"),
        (_blue_green("LINEAR", CanarySize=_percent(50)), "CanarySize must be specified"),
        (_blue_green(CanarySize=_percent(50)), "CanarySize must be specified"),
        (_blue_green("CANARY", CanarySize=_percent(51)), "between 0% and 50%"),
        (_blue_green("CANARY", CanarySize=_instances(3)), "which is 4 for variant A"),
        (_blue_green("LINEAR", LinearStepSize=_percent(9)), "between 10% and 50%"),
        (_blue_green("LINEAR", LinearStepSize=_percent(51)), "between 10% and 50%"),
        (_blue_green("LINEAR", LinearStepSize=_instances(3)), "between 10% and 50%"),
        (_rolling(_percent(4)), "MaximumBatchSize must be between 5% and 50%"),
        (_rolling(_percent(51)), "MaximumBatchSize must be between 5% and 50%"),
        (_rolling(_instances(3)), "MaximumBatchSize must be between 5% and 50%"),
        (
            _rolling(_percent(50), RollbackMaximumBatchSize=_percent(101)),
            "RollbackMaximumBatchSize",
        ),
        (
            _blue_green(
                "CANARY",
                300,
                CanarySize=_percent(50),
                TerminationWaitInSeconds=1,
                MaximumExecutionTimeoutInSeconds=601,
            ),
            "(601) must be larger than the total waiting time of the deployment (601 seconds)",
        ),
        (
            _rolling(_percent(25), 150, MaximumExecutionTimeoutInSeconds=600),
            "(600) must be larger than the total waiting time of the deployment (600 seconds)",
        ),
    ],
)
def test_what_is_no_policy(config: dict[str, Any], part: str) -> None:
    """A contradiction or a size out of its range is refused by name."""
    with pytest.raises(AwsError) as refused:
        policy_of(config, {"A": 4})
    assert refused.value.code == "ValidationException"
    assert part in refused.value.message
