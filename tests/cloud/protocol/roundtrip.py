"""Answers of the control plane as botocore's own parser reads them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.parsers import create_parser

from harness.cloud.protocol import control_plane
from tests.cloud.protocol.generated import service_model


def parse_answer(operation: str, body: bytes, status: int = 200) -> dict[str, Any]:
    """What a client gets from this body, without the metadata of the response."""
    shape: Any = service_model("sagemaker").operation_model(operation).output_shape
    response = {"body": body, "headers": {}, "status_code": status}
    parsed: dict[str, Any] = create_parser("json").parse(response, shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def assert_round_trip(operation: str, result: Mapping[str, Any] | None) -> None:
    """Serialize a result; botocore must read back what went in (None is left out, times to the ms)."""
    body = control_plane.serialize(operation, result)
    assert parse_answer(operation, body) == _expected(result or {})


def _expected(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _expected(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_expected(v) for v in value]
    if isinstance(value, datetime):
        return datetime.fromtimestamp(round(value.timestamp(), 3), value.tzinfo)
    return value
