"""Error measures are those of the textbooks; the checks on them hold and fail as they say."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from harness import checks

Vector = npt.NDArray[np.float64]
numbers = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Vector, Vector]:
    """Actual and predicted values of the same rows."""
    rows = draw(st.integers(2, 30))
    vector = arrays(np.float64, rows, elements=numbers)
    return draw(vector), draw(vector)


@given(pairs())
def test_measures_agree_with_scikit_learn(values: tuple[Vector, Vector]) -> None:
    """Mean absolute and squared error are scikit-learn's on any vectors, RMSE is the root."""
    actual, predicted = values
    squared = mean_squared_error(actual, predicted)
    assert checks.mean_absolute_error(actual, predicted) == pytest.approx(
        mean_absolute_error(actual, predicted)
    )
    assert checks.mean_squared_error(actual, predicted) == pytest.approx(squared)
    assert checks.root_mean_squared_error(actual, predicted) == pytest.approx(math.sqrt(squared))


@given(pairs())
def test_r2_agrees_with_scikit_learn(values: tuple[Vector, Vector]) -> None:
    """R2 is scikit-learn's wherever the target varies, and NaN where it does not."""
    actual, predicted = values
    if np.ptp(actual) > 1e-3:
        assert checks.r2(actual, predicted) == pytest.approx(r2_score(actual, predicted))
    elif not np.ptp(actual):
        total = np.sum((actual - actual.mean()) ** 2)
        assert math.isnan(checks.r2(actual, predicted)) == (total == 0)


def test_adjusted_r2_has_a_price_per_feature() -> None:
    """The textbook's formula; more features than rows allow is an error."""
    actual, predicted = [1.0, 2.0, 3.0, 4.0, 6.0], [1.0, 2.0, 3.0, 4.0, 5.0]
    share = checks.r2(actual, predicted)
    assert checks.adjusted_r2(actual, predicted, 2) == pytest.approx(1 - (1 - share) * 4 / 2)
    with pytest.raises(ValueError, match="5 rows are too few for 4 features"):
        checks.adjusted_r2(actual, predicted, 4)


@pytest.mark.parametrize(
    ("actual", "predicted"), [([1.0], [1.0, 2.0]), ([], []), ([[1.0]], [[1.0]])]
)
def test_vectors_that_do_not_match_are_an_error(
    actual: list[float], predicted: list[float]
) -> None:
    """Broadcasting must not make a number out of rows that do not belong together."""
    with pytest.raises(ValueError, match="two vectors of one length"):
        checks.mean_absolute_error(actual, predicted)


def test_an_error_near_the_reference_holds_up_to_its_share() -> None:
    """Five percent worse than the exact solution holds, more fails, better holds."""
    actual, exact = [0.0] * 4, [1.0] * 4
    assert checks.error_near_reference(actual, [1.05] * 4, exact).passed
    assert checks.error_near_reference(actual, [0.5] * 4, exact).passed
    failed = checks.error_near_reference(actual, [1.06] * 4, exact)
    assert not failed.passed
    assert failed.detail == "mean absolute error 1.0600, exact solution 1.0000 (+6.0%, at most +5%)"


def test_an_error_below_needs_the_bound_and_more_than_the_mean() -> None:
    """A model that only answers the mean fails even under a generous bound."""
    actual = [10.0, 20.0, 30.0]
    assert checks.error_below(actual, [11.0, 19.0, 31.0], bound=2.0, training_mean=20.0).passed
    assert not checks.error_below(actual, [11.0, 19.0, 31.0], bound=1.0, training_mean=20.0).passed
    assert not checks.error_below(actual, [20.0] * 3, bound=100.0, training_mean=20.0).passed
