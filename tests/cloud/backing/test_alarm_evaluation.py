"""The state of an alarm, from its metric."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.backing.alarm_evaluation import (
    ALARM,
    INSUFFICIENT_DATA,
    OK,
    judge,
    state,
    window,
)
from harness.cloud.backing.alarms import COMPARISONS, STATISTICS, Rule, Sample

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
POINTS = st.lists(st.sampled_from([True, False, None]), min_size=5, max_size=5)
# The state that the alarm has already, which no evaluation gives.
RETAINED = "as before"
REFERENCE = (
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"
)


def _rule(**members: Any) -> Rule:
    return Rule(
        **{
            "namespace": "N",
            "metric": "m",
            "dimensions": frozenset(),
            "unit": None,
            "statistic": "Average",
            "period": 60,
            "evaluation_periods": 1,
            "datapoints_to_alarm": 1,
            "comparison": "GreaterThanThreshold",
            "threshold": 1.0,
            "missing": "missing",
            **members,
        }
    )


def _sample(seconds: float, value: float) -> Sample:
    return Sample(NOON + timedelta(seconds=seconds), 1.0, value, value, value)


@pytest.mark.documented(REFERENCE)
@pytest.mark.parametrize(
    ("to_alarm", "points", "states"),
    [
        (3, "0-X-X", (OK, OK, OK, OK)),
        (3, "0----", (OK, OK, OK, OK)),
        (3, "-----", (INSUFFICIENT_DATA, RETAINED, ALARM, OK)),
        (3, "0XX-X", (ALARM, ALARM, ALARM, ALARM)),
        (3, "--X--", (ALARM, RETAINED, ALARM, OK)),
        (2, "0-X-X", (ALARM, ALARM, ALARM, ALARM)),
        (2, "00X0X", (ALARM, ALARM, ALARM, ALARM)),
        (2, "0-X--", (OK, OK, ALARM, OK)),
        (2, "----0", (OK, OK, ALARM, OK)),
        (2, "---X-", (ALARM, RETAINED, ALARM, OK)),
    ],
)
def test_amazon_s_examples(to_alarm: int, points: str, states: Sequence[str]) -> None:
    """Three periods, of which two or three must breach, with data missing here and there."""
    meaning = {"X": True, "0": False, "-": None}
    found = [
        judge([meaning[point] for point in points], 3, to_alarm, treatment, RETAINED)
        for treatment in TREATMENTS
    ]
    assert found == list(states)


@pytest.mark.documented(REFERENCE)
@pytest.mark.parametrize("points", ["----X", "---X-"])
def test_one_breach_is_no_alarm_yet(points: str) -> None:
    """While what comes next may be good, `missing` waits."""
    meaning = {"X": True, "-": None}
    assert judge([meaning[point] for point in points], 3, 3, "missing", OK) != ALARM


@pytest.mark.documented(REFERENCE)
@given(points=POINTS, periods=st.integers(1, 3), to_alarm=st.integers(1, 3))
def test_with_enough_data_nothing_is_missing(
    points: list[bool | None], periods: int, to_alarm: int
) -> None:
    """The latest data decide, M of N, and how missing data is treated makes no difference."""
    to_alarm = min(to_alarm, periods)
    real = [point for point in points if point is not None]
    found = {judge(points, periods, to_alarm, treatment, RETAINED) for treatment in TREATMENTS}
    if len(real) >= periods:
        assert found == {ALARM if sum(real[-periods:]) >= to_alarm else OK}


@given(points=POINTS, periods=st.integers(1, 3), to_alarm=st.integers(1, 3))
def test_treatments_in_order_of_severity(
    points: list[bool | None], periods: int, to_alarm: int
) -> None:
    """What is an alarm with good data in the gaps is one with any; what is one at all is one with bad data."""
    alarms = [
        judge(points, periods, min(to_alarm, periods), treatment, OK) == ALARM
        for treatment in ("notBreaching", "ignore", "missing", "breaching")
    ]
    assert alarms == sorted(alarms)


@pytest.mark.documented("notes/alarms.md#evaluation")
@pytest.mark.parametrize(
    ("period", "periods", "seconds", "end"),
    [(60, 1, 59, 0), (300, 2, 61, 60), (10, 3, 59, 50), (30, 1, 9, 0), (3600, 25, 7199, 3600)],
)
def test_windows_end_with_a_whole_step(period: int, periods: int, seconds: int, end: int) -> None:
    """Minutes; ten seconds for short periods; hours for those of days. They slide: a period need not begin with one."""
    rule = _rule(period=period, evaluation_periods=periods)
    begins, ends = window(rule, NOON + timedelta(seconds=seconds, milliseconds=500))
    assert ends == NOON + timedelta(seconds=end)
    assert ends - begins == timedelta(seconds=period * (periods + 2))


@pytest.mark.documented("notes/alarms.md#evaluation")
def test_a_window_slides() -> None:
    """A period of five minutes that breaches is seen at any minute, not only at multiples of five."""
    rule = _rule(period=300, threshold=10, statistic="Sum")
    samples = [_sample(seconds, 3) for seconds in (70, 150, 230, 310)]
    states = [state(rule, OK, samples, NOON + timedelta(minutes=minute)) for minute in range(2, 9)]
    assert states == [OK, OK, OK, OK, ALARM, OK, OK]


@pytest.mark.documented("sagemaker:AutoRollbackConfig")
@given(
    values=st.lists(
        st.tuples(st.integers(0, 359), st.integers(-5, 5), st.integers(1, 3)), max_size=12
    ),
    statistic=st.sampled_from(STATISTICS),
    comparison=st.sampled_from(COMPARISONS),
    threshold=st.integers(-5, 5),
)
def test_a_period_is_judged_by_its_statistic(
    values: list[tuple[int, int, int]], statistic: str, comparison: str, threshold: int
) -> None:
    """Each period's values make one number, by the statistic, that is compared with the threshold."""
    rule = _rule(
        statistic=statistic,
        comparison=comparison,
        threshold=float(threshold),
        evaluation_periods=4,
        datapoints_to_alarm=1,
        missing="notBreaching",
    )
    samples = [
        Sample(NOON + timedelta(seconds=second), float(n), float(v * n), float(v), float(v))
        for second, v, n in values
    ]
    expected = []
    for minute in range(6):
        inside = [v for second, v, n in values if second // 60 == minute for _ in range(n)]
        if inside:
            number = {
                "SampleCount": len(inside),
                "Sum": sum(inside),
                "Average": sum(inside) / len(inside),
                "Minimum": min(inside),
                "Maximum": max(inside),
            }[statistic]
            expected.append(
                {
                    "GreaterThanOrEqualToThreshold": number >= threshold,
                    "GreaterThanThreshold": number > threshold,
                    "LessThanThreshold": number < threshold,
                    "LessThanOrEqualToThreshold": number <= threshold,
                }[comparison]
            )
    found = state(rule, OK, samples, NOON + timedelta(minutes=6))
    assert (found == ALARM) == any(expected[-4:])
