"""How the data plane calls Lambda functions: the interface that it needs, and the ARNs that lead there."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

_INVOCATION_URI = re.compile(
    r"arn:[\w-]+:apigateway:[\w-]+:lambda:path/2015-03-31/functions/(?P<function>.+)/invocations"
)
_FUNCTION_ARN = re.compile(
    r"arn:[\w-]+:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):function:"
    r"(?P<name>[\w-]+)(?::(?P<qualifier>\$LATEST|[\w-]+))?"
)


class FunctionRefused(Exception):
    """The function was not run: it does not exist, may not be called, or has no room. The text says which."""


@dataclass(frozen=True)
class Function:
    """A function, and the version or alias that is meant, if one is."""

    account: str
    region: str
    name: str
    qualifier: str | None = None

    @property
    def arn(self) -> str:
        """The ARN, as a permission names it."""
        arn = f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"
        return arn if self.qualifier is None else f"{arn}:{self.qualifier}"


@dataclass(frozen=True)
class FunctionCall:
    """One call: `source_arn` is the API's method that makes it, `role` the one that it is made with, if any.

    An `asynchronous` one has an empty answer.
    """

    function: Function
    payload: bytes = field(repr=False)
    source_arn: str
    role: str | None = None
    asynchronous: bool = False


@dataclass(frozen=True)
class FunctionAnswer:
    """What a function gave. `error` is the X-Amz-Function-Error of Invoke, None if it returned."""

    payload: bytes
    error: str | None = None


# Calls a function and returns what it gave; raises FunctionRefused if it was not run, NotHere if no function of
# its kind is.
CallFunction: TypeAlias = Callable[[FunctionCall], Awaitable[FunctionAnswer]]


def function_of_uri(uri: str) -> Function | None:
    """The function of an integration's or an authorizer's URI, or of a bare ARN; None for anything else."""
    invocation = _INVOCATION_URI.fullmatch(uri)
    match = _FUNCTION_ARN.fullmatch(invocation["function"] if invocation else uri)
    if match is None:
        return None
    return Function(match["account"], match["region"], match["name"], match["qualifier"])
