"""The texts with which SageMaker refuses, read from refusals.toml."""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

from harness.cloud.errors import AwsError


@functools.cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Every refusal: `code`, `text` with `{fields}`, `source`."""
    return tomllib.loads((Path(__file__).parent / "refusals.toml").read_text("utf-8"))


def refusal(name: str, /, **fields: object) -> AwsError:
    """The error of this name with its fields filled in."""
    entry = texts()[name]
    return AwsError(entry["code"], entry["text"].format(**fields))


def reason(name: str, /, **fields: object) -> str:
    """A text that is no error answer: a FailureReason or a status message."""
    return texts()[name]["text"].format(**fields)[:1024]
