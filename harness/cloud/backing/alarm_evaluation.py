"""The state of a metric alarm at one moment, from what was published until then (docs/notes/alarms.md)."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from harness.cloud.backing.alarms import Rule, Sample

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
# Periods that are looked at beyond those that are needed, in case some are without data.
MARGIN = 2
DAY = 86_400

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_STATISTICS: Mapping[str, Callable[[Sequence[Sample]], float]] = {
    "SampleCount": lambda samples: sum(sample.count for sample in samples),
    "Sum": lambda samples: sum(sample.sum for sample in samples),
    "Average": lambda samples: (
        sum(sample.sum for sample in samples) / sum(sample.count for sample in samples)
    ),
    "Minimum": lambda samples: min(sample.minimum for sample in samples),
    "Maximum": lambda samples: max(sample.maximum for sample in samples),
}


def window(rule: Rule, moment: datetime) -> tuple[datetime, datetime]:
    """From when until when samples count in an evaluation at `moment`: whole minutes, slid along with the time."""
    step = 10 if rule.period < 60 else 60
    if rule.period * rule.evaluation_periods > DAY:
        step = 3600
    end = datetime.fromtimestamp(moment.timestamp() // step * step, UTC)
    return end - timedelta(seconds=rule.period * (rule.evaluation_periods + MARGIN)), end


def state(rule: Rule, current: str, samples: Iterable[Sample], moment: datetime) -> str:
    """The state at `moment` of an alarm that was in `current`."""
    begin, end = window(rule, moment)
    periods: list[list[Sample]] = [[] for _ in range(rule.evaluation_periods + MARGIN)]
    for sample in samples:
        if begin <= sample.timestamp < end and sample.count > 0:
            place = (sample.timestamp - begin) // timedelta(seconds=rule.period)
            periods[place].append(sample)
    breaches = _COMPARISONS[rule.comparison]
    statistic = _STATISTICS[rule.statistic]
    points = [breaches(statistic(period), rule.threshold) if period else None for period in periods]
    return judge(points, rule.evaluation_periods, rule.datapoints_to_alarm, rule.missing, current)


def judge(
    points: Sequence[bool | None], periods: int, to_alarm: int, missing: str, current: str
) -> str:
    """The state from what each period says, oldest first: breaching, not breaching, or no data."""
    real = [point for point in points if point is not None]
    breaching = sum(real[-periods:])
    if breaching >= to_alarm:
        return ALARM
    lacking = periods - len(real)
    if lacking <= 0 or missing == "notBreaching":
        return OK
    if missing == "breaching":
        return ALARM if breaching + lacking >= to_alarm else OK
    if not all(real):
        return OK
    # All that there is breaches, but it is less than what is asked for.
    if missing == "ignore":
        return current
    if not real:
        return INSUFFICIENT_DATA
    # So long ago that whatever came since would have had to come: no premature alarm.
    oldest = len(points) - points.index(True)
    return ALARM if oldest >= to_alarm else OK


def reason(rule: Rule, state: str) -> str:
    """The StateReason of a state that was found."""
    if state == INSUFFICIENT_DATA:
        return f"Insufficient Data: {rule.evaluation_periods} datapoints were unknown."
    crossed = "met" if state == ALARM else "did not meet"
    return (
        f"Threshold Crossed: {rule.metric} {crossed} {rule.comparison} ({rule.threshold}) in "
        f"{rule.datapoints_to_alarm} of {rule.evaluation_periods} datapoints."
    )
