"""recordIO framing: records in one part and in several, as dmlc's writer makes them; lengths that lie."""

import io
import struct
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.formats import framing, recordio
from harness.formats.errors import FormatError
from harness.formats.framing import MAGIC_BYTES
from harness.formats.splitting import Parts
from tests.formats.strategies import payloads

# A payload and what mxnet 1.9.1 writes for it, which is dmlc's writer.
WRITTEN_BY_MXNET = [
    ("", "0a23d7ce 00000000"),
    ("616263", "0a23d7ce 03000000 616263 00"),
    ("61626364", "0a23d7ce 04000000 61626364"),
    ("0a23d7", "0a23d7ce 03000000 0a23d7 00"),
    ("0a23d7ce", "0a23d7ce 00000020  0a23d7ce 00000060"),
    ("0a23d7ce 0a23d7ce", "0a23d7ce 00000020  0a23d7ce 00000040  0a23d7ce 00000060"),
    ("61626364 0a23d7ce", "0a23d7ce 04000020 61626364  0a23d7ce 00000060"),
    ("0a23d7ce 6162", "0a23d7ce 00000020  0a23d7ce 02000060 6162 0000"),
    ("61 0a23d7ce 626364", "0a23d7ce 08000000 610a23d7ce626364"),
    ("01020304 0a23d7ce 7461696c", "0a23d7ce 04000020 01020304  0a23d7ce 04000060 7461696c"),
    (
        "6162 0a23d7ce 6364 0a23d7ce 65",
        "0a23d7ce 08000020 61620a23d7ce6364  0a23d7ce 01000060 65 000000",
    ),
    (
        "61626364 0a23d7ce 0a23d7ce 6566 0a23d7ce",
        "0a23d7ce 04000020 61626364  0a23d7ce 00000040  0a23d7ce 06000060 65660a23d7ce 0000",
    ),
]


def read(data: bytes) -> list[bytes]:
    """The payloads of some records."""
    return [frame.payload for frame in framing.iter_frames(io.BytesIO(data))]


@pytest.mark.parametrize(("payload", "written"), WRITTEN_BY_MXNET)
def test_what_mxnet_writes_is_written_and_read(payload: str, written: str) -> None:
    """With `split_magic` a record has the bytes that mxnet writes; reading them gives the record."""
    assert Parts(split_magic=True).frame(bytes.fromhex(payload)) == bytes.fromhex(written)
    assert read(bytes.fromhex(written)) == [bytes.fromhex(payload)]


def naively_split(payload: bytes) -> list[bytes]:
    """The pieces of a payload, found word by word."""
    pieces = [b""]
    for at in range(0, len(payload), 4):
        word = payload[at : at + 4]
        if word == MAGIC_BYTES:
            pieces.append(b"")
        else:
            pieces[-1] += word
    return pieces


@given(st.lists(payloads, max_size=5))
@example([MAGIC_BYTES, b"", b"a" + MAGIC_BYTES])
def test_records_are_cut_where_the_magic_number_is_aligned(records: list[bytes]) -> None:
    """Parts are what stands between aligned magic numbers, flagged first, middle and last."""
    expected = b""
    for record in records:
        pieces = naively_split(record)
        flags = [0] if len(pieces) == 1 else [1, *[2] * (len(pieces) - 2), 3]
        for flag, piece in zip(flags, pieces, strict=True):
            word = flag * 2**29 + len(piece)
            expected += MAGIC_BYTES + struct.pack("<I", word) + piece + bytes(-len(piece) % 4)
    assert b"".join(map(Parts(split_magic=True).frame, records)) == expected


@given(st.lists(payloads, max_size=5), st.booleans(), st.integers(1, 40))
@example([MAGIC_BYTES * 3], True, 4)
@example([b"abcd", b""], False, 1)
def test_what_was_framed_is_read_again(records: list[bytes], split: bool, block: int) -> None:
    """Every payload comes back, whole or in parts, whatever it holds and however the stream is read."""
    data = b"".join(map(Parts(split).frame, records))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "BLOCK", block)
        frames = list(framing.iter_frames(io.BytesIO(data)))
    assert [frame.payload for frame in frames] == records
    assert [frame.record for frame in frames] == list(range(len(records)))
    for frame in frames:
        assert read(data[frame.offset :]) == records[frame.record :]


@given(st.lists(payloads, min_size=1, max_size=5), st.binary(min_size=3, max_size=3))
def test_padding_may_hold_anything(records: list[bytes], filling: bytes) -> None:
    """A record ends at a multiple of four bytes; what fills it up is zeros here and anything elsewhere."""
    data = b""
    for record in records:
        framed = framing.frame(record)
        assert len(framed) == 8 + framing.padded(len(record))
        assert len(framed) % 4 == 0
        assert framed[8 + len(record) :] == bytes(-len(record) % 4)
        data += framed[: 8 + len(record)] + filling[: -len(record) % 4]
    assert read(data) == records


@given(payloads, st.integers(0, 40))
def test_parts_are_no_longer_than_the_largest(payload: bytes, largest: int) -> None:
    """A stretch between two magic numbers that is longer than `largest` is refused, and nothing else is."""
    longest = max(map(len, naively_split(payload)))
    parts = Parts(split_magic=True, largest=largest)
    if longest <= largest:
        assert parts.frame(payload) == Parts(split_magic=True).frame(payload)
    else:
        with pytest.raises(FormatError, match=f"record 7: {longest} bytes .*at most {largest}"):
            parts.frame(payload, 7)


def test_a_record_longer_than_the_largest_part_may_be_cut() -> None:
    """The largest part bounds what stands between the cuts, not the record."""
    payload = b"x" * 40 + MAGIC_BYTES + b"y" * 40
    with pytest.raises(FormatError, match="84 bytes in one part"):
        Parts(largest=40).frame(payload)
    assert read(Parts(split_magic=True, largest=40).frame(payload)) == [payload]


@pytest.mark.parametrize("largest", [-1, 2**29])
def test_the_largest_part_is_what_a_length_field_can_say(largest: int) -> None:
    """29 bits hold 0 to 2^29 - 1, and nothing else is taken for a largest part."""
    with pytest.raises(FormatError, match="expected 0 to 536870911"):
        Parts(largest=largest)
    assert Parts(largest=2**29 - 1).frame(b"") == framing.frame(b"")


class Long(bytes):
    """Bytes that say they are longer than they are."""

    def __len__(self) -> int:
        return 2**29


def test_a_part_of_half_a_gigabyte_is_refused() -> None:
    """A payload of 2^29 bytes has no length that a part can have."""
    for write in (framing.frame, Parts().frame):
        with pytest.raises(FormatError, match=r"536870912 bytes.*at most 536870911"):
            write(Long())


def test_a_middle_part_belongs_to_its_record() -> None:
    """First, middle and last parts make one record, and the next record is counted as the second."""
    data = b"".join(
        framing.frame(payload, flag)
        for flag, payload in ((1, b"aaaa"), (2, b"bbbb"), (3, b"cccc"), (0, b"dddd"))
    )
    frames = list(framing.iter_frames(io.BytesIO(data)))
    assert frames[0].payload == MAGIC_BYTES.join((b"aaaa", b"bbbb", b"cccc"))
    assert (frames[1].payload, frames[1].record, frames[1].offset) == (b"dddd", 1, 36)


# Flags of parts, and which of them cannot stand where it stands, or is missing there.
OUT_OF_ORDER: list[tuple[tuple[int, ...], int]] = [
    ((2,), 0),
    ((3,), 0),
    ((4,), 0),
    ((7,), 0),
    ((1, 0), 1),
    ((1, 1), 1),
    ((1, 5), 1),
    ((1, 2, 0), 2),
    ((1,), 1),
    ((1, 2), 2),
]


@pytest.mark.parametrize(("flags", "wrong"), OUT_OF_ORDER)
def test_parts_out_of_order_are_an_error(flags: tuple[int, ...], wrong: int) -> None:
    """A part that cannot stand where it stands, or that is missing there, is named by that place."""
    data = b"".join(framing.frame(b"", flag) for flag in flags)
    with pytest.raises(FormatError, match=r"\(expected a .* part|\(expected a whole") as caught:
        read(data)
    assert (caught.value.record, caught.value.offset) == (0, 8 * wrong)


@given(st.integers(13, 2**29 - 1), st.sampled_from([0, 1]))
@example(2**29 - 1, 0)
@example(2**28, 1)
def test_a_length_that_lies_costs_no_memory(length: int, flag: int) -> None:
    """A length of up to 2^29 - 1 in a file of 20 bytes is refused, by that length, without being allocated."""
    data = struct.pack("<II12s", framing.MAGIC, flag << 29 | length, b"")
    tracemalloc.start()
    try:
        with pytest.raises(FormatError) as caught:
            recordio.loads(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith("record 0, byte 0: the data ends after 12 bytes")
    assert caught.value.expected == f"{length} bytes and {-length % 4} of padding"
