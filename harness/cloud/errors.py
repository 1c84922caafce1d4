"""Errors that go over the wire as AWS would send them."""

from collections.abc import Mapping
from typing import Any


class AwsError(Exception):
    """An error answer: AWS's `code`, the `message`, the HTTP status and further body fields."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = dict(fields or {})
