"""The option --pace."""

from harness.cli.problem import Problem
from harness.cloud.sagemaker.pace import Pace


def checked_pace(name: str) -> Pace:
    """The pace of this name."""
    try:
        return Pace.named(name)
    except KeyError:
        raise Problem(f"there is no pace {name!r}", "choose fastest or realistic") from None
