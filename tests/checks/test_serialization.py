"""Checks on written data hold for what is right, and each kind of mistake makes them fail and say where."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from harness import checks
from harness.formats import csv, recordio

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


def test_csv_round_trips_in_the_dtype_that_was_written() -> None:
    """Text of float32 reads back as the same float32; another number, or a lost label, is seen."""
    features, labels = np.array([[0.1, 2], [3, 1e-7]], np.float32), np.array([1.5, 2.5])
    data = csv.dumps(features, labels)
    assert checks.round_trips(data, features, labels, content_type="text/csv").passed
    assert not checks.round_trips(data, features, labels[::-1], content_type="text/csv").passed
    assert not checks.round_trips(data, features, content_type="text/csv").passed
    assert not checks.round_trips(b"a,b\n", features, content_type="text/csv").passed


def test_another_dtype_does_not_round_trip() -> None:
    """Float64 where float32 was meant is seen, though the numbers are the same."""
    features = np.eye(2)
    failed = checks.round_trips(recordio.dumps(features), features.astype(np.float32))
    assert (failed.passed, failed.detail) == (False, "features: float64, written float32")


def test_a_content_type_that_no_check_reads_is_a_mistake_of_the_caller() -> None:
    """That is no matter of the data, so it raises."""
    with pytest.raises(ValueError, match="text/plain"):
        checks.round_trips(b"", np.eye(2), content_type="text/plain")


@given(matrices)
@pytest.mark.sdk_source("notes/recordio.md#what-the-sdk-writes")
def test_the_bytes_of_our_writer_are_those_of_the_sdk(
    features: "np.ndarray[tuple[int, int], np.dtype[np.float32]]",
) -> None:
    """The SDK's bytes hold, as a callable and as they are; one bit of difference is found where it is."""
    from sagemaker.amazon.common import write_numpy_to_dense_tensor

    def by_the_sdk() -> bytes:
        buffer = io.BytesIO()
        write_numpy_to_dense_tensor(buffer, features)
        return buffer.getvalue()

    ours = recordio.dumps(features)
    assert checks.same_bytes_as_sdk(ours, by_the_sdk).passed
    assert checks.same_bytes_as_sdk(ours, by_the_sdk()).passed
    at = len(ours) // 2
    other = ours[:at] + bytes([ours[at] ^ 1]) + ours[at + 1 :]
    failed = checks.same_bytes_as_sdk(other, by_the_sdk)
    assert not failed.passed
    assert f"from byte {at} on" in failed.detail


def test_what_the_sdk_does_not_write_is_not_the_same() -> None:
    """A shorter text is found at its end; an SDK that refuses the data is quoted."""
    shorter = checks.same_bytes_as_sdk("1,2\n3,4", "1,2\n3,4\n")
    assert (shorter.passed, shorter.detail) == (
        False,
        "7 bytes, the SDK's 8; from byte 7 on b'', the SDK's b'\\n'",
    )

    def refuses() -> bytes:
        raise ValueError("Unsupported dtype int32 on array")

    refused = checks.same_bytes_as_sdk(b"", refuses)
    assert not refused.passed
    assert "ValueError: Unsupported dtype int32" in refused.detail


distinct_rows = st.lists(
    st.tuples(st.integers(-9, 9), st.floats(-1e3, 1e3)), min_size=2, max_size=8, unique=True
)


@given(distinct_rows, st.data(), st.sampled_from(["text/csv", "application/x-recordio-protobuf"]))
def test_rows_that_were_lost_doubled_or_moved_are_seen(
    rows: list[tuple[int, float]], data: st.DataObject, content_type: str
) -> None:
    """The rows in their order hold; without one, with one twice, or with two swapped they do not."""
    write = csv.dumps if content_type == "text/csv" else recordio.dumps
    want = np.array(rows, np.float64)

    def holds(written: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> bool:
        return checks.rows_in_order(write(written), want, content_type=content_type).passed

    assert holds(want)
    one, other = data.draw(
        st.lists(st.integers(0, len(rows) - 1), min_size=2, max_size=2, unique=True)
    )
    swapped = want.copy()
    swapped[[one, other]] = want[[other, one]]
    assert not holds(swapped)
    assert not holds(np.delete(want, one, axis=0))
    assert not holds(np.insert(want, one, want[one], axis=0))


def test_where_a_row_went_is_said() -> None:
    """A row that stands elsewhere is named with its place; text does not parse, columns do not fit."""
    rows = np.array([[1.0, 2], [3, 4], [5, 6]])
    moved = checks.rows_in_order("1,2\n5,6\n3,4\n", rows)
    assert moved.detail == "3 records, 3 rows of data: row 1 is record 2"
    assert checks.rows_in_order("1,2\n3,4\n", rows).detail.endswith("row 2 is no record")
    assert checks.rows_in_order("1,2\n3,4\n5,6\n7,8\n", rows).detail.endswith(
        "record 3 belongs to no row"
    )
    assert "does not decode" in checks.rows_in_order("a,b\n", rows).detail
    assert "records of 3 columns" in checks.rows_in_order("1,2,3\n", rows).detail
    assert checks.rows_in_order("", rows).detail == "0 records, 3 rows of data"
    labelled = recordio.dumps(rows[:, 1:], rows[:, 0])
    assert checks.rows_in_order(
        labelled, rows, content_type="application/x-recordio-protobuf"
    ).passed
    with pytest.raises(ValueError, match="shape"):
        checks.rows_in_order("1\n", [1.0])
