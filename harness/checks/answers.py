"""Checks on what an endpoint answers: its content type, and one score per row."""

import math
from collections.abc import Mapping, Sequence

from harness.checks.result import CheckResult, Invariant

_INFERENCE = "https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html"

_CONTENT_TYPE = Invariant(
    "content_type", "The answer has the content type that the algorithm documents.", _INFERENCE
)
_ROWS = Invariant(
    "one_score_per_row_in_order",
    "A request of many rows is answered by one score per row, in the order of the rows.",
    _INFERENCE,
)


def content_type_is(content_type: str, expected: str) -> CheckResult:
    """The media type is `expected`; parameters such as a character set are not compared."""
    media = content_type.split(";", 1)[0].strip().lower()
    return _CONTENT_TYPE.result(
        media == expected.lower(), f"{content_type!r}, expected {expected!r}"
    )


def one_score_per_row_in_order(
    rows: int, scores: Sequence[float], alone: Mapping[int, float], *, tolerance: float = 1e-6
) -> CheckResult:
    """As many scores as rows, and row i's score is what the same row gets when it is sent alone.

    `alone` maps row numbers to the scores of requests of one row; `tolerance` is relative.
    """
    if len(scores) != rows:
        return _ROWS.result(False, f"{rows} rows, {len(scores)} scores")
    if not alone:
        raise ValueError("no row was sent alone, so the order cannot be seen")
    for row, score in sorted(alone.items()):
        if not math.isclose(scores[row], score, rel_tol=tolerance, abs_tol=tolerance):
            return _ROWS.result(
                False, f"row {row}: {scores[row]!r} among the others, {score!r} alone"
            )
    distinct = len(set(alone.values()))
    if len(alone) > 1 and distinct == 1:
        return _ROWS.result(False, f"{len(alone)} rows have one score, so the order cannot be seen")
    return _ROWS.result(
        True, f"{rows} scores; {len(alone)} rows sent alone ({distinct} different scores) agree"
    )
