"""CloudWatch alarms and the metric data behind them, as moto keeps them.

LIMITATIONS: alarms on metric math, anomaly detection bands and percentiles are kept but not evaluated; moto has no
composite alarms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from harness.cloud.backing.moto_services import MotoServices

# The longest time that an alarm may look back (CloudWatch, PutMetricAlarm, EvaluationPeriods).
LONGEST_SECONDS = 7 * 86_400
COMPARISONS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)
STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


@dataclass(frozen=True)
class Rule:
    """When a metric alarm goes off."""

    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]
    unit: str | None
    statistic: str
    period: int
    evaluation_periods: int
    datapoints_to_alarm: int
    comparison: str
    threshold: float
    missing: str


@dataclass(frozen=True)
class Alarm:
    """An alarm as it stands. `set_by_hand`: SetAlarmState said so, not an evaluation.

    `rule` is None for an alarm that is not evaluated; `unsupported` says then by what member.
    """

    name: str
    state: str
    set_by_hand: bool
    rule: Rule | None
    unsupported: str = ""


@dataclass(frozen=True)
class Sample:
    """What was published under one time stamp: a value, or the statistics of several."""

    timestamp: datetime
    count: float
    sum: float
    minimum: float
    maximum: float


class AlarmStore(Protocol):
    """Where alarms are."""

    def find(self, account: str, region: str, name: str) -> Alarm | None:
        """The alarm of this name."""

    def samples(
        self, account: str, region: str, rule: Rule, begin: datetime, end: datetime
    ) -> list[Sample]:
        """What was published for the metric of a rule from `begin` on and before `end`."""

    def set_state(self, account: str, region: str, name: str, state: str, reason: str) -> None:
        """Keep what an evaluation found."""


class MotoAlarms:
    """The in-process implementation."""

    def __init__(self, services: MotoServices) -> None:
        self._services = services
        # The reasons of states that came from here.
        self._reasons: dict[tuple[str, str, str], str] = {}

    def find(self, account: str, region: str, name: str) -> Alarm | None:
        """The alarm of this name."""
        with self._services.lock:
            alarm = self._backend(account, region).alarms.get(name)
            if alarm is None:
                return None
            unsupported = _unsupported(alarm)
            reason = str(alarm.state_reason)
            return Alarm(
                name=name,
                state=alarm.state_value,
                set_by_hand=not reason.startswith("Unchecked:")
                and reason != self._reasons.get((account, region, name)),
                rule=None if unsupported else _rule(alarm),
                unsupported=unsupported,
            )

    def samples(
        self, account: str, region: str, rule: Rule, begin: datetime, end: datetime
    ) -> list[Sample]:
        """What was published for the metric of a rule from `begin` on and before `end`.

        Not by moto's GetMetricData, which takes metrics of other namespaces for the same.
        """
        with self._services.lock:
            return [
                _sample(datum)
                for datum in self._backend(account, region).metric_data
                if begin <= _utc(datum.timestamp) < end
                and (datum.namespace, datum.name) == (rule.namespace, rule.metric)
                and frozenset((d.name, d.value) for d in datum.dimensions) == rule.dimensions
                and rule.unit in (None, datum.unit)
            ]

    def set_state(self, account: str, region: str, name: str, state: str, reason: str) -> None:
        """Keep what an evaluation found, so that DescribeAlarms tells it."""
        with self._services.lock:
            alarm = self._backend(account, region).alarms.get(name)
            if alarm is not None:
                self._reasons[account, region, name] = reason
                alarm.update_state(reason, "{}", state)

    def _backend(self, account: str, region: str) -> Any:
        self._services.application()
        from moto.cloudwatch.models import cloudwatch_backends

        return cloudwatch_backends[account][region]


def _unsupported(alarm: Any) -> str:
    """The member by which an alarm is one that is not evaluated here; empty if it is."""
    if alarm.metric_data_queries:
        return "Metrics"
    if alarm.threshold_metric_id or alarm.comparison_operator not in COMPARISONS:
        return "ThresholdMetricId"
    if alarm.statistic not in STATISTICS:
        return "ExtendedStatistic"
    numbers: Sequence[Any] = (alarm.period, alarm.evaluation_periods, alarm.threshold)
    if any(number is None for number in numbers) or int(alarm.period) < 1:
        return "Period"
    if not 1 <= int(alarm.evaluation_periods) <= LONGEST_SECONDS // int(alarm.period):
        return "EvaluationPeriods"
    return ""


def _rule(alarm: Any) -> Rule:
    periods = int(alarm.evaluation_periods)
    return Rule(
        namespace=alarm.namespace,
        metric=alarm.metric_name,
        dimensions=frozenset((d.name, d.value) for d in alarm.dimensions),
        unit=alarm.unit,
        statistic=alarm.statistic,
        period=int(alarm.period),
        evaluation_periods=periods,
        datapoints_to_alarm=int(alarm.datapoints_to_alarm or periods),
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        missing=alarm.treat_missing_data or "missing",
    )


def _sample(datum: Any) -> Sample:
    if hasattr(datum, "value"):
        return Sample(_utc(datum.timestamp), 1.0, datum.value, datum.value, datum.value)
    return Sample(_utc(datum.timestamp), datum.sample_count, datum.sum, datum.min, datum.max)


def _utc(timestamp: datetime) -> datetime:
    """Of a time stamp that moto made itself the zone is only known."""
    return timestamp.replace(tzinfo=UTC) if timestamp.tzinfo is None else timestamp
