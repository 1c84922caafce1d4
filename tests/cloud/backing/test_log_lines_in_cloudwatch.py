"""What becomes of a container's line on its way into CloudWatch Logs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.backing.logs import as_logged


@pytest.mark.documented("notes/xgboost.md#log")
def test_a_tab_becomes_its_octal_number() -> None:
    """So does every control character; that is what XGBoost's expressions look for."""
    assert (
        as_logged("[0]\ttrain-rmse:8.09\tvalidation-rmse:8.12")
        == "[0]#011train-rmse:8.09#011validation-rmse:8.12"
    )
    assert as_logged("1/9\r\x1b[0m\x7f") == "1/9#015#033[0m#177"


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])))
def test_any_other_line_stays_as_it_is(line: str) -> None:
    """Text of every script."""
    assert as_logged(line) == line
