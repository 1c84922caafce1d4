"""Results become answers that botocore reads back; mistakes in a result are found here, not by a client."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from harness.cloud.protocol import control_plane
from harness.cloud.protocol.serialization import MalformedAnswer
from tests.cloud.protocol.generated import results
from tests.cloud.protocol.roundtrip import assert_round_trip, parse_answer

ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"
MOMENT = datetime(2018, 6, 24, 19, 59, 29, 986000, UTC)


def endpoint(**members: Any) -> dict[str, Any]:
    """A DescribeEndpoint result with `members` put in; None stays in."""
    return {
        "EndpointName": "e",
        "EndpointArn": ARN,
        "EndpointStatus": "InService",
        "CreationTime": MOMENT,
        "LastModifiedTime": MOMENT,
        **members,
    }


@settings(suppress_health_check=list(HealthCheck))
@given(results())
@pytest.mark.documented("notes/wire.md#answers")
def test_botocore_reads_back_what_went_in(result: tuple[str, dict[str, Any]]) -> None:
    """Any result that the model allows, of any operation, arrives at a client as it was."""
    assert_round_trip(*result)


@pytest.mark.recorded("notes/wire.md#timestamps")
def test_times_are_numbers_with_milliseconds() -> None:
    """A time is seconds since the epoch with three decimals, wherever its zone is."""
    zone = timezone(timedelta(hours=5))
    result = endpoint(
        CreationTime=MOMENT, LastModifiedTime=datetime(2018, 6, 25, 0, 59, 29, 986499, zone)
    )
    body = json.loads(control_plane.serialize("DescribeEndpoint", result))
    assert (body["CreationTime"], body["LastModifiedTime"]) == (1529870369.986, 1529870369.986)
    assert_round_trip("DescribeEndpoint", result)


@pytest.mark.recorded("notes/wire.md#answers")
def test_floats_stay_floats() -> None:
    """A weight of 1 is 1.0 on the wire, whether the service counted in integers or not."""
    result = endpoint(ProductionVariants=[{"VariantName": "v", "CurrentWeight": 1}])
    assert b'"CurrentWeight":1.0' in control_plane.serialize("DescribeEndpoint", result)


@pytest.mark.recorded("notes/wire.md#answers")
def test_what_has_no_value_is_absent() -> None:
    """None is left out at every depth; what is empty is not."""
    variants = [{"VariantName": "v", "CurrentWeight": None}]
    result = endpoint(FailureReason=None, ProductionVariants=variants)
    body = json.loads(control_plane.serialize("DescribeEndpoint", result))
    assert "FailureReason" not in body
    assert body["ProductionVariants"] == [{"VariantName": "v"}]
    assert_round_trip("ListTags", {"Tags": []})


@pytest.mark.documented("notes/wire.md#answers")
def test_an_operation_without_output_answers_nothing() -> None:
    """The body is empty, and botocore takes it; an output without required members is an empty object."""
    assert control_plane.serialize("DeleteEndpoint", None) == b""
    assert parse_answer("DeleteEndpoint", b"") == {}
    assert control_plane.serialize("AddTags", None) == b"{}"


@pytest.mark.parametrize(
    ("number", "word"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
@pytest.mark.documented("notes/wire.md#answers")
def test_numbers_that_json_does_not_have_travel_as_words(number: float, word: str) -> None:
    """A metric that is not a number is valid JSON, from which botocore reads the word."""
    result = {
        "TrainingJobName": "j",
        "TrainingJobArn": ARN,
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/k"},
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "StoppingCondition": {},
        "CreationTime": MOMENT,
        "FinalMetricDataList": [{"MetricName": "m", "Value": number}],
    }
    body = control_plane.serialize("DescribeTrainingJob", result)
    json.loads(body, parse_constant=pytest.fail)
    (metric,) = parse_answer("DescribeTrainingJob", body)["FinalMetricDataList"]
    assert metric["Value"] == word


@pytest.mark.parametrize(
    ("operation", "result", "complaint"),
    [
        ("DescribeEndpoint", endpoint(InstanceType="x"), "no member 'InstanceType'"),
        ("DescribeEndpoint", endpoint(EndpointArn=None), "lacks EndpointArn"),
        ("DescribeEndpoint", None, "lacks CreationTime, EndpointArn, EndpointName, EndpointStatus"),
        ("DescribeEndpoint", endpoint(EndpointStatus="Fine"), "EndpointStatus is 'Fine'"),
        ("DescribeEndpoint", endpoint(EndpointName=1), "EndpointName is 1, not a string"),
        ("DescribeEndpoint", endpoint(CreationTime=1.0), "not a timestamp"),
        ("DescribeEndpoint", endpoint(CreationTime=datetime(2020, 1, 1)), "not a timestamp"),
        ("DescribeEndpoint", endpoint(ProductionVariants={}), "not a list"),
        ("DescribeEndpoint", endpoint(ProductionVariants=["v"]), "not a structure"),
        (
            "DescribeEndpoint",
            endpoint(ProductionVariants=[{"VariantName": "v", "CurrentInstanceCount": 1.0}]),
            "CurrentInstanceCount is 1.0, not a integer",
        ),
        (
            "DescribeEndpoint",
            endpoint(ProductionVariants=[{"VariantName": "v", "CurrentWeight": "1"}]),
            "not a float",
        ),
        ("ListTags", {"Tags": [{"Key": "k"}]}, r"Tags\[0\] lacks Value"),
        ("DescribeTrainingJob", {"HyperParameters": ["a"]}, "not a map"),
        ("DescribeTrainingJob", {"HyperParameters": {1: "a"}}, "HyperParameters key is 1"),
        ("DescribeTrainingJob", {"EnableNetworkIsolation": 0}, "not a boolean"),
        ("DeleteEndpoint", {"EndpointName": "e"}, "no output"),
    ],
)
def test_a_mistake_of_ours_is_found(operation: str, result: Any, complaint: str) -> None:
    """What the model does not promise is refused with its place, before any client sees it."""
    with pytest.raises(MalformedAnswer, match=complaint):
        control_plane.serialize(operation, result)
