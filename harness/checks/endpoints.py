"""Checks on endpoints: which model answered, which config is in force, which statuses were passed through."""

import math
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from harness.checks.result import CheckResult, Invariant

_SWITCHED = Invariant(
    "config_switched",
    "After UpdateEndpoint the endpoint is InService under the new endpoint configuration.",
    "sagemaker:UpdateEndpoint",
)
_ANSWERED = Invariant(
    "answered_by_old_or_new",
    "While an endpoint is updated no request is lost: each is answered, by the old model or by the new one.",
    "sagemaker:UpdateEndpoint",
)
_HIGH_IS_LOW = Invariant(
    "high_level_equals_low_level",
    "The SDK's predict and a plain InvokeEndpoint on a model of the same training data answer the same.",
    "sagemaker-runtime:InvokeEndpoint",
)


def config_switched(description: dict[str, Any], *, old: str, new: str) -> CheckResult:
    """DescribeEndpoint's answer names `new` and not `old`, and says InService."""
    name, status = description.get("EndpointConfigName"), description.get("EndpointStatus")
    reason = description.get("FailureReason")
    return _SWITCHED.result(
        name == new and name != old and status == "InService",
        f"{status} under {name!r}, before {old!r}"
        + (f"; FailureReason {reason!r}" if reason else ""),
    )


def answered_by_old_or_new(
    answers: Sequence[float | BaseException], *, old: float, new: float, tolerance: float = 1e-6
) -> CheckResult:
    """Every answer to one and the same row is `old`'s or `new`'s score, and both models were seen.

    An exception in `answers` is a request that was lost.
    """
    if math.isclose(old, new, rel_tol=tolerance):
        return _ANSWERED.result(False, f"both models answer {old!r}, so they cannot be told apart")
    lost = [answer for answer in answers if isinstance(answer, BaseException)]
    if lost:
        return _ANSWERED.result(
            False, f"{len(lost)} of {len(answers)} requests failed, the first: {lost[0]}"
        )
    scores = [answer for answer in answers if not isinstance(answer, BaseException)]
    by_old = sum(math.isclose(score, old, rel_tol=tolerance) for score in scores)
    by_new = sum(math.isclose(score, new, rel_tol=tolerance) for score in scores)
    strange = [
        score
        for score in scores
        if not any(math.isclose(score, known, rel_tol=tolerance) for known in (old, new))
    ]
    if strange:
        return _ANSWERED.result(
            False, f"{strange[0]!r} is neither the old model's {old!r} nor the new's {new!r}"
        )
    return _ANSWERED.result(
        by_old and by_new,
        f"{len(scores)} requests: {by_old} answered by the old model, {by_new} by the new one, none lost",
    )


def high_level_equals_low_level(
    high: Sequence[float], low: Sequence[float], *, tolerance: float = 1e-6
) -> CheckResult:
    """The two lists of scores have one length and agree, score by score (`tolerance` is relative)."""
    if len(high) != len(low):
        return _HIGH_IS_LOW.result(
            False, f"{len(high)} scores by the SDK, {len(low)} by InvokeEndpoint"
        )
    for row, (a, b) in enumerate(zip(high, low, strict=True)):
        if not math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance):
            return _HIGH_IS_LOW.result(
                False, f"row {row}: {a!r} by the SDK, {b!r} by InvokeEndpoint"
            )
    return _HIGH_IS_LOW.result(bool(high), f"{len(high)} scores agree")


def status_path_legal(kind: str, name: str, statuses: Sequence[str]) -> CheckResult:
    """The statuses of one resource, in the order in which they were seen, follow the machine of its `kind`.

    `kind` is a table of status_paths.toml ("endpoint", "training_job"). A poller may miss short statuses:
    a step over several legal moves is legal.
    """
    table = _paths()[kind]
    invariant = Invariant(
        "status_path_legal",
        f"The statuses of the {kind.replace('_', ' ')} follow each other as its state machine allows.",
        table["source"],
    )
    seen = [status for i, status in enumerate(statuses) if i == 0 or status != statuses[i - 1]]
    path = f"{name}: {' → '.join(seen)}"
    if not seen:
        return invariant.result(False, f"{name}: no status was seen")
    reachable = {status: _reachable(kind, status) for status in table["next"]}
    start = set(table["first"]).union(*(reachable[first] for first in table["first"]))
    if seen[0] not in start:
        return invariant.result(False, f"{path}, where {seen[0]!r} is no status of it")
    for before, after in pairwise(seen):
        if after not in reachable.get(before, set()):
            return invariant.result(False, f"{path}, where {after} cannot follow {before}")
    return invariant.result(True, path)


@cache
def _paths() -> dict[str, Any]:
    return tomllib.loads(
        resources.files(__package__).joinpath("status_paths.toml").read_text("utf-8")
    )


def _reachable(kind: str, status: str) -> set[str]:
    following = _paths()[kind]["next"]
    reached: set[str] = set()
    waiting = list(following[status])
    while waiting:
        found = waiting.pop()
        if found not in reached:
            reached.add(found)
            waiting += following[found]
    return reached
