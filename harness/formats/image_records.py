"""Images with labels in recordIO (application/x-recordio), as MXNet has them; their .idx files.

The pictures stay the bytes that they are. See docs/notes/image-records.md.
"""

import io
import itertools
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from harness.formats.errors import FormatError
from harness.formats.framing import (
    FIRST,
    HEADER,
    LAST,
    LENGTH_MASK,
    MAGIC,
    MAGIC_BYTES,
    MIDDLE,
    WHOLE,
    Frame,
    Window,
    iter_frames,
    next_frame,
    padded,
)
from harness.formats.lines import iter_lines

CONTENT_TYPE = "application/x-recordio"

_IMAGE_HEADER = struct.Struct("<IfQQ")
_LABEL = struct.Struct("<f")
_BEGINNINGS = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n"}
_INDEX_LINE = re.compile(rb"([0-9]{1,20}+)\t([0-9]{1,20}+)")


@dataclass(frozen=True)
class ImageRecord:
    """An image, its label (float32) or a tuple of several, and its number.

    A tuple of one is written otherwise than one label by itself. MXNet keeps `id2` for its own use.
    """

    image: bytes
    label: float | tuple[float, ...] = 0.0
    id: int = 0
    id2: int = 0


def picture_kind(image: bytes) -> str | None:
    """`JPEG` or `PNG`, by how the image begins; None for anything else."""
    return next((kind for kind, start in _BEGINNINGS.items() if image.startswith(start)), None)


def dumps(records: Iterable[ImageRecord]) -> bytes:
    """Encode records: the bytes that MXNet's `recordio.pack` and `MXRecordIO.write` give.

    FormatError for a label that float32 has no room for, no labels at all, and an id beyond 64 bits.
    """
    return b"".join(map(_encode, records, itertools.count()))


def dump(records: Iterable[ImageRecord], file: BinaryIO, index: BinaryIO | None = None) -> None:
    """Write what `dumps` returns to a binary file; to `index`, the .idx file that belongs to it."""
    offset = 0
    for number, record in enumerate(records):
        data = _encode(record, number)
        file.write(data)
        if index is not None:
            index.write(dumps_index({record.id: offset}))
        offset += len(data)


def loads(data: bytes, *, pictures: bool = False) -> list[ImageRecord]:
    """Decode all records of `data`; with `pictures`, each image must begin as a JPEG or a PNG does.

    FormatError, with the record's number and its byte, for data that is no recordIO, and for records
    with too few bytes for their header and labels.
    """
    return load(io.BytesIO(data), pictures=pictures)


def load(file: BinaryIO, *, pictures: bool = False) -> list[ImageRecord]:
    """Decode all records of a binary file; errors as `loads`."""
    return list(iter_records(file, pictures=pictures))


def iter_records(stream: BinaryIO, *, pictures: bool = False) -> Iterator[ImageRecord]:
    """Each record of a stream, in order; memory holds one and a block. Errors as `loads`."""
    for frame in iter_frames(stream):
        record = _decode(frame)
        if pictures and picture_kind(record.image) is None:
            raise FormatError(
                f"an image that begins with {record.image[:8].hex() or 'nothing'}",
                expected=" or ".join(_BEGINNINGS),
                record=frame.record,
                offset=frame.offset,
            )
        yield record


def read_at(file: BinaryIO, offset: int) -> ImageRecord:
    """The record that starts at a byte of a file, as an index gives it; errors as `loads`."""
    file.seek(offset)
    window = Window(file)
    window.offset = offset
    frame = next_frame(window, 0)
    if frame is None:
        raise FormatError("the end of the data", expected="a record", offset=offset)
    return _decode(frame)


def index(stream: BinaryIO) -> dict[int, int]:
    """The byte at which each record of a stream starts, by its id. FormatError for an id that occurs twice."""
    found: dict[int, int] = {}
    for frame in iter_frames(stream):
        number = _decode(frame).id
        if number in found:
            raise FormatError(
                f"the id {number} a second time",
                expected="distinct ids",
                record=frame.record,
                offset=frame.offset,
            )
        found[number] = frame.offset
    return found


def dumps_index(places: Mapping[int, int]) -> bytes:
    """Encode an .idx file: a line with the id and the byte of each record."""
    return "".join(f"{number}\t{offset}\n" for number, offset in places.items()).encode("ascii")


def loads_index(data: bytes) -> dict[int, int]:
    """Decode an .idx file: the byte at which each record starts, by its id.

    FormatError, with the line, for a line of another form and an id that occurs twice.
    """
    found: dict[int, int] = {}
    for line in iter_lines(io.BytesIO(data)):
        match = _INDEX_LINE.fullmatch(line.data)
        if match is None or int(match[1]) in found:
            raise FormatError(
                "a line of another form" if match is None else f"the id {int(match[1])} again",
                expected="an id of its own, a tab and a byte",
                line=line.number,
                column=1,
                offset=line.offset,
            )
        found[int(match[1])] = int(match[2])
    return found


def _decode(frame: Frame) -> ImageRecord:
    payload = frame.payload
    if len(payload) < _IMAGE_HEADER.size:
        raise _short(frame, f"{_IMAGE_HEADER.size} bytes of header")
    count, label, number, other = _IMAGE_HEADER.unpack_from(payload)
    start = _IMAGE_HEADER.size + count * _LABEL.size
    if len(payload) < start:
        raise _short(frame, f"{start} bytes of header and {count} labels")
    if count:
        label = struct.unpack_from(f"<{count}f", payload, _IMAGE_HEADER.size)
    return ImageRecord(payload[start:], label, number, other)


def _short(frame: Frame, expected: str) -> FormatError:
    return FormatError(
        f"a record of {len(frame.payload)} bytes",
        expected=expected,
        record=frame.record,
        offset=frame.offset,
    )


def _encode(record: ImageRecord, number: int) -> bytes:
    several = isinstance(record.label, tuple)
    labels = record.label if isinstance(record.label, tuple) else (record.label,)
    if not labels:
        raise FormatError("an image without labels", expected="a label", record=number)
    try:
        packed = b"".join(map(_LABEL.pack, labels))
        if several:
            head = _IMAGE_HEADER.pack(len(labels), 0, record.id, record.id2) + packed
        else:
            head = _IMAGE_HEADER.pack(0, *labels, record.id, record.id2)
        return _framed(head + record.image)
    except (struct.error, OverflowError, FormatError) as error:
        raise FormatError(
            f"a record that cannot be written: {error}",
            expected="labels in float32, ids of 64 bits",
            record=number,
        ) from None


def _framed(payload: bytes) -> bytes:
    """One record, in several parts where the magic number stands at a multiple of four, as dmlc's writer does it.

    Readers that begin in the midst of a file look for the magic number there.
    """
    cuts = [at for at in _occurrences(payload) if at % 4 == 0]
    starts = [0, *(at + len(MAGIC_BYTES) for at in cuts)]
    parts = [payload[start:end] for start, end in zip(starts, [*cuts, len(payload)], strict=True)]
    flags = [FIRST, *[MIDDLE] * (len(parts) - 2), LAST] if cuts else [WHOLE]
    framed = bytearray()
    for flag, part in zip(flags, parts, strict=True):
        if len(part) > LENGTH_MASK:
            raise FormatError(f"{len(part)} bytes", expected=f"at most {LENGTH_MASK} in one part")
        framed += HEADER.pack(MAGIC, flag << 29 | len(part))
        framed += part
        framed += bytes(padded(len(part)) - len(part))
    return bytes(framed)


def _occurrences(payload: bytes) -> Iterator[int]:
    at = payload.find(MAGIC_BYTES)
    while at >= 0:
        yield at
        at = payload.find(MAGIC_BYTES, at + len(MAGIC_BYTES))
