"""Records with more than one matrix has: several names, texts, raw bytes; written and read as messages."""

import io
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.formats import framing, recordio
from harness.formats.errors import FormatError
from harness.formats.record_message import Record
from tests.formats import sdk
from tests.formats.wire import KINDS

_names = st.sampled_from(["values", "other", "", "é", "x" * 200]) | st.text(max_size=5)
_keys = st.lists(st.integers(0, 2**64 - 1), max_size=4)


@st.composite
def _fill(draw: st.DrawFn, message: Any) -> None:
    """Give a Record, ours or the SDK's, names with tensors or bytes, and texts."""
    for entries in (message.features, message.label):
        for name in draw(st.lists(_names, max_size=3, unique=True)):
            value = entries[name]
            kind = draw(st.sampled_from([*KINDS, None]))
            if kind is None:
                value.bytes.value.extend(draw(st.lists(st.binary(max_size=6), max_size=3)))
                if draw(st.booleans()):
                    value.bytes.content_type = draw(st.text(max_size=5))
                continue
            tensor = getattr(value, kind.name)
            tensor.values.extend(draw(st.lists(kind.values, max_size=5)))
            tensor.keys.extend(draw(_keys))
            tensor.shape.extend(draw(_keys))
    for name in ("uid", "metadata", "configuration"):
        if draw(st.booleans()):
            setattr(message, name, draw(st.text(max_size=9)))


@st.composite
def filled(draw: st.DrawFn, kind: Any) -> list[Any]:
    """Some Records of a class."""
    messages = [kind() for _ in range(draw(st.integers(0, 4)))]
    for message in messages:
        draw(_fill(message))
    return messages


def content(messages: list[Any]) -> list[bytes]:
    """What messages say, comparable also where they hold NaN and whoever's class they are."""
    return [message.SerializeToString(deterministic=True) for message in messages]


@given(filled(Record), st.booleans(), st.integers(1, 40))
def test_messages_come_back_with_everything_in_them(
    messages: list[Any], split: bool, block: int
) -> None:
    """Names, tensors of all kinds, keys, shapes, bytes and texts survive, in parts too."""
    data = recordio.dumps_messages(iter(messages), split_magic=split)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "BLOCK", block)
        found = list(recordio.iter_records(io.BytesIO(data)))
    assert content(found) == content(messages)


@given(filled(Record))
@pytest.mark.sdk_source("notes/recordio.md#record")
def test_the_sdk_reads_our_messages(messages: list[Any]) -> None:
    """The SDK's reader finds in our bytes what we put there."""
    assert content(sdk.records(recordio.dumps_messages(messages))) == content(messages)


@given(filled(sdk.Record))
@pytest.mark.sdk_source("notes/recordio.md#record")
def test_messages_of_the_sdks_class_are_written_and_read(messages: list[Any]) -> None:
    """Records made with the SDK's class are framed as ours are, and our reader finds the same in them."""
    data = recordio.dumps_messages(messages)
    assert content(list(recordio.iter_records(io.BytesIO(data)))) == content(messages)


@given(st.lists(st.text(max_size=3), unique=True))
def test_the_order_of_names_does_not_matter_to_the_bytes(names: list[str]) -> None:
    """Several names in one record are written in one order, however they were set."""
    messages = []
    for ordered in (names, names[::-1]):
        message = Record()
        for name in ordered:
            message.features[name].int32_tensor.values.append(len(name))
        messages.append(message)
    assert recordio.dumps_messages(messages[:1]) == recordio.dumps_messages(messages[1:])


def test_messages_are_written_as_they_come() -> None:
    """A stream of messages goes to the file one by one: each is there before the next is asked for."""
    file = io.BytesIO()
    sizes = []

    def stream() -> Any:
        for uid in ("a", "bb", "ccc"):
            sizes.append(len(file.getvalue()))
            yield Record(uid=uid)

    recordio.dump_messages(stream(), file)
    assert sizes == [0, 12, 24]
    assert [found.uid for found in recordio.iter_records(io.BytesIO(file.getvalue()))] == [
        "a",
        "bb",
        "ccc",
    ]


def test_a_message_that_is_too_long_is_named() -> None:
    """A record of more bytes than a part may have is refused by its number."""
    with pytest.raises(FormatError, match=r"record 1: 22 bytes in one part .*at most 20") as caught:
        recordio.dumps_messages([Record(uid="a"), Record(uid="b" * 20)], largest_part=20)
    assert caught.value.record == 1


@given(st.sampled_from([b"\x1a", b"\x22", b"\x2a"]), st.binary(min_size=1, max_size=9))
@example(b"\x1a", b"\xff")
def test_texts_are_utf8(tag: bytes, text: bytes) -> None:
    """A uid, metadata or configuration that is not UTF-8 is refused where it stands, not when it is read."""
    data = framing.frame(b"") + framing.frame(tag + bytes([len(text)]) + text)
    try:
        expected = text.decode()
    except UnicodeDecodeError:
        with pytest.raises(FormatError, match=r"record 1, byte 8: .*not UTF-8"):
            list(recordio.iter_records(io.BytesIO(data)))
    else:
        _, found = recordio.iter_records(io.BytesIO(data))
        assert expected in (found.uid, found.metadata, found.configuration)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x0a\x05\x0a\x01\xff\x12\x00",
        b"\x12\x05\x0a\x01\xff\x12\x00",
        b"\x0a\x09\x0a\x00\x12\x05\x4a\x03\x12\x01\xff",
    ],
    ids=["a feature's name", "a label's name", "a content type"],
)
def test_names_and_content_types_are_utf8(payload: bytes) -> None:
    """So are names and the content type of raw bytes."""
    with pytest.raises(FormatError, match=r"record 0, byte 0: .*not UTF-8"):
        list(recordio.iter_records(io.BytesIO(framing.frame(payload))))
