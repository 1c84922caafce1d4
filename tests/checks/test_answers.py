"""Checks on answers hold for what is right, and each kind of mistake makes them fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import checks


def test_content_types_are_compared_without_parameters() -> None:
    """A character set does not matter, another media type does."""
    assert checks.content_type_is("text/csv; charset=utf-8", "text/csv").passed
    assert checks.content_type_is("Application/JSON", "application/json").passed
    assert not checks.content_type_is("application/jsonlines", "application/json").passed


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=9, unique=True), st.randoms())
def test_a_lost_or_moved_score_is_seen(scores: list[float], random: "object") -> None:
    """The right scores hold; one fewer, or two that changed places, do not."""
    alone = dict(enumerate(scores))
    assert checks.one_score_per_row_in_order(len(scores), scores, alone).passed
    assert not checks.one_score_per_row_in_order(len(scores), scores[:-1], alone).passed
    apart = abs(scores[0] - scores[1]) > 1e-3
    moved = [scores[1], scores[0], *scores[2:]]
    if apart:
        assert not checks.one_score_per_row_in_order(len(scores), moved, alone).passed


def test_scores_that_are_all_the_same_show_no_order() -> None:
    """A model that answers one number for all rows cannot prove the order, and no row alone neither."""
    assert not checks.one_score_per_row_in_order(2, [1.0, 1.0], {0: 1.0, 1: 1.0}).passed
    with pytest.raises(ValueError, match="no row was sent alone"):
        checks.one_score_per_row_in_order(1, [1.0], {})
