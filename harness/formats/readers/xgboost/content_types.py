"""Content types as the XGBoost image reads them, on channels and on requests."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from harness.formats.readers.refusal import DataRefused


class Format(Enum):
    """A format of data; the value is its name in messages."""

    CSV = "csv"
    LIBSVM = "libsvm"
    PARQUET = "parquet"
    RECORDIO = "recordio-protobuf"


ACCEPTED = {
    "csv": Format.CSV,
    "libsvm": Format.LIBSVM,
    "parquet": Format.PARQUET,
    "recordio-protobuf": Format.RECORDIO,
    "text/csv": Format.CSV,
    "text/libsvm": Format.LIBSVM,
    "text/x-libsvm": Format.LIBSVM,
    "application/x-parquet": Format.PARQUET,
    "application/x-recordio-protobuf": Format.RECORDIO,
}
"""The names of the formats, in the order in which the message lists them."""


DEFAULT = "text/libsvm"
"""What a channel without content type holds."""

_DISTRIBUTIONS = ("ShardedByS3Key", "FullyReplicated")


def check_channel(name: str, configuration: Mapping[str, Any]) -> None:
    """DataRefused for an entry of inputdataconfig.json whose content type, mode and distribution the image has not."""
    shown = {**configuration, "ContentType": configuration.get("ContentType") or DEFAULT}
    if not _is_supported(name, shown):
        raise DataRefused(f"Channel configuration for '{name}' channel is not supported: {shown}")


def _is_supported(name: str, configuration: Mapping[str, Any]) -> bool:
    content_type = configuration["ContentType"]
    mode = configuration.get("TrainingInputMode", "File")
    distribution = configuration.get("S3DistributionType", "FullyReplicated")
    if name == "code":
        return (content_type, mode, distribution) == ("text/python", "File", "FullyReplicated")
    if content_type not in ACCEPTED or distribution not in _DISTRIBUTIONS:
        return False
    return mode == "File" or (mode == "Pipe" and ACCEPTED[content_type] is not Format.LIBSVM)


def parse_header(value: str) -> tuple[str, dict[str, str]]:
    """A header's value and its parameters: `text/csv; label_size=1` is `text/csv`, {label_size: 1}."""
    head, *rest = value.split(";")
    parameters = {}
    for part in rest:
        name, equals, text = part.partition("=")
        if equals:
            parameters[name.strip().lower()] = text.strip().strip('"')
    return head.strip(), parameters


def parse(content_type: str | None) -> Format:
    """The format of a content type, libsvm when there is none; DataRefused for any other.

    The one parameter that counts is text/csv's label_size, which must be 1.
    """
    if content_type is None:
        return Format.LIBSVM
    name, parameters = parse_header(content_type.lower())
    if name not in ACCEPTED:
        raise DataRefused(f"{content_type} is not an accepted ContentType: {', '.join(ACCEPTED)}.")
    if ACCEPTED[name] is Format.CSV and parameters.get("label_size", "1") != "1":
        raise DataRefused(
            f"{content_type} is not an accepted csv ContentType. "
            "Optional parameter label_size must be equal to 1"
        )
    return ACCEPTED[name]
