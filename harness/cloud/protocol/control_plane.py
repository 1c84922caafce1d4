"""The wire of `sagemaker`: JSON 1.1, one operation a request, by the names of the operations."""

from collections.abc import Mapping
from typing import Any

from harness.cloud.errors import AwsError
from harness.cloud.protocol import models, parsing, serialization, validation

SERVICE = "sagemaker"
CONTENT_TYPE = "application/x-amz-json-1.1"
_TARGET_PREFIX = "SageMaker."


def operation_name(target: str | None) -> str:
    """The operation that an `X-Amz-Target` header names; raises UnknownOperationException (400)."""
    prefix, dot, name = (target or "").partition(".")
    if prefix + dot != _TARGET_PREFIX or name not in models.load(SERVICE).operation_names:
        raise AwsError(
            "UnknownOperationException",
            f"{target!r} names no operation of SageMaker."
            if target
            else "The header X-Amz-Target is missing.",
        )
    return name


def parse(operation: str, body: bytes) -> dict[str, Any]:
    """The request in `body`; raises SerializationException (400)."""
    shape = models.load(SERVICE).operation(operation).input
    return {} if shape is None else parsing.parse_json(shape, body)


def validate(operation: str, request: dict[str, Any]) -> None:
    """Raise ValidationException (400) with every violation of the model's constraints."""
    shape = models.load(SERVICE).operation(operation).input
    if shape is not None:
        validation.check(shape, request)


def serialize(operation: str, result: Mapping[str, Any] | None) -> bytes:
    """The body of a successful answer; raises MalformedAnswer, which is a mistake of ours."""
    return serialization.serialize_json(models.load(SERVICE).operation(operation).output, result)


def not_implemented(operation: str) -> AwsError:
    """For an operation that the model knows and this local cloud does not; nobody retries a 400."""
    return AwsError(
        "UnsupportedOperation", f"This local cloud does not implement SageMaker's {operation}."
    )
