"""The targets by name, and an honest word for those that are not there yet."""

from collections.abc import Callable

from harness.targets.place import Target

NAMES = ("embedded", "local-mode", "localstack", "aws")


class TargetNotThere(Exception):
    """No target of this name can be opened by this version; the message says which can."""


def find(name: str, *, region: str, pace: str) -> Target:
    """The target called `name`; TargetNotThere for one that this version does not have."""
    make = _TARGETS.get(name)
    if make is not None:
        return make(region, pace)
    there = ", ".join(sorted(_TARGETS))
    if name in NAMES:
        raise TargetNotThere(
            f"target {name!r} is planned but not in this version; there is: {there}"
        )
    raise TargetNotThere(f"there is no target {name!r}; there is: {there}")


def _embedded(region: str, pace: str) -> Target:
    from harness.targets.embedded import Embedded

    return Embedded(region=region, pace=pace)


_TARGETS: dict[str, Callable[[str, str], Target]] = {"embedded": _embedded}


def is_there(name: str) -> bool:
    """Whether this version has the target."""
    return name in _TARGETS
