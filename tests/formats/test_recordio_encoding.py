"""What `recordio` writes is what the SDK writes, for every input that it takes; the others are refused in its words."""

import io
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from harness.formats import framing, recordio, uniform
from harness.formats.errors import FormatError
from harness.formats.framing import MAGIC, MAGIC_BYTES
from harness.formats.splitting import Parts
from tests.formats import sdk
from tests.formats.strategies import Array, arrays_or_not, labeled, sparse_matrices

SDK_WRITES = pytest.mark.sdk_source("notes/recordio.md#what-the-sdk-writes")


@given(labeled())
@example((np.array([[1, 2]], np.float32), np.array([0], np.float32)))
@example((np.array([[-1, 2**31 - 1]]), np.array([-(2**31)])))
@example((np.zeros((2, 0), np.float32), np.ones(2)))
@example((np.array([[0x7FA00000, 0]], np.uint32).view(np.float32), None))
@example((np.zeros((1, 1)), np.array([0xFFA00001], np.uint32).view(np.float32)))
@example((np.array([[0x7FF4000000000000]], np.uint64).view(np.float64), None))
@SDK_WRITES
def test_dumps_writes_the_bytes_of_the_sdk(data: tuple[Array, Array | None]) -> None:
    """For every matrix and label vector, `dumps` and the SDK's writer give the same bytes."""
    assert recordio.dumps(*data) == sdk.dense(*data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@SDK_WRITES
def test_each_width_has_the_bytes_of_the_sdk(dtype: type) -> None:
    """Where a nested length needs one byte more, at 128 and 16,384 bytes, it has it; with labels and without."""
    near = 16_384 // np.dtype(dtype).itemsize
    features: Array
    for width in [*range(1, 40), *range(near - 12, near + 4), 2**18]:
        features = np.arange(2.0 * width).reshape(2, width).astype(dtype)
        for labels in (None, np.array([1, 2], np.float32), np.array([3.0, 4.0])):
            assert recordio.dumps(features, labels) == sdk.dense(features, labels)


@given(sparse_matrices())
@example((sparse.csr_matrix(([1.0, 2.0, 0.0], [2, 2, 0], [0, 3]), shape=(1, 3)), None))
@example((sparse.csr_matrix((1, 2**40)), None))
@pytest.mark.sdk_source("notes/recordio.md#sparse-records")
def test_sparse_matrices_have_the_bytes_of_the_sdk(data: tuple[Any, Array | None]) -> None:
    """A scipy matrix of any format gives the bytes of the SDK's sparse writer."""
    assert recordio.dumps(*data) == sdk.sparse(*data)


def test_sparse_arrays_are_written_as_matrices_are() -> None:
    """scipy's newer classes, on which the SDK stumbles, give the same bytes."""
    matrix = sparse.random(5, 4, 0.5, random_state=1)
    assert recordio.dumps(sparse.csr_array(matrix)) == sdk.sparse(matrix, None)


def _outcome(write: Callable[..., bytes], *arguments: Any, **options: Any) -> bytes | Exception:
    try:
        return write(*arguments, **options)
    except Exception as error:
        return error


@given(arrays_or_not())
@example((np.zeros((2, 3)), np.arange(3.0)))
@example((np.zeros((3, 2)), np.arange(2.0)))
@example((np.zeros((0, 2)), np.arange(2.0)))
@example((np.zeros((1, 1), np.int32), np.zeros(1, np.int8)))
@example((np.zeros((1, 2), np.longlong), None))
@example((np.array([[0, 0], [0, 0], [0, 2**31]]), np.zeros(2)))
@SDK_WRITES
def test_what_the_sdk_refuses_is_refused_in_its_words(data: tuple[Any, Any]) -> None:
    """Whatever arrays come, the outcome is the SDK's: its bytes, or a FormatError with its words."""
    theirs, ours = _outcome(sdk.dense, *data), _outcome(recordio.dumps, *data)
    if isinstance(theirs, bytes):
        assert ours == theirs
    else:
        assert isinstance(ours, FormatError)
        assert ours.expected
        if not isinstance(theirs, ValueError):
            return
        if "Value out of range" in str(theirs) and data[1] is not None:
            # With too few labels the SDK writes records until it meets the bad integer, or misses a label.
            assert ours.problem == str(theirs) or len(data[1]) < len(data[0])
        else:
            assert ours.problem == str(theirs)


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        ([[1.0]], None),
        (pd.DataFrame([[1.0]]), None),
        (b"1,2", None),
        (np.zeros((1, 1)), [1.0]),
        (np.zeros((1, 1)), pd.DataFrame([1.0])),
        (np.zeros((2, 1)), pd.Series([1.0, 2.0], index=[5, 0])),
        (np.ma.masked_array([[1, 2]], [[False, True]]), None),
        (sparse.csr_matrix([[2**31]]), None),
        (sparse.csr_matrix([[1]], dtype=np.int32), None),
        (sparse.coo_array([1.0]), None),
    ],
)
@SDK_WRITES
def test_what_is_no_matrix_with_labels_is_refused(features: Any, labels: Any) -> None:
    """What the SDK stumbles over, lists and tables among it, is a FormatError that says what was expected."""
    with pytest.raises(FormatError, match="expected"):
        recordio.dumps(features, labels)


@SDK_WRITES
def test_the_labels_of_a_series_are_found_by_its_index() -> None:
    """A pandas Series gives record i the label that its index calls i, as it does to the SDK."""
    features, labels = np.zeros((3, 1)), pd.Series([1.0, 2.0, 3.0], index=[2, 0, 1])
    assert recordio.dumps(features, labels) == sdk.dense(features, labels)
    found = recordio.loads(recordio.dumps(features, labels)).labels
    assert found is not None
    assert found.tolist() == [2, 3, 1]


@SDK_WRITES
def test_what_a_mask_hides_is_not_a_number() -> None:
    """Masked floats are written as NaN, as the SDK writes them; what the mask hides does not leak."""
    features = np.ma.masked_array([[1.0, 2.0]], [[False, True]])
    with pytest.warns(UserWarning, match="masked element to nan"):
        expected = sdk.dense(features, None)
    assert recordio.dumps(features) == expected


def test_the_record_with_the_bad_integer_is_named() -> None:
    """An integer beyond 32 bits is refused with the number of its record."""
    with pytest.raises(FormatError) as caught:
        recordio.dumps(np.array([[1], [2], [2**31]]))
    assert (caught.value.record, caught.value.problem) == (2, "Value out of range: 2147483648")


def test_worked_bytes() -> None:
    """The row [1, 2] with label 0 in float32 has the published bytes."""
    expected = (
        "0a23d7ce 2c000000 0a16 0a06 76616c756573 120c 120a 0a08 0000803f 00000040"
        "1212 0a06 76616c756573 1208 1206 0a04 00000000"
    )
    row = np.array([[1, 2]], np.float32)
    assert recordio.dumps(row, np.zeros(1, np.float32)) == bytes.fromhex(expected)


@given(labeled(), st.integers(1, 400))
def test_blocks_leave_no_seam(data: tuple[Array, Array | None], block: int) -> None:
    """Written in blocks of any size, to a file too, the same bytes come out."""
    whole = recordio.dumps(*data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uniform, "BLOCK", block)
        assert recordio.dumps(*data) == whole
        file = io.BytesIO()
        recordio.dump(data[0], file, data[1])
    assert file.getvalue() == whole


def test_the_result_is_held_once() -> None:
    """While `dumps` works, memory holds what it will return and little else."""
    features = np.ones((40_000, 100), np.float32)
    tracemalloc.start()
    try:
        data = recordio.dumps(features)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(data) < peak < len(data) + (1 << 20)


class Kept:
    """A file that keeps what it is given, as it was given."""

    def __init__(self) -> None:
        self.blocks: list[Any] = []

    def write(self, block: Any) -> int:
        self.blocks.append(block)
        return len(block)


def test_what_a_file_was_given_does_not_change() -> None:
    """A file may keep the blocks that it gets: they are not written over by the next ones."""
    features = np.arange(1e5).reshape(-1, 10)
    file: Any = Kept()
    recordio.dump(features, file)
    assert len(file.blocks) > 1
    assert b"".join(file.blocks) == recordio.dumps(features)


@st.composite
def with_magics(draw: st.DrawFn) -> tuple[Array, Array | None]:
    """Rows in which the bytes of the magic number stand at multiples of four, and labels of these bytes."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    shape = draw(st.integers(1, 8)), draw(st.integers(1, 6)) * np.dtype(dtype).itemsize // 4
    words = hnp.arrays(np.uint32, shape, elements=st.sampled_from([0, MAGIC, MAGIC ^ 1]))
    labels = np.full(shape[0], MAGIC, np.uint32).view(np.float32)
    return draw(words).view(dtype), draw(st.sampled_from([None, labels]))


@given(with_magics(), st.integers(1, 400))
def test_split_records_are_the_same_records(data: tuple[Array, Array | None], block: int) -> None:
    """With `split_magic`, whole arrays are cut as the payloads of single records are."""
    payloads = [frame.payload for frame in framing.iter_frames(io.BytesIO(recordio.dumps(*data)))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uniform, "BLOCK", block)
        split = recordio.dumps(*data, split_magic=True)
    assert split == b"".join(map(Parts(split_magic=True).frame, payloads))
    assert [frame.payload for frame in framing.iter_frames(io.BytesIO(split))] == payloads


def test_splitting_is_asked_for() -> None:
    """The magic number among the values is left where it is, as the SDK leaves it, unless `split_magic` is given."""
    row = np.array([[1, MAGIC]], np.uint32).view(np.float32)
    assert recordio.dumps(row) == sdk.dense(row, None)
    assert (
        recordio.dumps(row, split_magic=True)
        == recordio.dumps(row).replace(MAGIC_BYTES + b"\x18\0\0\0", MAGIC_BYTES + b"\x14\0\0\x20")
        + b"\0\0\0\x60"
    )


@given(labeled(), st.integers(0, 80), st.booleans())
def test_no_part_is_longer_than_the_largest(
    data: tuple[Array, Array | None], largest: int, split: bool
) -> None:
    """A record that does not fit is refused by its number; if all do, the bytes are the usual ones."""
    lengths = [
        len(frame.payload) for frame in framing.iter_frames(io.BytesIO(recordio.dumps(*data)))
    ]
    too_long = [record for record, length in enumerate(lengths) if length > largest]
    if not too_long:
        assert recordio.dumps(*data, largest_part=largest) == recordio.dumps(*data)
    elif not split:
        with pytest.raises(FormatError, match=f"at most {largest}") as caught:
            recordio.dumps(*data, largest_part=largest)
        assert caught.value.record == too_long[0]
    else:
        found = _outcome(recordio.dumps, *data, split_magic=True, largest_part=largest)
        if isinstance(found, bytes):
            assert found == recordio.dumps(*data, split_magic=True)
        else:
            assert isinstance(found, FormatError)
            assert found.record in too_long
