"""The classes that do little: bytes, streams, strings, files, libsvm that is written already."""

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.testing.strategies import awkward_text, libsvm_lines, payloads
from tests.serializers import sdk

pytestmark = pytest.mark.sdk_source("notes/serializers.md#bytes-and-text")

IDENTITY = sdk.serializers.IdentitySerializer()
STRING = sdk.serializers.StringSerializer()
DATA = sdk.serializers.DataSerializer()
LIBSVM = sdk.serializers.LibSVMSerializer()
FROM_BYTES = sdk.deserializers.BytesDeserializer()
FROM_STRING = sdk.deserializers.StringDeserializer()
FROM_STREAM = sdk.deserializers.StreamDeserializer()


@given(payloads())
def test_bytes_stay_as_they_are(data: bytes) -> None:
    """IdentitySerializer, DataSerializer, BytesDeserializer and StreamDeserializer change nothing."""
    assert IDENTITY.serialize(data) is data
    assert DATA.serialize(data) is data
    assert sdk.answer(FROM_BYTES, data) == data
    stream, content_type = sdk.answer(FROM_STREAM, data, "image/png")
    assert (stream.read(), content_type) == (data, "image/png")


@pytest.mark.parametrize("data", [None, 1, [1], {"a": 1}])
def test_identity_takes_what_cannot_be_sent(data: Any) -> None:
    """IdentitySerializer returns anything; that it is no body shows only in the call."""
    assert IDENTITY.serialize(data) is data


@given(awkward_text())
def test_text_comes_back(text: str) -> None:
    """StringSerializer writes UTF-8 and StringDeserializer reads it, line ends and marks included."""
    sent = STRING.serialize(text)
    assert sent == text.encode("utf-8")
    assert sdk.answer(FROM_STRING, sent) == text


@pytest.mark.parametrize("data", [b"a", 1, None, ["a"], io.StringIO("a")])
def test_only_strings_are_strings(data: Any) -> None:
    """StringSerializer takes nothing else, not even bytes or a file."""
    with pytest.raises(
        ValueError, match=r"Object of type <class '.*'> is not String serializable\."
    ):
        STRING.serialize(data)


def test_the_encoding_of_an_answer_is_the_callers() -> None:
    """UTF-8 unless another is named; what is not of it raises."""
    latin = sdk.deserializers.StringDeserializer(encoding="latin-1")
    assert sdk.answer(latin, b"\xe9") == "é"
    with pytest.raises(UnicodeDecodeError):
        sdk.answer(FROM_STRING, b"\xe9")


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_path_is_replaced_by_its_file(tmp_path: Path, wrapped: bool) -> None:
    """DataSerializer reads the file that a string names, also where the string is in `{"data": ...}`."""
    path = tmp_path / "picture"
    path.write_bytes(b"\x00\xff")
    data: Any = {"data": {"data": str(path)}} if wrapped else str(path)
    assert DATA.serialize(data) == b"\x00\xff"


def test_text_is_taken_for_a_path(tmp_path: Path) -> None:
    """A string that names no file raises, and the error quotes all of it."""
    missing = str(tmp_path / "missing")
    with pytest.raises(ValueError, match=f"Could not open/read file: {missing}"):
        DATA.serialize(missing)


@pytest.mark.parametrize("data", [1, None, {}, {"other": b""}, bytearray(b"a"), io.BytesIO(b"a")])
def test_only_paths_and_bytes_are_data(data: Any) -> None:
    """DataSerializer takes neither files that are open nor other objects."""
    with pytest.raises(ValueError, match=r"Object of type <class '.*'> is not Data serializable\."):
        DATA.serialize(data)


@given(libsvm_lines())
def test_libsvm_is_sent_as_it_is(lines: list[str]) -> None:
    """LibSVMSerializer passes a string and what a file holds, and looks at neither."""
    text = "\n".join(lines)
    assert LIBSVM.serialize(text) == text
    assert LIBSVM.serialize(io.StringIO(text)) == text
    assert LIBSVM.serialize(io.BytesIO(text.encode())) == text.encode()


@given(st.one_of(st.binary(), st.lists(st.text()), st.integers(), st.none()))
def test_libsvm_is_never_made(data: Any) -> None:
    """Anything else, a list of lines included, is refused by the name of its type."""
    with pytest.raises(ValueError, match="Unable to handle input format: <class"):
        LIBSVM.serialize(data)
