"""Image records: MXNet's bytes both ways, the index beside them, and records that are too short."""

import io
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.formats import framing, image_records
from harness.formats.errors import FormatError
from harness.formats.image_records import ImageRecord

NOTE = "notes/image-records.md#records"

IDS = st.integers(0, 2**64 - 1)
float32s = st.floats(width=32, allow_nan=False)
# Bytes among which the magic number of the framing is common.
images = st.lists(st.sampled_from([framing.MAGIC_BYTES, b"\x0a\x23", b"x", b"abcd"]), max_size=8)
records = st.builds(
    ImageRecord,
    images.map(b"".join),
    float32s | st.lists(float32s, min_size=1, max_size=4).map(tuple),
    IDS,
    IDS,
)

WRITTEN = [
    ImageRecord(b"\xff\xd8\xff\xe0abc", 3.0, 7),
    ImageRecord(b"\x89PNG\r\n\x1a\nxyz", (1.0, 0.0, 2.5), 8),
    ImageRecord(framing.MAGIC_BYTES + b"1234x" + framing.MAGIC_BYTES * 2 + b"yy", 1.0, 9, 5),
    ImageRecord(b"", 1.0, 10, 5),
    ImageRecord(b"q" + framing.MAGIC_BYTES * 3, (4.0,), 11, 5),
]
BY_MXNET = bytes.fromhex(
    "0a23d7ce1f000000 00000000 00004040 0700000000000000 0000000000000000 ffd8ffe0616263 00"
    "0a23d7ce2f000000 03000000 00000000 0800000000000000 0000000000000000"
    "0000803f 00000000 00002040 89504e470d0a1a0a78797a 00"
    "0a23d7ce18000020 00000000 0000803f 0900000000000000 0500000000000000"
    "0a23d7ce0f000060 31323334780a23d7ce0a23d7ce7979 00"
    "0a23d7ce18000000 00000000 0000803f 0a00000000000000 0500000000000000"
    "0a23d7ce29000000 01000000 00000000 0b00000000000000 0500000000000000"
    "00008040 710a23d7ce0a23d7ce0a23d7ce 000000"
)
INDEX_BY_MXNET = b"7\t0\n8\t40\n9\t96\n10\t152\n11\t184\n"


@pytest.mark.documented(NOTE)
def test_bytes_are_mxnets() -> None:
    """Records and index that mxnet 1.9.1 wrote, a record in two parts among them."""
    file, index = io.BytesIO(), io.BytesIO()
    image_records.dump(WRITTEN, file, index)
    assert file.getvalue() == BY_MXNET == image_records.dumps(WRITTEN)
    assert index.getvalue() == INDEX_BY_MXNET
    assert image_records.loads(BY_MXNET) == WRITTEN
    assert image_records.index(io.BytesIO(BY_MXNET)) == image_records.loads_index(INDEX_BY_MXNET)


@given(st.lists(records, max_size=4))
@example([ImageRecord(framing.MAGIC_BYTES * 3)])
def test_what_was_dumped_loads_again(found: list[ImageRecord]) -> None:
    """Images, labels and ids come back, magic numbers in the images included."""
    assert image_records.loads(image_records.dumps(found)) == found


@given(st.lists(records, max_size=4))
@pytest.mark.documented(NOTE)
def test_the_header_has_the_layout_of_mxnet(found: list[ImageRecord]) -> None:
    """Count of labels, label, id, second id, labels, image: read here with struct alone."""
    frames = framing.iter_frames(io.BytesIO(image_records.dumps(found)))
    for record, frame in zip(found, frames, strict=True):
        flag, label, *ids = struct.unpack("<IfQQ", frame.payload[:24])
        labels = np.frombuffer(frame.payload, "<f4", flag, 24).tolist()
        assert ids == [record.id, record.id2]
        assert record.label == (tuple(labels) if flag else label)
        assert frame.payload[24 + 4 * flag :] == record.image


@given(st.lists(records, max_size=4))
def test_a_magic_number_that_begins_a_part_is_the_only_one_at_a_multiple_of_four(
    found: list[ImageRecord],
) -> None:
    """A reader that starts anywhere finds the parts: between them no aligned magic number stands."""
    data = image_records.dumps(found)
    at = 0
    while at < len(data):
        magic, word = framing.HEADER.unpack_from(data, at)
        assert magic == framing.MAGIC
        at += framing.HEADER.size
        end = at + framing.padded(word & framing.LENGTH_MASK)
        assert all(data[place : place + 4] != framing.MAGIC_BYTES for place in range(at, end, 4))
        at = end


@given(st.lists(records, max_size=5, unique_by=lambda record: record.id))
def test_an_index_leads_to_each_record(found: list[ImageRecord]) -> None:
    """By its id, in any order; the index reads back as it was written."""
    file, index = io.BytesIO(), io.BytesIO()
    image_records.dump(found, file, index)
    places = image_records.loads_index(index.getvalue())
    assert places == image_records.index(io.BytesIO(file.getvalue()))
    assert image_records.dumps_index(places) == index.getvalue()
    for record in reversed(found):
        assert image_records.read_at(file, places[record.id]) == record


def test_a_place_that_is_none_is_refused_with_its_byte() -> None:
    """Offsets count from the start of the file."""
    for place, problem in (
        (36, "byte 36: found the bytes"),
        (len(BY_MXNET), "the end of the data"),
    ):
        with pytest.raises(FormatError, match=problem) as caught:
            image_records.read_at(io.BytesIO(BY_MXNET), place)
        assert caught.value.offset == place


@pytest.mark.parametrize(
    ("data", "line", "problem"),
    [
        (b"1\t0\n2 40\n", 2, "another form"),
        (b"1\t0\n\n", 2, "another form"),
        (b"1\t0\t1\n", 1, "another form"),
        (b"-1\t0\n", 1, "another form"),
        (b"x\t0\n", 1, "another form"),
        (b"1\t0\n2\t8\n1\t40\n", 3, "the id 1 again"),
    ],
)
def test_an_index_of_another_form_is_refused(data: bytes, line: int, problem: str) -> None:
    """With its line."""
    with pytest.raises(FormatError, match=problem) as caught:
        image_records.loads_index(data)
    assert caught.value.line == line


def test_an_id_that_occurs_twice_cannot_be_indexed() -> None:
    """The second record is named."""
    data = image_records.dumps([ImageRecord(b"a", id=1), ImageRecord(b"b", id=1)])
    with pytest.raises(FormatError, match="record 1, byte 36: the id 1 a second time"):
        image_records.index(io.BytesIO(data))


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "a record of 0 bytes"),
        (bytes(23), "a record of 23 bytes"),
        (
            struct.pack("<IfQQ", 2, 0, 0, 0) + bytes(7),
            "a record of 31 bytes .expected 32 bytes of header and 2 labels",
        ),
        (struct.pack("<IfQQ", 2**32 - 1, 0, 0, 0), "header and 4294967295 labels"),
    ],
)
def test_a_record_that_is_too_short_is_refused(payload: bytes, problem: str) -> None:
    """Whatever number of labels its header claims."""
    with pytest.raises(FormatError, match=problem) as caught:
        image_records.loads(image_records.dumps(WRITTEN[:1]) + framing.frame(payload))
    assert (caught.value.record, caught.value.offset) == (1, 40)


def test_pictures_are_known_by_how_they_begin() -> None:
    """JPEG and PNG are; when only they are wanted, anything else is refused with its place."""
    assert [image_records.picture_kind(record.image) for record in WRITTEN] == [
        "JPEG", "PNG", None, None, None,
    ]  # fmt: skip
    assert image_records.loads(image_records.dumps(WRITTEN[:2]), pictures=True) == WRITTEN[:2]
    with pytest.raises(FormatError, match="record 2, byte 96: an image that begins with 0a23d7ce"):
        image_records.loads(BY_MXNET, pictures=True)
    with pytest.raises(FormatError, match="an image that begins with nothing"):
        image_records.loads(image_records.dumps([ImageRecord(b"")]), pictures=True)


@pytest.mark.parametrize(
    "record",
    [
        ImageRecord(b"", ()),
        ImageRecord(b"", 1e39),
        ImageRecord(b"", (1.0, 1e39)),
        ImageRecord(b"", 0.0, -1),
        ImageRecord(b"", 0.0, 0, 2**64),
    ],
)
def test_what_the_header_has_no_room_for_is_refused(record: ImageRecord) -> None:
    """No labels, labels beyond float32, ids beyond 64 bits; the record is named."""
    with pytest.raises(FormatError, match="record 1: "):
        image_records.dumps([ImageRecord(b""), record])


def test_cut_short_at_any_byte_it_is_fewer_records_or_refused() -> None:
    """Only between two records may data end."""
    ends = [0, *image_records.loads_index(INDEX_BY_MXNET).values(), len(BY_MXNET)][1:]
    for cut in range(len(BY_MXNET) + 1):
        if cut in ends:
            assert len(image_records.loads(BY_MXNET[:cut])) == ends.index(cut)
        else:
            with pytest.raises(FormatError):
                image_records.loads(BY_MXNET[:cut])


@given(st.binary(max_size=100))
def test_any_bytes_are_records_or_a_format_error(data: bytes) -> None:
    """Arbitrary bytes, alone, as a record and as an index, never raise anything but FormatError."""
    for candidate in (data, framing.frame(data)):
        with suppress(FormatError):
            image_records.loads(candidate, pictures=True)
    with suppress(FormatError):
        image_records.loads_index(data)


def test_dump_and_load_work_on_files(tmp_path: Path) -> None:
    """`dump` writes to a file what `load` reads back from it, records from an iterator too."""
    path = tmp_path / "data.rec"
    with path.open("wb") as file:
        image_records.dump(iter(WRITTEN), file)
    with path.open("rb") as file:
        assert image_records.load(file) == WRITTEN
