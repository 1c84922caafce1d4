"""Stands in for the extension module `runtime_client` of awslambdaric where it has no wheel (macOS).

The same four functions, in Python: docs/notes/functions.md, "The runtime client".
"""

import http.client
import os

_ROOT = "/2018-06-01/runtime/invocation/"
_STRINGS = (
    "Lambda-Runtime-Aws-Request-Id",
    "Lambda-Runtime-Trace-Id",
    "Lambda-Runtime-Invoked-Function-Arn",
    "Lambda-Runtime-Client-Context",
    "Content-Type",
    "Lambda-Runtime-Cognito-Identity",
    "Lambda-Runtime-Aws-Tenant-Id",
    "Lambda-Runtime-Invocation-Id",
)

_connection: http.client.HTTPConnection | None = None
_user_agent = ""


def initialize_client(user_agent: str) -> None:
    """Remember how to introduce ourselves."""
    global _user_agent
    _user_agent = user_agent


def next() -> tuple[bytes, dict[str, str | int | None]]:
    """The next event and what comes with it; waits for it."""
    status, headers, event = _request("GET", "next")
    if status != 200:
        raise RuntimeError("Failed to get next")
    values: dict[str, str | int | None] = {name: headers.get(name) or None for name in _STRINGS}
    # The context subtracts from it: text would not do.
    values["Lambda-Runtime-Deadline-Ms"] = int(headers["Lambda-Runtime-Deadline-Ms"])
    return event, values


def post_invocation_result(
    invoke_id: str, result: bytes, content_type: str, invocation_id: str | None = None
) -> None:
    """Deliver what the handler returned."""
    status, _, _ = _request("POST", f"{invoke_id}/response", result, {"Content-Type": content_type})
    if status != 202:
        raise RuntimeError("Failed to post invocation response")


def post_error(
    invoke_id: str, error: str, xray_fault: str, invocation_id: str | None = None
) -> None:
    """Deliver what the handler raised."""
    status, _, _ = _request(
        "POST", f"{invoke_id}/error", error.encode(), {"Content-Type": "application/json"}
    )
    if status != 202:
        raise RuntimeError("Failed to post invocation error")


def _request(
    method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    global _connection
    if _connection is None:
        _connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        _connection.request(
            method, _ROOT + path, body, {"User-Agent": _user_agent, **(headers or {})}
        )
        answer = _connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException):
        _connection.close()
        raise RuntimeError(f"The Runtime API does not answer {method} {path}") from None
