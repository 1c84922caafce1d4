"""Protobuf's wire format by hand: Record messages as other writers may lay them out.

What protobuf lets a writer choose: the order of fields, values packed or one by one or in several packed
pieces, numbers in more bytes than they need, fields that nobody knows.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def varint(number: int, *, extra: int = 0) -> bytes:
    """A number in seven bits a byte, in `extra` bytes more than it needs; negative ones have ten bytes."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    for _ in range(min(extra, 10 - len(out))):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def field(number: int, payload: bytes, kind: int = _LENGTH, *, extra: int = 0) -> bytes:
    """A field with its tag; text, messages and packed values with their length."""
    tag = varint(number << 3 | kind, extra=extra)
    return tag + (varint(len(payload), extra=extra) if kind == _LENGTH else b"") + payload


@dataclass(frozen=True)
class Kind:
    """A kind of tensor: its field in a Value, how one of its values is written, and what values there are."""

    name: str
    number: int
    wire: int
    write: Callable[[Any], bytes]
    values: st.SearchStrategy[Any]


KINDS = (
    Kind(
        "float32_tensor", 2, _FIXED32, lambda value: struct.pack("<f", value), st.floats(width=32)
    ),
    Kind("float64_tensor", 3, _FIXED64, lambda value: struct.pack("<d", value), st.floats()),
    Kind("int32_tensor", 7, _VARINT, varint, st.integers(-(2**31), 2**31 - 1)),
)


@st.composite
def _repeated(
    draw: st.DrawFn, number: int, wire: int, write: Callable[[Any], bytes], values: Sequence[Any]
) -> list[bytes]:
    """Pieces whose concatenation, with whatever between them, is a repeated field."""
    pieces = []
    rest = list(values)
    while rest:
        some = draw(st.integers(1, len(rest)))
        taken, rest = rest[:some], rest[some:]
        if draw(st.booleans()):
            pieces.append(field(number, b"".join(map(write, taken))))
        else:
            pieces += [field(number, write(value), wire) for value in taken]
    return pieces


_unknown = st.sampled_from(
    [
        b"",
        b"",
        field(15, b"x"),
        field(100, b"\1", _VARINT),
        field(14, bytes(8), _FIXED64),
        field(99, bytes(4), _FIXED32),
    ]
)


@st.composite
def _mixed(draw: st.DrawFn, *streams: list[bytes]) -> bytes:
    """The pieces of all streams, each stream in its order, with unknown fields between."""
    left = [list(stream) for stream in streams if stream]
    out = draw(_unknown)
    while left:
        stream = draw(st.sampled_from(left))
        out += stream.pop(0) + draw(_unknown)
        left = [stream for stream in left if stream]
    return out


@st.composite
def tensors(
    draw: st.DrawFn,
    kind: Kind,
    values: Sequence[Any],
    keys: Sequence[int] = (),
    shape: Sequence[int] = (),
) -> bytes:
    """A Value with one tensor."""
    streams = [
        draw(_repeated(1, kind.wire, kind.write, values)),
        draw(_repeated(2, _VARINT, varint, keys)),
        draw(_repeated(3, _VARINT, varint, shape)),
    ]
    return field(kind.number, draw(_mixed(*streams)), extra=draw(st.integers(0, 2)))


@st.composite
def records(draw: st.DrawFn, features: bytes, label: bytes | None = None) -> bytes:
    """A Record whose `values` are the given Values, among other names, texts and unknown fields, in any order."""
    other = draw(tensors(KINDS[0], [7.0]))
    named = [(1, "values", features)]
    if label is not None:
        named.append((2, "values", label))
    streams = [[draw(_entry(number, name, value))] for number, name, value in named]
    if draw(st.booleans()):
        streams.append([draw(_entry(1, "other", other)), draw(_entry(2, "other", other))])
    streams += [[field(number, b"text")] for number in draw(st.sets(st.integers(3, 5)))]
    return draw(_mixed(*streams))


@st.composite
def _entry(draw: st.DrawFn, number: int, name: str, value: bytes) -> bytes:
    """An entry of a map: its name before or after its value."""
    parts = [field(1, name.encode()), field(2, value)]
    return field(number, b"".join(draw(st.permutations(parts))), extra=draw(st.integers(0, 1)))
