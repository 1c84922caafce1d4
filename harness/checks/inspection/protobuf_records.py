"""recordIO-protobuf, record by record: the numbers of good records, a finding for each other one."""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from harness.checks.inspection.report import EVERY, LINEAR_LEARNER, Contents, Findings, Place
from harness.checks.inspection.statistics import too_large
from harness.formats import recordio
from harness.formats.errors import FormatError
from harness.formats.framing import HEADER, MAGIC_BYTES, Frame, Window, frame, next_frame, padded
from harness.formats.records import Records

Counts = npt.NDArray[np.int64]

_TENSORS = {"float64_tensor": "Float64", "int32_tensor": "Int32"}
_MAGIC = MAGIC_BYTES.hex(" ").upper()


def scan(stream: BinaryIO, findings: Findings, *, labels: bool) -> Contents:
    """Read a stream that can seek to its end, or to where nothing more can be told of it.

    `labels` says that there must be some, and that tensors are looked at: the rules of training.
    """
    scanner = _Scanner(stream, findings, labels)
    scanner.read()
    return scanner.contents


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Watched:
    """A stream that counts the magic numbers that go by."""

    def __init__(self, stream: _Readable) -> None:
        self._stream = stream
        self._tail = b""
        self.magics = 0

    def read(self, size: int = -1, /) -> bytes:
        block = self._stream.read(size)
        self.magics += (self._tail + block).count(MAGIC_BYTES)
        self._tail = block[-len(MAGIC_BYTES) + 1 :]
        return block


class _Piece:
    """The next `left` bytes of a stream, all of it when that is None, behind a record that was read before."""

    def __init__(self, head: bytes, stream: _Readable, left: int | None) -> None:
        self._head = head
        self._stream = stream
        self._left = left

    def read(self, size: int = -1, /) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        if self._left is None:
            return self._stream.read(size)
        block = self._stream.read(min(size, self._left))
        self._left -= len(block)
        return block


class _Scanner:
    def __init__(self, stream: BinaryIO, findings: Findings, labels: bool) -> None:
        self.contents = Contents()
        self._labels = labels
        self._stream = stream
        self._findings = findings
        # The first record. What follows a bad one is read behind it, so that its shape still counts.
        self._first = b""
        self._offset = 0
        self._odd_tensors: int | None = None

    def read(self) -> None:
        """All of the stream."""
        watched = _Watched(self._stream)
        place = self._read_piece(0, 0, watched)
        whole = place is None and self.contents.complete
        embedded = whole and watched.magics > self.contents.records
        while place is not None and self.contents.complete:
            if self._findings.full:
                self.contents.complete = False
            else:
                place = self._read_piece(*place, self._stream)
        if embedded or self._odd_tensors is not None:
            self._look_into_frames(embedded)
        self._say_shape()

    def _read_piece(self, offset: int, base: int, source: _Readable) -> tuple[int, int] | None:
        """Read records from an offset on, the first being number `base`, up to the first bad one.

        Where the records behind that one begin, and the number of the first; None when there are none.
        """
        head, self._offset = self._first, offset
        taken = 0
        try:
            for batch in self._batches(head, offset, source, None):
                self._take(batch, base + taken)
                taken += len(batch)
        except FormatError as error:
            at = offset + (error.offset or 0) - len(head)
            record = base + (error.record or 0) - bool(head)
            if record > base + taken:
                # The reader drops what it had gathered before the bad record.
                self._take_rest(head, offset, at - offset, base, taken)
            return self._pass_over(at, record, error)
        return None

    def _take_rest(self, head: bytes, offset: int, size: int, base: int, taken: int) -> None:
        seen = 0
        for batch in self._batches(head, offset, self._stream, size):
            rest = _without(batch, max(0, taken - seen))
            seen += len(batch)
            if len(rest):
                self._take(rest, base + seen - len(rest))

    def _batches(
        self, head: bytes, offset: int, source: _Readable, size: int | None
    ) -> Iterator[Records]:
        """The batches from an offset on, without the record that was put before them."""
        self._stream.seek(offset)
        stream: Any = _Piece(head, source, size)
        surplus = 1 if head else 0
        for batch in recordio.iter_batches(stream):
            if len(batch) > surplus:
                yield _without(batch, surplus)
            surplus = 0

    def _pass_over(self, at: int, record: int, error: FormatError) -> tuple[int, int] | None:
        """Report a bad record, and find the one behind it."""
        sentence = error.problem + (f" (expected {error.expected})" if error.expected else "")
        place = Place(record=record, offset=at)
        self._stream.seek(at)
        window = Window(self._stream)
        try:
            next_frame(window, record)
        except FormatError:
            self._findings.add(
                "framing", f"{sentence}: nothing can be read from here on", place, refused_by=EVERY
            )
            self.contents.complete = False
            return None
        self._findings.add("record", sentence, place, refused_by=EVERY)
        return at + window.offset, record + 1

    def _take(self, batch: Records, number: int) -> None:
        """Take in good records, the first being `number`."""
        contents = self.contents
        if contents.width is None:
            contents.width, contents.label_size = batch.width, batch.label_size
            self._first = self._frame_at(self._offset)
        contents.records += len(batch)
        dense = isinstance(batch.features, np.ndarray)
        values = batch.features if dense else batch.features.data
        contents.features.add(values)
        self._look_for(values, batch, number)
        arrays = [values]
        if batch.labels is not None and batch.label_size:
            arrays.append(batch.labels)
            contents.labels.add(batch.labels.reshape(len(batch), -1)[:, 0])
        if (
            self._labels
            and self._odd_tensors is None
            and any(array.dtype != np.float32 for array in arrays)
        ):
            self._odd_tensors = number

    def _frame_at(self, offset: int) -> bytes:
        place = self._stream.tell()
        self._stream.seek(offset)
        found = next_frame(Window(self._stream), 0)
        self._stream.seek(place)
        return b"" if found is None else frame(found.payload)

    def _look_for(self, values: Any, batch: Records, number: int) -> None:
        """Missing and infinite numbers, with their records."""
        for kind, wrong, told in (
            ("missing", np.isnan, "missing (NaN)"),
            ("infinite", too_large, "infinite, or too large for 32 bits"),
        ):
            self._say_each(
                _per_record(wrong(values), batch),
                number,
                f"{kind}_value",
                f"a value is {told}",
                (LINEAR_LEARNER,) if kind == "missing" else EVERY,
            )
            if batch.labels is not None:
                told_of = wrong(batch.labels).reshape(len(batch), -1).sum(axis=1)
                self._say_each(told_of, number, f"{kind}_label", f"the label is {told}", EVERY)

    def _say_each(
        self, counts: Counts, number: int, kind: str, sentence: str, refused_by: tuple[str, ...]
    ) -> None:
        """A finding for each record that has any; those there is no room for are added up."""
        for row in np.flatnonzero(counts).tolist():
            rest = self._findings.full
            times = int(counts[row:].sum() if rest else counts[row])
            place = Place(record=number + row)
            self._findings.add(kind, sentence, place, refused_by=refused_by, times=times)
            if rest:
                break

    def _say_shape(self) -> None:
        contents = self.contents
        place = Place(record=0)
        if contents.width == 0:
            self._findings.add(
                "no_features", "the records have no features", place, refused_by=EVERY
            )
        if contents.width is None and contents.complete:
            self._findings.add("empty", "there are no records", refused_by=EVERY)
        if not self._labels:
            return
        if contents.label_size == 0:
            self._findings.add("no_label", "the records have no label", place, refused_by=EVERY)
        elif contents.label_size and contents.label_size > 1:
            self._findings.add(
                "label_size",
                f"the records have {contents.label_size} labels each, which XGBoost takes for several targets",
                place,
                refused_by=(LINEAR_LEARNER,),
            )

    def _look_into_frames(self, embedded: bool) -> None:
        """Read once more, for what the numbers do not show: types of tensors, the magic number in a payload."""
        holding: list[Frame] = []
        count = parts = 0
        for found, size in _frames(self._stream):
            if self._odd_tensors is not None and found.record >= self._odd_tensors:
                self._say_tensors(found)
            if embedded:
                parts += size > HEADER.size + padded(len(found.payload))
                if _holds_magic(found.payload):
                    count += 1
                    holding = holding or [found]
            elif self._odd_tensors is None:
                break
        if holding:
            self._findings.add(
                "embedded_magic",
                "the payload has the magic number in it: fine for a reader that goes by lengths, a trap for one "
                "that looks for it",
                Place(record=holding[0].record, offset=holding[0].offset),
                shown=_MAGIC,
                times=count,
            )
        if parts:
            self.contents.notes.append(
                f"{parts} records are in several parts, which the SDK's own reader cannot read"
            )

    def _say_tensors(self, found: Frame) -> None:
        message: Any = next(recordio.iter_records(io.BytesIO(frame(found.payload))))
        kinds = {
            name: entries["values"].WhichOneof("value")
            for name, entries in (("features", message.features), ("label", message.label))
            if "values" in entries
        }
        odd = {name: _TENSORS[kind] for name, kind in kinds.items() if kind in _TENSORS}
        if odd:
            self._odd_tensors = None
            self._findings.add(
                "tensor",
                f"{' and '.join(odd)} in {' and '.join(sorted(set(odd.values())))} tensors; linear-learner "
                "documents Float32 only",
                Place(record=found.record, offset=found.offset),
                refused_by=(LINEAR_LEARNER,),
            )


def _per_record(wrong: Any, batch: Records) -> Counts:
    """How many of the numbers of each record are wrong."""
    if isinstance(batch.features, np.ndarray):
        return np.asarray(wrong.sum(axis=1))
    rows = np.repeat(np.arange(len(batch)), np.diff(batch.features.indptr))
    return np.bincount(rows[wrong], minlength=len(batch))


def _without(batch: Records, count: int) -> Records:
    """A batch without its first records."""
    if not count:
        return batch
    return Records(batch.features[count:], None if batch.labels is None else batch.labels[count:])


def _frames(stream: BinaryIO) -> Iterator[tuple[Frame, int]]:
    """Each frame from the start of a stream that was read whole before, and the bytes that it occupies."""
    stream.seek(0)
    window = Window(stream)
    record = 0
    while (found := next_frame(window, record)) is not None:
        yield found, window.offset - found.offset
        record += 1


def _holds_magic(payload: bytes) -> bool:
    at = payload.find(MAGIC_BYTES)
    while at >= 0 and at % 4:
        at = payload.find(MAGIC_BYTES, at + 1)
    return at >= 0
