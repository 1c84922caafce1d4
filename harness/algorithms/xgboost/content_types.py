"""Content types as the XGBoost image reads them, on channels and on requests."""

from enum import Enum

from harness.algorithms.xgboost.errors import UserError


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
    """The format of a content type, libsvm when there is none; UserError for any other.

    The one parameter that counts is text/csv's label_size, which must be 1.
    """
    if content_type is None:
        return Format.LIBSVM
    name, parameters = parse_header(content_type.lower())
    if name not in ACCEPTED:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(ACCEPTED)}.")
    if ACCEPTED[name] is Format.CSV and parameters.get("label_size", "1") != "1":
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. "
            "Optional parameter label_size must be equal to 1"
        )
    return ACCEPTED[name]
