"""Checks on who may call: nobody without a signature, and nobody without the one permission that a call needs."""

import json
from collections.abc import Mapping
from typing import Any

from harness.checks.result import CheckResult, Invariant

_UNSIGNED = Invariant(
    "endpoint_refuses_unsigned",
    "An endpoint answers signed requests only: one without a signature is refused before any model sees it.",
    "notes/signing.md#unsigned-requests",
)
_LEAST = Invariant(
    "least_privilege_is_enough",
    "With just the permission that it needs a call succeeds; without it the call is refused, and the refusal names it.",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
)


def endpoint_refuses_unsigned(
    status: int, headers: Mapping[str, str], body: bytes | str
) -> CheckResult:
    """The answer to an unsigned InvokeEndpoint is 403 and says that the token is missing."""
    by_name = {name.lower(): value for name, value in headers.items()}
    code = by_name.get("x-amzn-errortype", "").partition(":")[0]
    text = _message(body)
    return _UNSIGNED.result(
        status == 403
        and code == "MissingAuthenticationTokenException"
        and text == "Missing Authentication Token",
        f"status {status}, {code or 'no error type'}: {text!r}",
    )


def least_privilege_is_enough(
    action: str, *, granted: Any | BaseException, withheld: Any | BaseException
) -> CheckResult:
    """The same call, once by a role with `action` alone and once by one without it: an answer, or what was raised.

    `withheld` must be AWS's AccessDeniedException (boto3's ClientError) for this very action.
    """
    if isinstance(granted, BaseException):
        return _LEAST.result(False, f"with {action}: {granted}")
    code, message = _error_of(withheld)
    if code is None:
        what = "was answered" if message is None else f"failed with {message}"
        return _LEAST.result(False, f"without {action} the call {what}")
    return _LEAST.result(
        code == "AccessDeniedException" and f"perform: {action} " in f"{message} ",
        f"with {action} answered, without it {code}: {message}",
    )


def _message(body: bytes | str) -> str:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        content = json.loads(text)
    except ValueError:
        return text[:200]
    found = content.get("message", content.get("Message")) if isinstance(content, dict) else None
    return str(found) if found is not None else text[:200]


def _error_of(outcome: Any) -> tuple[str | None, str | None]:
    """Code and message of an error of AWS's; no code for any other exception, neither for an answer."""
    if not isinstance(outcome, BaseException):
        return None, None
    response = getattr(outcome, "response", None)
    error = response.get("Error", {}) if isinstance(response, dict) else {}
    return error.get("Code"), error.get("Message") or f"{type(outcome).__name__}: {outcome}"
