"""Checks on permissions hold for what is right and fail for each wrong."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from harness import checks

ACTION = "sagemaker:InvokeEndpoint"
DENIAL = (
    f"User: arn:aws:sts::123456789012:assumed-role/f/s is not authorized to perform: {ACTION} on "
    f"resource: arn:x because no identity-based policy allows the {ACTION} action"
)
TYPE = "MissingAuthenticationTokenException:http://internal.amazon.com/coral/"


def client_error(code: str, message: str) -> ClientError:
    """What boto3 raises."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "InvokeEndpoint")


def test_an_unsigned_request_is_refused() -> None:
    """403, the error type and the text; with anything else, or the model's answer, the check fails."""
    body = b'{"message":"Missing Authentication Token"}'
    for name in ("x-amzn-ErrorType", "x-amzn-errortype"):
        assert checks.endpoint_refuses_unsigned(403, {name: TYPE}, body).passed
    for status, headers, answer in (
        (200, {"content-type": "text/csv"}, b"1.5"),
        (400, {"x-amzn-ErrorType": TYPE}, body),
        (403, {"x-amzn-ErrorType": "AccessDeniedException"}, body),
        (403, {}, body),
        (403, {"x-amzn-ErrorType": TYPE}, b'{"message":"Forbidden"}'),
        (403, {"x-amzn-ErrorType": TYPE}, b"[]"),
    ):
        failed = checks.endpoint_refuses_unsigned(status, headers, answer)
        assert not failed.passed
        assert f"status {status}" in failed.detail


def test_the_least_privilege_is_enough() -> None:
    """The one permission opens the call, and its lack closes it by name."""
    denied = client_error("AccessDeniedException", DENIAL)
    held = checks.least_privilege_is_enough(ACTION, granted={"Body": b""}, withheld=denied)
    assert held.passed, held.detail


@pytest.mark.parametrize(
    ("granted", "withheld", "detail"),
    [
        (client_error("AccessDeniedException", "no"), client_error("AccessDeniedException", DENIAL), "no"),
        ({}, {}, "was answered"),
        ({}, None, "was answered"),
        ({}, OSError("reset"), "OSError: reset"),
        ({}, client_error("ValidationError", DENIAL), "ValidationError"),
        ({}, client_error("AccessDeniedException", DENIAL.replace("Invoke", "Describe")), "Describe"),
        ({}, client_error("AccessDeniedException", f"perform: {ACTION}Async on"), "Async"),
    ],
)  # fmt: skip
def test_any_other_outcome_fails(granted: Any, withheld: Any, detail: str) -> None:
    """A role that is refused, one that gets through, another error, or a refusal of something else."""
    failed = checks.least_privilege_is_enough(ACTION, granted=granted, withheld=withheld)
    assert not failed.passed
    assert detail in failed.detail


@given(
    status=st.integers(100, 599),
    headers=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    body=st.binary(max_size=20) | st.text(max_size=20),
)
def test_no_answer_makes_a_check_raise(status: int, headers: dict[str, str], body: Any) -> None:
    """Whatever came back, the check says that it did not hold."""
    assert not checks.endpoint_refuses_unsigned(status, headers, body).passed
