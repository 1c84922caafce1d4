"""Content types as first-party algorithms take them apart: lower case, parameters after semicolons."""

from dataclasses import dataclass, field

RECORDIO = "application/x-recordio-protobuf"
CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"


@dataclass(frozen=True)
class ContentType:
    """A media type and its parameters, all in lower case."""

    name: str
    parameters: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> ContentType:
    """Take a Content-Type apart; parts that are no `name=value` are dropped."""
    name, *parameters = (part.strip() for part in text.lower().split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    return ContentType(name, {key.strip(): value.strip() for key, mark, value in pairs if mark})
