"""Error measures of a regression, as textbooks define them, and the checks that stand on them."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.checks.result import CheckResult, Invariant

Numbers = npt.ArrayLike


def mean_absolute_error(actual: Numbers, predicted: Numbers) -> float:
    """mean(|actual - predicted|), in the target's unit; both of shape (rows,)."""
    y, p = _pair(actual, predicted)
    return float(np.mean(np.abs(y - p)))


def mean_squared_error(actual: Numbers, predicted: Numbers) -> float:
    """mean((actual - predicted)^2), in the target's unit squared."""
    y, p = _pair(actual, predicted)
    return float(np.mean((y - p) ** 2))


def root_mean_squared_error(actual: Numbers, predicted: Numbers) -> float:
    """The square root of the mean squared error, in the target's unit."""
    return math.sqrt(mean_squared_error(actual, predicted))


def r2(actual: Numbers, predicted: Numbers) -> float:
    """1 - residual sum of squares / total sum of squares; NaN where the target is constant."""
    y, p = _pair(actual, predicted)
    total = float(np.sum((y - y.mean()) ** 2))
    return 1.0 - float(np.sum((y - p) ** 2)) / total if total else math.nan


def adjusted_r2(actual: Numbers, predicted: Numbers, features: int) -> float:
    """R2 with a price for each of `features`: 1 - (1 - R2)(n - 1)/(n - features - 1)."""
    y, _ = _pair(actual, predicted)
    free = len(y) - features - 1
    if free <= 0:
        raise ValueError(f"{len(y)} rows are too few for {features} features")
    return 1.0 - (1.0 - r2(actual, predicted)) * (len(y) - 1) / free


_ERROR_NEAR = Invariant(
    "error_near_reference",
    "The endpoint's mean absolute error on held-out rows is at most a few percent above that of the exact solution.",
    "notes/sdk.md#an-exact-solution-to-compare-with",
)
_ERROR_BELOW = Invariant(
    "error_below",
    "The endpoint's root mean squared error on held-out rows stays below the stated bound, and below that of"
    " always answering the training mean.",
    "notes/sdk.md#an-exact-solution-to-compare-with",
)


def error_near_reference(
    actual: Numbers, predicted: Numbers, reference: Numbers, *, within: float = 0.05
) -> CheckResult:
    """Mean absolute error of `predicted` at most `within` (a share) above that of `reference` on the same rows."""
    ours = mean_absolute_error(actual, predicted)
    theirs = mean_absolute_error(actual, reference)
    return _ERROR_NEAR.result(
        ours <= theirs * (1.0 + within),
        f"mean absolute error {ours:.4f}, exact solution {theirs:.4f}"
        + (f" ({ours / theirs - 1.0:+.1%}, at most {within:+.0%})" if theirs else ""),
    )


def error_below(
    actual: Numbers, predicted: Numbers, *, bound: float, training_mean: float
) -> CheckResult:
    """Root mean squared error under `bound` and under that of the constant answer `training_mean`."""
    error = root_mean_squared_error(actual, predicted)
    y, _ = _pair(actual, predicted)
    constant = root_mean_squared_error(y, np.full(len(y), training_mean))
    return _ERROR_BELOW.result(
        error < bound and error < constant,
        f"RMSE {error:.3f} on {len(y)} rows (bound {bound:g}; always the mean {constant:.3f}),"
        f" R2 {r2(y, predicted):.3f}",
    )


def _pair(actual: Numbers, predicted: Numbers) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    y, p = np.asarray(actual, np.float64), np.asarray(predicted, np.float64)
    if y.ndim != 1 or y.shape != p.shape or not len(y):
        raise ValueError(f"expected two vectors of one length, not shapes {y.shape} and {p.shape}")
    return y, p
