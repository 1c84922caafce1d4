"""recordIO-protobuf (application/x-recordio-protobuf): matrices and labels to bytes and back.

`dumps` writes the bytes that the SageMaker Python SDK v2 writes. What is no matrix with labels (several
named features, metadata, raw bytes) goes through messages: `record_message.Record`, `iter_records`
and `dump_messages`. See docs/notes/recordio.md.

All writers take `split_magic` and `largest_part`. A record that holds the magic number at a multiple of
four is cut there into parts by dmlc's writer and, with `split_magic`, here; the SDK never does. FormatError
for a record, or with `split_magic` for a stretch between two magic numbers, of more than `largest_part` bytes.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np

from harness.formats import row_messages, sdk_rules, uniform
from harness.formats.errors import FormatError
from harness.formats.framing import BLOCK, LENGTH_MASK, Frame, Window, iter_frames, next_frame
from harness.formats.records import Batch, Records, agreeing, concatenate, is_sparse
from harness.formats.splitting import Parts

CONTENT_TYPE = "application/x-recordio-protobuf"

_WINDOW_BYTES = 4 * BLOCK
_SLOW_ROWS, _SLOW_BYTES = 4096, BLOCK


def dumps(
    features: Any,
    labels: Any = None,
    *,
    split_magic: bool = False,
    largest_part: int = LENGTH_MASK,
) -> bytes:
    """Encode `features` of shape (records, width), dense or a scipy sparse matrix, and `labels` (records,).

    int64 becomes Int32Tensor, float64 Float64Tensor, float32 Float32Tensor. FormatError for what the SDK
    refuses: any other dtype, other shapes, lengths that do not fit, integers outside 32 bits.
    """
    records = sdk_rules.accepted(features, labels)
    parts = Parts(split_magic, largest_part)
    form = _form(records)
    if form is not None and parts.leave_whole(form.length):
        return uniform.encode_whole(form, records.features, records.labels)
    file = io.BytesIO()
    _Writer(file.write, parts).records(records)
    return file.getvalue()


def dump(
    features: Any,
    file: BinaryIO,
    labels: Any = None,
    *,
    split_magic: bool = False,
    largest_part: int = LENGTH_MASK,
) -> None:
    """Write what `dumps` returns to a binary file, block by block."""
    writer = _Writer(_copying(file), Parts(split_magic, largest_part))
    writer.records(sdk_rules.accepted(features, labels))


def dump_batches(
    batches: Iterable[Batch],
    file: BinaryIO,
    *,
    split_magic: bool = False,
    largest_part: int = LENGTH_MASK,
) -> None:
    """Write batches, as `iter_batches` yields them or pairs of features and labels, to a binary file.

    Memory holds one batch. FormatError for batches that differ in width or in the number of labels,
    and as `dumps`; labels of shape (records, k) are written too, as k labels each.
    """
    writer = _Writer(_copying(file), Parts(split_magic, largest_part))
    for records in agreeing(batches):
        writer.records(records)


def dumps_messages(
    messages: Iterable[Any], *, split_magic: bool = False, largest_part: int = LENGTH_MASK
) -> bytes:
    """Frame Record messages, one record each."""
    file = io.BytesIO()
    dump_messages(messages, file, split_magic=split_magic, largest_part=largest_part)
    return file.getvalue()


def dump_messages(
    messages: Iterable[Any],
    file: BinaryIO,
    *,
    split_magic: bool = False,
    largest_part: int = LENGTH_MASK,
) -> None:
    """Write Record messages to a binary file, one record each, as they come."""
    parts = Parts(split_magic, largest_part)
    for index, message in enumerate(messages):
        # Sorted: several names in one map would else stand in no order that one can rely on.
        file.write(parts.frame(message.SerializeToString(deterministic=True), index))


def loads(data: bytes) -> Records:
    """Decode all records of `data`: features of shape (records, width), labels or None.

    Float32 gives float32, Float64 float64, Int32 int64. FormatError, with record number and byte
    offset, for data that is no recordIO-protobuf, for records without numeric features named
    `values`, and for records that differ in width or in the number of labels.
    """
    return _all(_batches(Window(bytes(data))))


def load(file: BinaryIO) -> Records:
    """Decode all records of a binary file; errors as `loads`."""
    return _all(iter_batches(file))


def _all(batches: Iterator[Records]) -> Records:
    parts = list(batches)
    return concatenate(parts) if parts else Records(np.empty((0, 0), np.float32))


def iter_records(stream: BinaryIO) -> Iterator[Any]:
    """Each record of a stream as a Record message; memory holds one record and one block.

    FormatError for data that is no recordIO-protobuf and for texts that are not UTF-8.
    """
    for found in iter_frames(stream):
        message = row_messages.parse(found)
        row_messages.check_texts(message, found)
        yield message


def iter_batches(stream: BinaryIO) -> Iterator[Records]:
    """The records of a stream, some thousands at a time, in order; errors as `loads`.

    Memory holds one batch, which is some megabytes or one record. Runs of records of one shape are
    decoded as whole arrays, others one by one.
    """
    return _batches(Window(stream))


def _batches(window: Window) -> Iterator[Records]:
    record = 0
    slow = _Slow()
    while True:
        form = slow.form
        if form is not None:
            window.available(max(_WINDOW_BYTES, form.stride))
            run, batch = uniform.decode(form, window.data, window.position)
            if batch is not None:
                if slow.rows:
                    yield slow.take()
                window.skip(run * form.stride)
                record += run
                yield batch
                continue
        found = next_frame(window, record)
        if found is None:
            break
        slow.add(found)
        record += 1
        if slow.full:
            yield slow.take()
    if slow.rows:
        yield slow.take()


class _Slow:
    """Records decoded one at a time, gathered to a batch; all that a stream has agree in their widths."""

    def __init__(self) -> None:
        self.rows: list[row_messages.Row] = []
        self.form: uniform.Layout | None = None
        """The layout of the last record, which the next ones probably share; None when it has none."""
        self._built: uniform.Layout | None = None
        self._bytes = 0
        self._widths: tuple[int, int] | None = None

    @property
    def full(self) -> bool:
        """Whether it is time to take them."""
        return len(self.rows) >= _SLOW_ROWS or self._bytes >= _SLOW_BYTES

    def take(self) -> Records:
        """The records gathered so far, which are not kept."""
        rows, self.rows, self._bytes = self.rows, [], 0
        return row_messages.gather(rows)

    def add(self, found: Frame) -> None:
        """Decode one more."""
        row = row_messages.row(found)
        widths = row.width, row.label_size
        if widths != self._widths:
            if self._widths is not None:
                raise _differs(widths, self._widths, found)
            self._widths = widths
        self.rows.append(row)
        self._bytes += len(found.payload)
        dense_floats = row.keys is None and row.values.dtype.kind == "f"
        self.form = self._layout(row, found.payload) if dense_floats else None

    def _layout(self, row: row_messages.Row, payload: bytes) -> uniform.Layout | None:
        label_dtype = None if row.labels is None else row.labels.dtype
        of = row.values.dtype, row.width, label_dtype, row.label_size
        if self._built is None or self._built.of != of:
            self._built = uniform.layout(*of)
        return self._built if self._built is not None and self._built.is_of(payload) else None


def _differs(have: tuple[int, int], want: tuple[int, int], found: Frame) -> FormatError:
    at = 0 if have[0] != want[0] else 1
    return FormatError(
        f"{have[at]} {('features', 'labels')[at]}",
        expected=f"{want[at]}, as before",
        record=found.record,
        offset=found.offset,
    )


def _form(records: Records) -> uniform.Layout | None:
    """The layout that the messages of all these records have, if they have one."""
    if is_sparse(records.features):
        return None
    label_dtype = None if records.labels is None else records.labels.dtype
    return uniform.layout(records.features.dtype, records.width, label_dtype, records.label_size)


def _copying(file: BinaryIO) -> Callable[[Any], object]:
    """A file's `write` for blocks whose memory is used again: the file may keep what it is given."""
    return lambda block: file.write(bytes(block))


class _Writer:
    """Writes records to a file, counting them, in the parts that are wanted."""

    def __init__(self, write: Callable[[Any], object], parts: Parts) -> None:
        self._write = write
        self._parts = parts
        self._count = 0

    def records(self, records: Records) -> None:
        """Write each row as a record."""
        form = _form(records)
        if form is None:
            self._messages(records)
            return
        for rows in uniform.encode(form, records.features, records.labels):
            self._parts.write(rows, form.length, self._count, self._write)
            self._count += len(rows)

    def _messages(self, records: Records) -> None:
        for message in row_messages.messages(records, self._count):
            self._write(self._parts.frame(message.SerializeToString(), self._count))
            self._count += 1
