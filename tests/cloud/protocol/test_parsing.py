"""Requests in JSON 1.1 become typed values, and what cannot be read is a SerializationException."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cloud.errors import AwsError
from harness.cloud.protocol import control_plane, parsing
from harness.cloud.protocol.models import ServiceModel
from tests.cloud.protocol.generated import requests, service_model

# One member of each type, as no operation of SageMaker has them all.
TYPES = ServiceModel(
    {
        "metadata": {},
        "operations": {},
        "shapes": {
            "All": {
                "type": "structure",
                "members": {
                    name: {"shape": name}
                    for name in (
                        *("String", "Integer", "Long", "Float", "Double", "Boolean"),
                        *("Timestamp", "Blob", "List", "Map", "All"),
                    )
                },
            },
            "String": {"type": "string"},
            "Integer": {"type": "integer"},
            "Long": {"type": "long"},
            "Float": {"type": "float"},
            "Double": {"type": "double"},
            "Boolean": {"type": "boolean"},
            "Timestamp": {"type": "timestamp"},
            "Blob": {"type": "blob"},
            "List": {"type": "list", "member": {"shape": "String"}},
            "Map": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "Integer"}},
        },
    }
).shape("All")


def parse(body: object) -> dict[str, Any]:
    """The members of TYPES in a body, given as text, bytes or what becomes JSON."""
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    return parsing.parse_json(TYPES, body if isinstance(body, bytes) else json.dumps(body).encode())


def refusal(body: object) -> str:
    """The text with which a body is refused."""
    with pytest.raises(AwsError) as caught:
        parse(body)
    assert (caught.value.code, caught.value.status) == ("SerializationException", 400)
    return caught.value.message


def read_or_refused(body: object) -> bool:
    """Whether a body becomes a dictionary or a SerializationException."""
    try:
        return isinstance(parse(body), dict)
    except AwsError as error:
        return error.code == "SerializationException"


@settings(suppress_health_check=list(HealthCheck))
@given(requests())
@pytest.mark.documented("notes/wire.md#requests-of-the-control-plane")
def test_what_botocore_sends_arrives(request: tuple[str, dict[str, Any]]) -> None:
    """Any request that botocore's serializer writes is read back as the values it was made of."""
    name, values = request
    model = service_model("sagemaker").operation_model(name)
    sent = create_serializer("json").serialize_to_request(values, model)
    operation = control_plane.operation_name(sent["headers"]["X-Amz-Target"])
    assert operation == name
    assert control_plane.parse(operation, sent["body"]) == values


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"Integer": "1"}, "STRING_VALUE can not be converted to an Integer"),
        ({"Integer": True}, "TRUE_VALUE can not be converted to an Integer"),
        ({"Integer": [1]}, "Start of list found where not expected"),
        ({"Integer": {"a": 1}}, "Start of structure or map found where not expected."),
        ({"Long": "1"}, "STRING_VALUE can not be converted to a Long"),
        ({"String": 1}, "NUMBER_VALUE can not be converted to a String"),
        ({"String": True}, "TRUE_VALUE can not be converted to a String"),
        ({"String": False}, "FALSE_VALUE can not be converted to a String"),
        ({"String": ["x"]}, "Start of list found where not expected"),
        ({"String": {}}, "Start of structure or map found where not expected."),
        ({"Boolean": 1}, "NUMBER_VALUE can not be converted to a Boolean"),
        ({"Boolean": "perhaps"}, "STRING_VALUE can not be converted to an Boolean"),
        ({"List": "x"}, "Expected list or null"),
        ({"List": {}}, "Start of structure or map found where not expected."),
        ({"List": [1]}, "NUMBER_VALUE can not be converted to a String"),
        ({"Map": "x"}, "Expected map or null"),
        ({"Map": []}, "Start of list found where not expected"),
        ({"Map": {"a": "b"}}, "STRING_VALUE can not be converted to an Integer"),
        ({"All": "x"}, "Expected null"),
        ({"All": []}, "Start of list found where not expected"),
        ({"All": {"All": {"Integer": "1"}}}, "STRING_VALUE can not be converted to an Integer"),
        ([], "Start of list found where not expected"),
    ],
)
@pytest.mark.recorded("notes/wire.md#serialization-errors")
def test_a_wrong_type_is_told_in_awss_words(body: object, text: str) -> None:
    """The text names the token that was found and what it cannot become."""
    assert refusal(body) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"Double": "1.5"}, "STRING_VALUE can not be converted to a Double"),
        ({"Float": False}, "FALSE_VALUE can not be converted to a Float"),
        ({"Integer": 2**31}, "NUMBER_VALUE can not be converted to an Integer"),
        ({"Integer": -(2**31) - 1}, "NUMBER_VALUE can not be converted to an Integer"),
        ({"Long": 2**63}, "NUMBER_VALUE can not be converted to a Long"),
        ('{"Long": 1e400}', "NUMBER_VALUE can not be converted to a Long"),
        ('{"Double": 1e400}', "NUMBER_VALUE can not be converted to a Double"),
        ({"Double": 10**400}, "NUMBER_VALUE can not be converted to a Double"),
        ({"Timestamp": "soon"}, "STRING_VALUE can not be converted to milliseconds since epoch"),
        ({"Timestamp": 1e300}, "NUMBER_VALUE can not be converted to milliseconds since epoch"),
        ({"Timestamp": True}, "TRUE_VALUE can not be converted to milliseconds since epoch"),
        (
            {"Timestamp": "0001-01-01T00:00:00+14:00"},
            "STRING_VALUE can not be converted to milliseconds since epoch",
        ),
        ({"Blob": "not base64!"}, "STRING_VALUE can not be converted to a Blob"),
        ({"Blob": 1}, "NUMBER_VALUE can not be converted to a Blob"),
        ('{"String": "\\ud800"}', "The request body holds half of a surrogate pair."),
        ('{"Map": {"\\udc00": 1}}', "The request body holds half of a surrogate pair."),
        (b"\xff\xfe{}", "The request body is not UTF-8."),
        ("null", "The request body is not a JSON object."),
        ('"x"', "The request body is not a JSON object."),
        ("1", "The request body is not a JSON object."),
        ("[" * 200_000, "The request body is nested too deeply."),
        ('{"All":' * 200_000, "The request body is nested too deeply."),
        ('{"All":' * 150 + "{}" + "}" * 150, "The request body is nested too deeply."),
    ],
)
@pytest.mark.assumed("notes/wire.md#assumed-of-requests")
def test_a_value_that_nothing_can_hold_is_refused(body: object, text: str) -> None:
    """Numbers out of range, half characters and bodies that are no object get an error that says so."""
    assert refusal(body) == text


@pytest.mark.parametrize(
    "body",
    [
        *("", " ", "{", "{}{}", "\ufeff{}", "{'String': 1}", '{"String": "x",}'),
        *('{"Double": NaN}', '{"Double": Infinity}', '{"String": "\x01"}'),
        '{"Integer": ' + "9" * 5000 + "}",
    ],
)
@pytest.mark.assumed("notes/wire.md#assumed-of-requests")
def test_malformed_json_is_refused(body: str) -> None:
    """What is no JSON is a SerializationException that says what is wrong with it."""
    assert refusal(body).startswith("The request body is not valid JSON: ")


@given(st.binary(max_size=200))
@pytest.mark.assumed("notes/wire.md#assumed-of-requests")
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Whatever the body holds, there is a dictionary or an AwsError, never another exception."""
    assert read_or_refused(body)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(TYPES.members)) | st.text(), inner, max_size=5)
    ),
    max_leaves=10,
)


@given(JSON_VALUES)
@pytest.mark.assumed("notes/wire.md#assumed-of-requests")
def test_any_json_is_read_or_refused(value: object) -> None:
    """Whatever JSON the body holds, there is a dictionary or an AwsError, never another exception."""
    assert read_or_refused(value)


@pytest.mark.recorded("notes/wire.md#requests-of-the-control-plane")
def test_unknown_members_and_nulls_are_left_out() -> None:
    """What the model does not know is ignored, and a null is as good as absent, at any depth."""
    assert parse({"Unknown": {"a": [1]}, "String": None, "All": {"x": 1, "Integer": None}}) == {
        "All": {}
    }


@pytest.mark.assumed("notes/wire.md#requests-of-the-control-plane")
def test_of_a_member_that_stands_twice_the_last_counts() -> None:
    """Duplicate keys are no error."""
    assert parse('{"Integer": 1, "Integer": 2}') == {"Integer": 2}


@pytest.mark.assumed("notes/wire.md#requests-of-the-control-plane")
def test_nulls_inside_collections_stay() -> None:
    """An element that is null keeps its place, so that validation can name it."""
    assert parse({"List": ["a", None], "Map": {"a": None}}) == {
        "List": ["a", None],
        "Map": {"a": None},
    }


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (1529870369.986, datetime(2018, 6, 24, 19, 59, 29, 986000, UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("2018-06-24T19:59:29Z", datetime(2018, 6, 24, 19, 59, 29, tzinfo=UTC)),
        ("2018-06-24T21:59:29.986+02:00", datetime(2018, 6, 24, 19, 59, 29, 986000, UTC)),
        ("2018-06-24T19:59:29", datetime(2018, 6, 24, 19, 59, 29, tzinfo=UTC)),
    ],
)
@pytest.mark.assumed("notes/wire.md#assumed-of-requests")
def test_times_come_as_numbers_or_in_iso_8601(sent: object, read: datetime) -> None:
    """Either form becomes an aware datetime in UTC."""
    parsed = parse({"Timestamp": sent})["Timestamp"]
    assert parsed == read
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    ("sent", "read"), [("true", True), ("YES", True), ("1", True), ("False", False), ("n", False)]
)
@pytest.mark.recorded("notes/wire.md#serialization-errors")
def test_some_words_are_booleans(sent: str, read: bool) -> None:
    """The framework takes a few words for true and false, in any case."""
    assert parse({"Boolean": sent}) == {"Boolean": read}


@pytest.mark.parametrize(("sent", "read"), [(1.5, 1), (-1.5, -1), (2.0, 2)])
@pytest.mark.recorded("notes/wire.md#serialization-errors")
def test_a_fraction_is_cut_off_an_integer(sent: float, read: int) -> None:
    """A number with a fraction becomes an integer towards zero, as Java narrows it."""
    value = parse({"Integer": sent})["Integer"]
    assert (value, type(value)) == (read, int)


@pytest.mark.documented("notes/wire.md#requests-of-the-control-plane")
def test_each_type_has_its_python_type() -> None:
    """Integers become floats where the model says float, base64 becomes bytes, special floats are words."""
    parsed = parse({"Float": 1, "Blob": "aGk=", "Long": 2**40, "Double": "-Infinity"})
    assert parsed == {"Float": 1.0, "Blob": b"hi", "Long": 2**40, "Double": -math.inf}
    assert type(parsed["Float"]) is float


@pytest.mark.parametrize(
    "target", [None, "", "SageMaker", "SageMaker.", "SageMaker.CreateNothing", "Other.AddTags"]
)
@pytest.mark.recorded("notes/wire.md#unknown-operations")
def test_an_unknown_target_is_an_unknown_operation(target: str | None) -> None:
    """X-Amz-Target must name an operation of the model."""
    with pytest.raises(AwsError) as caught:
        control_plane.operation_name(target)
    assert (caught.value.code, caught.value.status) == ("UnknownOperationException", 400)


@pytest.mark.assumed("notes/wire.md#unknown-operations")
def test_an_operation_of_the_model_may_not_be_here() -> None:
    """It is refused by name with a status that nobody tries again."""
    error = control_plane.not_implemented("CreateAutoMLJob")
    assert "CreateAutoMLJob" in error.message
    assert error.status == 400
