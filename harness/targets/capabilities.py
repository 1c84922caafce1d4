"""What a place can do, as a closed list: scenarios need some of it, targets offer some of it."""

from collections.abc import Iterable
from enum import StrEnum


class Capability(StrEnum):
    """Something that a scenario may need and a target may lack."""

    TRAINING = "training"
    BUILT_IN_ALGORITHMS = "built-in-algorithms"
    LOGS = "logs"
    ENDPOINTS = "endpoints"
    ENDPOINT_UPDATES = "endpoint-updates"


class UnknownCapability(ValueError):
    """A scenario needs something that is not on the list."""


def capabilities(names: Iterable[str]) -> frozenset[Capability]:
    """The capabilities of these names; UnknownCapability names the one that does not exist."""
    found = set()
    for name in names:
        try:
            found.add(Capability(name))
        except ValueError:
            known = ", ".join(capability.value for capability in Capability)
            raise UnknownCapability(f"{name!r} is no capability; there are: {known}") from None
    return frozenset(found)
