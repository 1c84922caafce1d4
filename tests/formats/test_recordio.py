"""recordIO-protobuf read: whatever the SDK, mxnet or another writer makes is data, everything else a FormatError."""

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.formats import framing, recordio
from harness.formats.errors import FormatError
from harness.formats.record_message import Record
from harness.formats.records import Records
from harness.formats.splitting import Parts
from tests.formats import sdk, wire
from tests.formats.strategies import Array, labeled, sparse_matrices


def same(left: Array | None, right: Array | None) -> bool:
    """Equal in dtype, shape and every value, NaN like NaN."""
    if left is None or right is None:
        return left is right
    return left.dtype == right.dtype and np.array_equal(
        left, right, equal_nan=left.dtype.kind == "f"
    )


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


@given(sparse_matrices())
@pytest.mark.sdk_source("notes/recordio.md#sparse-records")
def test_what_the_sdk_writes_of_a_sparse_matrix_is_that_matrix(
    data: tuple[Any, Array | None],
) -> None:
    """A sparse matrix loads with its places and values, those that stand twice in one place included."""
    matrix, labels = data
    found = recordio.loads(sdk.sparse(matrix, labels))
    assert len(found) == matrix.shape[0]
    if len(found):
        assert same(found.features.toarray(), matrix.tocsr().toarray())
        assert found.features.nnz == matrix.tocsr().nnz
        assert same(labels, found.labels)


@given(labeled(least_width=1), st.integers(1, 400), st.integers(4, 64))
def test_blocks_leave_no_seam(data: tuple[Array, Array | None], window: int, read: int) -> None:
    """Read in blocks of any size, the same records come out."""
    features, labels = data
    whole = recordio.dumps(features, labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordio, "_WINDOW_BYTES", window)
        patch.setattr(framing, "BLOCK", read)
        found = recordio.loads(whole)
    if len(features):
        assert same(features, found.features)
        assert same(labels, found.labels)


@st.composite
def streams_of_any_writer(draw: st.DrawFn) -> tuple[bytes, list[list[float]], list[float] | None]:
    """Records of one width as different writers lay them out, framed, with their features and labels."""
    width = draw(st.integers(1, 4))
    labelled = draw(st.booleans())
    data, rows, labels = b"", [], []
    for _ in range(draw(st.integers(1, 30))):
        kind = draw(st.sampled_from(wire.KINDS))
        row = draw(st.lists(kind.values, min_size=width, max_size=width))
        label = draw(kind.values)
        rows.append([float(value) for value in row])
        labels.append(float(label))
        payload = _plain(kind, row, label if labelled else None)
        if draw(st.integers(0, 3)) == 0:
            shape = draw(st.sampled_from([[], [width], [1, width]]))
            label_value = draw(wire.tensors(kind, [label])) if labelled else None
            payload = draw(wire.records(draw(wire.tensors(kind, row, shape=shape)), label_value))
        framed = Parts(draw(st.booleans())).frame(payload)
        padding = -len(payload) % 4
        data += framed[: len(framed) - padding] + draw(
            st.binary(min_size=padding, max_size=padding)
        )
    return data, rows, labels if labelled else None


def _plain(kind: wire.Kind, row: list[Any], label: Any) -> bytes:
    message = Record()
    getattr(message.features["values"], kind.name).values.extend(row)
    if label is not None:
        getattr(message.label["values"], kind.name).values.append(label)
    payload: bytes = message.SerializeToString()
    return payload


@given(streams_of_any_writer(), st.integers(1, 400))
def test_records_of_all_writers_are_read_in_their_order(
    stream: tuple[bytes, list[list[float]], list[float] | None], window: int
) -> None:
    """Fields in any order, packed or not, unknown ones, any padding, in parts: the numbers are the same."""
    data, rows, labels = stream
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordio, "_WINDOW_BYTES", window)
        found = recordio.loads(data)
    assert np.array_equal(found.features, np.array(rows), equal_nan=True)
    if labels is None:
        assert found.labels is None
    else:
        assert found.labels is not None
        assert np.array_equal(found.labels, np.array(labels), equal_nan=True)


@given(st.data(), st.sampled_from(wire.KINDS), st.integers(1, 6))
def test_sparse_records_of_all_writers_are_read(
    draw: st.DataObject, kind: wire.Kind, width: int
) -> None:
    """Keys and shape may come before the values, packed or not; a shape of several extents is their product."""
    keys = draw.draw(st.lists(st.integers(0, 2 * width - 1), unique=True, min_size=1))
    values = [draw.draw(kind.values) for _ in keys]
    payload = draw.draw(wire.records(draw.draw(wire.tensors(kind, values, keys, [2, width]))))
    found = recordio.loads(framing.frame(payload)).features.toarray()
    expected = np.zeros((1, 2 * width))
    expected[0, keys] = values
    assert np.array_equal(found, expected, equal_nan=True)


def _misplaced(found: FormatError) -> bool:
    """Whether an error lacks what every error of this codec has."""
    return found.record is None or found.offset is None or not found.expected


def _read_or_refused(data: bytes) -> Records | FormatError:
    """What reading gives. A FormatError names a record, a byte and what was expected; nothing else is raised."""
    try:
        list(recordio.iter_records(io.BytesIO(data)))
    except FormatError as error:
        if _misplaced(error):
            raise AssertionError(f"no place in: {error}") from error
    try:
        return recordio.loads(data)
    except FormatError as error:
        if _misplaced(error):
            raise AssertionError(f"no place in: {error}") from error
        return error


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
    found = _read_or_refused(whole[:cut])
    if cut in ends:
        assert isinstance(found, Records)
        assert len(found) == sorted(ends).index(cut)
    else:
        last = max(end for end in ends if end < cut)
        assert isinstance(found, FormatError)
        assert (found.record, found.offset) == (sorted(ends).index(last), last)


@given(labeled(least_width=1), st.data())
def test_damaged_data_is_data_or_a_format_error(
    data: tuple[Array, Array | None], draw: st.DataObject
) -> None:
    """Whatever single byte changes, reading ends in records or in a FormatError with a place."""
    whole = bytearray(recordio.dumps(*data))
    if whole:
        whole[draw.draw(st.integers(0, len(whole) - 1))] = draw.draw(st.integers(0, 255))
    _read_or_refused(bytes(whole))


@given(st.binary(max_size=200))
@example(b"\x0a\x23\xd7\xce\x04\x00\x00\x00\x0a\x02\x0a\xff")
@example(b"\x1a\x01\xff")
@example(b"\x0a\x05\x0a\x01\xff\x12\x00")
def test_any_bytes_are_data_or_a_format_error(data: bytes) -> None:
    """Arbitrary bytes, alone or as a record's payload, never raise anything but a FormatError with a place."""
    for candidate in (data, framing.frame(data)):
        _read_or_refused(candidate)


def message(values: list[float], *, label: float | None = None, uid: str = "") -> Any:
    """A Record with the given features."""
    record = Record()
    record.features["values"].float32_tensor.values.extend(values)
    if label is not None:
        record.label["values"].float32_tensor.values.append(label)
    if uid:
        record.uid = uid
    return record


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


def test_a_byte_order_that_is_not_ours_is_not_mistaken() -> None:
    """A header whose words are the wrong way round is refused: the format is little-endian."""
    data = struct.pack(">II", framing.MAGIC, 0)
    with pytest.raises(FormatError, match=r"found the bytes ced7230a .*expected .* 0a23d7ce"):
        recordio.loads(data)
