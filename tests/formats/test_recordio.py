"""recordIO-protobuf: what we write is what the SDK writes, and whatever is read is data or a FormatError."""

import io
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import sparse

from harness.formats import framing, recordio
from harness.formats.errors import FormatError
from harness.formats.record_message import Record
from tests.formats import sdk
from tests.formats.strategies import Array, labeled


def same(left: Array | None, right: Array | None) -> bool:
    """Equal in dtype, shape and every value, NaN like NaN."""
    if left is None or right is None:
        return left is right
    return left.dtype == right.dtype and np.array_equal(
        left, right, equal_nan=left.dtype.kind == "f"
    )


@given(labeled())
@example((np.array([[1, 2]], np.float32), np.array([0], np.float32)))
@example((np.array([[-1, 2**31 - 1]]), np.array([-(2**31)])))
@example((np.zeros((2, 0), np.float32), np.ones(2)))
@example((np.array([[0x7FA00000, 0]], np.uint32).view(np.float32), None))
@pytest.mark.sdk_source("notes/recordio.md#what-the-sdk-writes")
def test_dumps_writes_the_bytes_of_the_sdk(data: tuple[Array, Array | None]) -> None:
    """For every matrix and label vector, `dumps` and the SDK's writer give the same bytes."""
    assert recordio.dumps(*data) == sdk.dense(*data)


@given(labeled(least_width=1))
def test_what_was_dumped_loads_again(data: tuple[Array, Array | None]) -> None:
    """Features and labels come back with the dtype and the values that they had."""
    features, labels = data
    found = recordio.loads(recordio.dumps(features, labels))
    if len(features) == 0:
        assert len(found) == 0
    else:
        assert same(features, found.features)
        assert same(labels, found.labels)


@given(labeled())
@pytest.mark.sdk_source("notes/recordio.md#what-the-sdk-writes")
def test_the_sdk_reads_what_we_write(data: tuple[Array, Array | None]) -> None:
    """The SDK's reader finds every record, its values and its label in what `dumps` wrote."""
    features, labels = data
    records = sdk.records(recordio.dumps(features, labels))
    assert len(features) == len(records)
    field = {"i": "int32_tensor", "f": f"float{8 * features.dtype.itemsize}_tensor"}
    for row, record in zip(features, records, strict=True):
        values = getattr(record.features["values"], field[features.dtype.kind]).values
        assert same(row, np.array(list(values), features.dtype))
        assert ("values" in record.label) == (labels is not None)


@given(labeled(least_width=1), st.integers(1, 400), st.integers(4, 64))
def test_blocks_leave_no_seam(data: tuple[Array, Array | None], block: int, read: int) -> None:
    """Written and read in blocks of any size, the same bytes and the same records come out."""
    features, labels = data
    whole = recordio.dumps(features, labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordio, "_BLOCK_BYTES", block)
        patch.setattr(framing, "BLOCK", read)
        assert recordio.dumps(features, labels) == whole
        found = recordio.loads(whole)
    if len(features):
        assert same(features, found.features)
        assert same(labels, found.labels)


@given(labeled(), st.data())
@pytest.mark.sdk_source("notes/recordio.md#sparse-records")
def test_sparse_matrices_are_the_sdks_and_come_back(
    data: tuple[Array, Array | None], draw: st.DataObject
) -> None:
    """A scipy matrix gives the bytes of the SDK's sparse writer and loads as the same matrix."""
    features, labels = data
    mask = draw.draw(st.integers(0, 2**9 - 1))
    kept = np.array([mask >> place & 1 for place in range(features.shape[1])], bool)
    features = np.where(kept, features, features.dtype.type(0))
    matrix = sparse.csr_matrix(np.nan_to_num(features, posinf=1, neginf=-1).astype(features.dtype))
    whole = sdk.sparse(matrix, labels)
    assert recordio.dumps(matrix, labels) == whole
    if matrix.shape[0] and matrix.shape[1]:
        found = recordio.loads(whole)
        assert np.array_equal(found.features.toarray(), matrix.toarray())
        assert same(labels, found.labels)


def test_worked_bytes() -> None:
    """The row [1, 2] with label 0 in float32 has the published bytes."""
    expected = (
        "0a23d7ce 2c000000 0a16 0a06 76616c756573 120c 120a 0a08 0000803f 00000040"
        "1212 0a06 76616c756573 1208 1206 0a04 00000000"
    )
    row = np.array([[1, 2]], np.float32)
    assert recordio.dumps(row, np.zeros(1, np.float32)) == bytes.fromhex(expected)


def test_a_record_in_parts_is_put_together() -> None:
    """The magic number that dmlc's writer drops between parts is put back (bytes from mxnet 1.9.1)."""
    data = bytes.fromhex("0a23d7ce 04000020 01020304 0a23d7ce 04000060 7461696c")
    (frame,) = framing.iter_frames(io.BytesIO(data))
    assert frame.payload == bytes.fromhex("01020304 0a23d7ce 7461696c")


def test_a_middle_part_belongs_to_its_record() -> None:
    """First, middle and last parts make one record, and the next record is counted as the second."""
    part = struct.Struct("<II4s")
    data = b"".join(
        part.pack(framing.MAGIC, flag << 29 | 4, payload)
        for flag, payload in ((1, b"aaaa"), (2, b"bbbb"), (3, b"cccc"), (0, b"dddd"))
    )
    frames = list(framing.iter_frames(io.BytesIO(data)))
    assert frames[0].payload == framing.MAGIC_BYTES.join((b"aaaa", b"bbbb", b"cccc"))
    assert (frames[1].payload, frames[1].record, frames[1].offset) == (b"dddd", 1, 36)


@pytest.mark.parametrize("flags", [(2,), (3,), (1, 0), (1, 1), (4,), (7,), (1,), (1, 2)])
def test_parts_out_of_order_are_an_error(flags: tuple[int, ...]) -> None:
    """A part that cannot stand where it stands, or one that is missing, is named."""
    data = b"".join(struct.pack("<II", framing.MAGIC, flag << 29) for flag in flags)
    with pytest.raises(FormatError, match=r"record 0, byte \d+: .*\(expected "):
        list(framing.iter_frames(io.BytesIO(data)))


@given(labeled(least_width=1), st.data())
def test_cut_short_it_is_an_error_with_a_place(
    data: tuple[Array, Array | None], draw: st.DataObject
) -> None:
    """Cut anywhere but between two records, data is refused with record, byte and what was expected."""
    whole = recordio.dumps(*data)
    cut = draw.draw(st.integers(0, len(whole)))
    ends = {0} | {
        frame.offset + 8 + framing.padded(len(frame.payload))
        for frame in framing.iter_frames(io.BytesIO(whole))
    }
    if cut in ends:
        assert len(recordio.loads(whole[:cut])) == sorted(ends).index(cut)
    else:
        with pytest.raises(FormatError) as caught:
            recordio.loads(whole[:cut])
        last = max(end for end in ends if end < cut)
        assert (caught.value.record, caught.value.offset) == (sorted(ends).index(last), last)
        assert caught.value.expected


@given(labeled(least_width=1), st.data())
def test_damaged_data_is_data_or_a_format_error(
    data: tuple[Array, Array | None], draw: st.DataObject
) -> None:
    """Whatever single byte changes, reading ends in records or in a FormatError, in nothing else."""
    whole = bytearray(recordio.dumps(*data))
    if whole:
        whole[draw.draw(st.integers(0, len(whole) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(FormatError):
        recordio.loads(bytes(whole))


@given(st.binary(max_size=200))
@example(b"\x0a\x23\xd7\xce\x04\x00\x00\x00\x0a\x02\x0a\xff")
def test_any_bytes_are_data_or_a_format_error(data: bytes) -> None:
    """Arbitrary bytes, alone or as a record's payload, never raise anything but FormatError."""
    for candidate in (data, framing.frame(data)):
        with suppress(FormatError):
            recordio.loads(candidate)


def test_a_length_that_lies_costs_no_memory() -> None:
    """A length of 2^29 - 1 in a file of 20 bytes is refused without being allocated."""
    data = struct.pack("<II12s", framing.MAGIC, 2**29 - 1, b"")
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="record 0, byte 0: the data ends after 12 bytes"):
            recordio.loads(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


class Repeated(io.RawIOBase):
    """A stream that gives the same bytes over and over."""

    def __init__(self, piece: bytes, times: int) -> None:
        self._piece, self._left = piece, times

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            return b""
        self._left -= 1
        return self._piece


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_a_long_stream_is_read_in_bounded_memory(dtype: type) -> None:
    """Records arrive in batches; memory does not grow with the stream."""
    piece = recordio.dumps(np.ones((2000, 30), dtype))
    tracemalloc.start()
    try:
        stream: Any = Repeated(piece, 40 if dtype is np.int64 else 200)
        count = sum(len(batch) for batch in recordio.iter_batches(stream))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 2000 * (40 if dtype is np.int64 else 200)
    assert peak < 24 << 20


def message(values: list[float], *, label: float | None = None, uid: str = "") -> Any:
    """A Record with the given features."""
    record = Record()
    record.features["values"].float32_tensor.values.extend(values)
    if label is not None:
        record.label["values"].float32_tensor.values.append(label)
    if uid:
        record.uid = uid
    return record


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_records_of_another_layout_keep_their_place(plain: list[bool]) -> None:
    """Records that carry a uid stand among those without, and all come out in order."""
    data = recordio.dumps_messages(
        message([index, -index], label=index, uid="" if bare else f"n{index}")
        for index, bare in enumerate(plain)
    )
    found = recordio.loads(data)
    assert found.features[:, 0].tolist() == list(range(len(plain)))
    assert found.labels is not None
    assert found.labels.tolist() == list(range(len(plain)))
    uids = [record.uid for record in recordio.iter_records(io.BytesIO(data))]
    assert uids == ["" if bare else f"n{index}" for index, bare in enumerate(plain)]


def _sparse(keys: list[int], shape: list[int], values: list[float]) -> Any:
    record = Record()
    tensor = record.features["values"].float32_tensor
    tensor.keys.extend(keys)
    tensor.shape.extend(shape)
    tensor.values.extend(values)
    return record


def _bad_messages() -> Iterator[tuple[str, list[Any]]]:
    yield "without features", [Record()]
    yield "2 features", [message([1]), message([1, 2])]
    yield "1 labels", [message([1]), message([1], label=2)]
    yield "key 3", [_sparse([3], [3], [1])]
    yield "1 keys", [_sparse([1], [3], [1, 2])]
    yield "without shape", [_sparse([1], [], [1])]
    yield "occurs twice", [_sparse([1, 1], [3], [1, 2])]
    yield "sparse tensor of shape", [_sparse([1], [2**63], [1])]
    yield "2 values", [_sparse([], [3], [1, 2])]
    raw = Record()
    raw.features["values"].bytes.value.append(b"x")
    yield "raw bytes", [raw]
    labeled_sparse = message([1])
    labeled_sparse.label["values"].float32_tensor.keys.append(0)
    labeled_sparse.label["values"].float32_tensor.values.append(1)
    labeled_sparse.label["values"].float32_tensor.shape.append(1)
    yield "sparse label", [labeled_sparse]


@pytest.mark.parametrize(("problem", "messages"), list(_bad_messages()))
def test_records_that_make_no_matrix_are_refused(problem: str, messages: list[Any]) -> None:
    """A record that does not fit is named by its number and byte, with the reason."""
    data = recordio.dumps_messages(messages)
    with pytest.raises(FormatError, match=problem) as caught:
        recordio.loads(data)
    assert caught.value.record == len(messages) - 1
    assert caught.value.offset == len(recordio.dumps_messages(messages[:-1]))


def test_a_huge_sparse_width_costs_no_memory() -> None:
    """A sparse record may claim a width of 2^40; only its own values are held."""
    found = recordio.loads(recordio.dumps_messages([_sparse([2**39], [2**40], [1])]))
    assert found.features.shape == (1, 2**40)
    assert found.features.nnz == 1


@pytest.mark.parametrize("dtype", ["int32", "float16", "uint8", "bool", ">f4"])
@pytest.mark.sdk_source("notes/recordio.md#what-the-sdk-writes")
def test_other_dtypes_are_refused_as_the_sdk_refuses_them(dtype: str) -> None:
    """What the SDK calls an unsupported dtype is one here too, with the same words."""
    array = np.zeros((1, 1), dtype)
    with pytest.raises(ValueError, match="Unsupported dtype") as theirs:
        sdk.dense(array, None)
    with pytest.raises(FormatError, match="Unsupported dtype") as ours:
        recordio.dumps(array)
    assert str(ours.value).startswith(str(theirs.value))


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (np.zeros(3), None),
        (np.zeros((1, 1, 1)), None),
        (np.zeros((2, 3)), np.zeros(3)),
        (np.zeros((2, 1)), np.zeros((2, 1))),
        (np.array([[2**31]]), None),
        (np.zeros((1, 1)), np.array([-(2**31) - 1])),
    ],
)
def test_arrays_of_wrong_shape_or_range_are_refused(features: Array, labels: Array | None) -> None:
    """Anything but a matrix with a label per record, and integers beyond 32 bits, is refused."""
    with pytest.raises(FormatError, match="expected"):
        recordio.dumps(features, labels)


def test_dump_and_load_work_on_files(tmp_path: Any) -> None:
    """`dump` writes to a file what `load` reads back from it."""
    path = tmp_path / "data"
    features, labels = np.arange(6.0).reshape(3, 2), np.arange(3.0)
    with path.open("wb") as file:
        recordio.dump(features, file, labels)
    with path.open("rb") as file:
        found = recordio.load(file)
    assert same(features, found.features)
    assert same(labels, found.labels)


def test_several_labels_per_record_come_as_a_matrix() -> None:
    """A label tensor of k values gives labels of shape (records, k)."""
    record = message([1.0])
    record.label["values"].float32_tensor.values.extend([3, 4])
    found = recordio.loads(recordio.dumps_messages([record, record]))
    assert found.labels is not None
    assert found.labels.tolist() == [[3, 4], [3, 4]]


def test_dense_and_sparse_records_may_stand_together() -> None:
    """One sparse record makes the whole matrix sparse; the dense ones keep their values."""
    messages = [message([1, 0, 2]), _sparse([1], [3], [5])]
    found = recordio.loads(recordio.dumps_messages(messages))
    assert found.features.toarray().tolist() == [[1, 0, 2], [0, 5, 0]]
