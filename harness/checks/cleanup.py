"""The check that ends every lesson: nothing is left."""

from collections.abc import Sequence

from harness.checks.result import CheckResult, Invariant

_NOTHING_LEFT = Invariant(
    "nothing_left",
    "When the lesson is over, nothing that it created is left.",
    "https://docs.aws.amazon.com/sagemaker/latest/dg/ex1-cleanup.html",
)


def nothing_left(found: Sequence[str], *, looked_at: str) -> CheckResult:
    """No leftover was found; `looked_at` says where it was looked for."""
    if not found:
        return _NOTHING_LEFT.result(True, f"looked at {looked_at}")
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return _NOTHING_LEFT.result(False, f"still there: {', '.join(found[:3])}{more}")
