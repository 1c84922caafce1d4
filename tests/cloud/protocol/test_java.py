"""Values as Java prints them."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.protocol.java import to_string
from harness.cloud.protocol.models import Shape, load


def shape(name: str) -> Shape:
    """A shape of `sagemaker`."""
    return load("sagemaker").shape(name)


# The results of Double.toString for these numbers, by the rules of its documentation.
@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1, "1.0"),
        (-1.5, "-1.5"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (0.0001, "1.0E-4"),
        (-1.25e-10, "-1.25E-10"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (10000001.0, "1.0000001E7"),
        (123456789.5, "1.234567895E8"),
        (1e22, "1.0E22"),
        (-1.7976931348623157e308, "-1.7976931348623157E308"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
    ],
)
@pytest.mark.assumed("notes/validation.md#how-values-are-printed")
def test_a_float_prints_as_a_double(number: float, text: str) -> None:
    """Double.toString: a decimal always, scientific outside of 1e-3 to 1e7."""
    assert to_string(shape("Float"), number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
@pytest.mark.assumed("notes/validation.md#how-values-are-printed")
def test_a_printed_float_is_the_float(number: float) -> None:
    """Every float is printed in Java's form and can be read back from it."""
    text = to_string(shape("Double"), number)
    assert re.fullmatch(r"-?\d+\.\d+|-?[1-9]\.\d+E-?\d+", text)
    assert float(text) == number


@pytest.mark.documented("notes/validation.md#how-values-are-printed")
def test_collections_print_their_elements() -> None:
    """Lists in brackets, maps in braces, booleans in lower case, nothing as null."""
    assert to_string(shape("SecurityGroupIds"), ["sg-1", "sg-2"]) == "[sg-1, sg-2]"
    assert to_string(shape("SecurityGroupIds"), ["sg-1", None]) == "[sg-1, null]"
    assert to_string(shape("HyperParameters"), {"a": "1", "b": "x y"}) == "{a=1, b=x y}"
    assert to_string(shape("Boolean"), True) == "true"
    assert to_string(shape("Tag"), None) == "null"


@pytest.mark.assumed("notes/validation.md#how-values-are-printed")
def test_a_time_prints_as_a_date() -> None:
    """Date.toString, in UTC wherever the time came from."""
    moment = datetime(2020, 1, 6, 23, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    assert to_string(shape("Timestamp"), moment) == "Mon Jan 06 22:04:05 UTC 2020"
    assert to_string(shape("Timestamp"), datetime(2024, 12, 31, tzinfo=UTC)) == (
        "Tue Dec 31 00:00:00 UTC 2024"
    )


@pytest.mark.assumed("notes/validation.md#how-values-are-printed")
def test_bytes_print_as_a_buffer() -> None:
    """A blob is a ByteBuffer, which prints its limits and not its content."""
    blob = load("sagemaker-runtime").shape("BodyBlob")
    assert to_string(blob, b"abc") == "java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]"
