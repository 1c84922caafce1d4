"""JSON Lines: a value per line both ways, and the place of whatever is none."""

import io
import json
import math
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.formats import jsonlines, lines, strict_json
from harness.formats.errors import FormatError
from tests.formats import sdk_serializers as sdk

SDK = "notes/json.md#what-the-sdk-writes"

finite = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers() | finite | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def place(data: bytes, **options: bool) -> tuple[int | None, int | None, int | None]:
    """Line, column and byte of what is wrong."""
    with pytest.raises(FormatError) as caught:
        jsonlines.loads(data, **options)
    return caught.value.line, caught.value.column, caught.value.offset


@given(st.lists(values, max_size=5))
@example(["\n\r\u2028\u2029\x85\x0b\ud800"])
def test_what_was_dumped_loads_again(records: list[Any]) -> None:
    """Every value comes back, from a line of its own that json.dumps would write."""
    data = jsonlines.dumps(records)
    assert jsonlines.loads(data) == records
    assert data.decode("ascii").splitlines() == [json.dumps(record) for record in records]
    assert jsonlines.loads(data.removesuffix(b"\n")) == records


@given(st.lists(values, min_size=1, max_size=5))
@pytest.mark.sdk_source(SDK)
def test_lines_are_those_of_the_sdk(records: list[Any]) -> None:
    """The SDK writes the same lines without a newline at the end, and reads ours."""
    data = jsonlines.dumps(records)
    assert sdk.json_lines(records).encode() + b"\n" == data
    assert sdk.values_of_json_lines(data) == records


near_json = st.text('{}[]",:0123456789.eE+-truefalsn \\u\t\r\n\u2028NaIity\x0b\ufeff', max_size=20)


@given(near_json | values.map(json.dumps))
@example('{"a": 1, "a": 2}')
@example("[1]\u2028[2]")
@example("[NaN]")
def test_what_is_read_is_what_python_reads(text: str) -> None:
    """Nothing is taken that json.loads refuses, and where both take a line they agree on it."""
    for line in text.split("\n"):
        try:
            expected = [json.loads(line)]
        except ValueError:
            expected = []
        try:
            found = jsonlines.loads(line.encode())
        except FormatError:
            continue
        assert repr(found) == repr(expected)


@given(near_json)
def test_lenient_and_with_nan_it_takes_what_python_takes(text: str) -> None:
    """A line that json.loads takes, or that is blank, is none that both options together refuse."""
    line = text.replace("\n", "").encode()
    try:
        expected = [json.loads(line)] if line.strip() else []
    except ValueError:
        return
    assert repr(jsonlines.loads(line, allow_nan=True, lenient=True)) == repr(expected)


@given(st.binary(max_size=100))
@example(b'{"a\xff":1}')
@example(b"[" * 5000)
@example(b"9" * 5000)
def test_any_bytes_are_values_or_a_format_error(data: bytes) -> None:
    """Arbitrary bytes never raise anything but FormatError."""
    for lenient in (False, True):
        with suppress(FormatError):
            jsonlines.loads(data, allow_nan=lenient, lenient=lenient)


@pytest.mark.parametrize(
    ("data", "expected", "problem"),
    [
        (b"1\n{\n", (2, 2, 3), "the text ends"),
        (b'1\r\n["a" 2]\n', (2, 6, 8), r"found '2\]' \(expected ',' delimiter\)"),
        (b'"\xc3\xa4" x\n', (1, 5, 5), "extra data"),
        (b"\n", (1, 1, 0), "a blank line"),
        (b"1\n \t\n2\n", (2, 1, 2), "a blank line"),
        (b"\xef\xbb\xbf1\n", (1, 1, 0), "a byte order mark"),
        (b'"a"\n["\xc3\xa4", \xff]', (2, 7, 11), "the byte 0xff"),
        (b'["NaN", NaN]', (1, 9, 8), "NaN, which is not JSON"),
        (b'{"a": -Infinity}', (1, 7, 6), "-Infinity, which is not JSON"),
        (b'{"a": {"b": 1, "c": 2}, "a": 3}', (1, 25, 24), "the key 'a' a second time"),
        (b'[{"x": "x", "y": [{"x": 1}], "\\u0078": 2}]', (1, 30, 29), "the key 'x' a second"),
        (b'1\n"a\tb"\n', (2, 3, 4), r"invalid control character \("),
        (b'"a', (1, 1, 0), r"unterminated string \("),
        (b'{"a": 1}{"b": 2}', (1, 9, 8), "extra data"),
        (b'[1.' + b"1" * 5000 + b", " + b"1" * 5000 + b"]", (1, 5006, 5005), "4300 digits"),
        (b'["[[[", ' + b"[" * 50_000, (1, 50_008, 50_007), "nested too deeply"),
        (b"[1]\r[2]", (1, 5, 4), "extra data"),
        (b"[1]\x0b[2]", (1, 4, 3), "extra data"),
        (b"[1]\xe2\x80\xa8[2]", (1, 4, 3), "extra data"),
    ],
)  # fmt: skip
def test_the_place_of_what_is_wrong_is_named(
    data: bytes, expected: tuple[int, int, int], problem: str
) -> None:
    """A FormatError has line, column and byte: of characters, not of bytes, the column."""
    with pytest.raises(FormatError, match=problem) as caught:
        jsonlines.loads(data)
    assert (caught.value.line, caught.value.column, caught.value.offset) == expected


def test_cut_short_it_is_the_values_before_or_an_error_in_the_last_line() -> None:
    """Cut at any byte, the lines before the cut are read, and the cut line is a value or refused."""
    records = [{"a": [1, "ä"]}, [None, 2.5], "x"]
    data = (
        json.dumps(records[0], ensure_ascii=False).encode() + b"\r\n" + jsonlines.dumps(records[1:])
    )
    for cut in range(len(data) + 1):
        whole = data.count(b"\n", 0, cut)
        stream = jsonlines.iter_records(io.BytesIO(data[:cut]))
        assert [next(stream) for _ in range(whole)] == records[:whole]
        try:
            assert list(stream) in ([], [records[whole]] if whole < 3 else [])
        except FormatError as error:
            assert error.line == whole + 1  # noqa: PT017


@given(st.lists(values, max_size=5), st.integers(1, 30))
def test_blocks_leave_no_seam(records: list[Any], block: int) -> None:
    """Read in blocks of any size, the same values come out."""
    data = jsonlines.dumps(records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", block)
        assert jsonlines.loads(data) == records


@pytest.mark.sdk_source(SDK)
def test_nan_is_written_and_read_when_asked_for() -> None:
    """As the SDK has it; otherwise neither way."""
    numbers = [math.inf, -math.inf, math.nan]
    data = jsonlines.dumps([numbers], allow_nan=True)
    assert data == b"[Infinity, -Infinity, NaN]\n" == sdk.json_lines([numbers]).encode() + b"\n"
    assert repr(jsonlines.loads(data, allow_nan=True)) == repr([numbers])
    with pytest.raises(FormatError, match="record 1: a value that cannot be written"):
        jsonlines.dumps([1, math.nan])


def test_lenient_reading_lets_pass_what_many_readers_do() -> None:
    """Blank lines, byte order marks, and the last of several values of a key; NaN not among them."""
    data = b'\xef\xbb\xbf{"a": 1, "a": 2}\n\n \n\xef\xbb\xbf3\n'
    assert jsonlines.loads(data, lenient=True) == [{"a": 2}, 3]
    assert place(data) == (1, 1, 0)
    assert place(b"\n[NaN]", lenient=True) == (2, 2, 2)


circular: list[Any] = []
circular.append(circular)
deep: list[Any] = []
for _ in range(100_000):
    deep = [deep]


@pytest.mark.parametrize("value", [{1: 2}, [[{"a": ({None: 2},)}]], {1, 2}, b"x", circular, deep])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    """Keys that are no strings, other types, and values without end, each with its record."""
    with pytest.raises(FormatError, match=r"^record 1: .*\(expected") as caught:
        jsonlines.dumps(["fine", value])
    assert caught.value.record == 1


def test_a_text_may_stand_anywhere_in_a_larger_one() -> None:
    """Places count from where the text stands; lines within it are counted too."""
    with pytest.raises(FormatError, match=r"^byte 107, line 12, column 3: found") as caught:
        strict_json.loads(b'{"a":\n1,}', line=11, offset=99)
    assert caught.value.expected == "property name enclosed in double quotes"


def test_a_long_file_is_read_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values come one by one from a file many times as large as what is held."""
    path = tmp_path / "data.jsonl"
    path.write_bytes(jsonlines.dumps([{"features": [0.125] * 50}]) * 4000)
    monkeypatch.setattr(lines, "_BLOCK", 1 << 14)
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            assert sum(1 for _ in jsonlines.iter_records(file)) == 4000
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size // 4
    finally:
        tracemalloc.stop()


def test_dump_and_load_work_on_files(tmp_path: Path) -> None:
    """`dump` writes to a file what `load` reads back from it, values from an iterator too."""
    path = tmp_path / "data.jsonl"
    with path.open("wb") as file:
        jsonlines.dump(iter([1, {"a": "ä"}]), file)
    with path.open("rb") as file:
        assert jsonlines.load(file) == [1, {"a": "ä"}]
    assert jsonlines.loads(b"") == []
