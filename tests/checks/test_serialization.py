"""Checks on bytes hold for what is right, and each kind of mistake makes them fail and say where."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from harness import checks
from harness.formats import recordio

matrices = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(width=32, allow_nan=False),
)


@given(matrices)
@pytest.mark.sdk_source("notes/recordio.md#what-the-sdk-writes")
def test_what_the_sdk_wrote_round_trips(
    features: "np.ndarray[tuple[int, int], np.dtype[np.float32]]",
) -> None:
    """Bytes of the SDK's writer hold; the same bytes with one value changed do not."""
    from sagemaker.amazon.common import write_numpy_to_dense_tensor

    labels = np.arange(len(features), dtype=np.float32)
    buffer = io.BytesIO()
    write_numpy_to_dense_tensor(buffer, features, labels)
    assert checks.round_trips(buffer.getvalue(), features, labels).passed
    other = features.copy()
    other[0, 0] = 1.0 if other[0, 0] != 1.0 else 2.0
    failed = checks.round_trips(buffer.getvalue(), other, labels)
    assert not failed.passed
    assert "record 0" in failed.detail


def test_round_trips_says_what_is_different() -> None:
    """Lost rows, swapped labels, missing labels and truncated data are told apart."""
    features, labels = np.eye(3, dtype=np.float32), np.arange(3, dtype=np.float32)
    data = recordio.dumps(features, labels)
    assert "shape (3, 3), written (2, 3)" in checks.round_trips(data, features[:2], labels).detail
    assert "labels: record 0" in checks.round_trips(data, features, labels[::-1]).detail
    assert checks.round_trips(data, features).detail == "labels: some decoded"
    without = recordio.dumps(features)
    assert checks.round_trips(without, features, labels).detail == "labels: none decoded"
    cut = checks.round_trips(data[:-3], features, labels)
    assert "does not decode" in cut.detail
    results = [
        checks.round_trips(data, features[:2], labels),
        checks.round_trips(data, features, labels[::-1]),
        checks.round_trips(data, features),
        checks.round_trips(without, features, labels),
        cut,
    ]
    assert not any(result.passed for result in results)


def test_nan_is_the_same_as_nan() -> None:
    """A matrix with NaN round trips."""
    features = np.array([[np.nan, 1.0]], dtype=np.float32)
    assert checks.round_trips(recordio.dumps(features), features).passed


@pytest.mark.parametrize(
    ("csv", "holds"),
    [
        ("24.0,0.1,2\n", True),
        ("24.0,,2\n", True),
        ("1e-7,nan\n", True),
        ("MEDV,CRIM\n24.0,0.1\n", False),
        ('"price","rooms"\n1,2\n', False),
        ("", False),
    ],
)
@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html")
def test_a_header_is_seen(csv: str, holds: bool) -> None:
    """Words in the first line are a header; numbers and empty cells are not."""
    assert checks.no_header(csv).passed is holds
    assert checks.no_header(csv.encode()).passed is holds


@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html")
def test_labels_elsewhere_than_first_are_seen() -> None:
    """The label column holds; labels last, an index in front, or a lost row fail with their line."""
    assert checks.label_column("24,1\n21,2\n", [24.0, 21.0]).passed
    last = checks.label_column("24,1\n5,21\n", [24.0, 21.0])
    assert (last.passed, last.detail) == (False, "line 2 begins with 5, label 21")
    assert not checks.label_column("0,24,1\n1,21,2\n", [24.0, 21.0]).passed
    assert checks.label_column("24,1\n", [24.0, 21.0]).detail == "1 rows, 2 labels"
    assert "does not parse" in checks.label_column("a,b\n", [1.0]).detail


@pytest.mark.documented("sagemaker-runtime:BodyBlob")
def test_the_payload_limit_is_exact() -> None:
    """A body of the limit holds, one byte more does not; text counts in bytes."""
    assert checks.within_payload_limit(b"x" * 6_291_456).passed
    assert not checks.within_payload_limit(b"x" * 6_291_457).passed
    assert not checks.within_payload_limit("é" * 3, limit=5).passed


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
