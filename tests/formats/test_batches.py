"""Streams of batches: written as they come, from format to format, in memory that does not grow with them."""

import io
import tracemalloc
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from harness.formats import csv, recordio
from harness.formats.errors import FormatError
from harness.formats.records import Records
from tests.formats.strategies import Array, labeled, sparse_matrices

CODECS = pytest.mark.parametrize("codec", [recordio, csv], ids=["recordio", "csv"])


def cut(features: Any, labels: Array | None, sizes: list[int]) -> Iterator[Any]:
    """Batches of some sizes, in turn as Records and as pairs."""
    start = 0
    for index, size in enumerate([*sizes, features.shape[0]]):
        some = slice(start, start + size)
        pair = features[some], None if labels is None else labels[some]
        yield Records(*pair) if index % 2 else pair
        start += size


def written(codec: ModuleType, batches: Any, **options: Any) -> bytes:
    """What `dump_batches` writes."""
    file = io.BytesIO()
    codec.dump_batches(batches, file, **options)
    return file.getvalue()


@CODECS
@given(data=labeled(least_width=1), sizes=st.lists(st.integers(0, 5), max_size=4))
def test_batches_make_the_file_that_the_whole_makes(
    codec: ModuleType, data: tuple[Array, Array | None], sizes: list[int]
) -> None:
    """However the records are cut into batches, the bytes are those of all records at once."""
    assert written(codec, cut(*data, sizes)) == codec.dumps(*data)


@CODECS
@given(data=sparse_matrices(least_width=1), sizes=st.lists(st.integers(0, 5), max_size=4))
def test_sparse_batches_make_the_file_that_the_whole_makes(
    codec: ModuleType, data: tuple[Any, Array | None], sizes: list[int]
) -> None:
    """The same holds for sparse matrices; CSV has their zeros."""
    matrix, labels = data[0].tocsr(), data[1]
    whole = codec.dumps(matrix, labels)
    assert written(codec, cut(matrix, labels, sizes)) == whole
    if codec is csv:
        assert whole == csv.dumps(matrix.toarray(), labels)


@CODECS
def test_each_batch_is_written_before_the_next_is_asked_for(codec: ModuleType) -> None:
    """A generator of batches is consumed one by one; what it gave is in the file by then."""
    file = io.BytesIO()
    sizes = []

    def stream() -> Iterator[Records]:
        for _ in range(3):
            sizes.append(len(file.getvalue()))
            yield Records(np.ones((2, 2)), np.ones(2))

    codec.dump_batches(stream(), file)
    one = len(codec.dumps(np.ones((2, 2)), np.ones(2)))
    assert sizes == [0, one, 2 * one]


@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 4))
def test_several_labels_pass_from_format_to_format(rows: int, width: int, count: int) -> None:
    """Batches with k labels each, as readers yield them, are written by both formats and come back."""
    features, labels = (
        np.arange(1.0 * rows * width).reshape(rows, width),
        np.ones((rows, count)) / 3,
    )
    data = written(recordio, [(features, labels)])
    text = written(csv, recordio.iter_batches(io.BytesIO(data)))
    back = written(recordio, csv.iter_batches(io.BytesIO(text), label_size=count))
    assert back == data
    found = recordio.loads(back).labels
    assert found is not None
    assert np.array_equal(found.reshape(rows, count), labels)


@given(labeled(least_width=1), st.integers(1, 200))
def test_recordio_to_csv_and_back_is_the_same_file(
    data: tuple[Array, Array | None], block: int
) -> None:
    """From recordIO to CSV and back, with the dtypes it had, a file has the same bytes."""
    features, labels = data
    whole = recordio.dumps(features, labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv, "_BLOCK", block)
        patch.setattr(recordio, "_WINDOW_BYTES", block)
        text = written(csv, recordio.iter_batches(io.BytesIO(whole)))
        batches = csv.iter_batches(io.BytesIO(text), label_size=0 if labels is None else 1)
        back = written(
            recordio,
            (
                Records(
                    batch.features.astype(features.dtype),
                    None
                    if labels is None or batch.labels is None
                    else batch.labels.astype(labels.dtype),
                )
                for batch in batches
            ),
        )
    # NaN has one spelling in CSV, so what a NaN's other bits said is lost.
    found = recordio.loads(back).features
    assert np.array_equal(found, recordio.loads(whole).features, equal_nan=True)
    if not any(array is not None and np.isnan(array).any() for array in data):
        assert back == whole


@CODECS
@pytest.mark.parametrize(
    ("batches", "problem"),
    [
        (
            [(np.ones((1, 2)), None), (np.ones((1, 3)), None)],
            r"batch 1 has 3 features \(expected 2",
        ),
        (
            [(np.ones((1, 2)), np.ones(1)), (np.ones((1, 2)), None)],
            r"batch 1 has 0 labels \(expected 1",
        ),
        (
            [(np.ones((1, 2)), np.ones((1, 2))), (np.ones((1, 2)), np.ones(1))],
            "1 labels .expected 2",
        ),
        ([np.ones((1, 2))], "batch 0 is a ndarray"),
        ([(np.ones((1, 2)), None, None)], "batch 0 is a tuple"),
        ([([[1]], None)], "a list .expected a numpy array"),
        ([(np.ones(2), None)], r"an array of shape \(2,\)"),
        ([(np.ones((2, 1)), np.ones(3))], r"labels of shape \(3,\) .*\(2,\)"),
        ([(np.ones((2, 1)), sparse.csr_matrix([[1], [1]]))], "labels of shape"),
        ([(np.ones((2, 1), bool), None)], "bool"),
        ([(np.ones((2, 1)), np.ones(2, bool))], "bool"),
    ],
)
def test_batches_that_make_no_file_are_refused(
    codec: ModuleType, batches: list[Any], problem: str
) -> None:
    """A batch that is no matrix, or differs from the first in width or labels, is named."""
    with pytest.raises(FormatError, match=problem):
        codec.dump_batches(batches, io.BytesIO())


def test_the_records_of_all_batches_are_counted() -> None:
    """A record that is refused has its number in the stream, not in its batch."""
    good, bad = np.array([[1], [2]]), np.array([[1], [2**31]])
    with pytest.raises(FormatError) as caught:
        recordio.dump_batches([(good, None), (bad, None)], io.BytesIO())
    assert caught.value.record == 3
    wide = np.zeros((2, 2), np.float32)
    with pytest.raises(FormatError) as caught:
        recordio.dump_batches([(wide, None), (wide, None)], io.BytesIO(), largest_part=20)
    assert caught.value.record == 0


def test_a_matrix_too_wide_for_a_line_is_refused() -> None:
    """A sparse matrix of 2^40 columns is no CSV: it is refused before its zeros are written."""
    with pytest.raises(FormatError, match="1099511627776 columns"):
        csv.dumps(sparse.csr_matrix((1, 2**40)))


class Repeated(io.RawIOBase):
    """A stream that gives the same bytes over and over."""

    def __init__(self, piece: bytes, times: int) -> None:
        self._piece, self._left = piece, times

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            return b""
        self._left -= 1
        return self._piece

    def readline(self, size: int | None = -1) -> bytes:
        return b""


class Counted(io.RawIOBase):
    """A file that keeps nothing but its size."""

    size = 0

    def write(self, block: Any) -> int:
        self.size += len(block)
        return len(block)


@pytest.mark.parametrize(
    ("piece", "records", "times", "most"),
    [
        (recordio.dumps(np.ones((2000, 30), np.float32)), 2000, 200, 16 << 20),
        (recordio.dumps(np.ones((2000, 30), np.int64)), 2000, 20, 6 << 20),
        (recordio.dumps(np.full((2, 60_000), 1 << 30)), 2, 15, 10 << 20),
        (recordio.dumps(sparse.eye(500, 3000, format="csr")), 500, 60, 4 << 20),
        (
            recordio.dumps(np.ones((2, 10), np.float32)) + recordio.dumps(np.ones((2, 10))),
            4,
            1500,
            1 << 20,
        ),
    ],
    ids=["dense", "integers", "wide integers", "sparse", "two layouts in turn"],
)
def test_a_long_stream_is_read_in_bounded_memory(
    piece: bytes, records: int, times: int, most: int
) -> None:
    """Records arrive in batches; memory does not grow with the stream, whatever is in it."""
    tracemalloc.start()
    try:
        stream: Any = Repeated(piece, times)
        count = sum(len(batch) for batch in recordio.iter_batches(stream))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == times * records
    assert peak < most


def test_recordio_becomes_csv_in_bounded_memory() -> None:
    """A stream of 18 MB, 8 MB of text, passes from one format to the other through a window of a few."""
    piece = recordio.dumps(np.ones((1000, 50)), np.ones(1000))
    stream: Any = Repeated(piece, 40)
    file: Any = Counted()
    tracemalloc.start()
    try:
        csv.dump_batches(recordio.iter_batches(stream), file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert file.size == 40 * len(csv.dumps(np.ones((1000, 51))))
    assert peak < 16 << 20


def test_csv_becomes_recordio_in_bounded_memory() -> None:
    """So does a stream of 38 MB of text, 13 MB of records, the other way round."""
    piece = (b"1." + b"0" * 21 + b",") * 49 + b"1\n"
    stream: Any = Repeated(piece * 800, 40)
    file: Any = Counted()
    tracemalloc.start()
    try:
        recordio.dump_batches(csv.iter_batches(stream, label_size=1), file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert file.size == 32_000 * len(recordio.dumps(np.ones((1, 49)), np.ones(1)))
    assert peak < 6 << 20
