"""Checks on APIs: what a browser is told before it asks, and what fits through a gateway and into a function."""

import json
from collections.abc import Mapping
from typing import Any

from harness.checks.result import CheckResult, Invariant

_CORS = "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html"
_SIMPLE_METHODS = frozenset({"GET", "HEAD", "POST"})
# Headers that a page may send without asking (fetch.spec.whatwg.org, "CORS-safelisted request-header").
_SIMPLE_HEADERS = frozenset({"accept", "accept-language", "content-language", "content-type"})
_SIMPLE_TYPES = frozenset(
    {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
)

_PREFLIGHT = Invariant(
    "cors_preflight",
    "A preflight is answered with success, and allows the page's origin, its method and its headers.",
    _CORS,
)
_API_LIMIT = Invariant(
    "api_payload_limit",
    "A request through an API is not larger than API Gateway passes on.",
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html",
)
_LAMBDA_LIMIT = Invariant(
    "lambda_payload_limit",
    "The event or answer of a synchronous invocation is not larger than Lambda takes.",
    "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
)


def cors_preflight(
    status: int,
    headers: Mapping[str, str],
    *,
    origin: str,
    method: str,
    request_headers: Mapping[str, str] | None = None,
) -> CheckResult:
    """The answer to a preflight, status and `headers`, lets a page of `origin` send its request.

    `method` and `request_headers` are those of the request that the page wants to send.
    """
    answer = {name.lower(): value for name, value in headers.items()}
    if not 200 <= status < 300:
        return _PREFLIGHT.result(False, f"the preflight is answered with {status}")
    allowed = answer.get("access-control-allow-origin")
    if allowed not in ("*", origin):
        return _PREFLIGHT.result(False, f"{origin} may not ask: Allow-Origin is {allowed!r}")
    methods = _listed(answer, "access-control-allow-methods")
    if method not in _SIMPLE_METHODS and not {method.lower(), "*"} & methods:
        return _PREFLIGHT.result(False, f"{method} is not allowed, but {_shown(methods)}")
    allowed_headers = _listed(answer, "access-control-allow-headers")
    for name in _to_be_allowed(request_headers or {}):
        # The asterisk does not stand for Authorization.
        if name not in allowed_headers and ("*" not in allowed_headers or name == "authorization"):
            return _PREFLIGHT.result(
                False, f"the header {name} is not allowed, but {_shown(allowed_headers)}"
            )
    return _PREFLIGHT.result(True, f"{method} from {origin} is allowed")


def _listed(answer: Mapping[str, str], name: str) -> set[str]:
    return {item.strip().lower() for item in answer.get(name, "").split(",") if item.strip()}


def _shown(allowed: set[str]) -> str:
    return ", ".join(sorted(allowed)) or "none"


def _to_be_allowed(headers: Mapping[str, str]) -> list[str]:
    wanted = []
    for name, value in headers.items():
        media_type = value.split(";", 1)[0].strip().lower()
        simple = name.lower() in _SIMPLE_HEADERS and (
            name.lower() != "content-type" or media_type in _SIMPLE_TYPES
        )
        if not simple:
            wanted.append(name.lower())
    return wanted


def api_payload_limit(body: bytes | str, *, limit: int = 10_485_760) -> CheckResult:
    """A body of at most `limit` bytes; the default is the payload size of REST and HTTP APIs."""
    size = len(body.encode() if isinstance(body, str) else body)
    return _API_LIMIT.result(size <= limit, f"{size:,} of {limit:,} bytes")


def lambda_payload_limit(payload: Any, *, limit: int = 6_291_456) -> CheckResult:
    """An event or an answer of at most `limit` bytes: bytes as they are, anything else as JSON."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return _LAMBDA_LIMIT.result(len(content) <= limit, f"{len(content):,} of {limit:,} bytes")
