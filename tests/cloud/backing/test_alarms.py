"""Alarms and their data as CloudWatch's clients put them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.cloud.backing.alarms import Alarm, AlarmStore, Rule
from harness.cloud.local_cloud import LocalCloud
from tests.cloud.conftest import ACCOUNT, REGION

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DIMENSIONS = [{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "A"}]
ALARM = {
    "AlarmName": "errors",
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocation5XXErrors",
    "Dimensions": DIMENSIONS,
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 0.5,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture(scope="module")
def cloudwatch(client: Callable[..., Any]) -> Any:
    """A boto3 client."""
    return client("cloudwatch")


@pytest.fixture
def alarms(cloud: LocalCloud) -> AlarmStore:
    """The store behind it."""
    return cloud.sagemaker.alarms


def _find(alarms: AlarmStore, name: str) -> Alarm:
    found = alarms.find(ACCOUNT, REGION, name)
    assert found is not None
    return found


@pytest.mark.documented("notes/alarms.md#evaluation")
def test_an_alarm_is_found_with_its_rule(cloudwatch: Any, alarms: AlarmStore) -> None:
    """All that decides about it, with the defaults; another account, region or name has none."""
    cloudwatch.put_metric_alarm(**ALARM)
    assert _find(alarms, "errors") == Alarm(
        name="errors",
        state="OK",
        set_by_hand=False,
        rule=Rule(
            namespace="AWS/SageMaker",
            metric="Invocation5XXErrors",
            dimensions=frozenset({("EndpointName", "e"), ("VariantName", "A")}),
            unit=None,
            statistic="Average",
            period=60,
            evaluation_periods=3,
            datapoints_to_alarm=3,
            comparison="GreaterThanThreshold",
            threshold=0.5,
            missing="missing",
        ),
    )
    cloudwatch.put_metric_alarm(
        **{**ALARM, "AlarmName": "other", "DatapointsToAlarm": 2, "TreatMissingData": "ignore"}
    )
    rule = _find(alarms, "other").rule
    assert rule is not None
    assert (rule.datapoints_to_alarm, rule.missing) == (2, "ignore")
    assert alarms.find(ACCOUNT, "eu-west-1", "errors") is None
    assert alarms.find(ACCOUNT, REGION, "Errors") is None


@pytest.mark.documented("notes/alarms.md#evaluation")
def test_samples_are_those_of_exactly_this_metric(cloudwatch: Any, alarms: AlarmStore) -> None:
    """Namespace, name, all dimensions and no others, unit if asked for, and the window without its end."""
    rule = _find(alarms, "errors").rule
    assert rule is not None

    def put(seconds: float, namespace: str = "AWS/SageMaker", **datum: Any) -> None:
        members = {
            "MetricName": "Invocation5XXErrors",
            "Dimensions": DIMENSIONS,
            "Timestamp": NOON + timedelta(seconds=seconds),
            **datum,
        }
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[members])

    put(0, Value=1.0)
    put(10, Values=[2.0, 3.0], Counts=[1, 2])
    put(20, StatisticValues={"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 5}, Unit="Count")
    put(60, Value=99.0)
    put(-1, Value=99.0)
    put(5, "Other", Value=99.0)
    put(5, MetricName="Invocation4XXErrors", Value=99.0)
    put(5, Dimensions=DIMENSIONS[:1], Value=99.0)
    put(5, Dimensions=[*DIMENSIONS, {"Name": "EndpointConfigName", "Value": "c"}], Value=99.0)
    put(5, Dimensions=[DIMENSIONS[0], {"Name": "VariantName", "Value": "B"}], Value=99.0)

    def samples(rule: Rule) -> list[tuple[float, float, float, float]]:
        end = NOON + timedelta(seconds=60)
        found = alarms.samples(ACCOUNT, REGION, rule, NOON, end)
        return [(s.count, s.sum, s.minimum, s.maximum) for s in found]

    assert samples(rule) == [
        (1, 1, 1, 1),
        (1, 2, 2, 2),
        (1, 3, 3, 3),
        (1, 3, 3, 3),
        (4, 10, 1, 5),
    ]
    assert samples(Rule(**{**vars(rule), "unit": "Count"})) == [(4, 10, 1, 5)]


@pytest.mark.assumed("notes/alarms.md#set-by-hand")
def test_a_state_set_by_hand_is_told_from_one_that_was_found(
    cloudwatch: Any, alarms: AlarmStore
) -> None:
    """DescribeAlarms tells what was found, too."""
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "third"})
    alarms.set_state(ACCOUNT, REGION, "third", "ALARM", "found")
    assert (_find(alarms, "third").state, _find(alarms, "third").set_by_hand) == ("ALARM", False)
    (told,) = cloudwatch.describe_alarms(AlarmNames=["third"])["MetricAlarms"]
    assert (told["StateValue"], told["StateReason"]) == ("ALARM", "found")
    cloudwatch.set_alarm_state(AlarmName="third", StateValue="OK", StateReason="me")
    assert (_find(alarms, "third").state, _find(alarms, "third").set_by_hand) == ("OK", True)
    alarms.set_state(ACCOUNT, REGION, "nobody", "ALARM", "found")


@pytest.mark.parametrize(
    ("without", "members", "member"),
    [
        (
            ("Namespace", "MetricName", "Dimensions", "Statistic", "Period"),
            {
                "Metrics": [
                    {"Id": "a", "Expression": "b + 1"},
                    {
                        "Id": "b",
                        "MetricStat": {
                            "Metric": {"Namespace": "N", "MetricName": "m"},
                            "Period": 60,
                            "Stat": "Sum",
                        },
                    },
                ]
            },
            "Metrics",
        ),
        (
            ("Threshold",),
            {
                "ComparisonOperator": "GreaterThanUpperThreshold",
                "ThresholdMetricId": "band",
            },
            "ThresholdMetricId",
        ),
        (("Statistic",), {"ExtendedStatistic": "p99"}, "ExtendedStatistic"),
        (("Period",), {}, "Period"),
        ((), {"EvaluationPeriods": 604_800}, "EvaluationPeriods"),
    ],
)
def test_alarms_that_are_not_evaluated(
    cloudwatch: Any, alarms: AlarmStore, without: tuple[str, ...], members: Any, member: str
) -> None:
    """Each is known by the member that says what it is."""
    kept = {name: value for name, value in ALARM.items() if name not in without}
    cloudwatch.put_metric_alarm(**{**kept, "AlarmName": "odd", **members})
    found = _find(alarms, "odd")
    assert (found.rule, found.unsupported) == (None, member)
