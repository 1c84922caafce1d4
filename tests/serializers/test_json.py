"""JSON and JSON Lines: what is written, what Python's `json` lets pass that JSON does not."""

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.testing.strategies import (
    awkward_text,
    json_lines,
    json_values,
    malformed_json_lines,
    matrices,
)
from harness.testing.strategies.malformed import Malformed
from tests.serializers import sdk

JSON = sdk.serializers.JSONSerializer()
FROM_JSON = sdk.deserializers.JSONDeserializer()
LINES = sdk.serializers.JSONLinesSerializer()
FROM_LINES = sdk.deserializers.JSONLinesDeserializer()

json_claim = pytest.mark.sdk_source("notes/serializers.md#json")
lines_claim = pytest.mark.sdk_source("notes/serializers.md#json-lines")

nan = float("nan")


def _strict(text: str) -> Any:
    """The value of a JSON text as RFC 8259 has it: no NaN, no Infinity."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


def _written(value: Any) -> str:
    """Text that tells apart what `==` does not: 1 from True, 0.0 from -0.0, and NaN equal to NaN."""
    return json.dumps(value, sort_keys=True)


@json_claim
@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"a": [1, 2.5]}, '{"a": [1, 2.5]}'),
        ({"a": np.array([[1, 2]])}, '{"a": [[1, 2]]}'),
        (np.array([0.1], np.float32), "[0.10000000149011612]"),
        (np.array(1.5), "1.5"),
        (np.array([], float), "[]"),
        ([1, "é", None, True], '[1, "\\u00e9", null, true]'),
        ("é", '"\\u00e9"'),
        ("\u2028", '"\\u2028"'),
        ("😀", '"\\ud83d\\ude00"'),
        ([nan, -float("inf")], "[NaN, -Infinity]"),
        ((1, 2), "[1, 2]"),
        ({1: 2, None: True}, '{"1": 2, "null": true}'),
        (2**70, "1180591620717411303424"),
        (io.StringIO("{not json"), "{not json"),
        (io.BytesIO(b"\xff"), b"\xff"),
        (None, "null"),
    ],
)
def test_exact_json(data: Any, text: str | bytes) -> None:
    """`json.dumps` of the value, arrays as lists; a file's content unseen."""
    assert JSON.serialize(data) == text


@json_claim
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"a": [np.array([1])]}, "ndarray"),
        ({"a": {"b": np.array([1])}}, "ndarray"),
        ([np.array([1])], "ndarray"),
        (np.float32(1), "float32"),
        ([np.int64(1)], "int64"),
        (b"a", "bytes"),
        ({1}, "set"),
    ],
)
def test_only_outer_arrays_are_json(data: Any, kind: str) -> None:
    """An array is written where it is the whole or a value of the outermost object, not further in."""
    with pytest.raises(TypeError, match=f"Object of type {kind} is not JSON serializable"):
        JSON.serialize(data)


@json_claim
@given(json_values(finite=False))
@example([nan, 0.0, -0.0, 2**70])
def test_json_comes_back(value: Any) -> None:
    """Whatever Python's `json` writes, JSONDeserializer reads, NaN and infinities too."""
    text = JSON.serialize(value)
    assert text.isascii()
    assert _written(sdk.answer(FROM_JSON, sdk.on_the_wire(text))) == _written(value)


@json_claim
@given(json_values())
def test_another_reader_finds_the_value(value: Any) -> None:
    """Without NaN and infinities a strict reader finds the same value."""
    assert _written(_strict(JSON.serialize(value))) == _written(value)


@json_claim
@given(st.sampled_from([nan, float("inf"), -float("inf")]), json_values())
def test_nan_is_not_json(number: float, beside: Any) -> None:
    """A value with NaN or an infinity in it is sent all the same, and strict readers refuse it."""
    with pytest.raises(ValueError, match=r"NaN|Infinity"):
        _strict(JSON.serialize([beside, number]))


@json_claim
@given(matrices(finite=True))
def test_an_array_is_a_list_of_its_numbers(matrix: Any) -> None:
    """Numbers are written as doubles: each reads back to itself, the dtype is lost."""
    again = sdk.answer(FROM_JSON, sdk.on_the_wire(JSON.serialize({"instances": matrix})))
    assert _written(again["instances"]) == _written(matrix.tolist())
    assert np.array_equal(np.array(again["instances"], matrix.dtype).reshape(matrix.shape), matrix)


@json_claim
@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf1", b"{'a': 1}", b"1 2", b"[1,]"])
def test_what_is_no_json_raises(data: bytes) -> None:
    """An empty body, a byte order mark, Python's quotes, a second value, a comma too many."""
    with pytest.raises(json.JSONDecodeError):
        sdk.answer(FROM_JSON, data)


@json_claim
@pytest.mark.parametrize(
    ("data", "value"),
    [(b'{"a": 1, "a": 2}', {"a": 2}), (b"\n 1e999 \n", float("inf")), (b"-0", 0), (b"01e0"[1:], 1)],
)
def test_what_else_is_read(data: bytes, value: Any) -> None:
    """The last of equal keys counts, a number beyond the doubles is infinite, blanks do not matter."""
    assert sdk.answer(FROM_JSON, data) == value


@lines_claim
@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([{"a": 1}, [2], "x"], '{"a": 1}\n[2]\n"x"'),
        ([], ""),
        ({"a": 1, "b": 2}, '"a"\n"b"'),
        ("any text\n", "any text\n"),
        (["é\n"], '"\\u00e9\\n"'),
        ((value for value in (1, 2)), "1\n2"),
        (b"12", "49\n50"),
        ([nan], "NaN"),
        (io.StringIO("{}\n"), "{}\n"),
        (io.BytesIO(b"{}\n"), b"{}\n"),
    ],
)
def test_exact_lines(data: Any, text: str | bytes) -> None:
    """A line per element and none after the last; an object gives its keys, a string itself."""
    assert LINES.serialize(data) == text


@lines_claim
@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (1, ValueError, "Object of type <class 'int'> is not JSON Lines serializable."),
        (None, ValueError, "Object of type <class 'NoneType'> is not JSON Lines serializable."),
        (np.array([[1]]), TypeError, "Object of type ndarray is not JSON serializable"),
        (np.array([1]), TypeError, "Object of type int64 is not JSON serializable"),
    ],
)
def test_what_makes_no_lines_is_refused(data: Any, error: type[Exception], message: str) -> None:
    """What can't be iterated, and arrays: their elements are no Python numbers."""
    with pytest.raises(error) as caught:
        LINES.serialize(data)
    assert message == str(caught.value)


@lines_claim
@given(json_lines(finite=False))
@example(["\u2028", "a\nb", nan])
def test_lines_come_back(values: list[Any]) -> None:
    """Each value is read again: whatever could end a line in its text was escaped."""
    text = LINES.serialize(values)
    assert text.isascii()
    assert len(text.split("\n")) == len(values)
    assert _written(sdk.answer(FROM_LINES, sdk.on_the_wire(text))) == _written(values)
    assert _written([json.loads(line) for line in text.splitlines()]) == _written(values)


@lines_claim
@given(awkward_text())
def test_a_string_is_no_row(text: str) -> None:
    """A string is sent as it is, unquoted; a list of it is a line of JSON."""
    assert LINES.serialize(text) == text
    assert json.loads(LINES.serialize([text])) == text


@lines_claim
@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"1\n2", [1, 2]),
        (b"1\n2\n", [1, 2]),
        (b"1\n2\n\n\n", [1, 2]),
        (b"1\r\n2\r\n", [1, 2]),
        ('"\u2028"\n"\x85"\n'.encode(), ["\u2028", "\x85"]),
    ],
)
def test_line_ends(data: bytes, values: list[Any]) -> None:
    """A last newline, several of them and CRLF do not matter; nothing but a newline ends a line."""
    assert sdk.answer(FROM_LINES, data) == values


@lines_claim
@pytest.mark.parametrize("data", [b"", b"\n", b"1\n\n2", b"\n1", b"\xef\xbb\xbf1"])
def test_blank_lines_raise(data: bytes) -> None:
    """An empty body, or a blank line that is not at the end, is not read as nothing."""
    with pytest.raises(json.JSONDecodeError):
        sdk.answer(FROM_LINES, data)


@lines_claim
@given(malformed_json_lines())
def test_malformed_lines_raise(drawn: Malformed) -> None:
    """A line that is no JSON fails the whole answer."""
    with pytest.raises(ValueError, match=r"line 1 column|decode byte"):
        sdk.answer(FROM_LINES, drawn.data)
