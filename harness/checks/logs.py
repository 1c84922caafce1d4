"""Checks on what a job wrote to CloudWatch Logs."""

import math
import re
from collections.abc import Iterable

from harness.checks.result import CheckResult, Invariant

_METRIC = Invariant(
    "metric_in_log_is_true",
    "The quality metric in the training job's log is what its model really scores on that channel.",
    "https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html",
)


def metric_in_log_is_true(
    lines: Iterable[str], pattern: str, recomputed: float, *, tolerance: float = 1e-3
) -> CheckResult:
    """The last match of `pattern` (group 1 is the number, as in a metric definition) equals `recomputed`.

    `tolerance` is relative; a log prints about that many digits.
    """
    found = [match for line in lines for match in re.findall(pattern, line)]
    if not found:
        return _METRIC.result(False, f"no line matches {pattern!r}")
    try:
        logged = float(found[-1])
    except ValueError:
        return _METRIC.result(False, f"the log says {found[-1]!r}, which is no number")
    return _METRIC.result(
        math.isclose(logged, recomputed, rel_tol=tolerance),
        f"the log says {logged:g}, recomputed from the endpoint's answers {recomputed:g}",
    )
