"""Checks on APIs hold for what works in a browser and on AWS, and say what does not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import checks

PAGE = "https://page.example"
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "OPTIONS,POST",
    "Access-Control-Allow-Headers": "Content-Type,Authorization",
}


@pytest.mark.documented(
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html"
)
@pytest.mark.parametrize(
    ("status", "changes", "method", "headers", "complaint"),
    [
        (200, {}, "POST", {"Content-Type": "application/json"}, None),
        (204, {"Access-Control-Allow-Origin": PAGE}, "POST", {}, None),
        (200, {"Access-Control-Allow-Methods": ""}, "POST", {}, None),
        (
            200,
            {"Access-Control-Allow-Headers": ""},
            "GET",
            {"Content-Type": "text/plain; a=b"},
            None,
        ),
        (200, {"Access-Control-Allow-Headers": "*"}, "GET", {"X-Own": "1"}, None),
        (200, {"Access-Control-Allow-Methods": "*"}, "PUT", {}, None),
        (403, {}, "POST", {}, "answered with 403"),
        (200, {"Access-Control-Allow-Origin": "https://other.example"}, "POST", {}, "may not ask"),
        (200, {"Access-Control-Allow-Origin": f"{PAGE}/"}, "POST", {}, "may not ask"),
        (200, {}, "PUT", {}, "PUT is not allowed, but options, post"),
        (200, {}, "POST", {"X-Own": "1"}, "the header x-own is not allowed"),
        (
            200,
            {"Access-Control-Allow-Headers": ""},
            "POST",
            {"Content-Type": "application/json"},
            "the header content-type is not allowed, but none",
        ),
        (
            200,
            {"Access-Control-Allow-Headers": "*"},
            "GET",
            {"Authorization": "x"},
            "the header authorization is not allowed",
        ),
    ],
)
def test_a_preflight(
    status: int,
    changes: dict[str, str],
    method: str,
    headers: dict[str, str],
    complaint: str | None,
) -> None:
    """Status, origin, method and headers, as a browser reads them."""
    result = checks.cors_preflight(
        status, {**OPEN, **changes}, origin=PAGE, method=method, request_headers=headers
    )
    assert result.passed is (complaint is None)
    assert complaint is None or complaint in result.detail


def test_a_preflight_without_any_header() -> None:
    """What an error of API Gateway looks like to a browser: nothing is allowed."""
    result = checks.cors_preflight(200, {}, origin=PAGE, method="GET")
    assert not result.passed


@pytest.mark.documented("https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html")
@given(st.integers(0, 60), st.integers(0, 60))
def test_an_apis_limit_is_exact(size: int, limit: int) -> None:
    """A body of the limit holds, one byte more does not; text counts in bytes."""
    assert checks.api_payload_limit(b"x" * size, limit=limit).passed is (size <= limit)
    assert checks.api_payload_limit("é" * size, limit=limit).passed is (2 * size <= limit)


@pytest.mark.documented("https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html")
def test_the_limits_themselves() -> None:
    """10 MB through an API, 6 MB into a function."""
    assert checks.api_payload_limit(b"x" * 10_485_760).passed
    assert not checks.api_payload_limit(b"x" * 10_485_761).passed
    assert checks.lambda_payload_limit(b"x" * 6_291_456).passed
    assert not checks.lambda_payload_limit(b"x" * 6_291_457).passed


@given(st.text(max_size=30), st.integers(0, 120))
def test_an_event_counts_as_json(text: str, limit: int) -> None:
    """What is not bytes yet is measured as the JSON that it becomes."""
    event = {"body": text}
    size = len(json.dumps(event).encode())
    assert checks.lambda_payload_limit(event, limit=limit).passed is (size <= limit)
