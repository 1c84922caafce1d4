"""AwsError on the wire: JSON 1.1 for the control plane, rest-json for SageMaker's runtime and Lambda."""

import json
from typing import Literal

from harness.cloud.errors import AwsError
from harness.cloud.protocol import models
from harness.cloud.protocol.control_plane import CONTENT_TYPE, SERVICE

Wire = Literal["json", "rest-json"]

RUNTIME_SERVICE = "sagemaker-runtime"
LAMBDA_SERVICE = "lambda"

# What refuses a caller before any operation is reached: 403 in rest-json, 400 in JSON 1.1
# (docs/notes/wire.md, "Errors").
_REFUSALS = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)
_CORAL = "http://internal.amazon.com/coral/com.amazon.coral.service/"


def error_response(
    error: AwsError, request_id: str, wire: str = "json", service: str = RUNTIME_SERVICE
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers (names in lower case) and body of an error answer.

    `wire` is "json" for `sagemaker`, "rest-json" for `sagemaker-runtime` and other REST services,
    of which `service` tells the exceptions.
    """
    if wire == "rest-json":
        return _rest_json(error, request_id, service)
    return _json(error, request_id)


def _json(error: AwsError, request_id: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    content = {"__type": error.code, "message": error.message, **error.fields}
    if error.code in models.load(SERVICE).exceptions:
        content["Message"] = error.message
    return _answer(error.status, CONTENT_TYPE, [], request_id, content)


def _rest_json(
    error: AwsError, request_id: str, service: str
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    status, error_type, key = error.status, error.code, "message"
    fields = dict(error.fields)
    modelled = models.load(service).exceptions.get(error.code)
    if modelled is not None:
        status = modelled.http_status or status
        # Lambda's exceptions have the one or the other (docs/notes/functions.md, "Errors").
        key = "Message" if "Message" in modelled.members else "message"
        if "Type" in modelled.members:
            fields.setdefault("Type", "User" if status < 500 else "Service")
    elif error.code in _REFUSALS:
        status = 403
        if error.code == "AccessDeniedException":
            key = "Message"
        else:
            error_type = f"{error.code}:{_CORAL}"
    headers = [(b"x-amzn-errortype", error_type.encode())]
    return _answer(status, "application/json", headers, request_id, {key: error.message, **fields})


def _answer(
    status: int,
    content_type: str,
    headers: list[tuple[bytes, bytes]],
    request_id: str,
    content: dict[str, object],
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    body = json.dumps(content, separators=(",", ":")).encode()
    return (
        status,
        [
            (b"x-amzn-requestid", request_id.encode()),
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            *headers,
        ],
        body,
    )
