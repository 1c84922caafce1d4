"""What a request calls a function: a name, a partial or a whole ARN, with or without a qualifier."""

import re
from dataclasses import dataclass

from harness.cloud.errors import AwsError

# The pattern of FunctionName in Lambda's model, with names for its parts.
_FORMS = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?"
    r"(?:(?P<region>[a-z]{2}[a-z-]*-[a-z]+-[0-9]):)?"
    r"(?:(?P<account>[0-9]{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9._-]+)"
    r"(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]+))?"
)


@dataclass(frozen=True)
class FunctionName:
    """One function in an account and region, and the version or alias that was asked for, if any was."""

    account: str
    region: str
    name: str
    qualifier: str | None = None

    @property
    def unqualified_arn(self) -> str:
        """The ARN of the function."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def arn(self) -> str:
        """The ARN as it was asked for."""
        suffix = "" if self.qualifier is None else f":{self.qualifier}"
        return self.unqualified_arn + suffix


def parse(text: str, qualifier: str | None, account: str, region: str) -> FunctionName:
    """Read a FunctionName that the model's pattern allows; `account` and `region` are the caller's.

    Raises InvalidParameterValueException if name and `qualifier` contradict each other,
    ResourceNotFoundException for a function of another region.
    """
    match = _FORMS.fullmatch(text)
    assert match is not None, "the model's pattern allows no other"
    within = match["qualifier"]
    if within is not None and qualifier is not None and within != qualifier:
        raise AwsError(
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        )
    if match["region"] not in (None, region):
        raise AwsError(
            "ResourceNotFoundException",
            f"Functions from '{match['region']}' are not reachable in this region ('{region}')",
        )
    return FunctionName(match["account"] or account, region, match["name"], within or qualifier)
