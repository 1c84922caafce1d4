"""Whether a document of UBJSON is whole."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.algorithms.xgboost.ubjson import is_complete


def number(value: int) -> bytes:
    """An integer with its marker."""
    return b"L" + struct.pack(">q", value)


def encode(value: Any) -> bytes:
    """A value as xgboost writes it."""
    if isinstance(value, bool) or value is None:
        return {True: b"T", False: b"F", None: b"Z"}[value]
    if isinstance(value, int):
        return number(value)
    if isinstance(value, float):
        return b"d" + struct.pack(">f", value)
    if isinstance(value, str):
        return b"S" + number(len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return b"[$U#" + number(len(value)) + value
    if isinstance(value, tuple):
        return b"[#" + number(len(value)) + b"".join(map(encode, value))
    if isinstance(value, list):
        return b"[" + b"".join(map(encode, value)) + b"]"
    members = (
        number(len(key.encode())) + key.encode() + encode(each) for key, each in value.items()
    )
    return b"{" + b"".join(members) + b"}"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(-9, 9, width=32)
    | st.text(max_size=5)
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_a_whole_document_is_complete_and_no_part_of_it_is(document: Any) -> None:
    """Nor is one with a byte after its end."""
    whole = encode(document)
    assert is_complete(whole)
    assert not is_complete(whole + b"Z")
    assert not any(is_complete(whole[:end]) for end in range(len(whole)))


@given(st.binary(max_size=60).map(b"{".__add__))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    """No exception, whatever they are."""
    assert is_complete(data) in (True, False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{" + number(-1) + b"}",
        b"{" + number(1 << 62) + b"a}",
        b"{" + number(1) + b"a" + b"[$d#" + number(1 << 60) + b"}",
        b"{" + number(1) + b"a" + b"[$S#" + number(1) + b"}",
        b"{" + number(1) + b"a" + b"[$d]" + b"}",
        b"{" + number(1) + b"a" + b"?" + b"}",
        b"{" + number(1) + b"a" + b"[" * 100_000,
        b"{S" + number(1) + b"aZ}",
    ],
)
def test_broken_documents_are_not_complete(data: bytes) -> None:
    """Lengths that are negative or too great, unknown markers, arrays of what has no size, bottomless nesting."""
    assert not is_complete(data)
