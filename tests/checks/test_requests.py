"""Checks on requests: what is too large, or cut inside a record, makes them fail and says where."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness import checks
from harness.formats import recordio
from harness.formats.framing import frame


@pytest.mark.documented("sagemaker-runtime:BodyBlob")
def test_the_payload_limit_is_exact() -> None:
    """A body of the limit holds, one byte more does not; text counts in bytes."""
    assert checks.within_payload_limit(b"x" * 6_291_456).passed
    assert not checks.within_payload_limit(b"x" * 6_291_457).passed
    assert not checks.within_payload_limit("é" * 3, limit=5).passed


LINES = st.lists(
    st.lists(st.sampled_from(["1", "-2.5", "", '"3"', '"4\n5"', '"6""7"']), min_size=1, max_size=3)
    .map(",".join)
    .filter(bool),
    min_size=2,
    max_size=8,
)
JSON_LINES = st.lists(st.sampled_from(['{"a": 1}', "[1, 2]", "3", '"é"']), min_size=2, max_size=8)
RECORDS = st.lists(st.binary(max_size=9), min_size=2, max_size=8)
SHAPES: dict[str, tuple[st.SearchStrategy[list[Any]], Callable[[Any], bytes]]] = {
    "text/csv": (LINES, lambda line: line.encode() + b"\n"),
    "application/jsonlines": (JSON_LINES, lambda line: line.encode() + b"\r\n"),
    "application/x-recordio-protobuf": (RECORDS, frame),
}


@pytest.mark.documented("sagemaker:TransformInput.SplitType")
@pytest.mark.parametrize("content_type", SHAPES)
@given(data=st.data())
def test_parts_that_hold_whole_records_hold(content_type: str, data: st.DataObject) -> None:
    """Wherever the cuts between records are; what ends a part may be missing. A lost record is seen."""
    records, written = SHAPES[content_type]
    pieces = [written(record) for record in data.draw(records)]
    cuts = data.draw(st.sets(st.integers(1, len(pieces) - 1)))
    edges = [0, *sorted(cuts), len(pieces)]
    parts = [b"".join(pieces[a:b]) for a, b in pairwise(edges)]
    if content_type != "application/x-recordio-protobuf":
        parts = [part.rstrip(b"\r\n") if data.draw(st.booleans()) else part for part in parts]
    whole = b"".join(pieces)

    found = checks.record_boundaries(whole, parts, content_type=content_type)
    assert found.passed, found.detail
    assert found.detail.startswith(f"{len(pieces)} records in {len(parts)} parts")
    assert not checks.record_boundaries(whole, parts[:-1], content_type=content_type).passed
    assert not checks.record_boundaries(
        whole, [*parts, parts[-1]], content_type=content_type
    ).passed
    assert not checks.record_boundaries(whole, [*parts, b""], content_type=content_type).passed
    largest = max(map(len, parts))
    assert checks.record_boundaries(whole, parts, content_type=content_type, limit=largest).passed
    assert not checks.record_boundaries(
        whole, parts, content_type=content_type, limit=largest - 1
    ).passed


@pytest.mark.documented("sagemaker:TransformInput.SplitType")
@pytest.mark.parametrize("content_type", SHAPES)
@given(data=st.data())
def test_a_cut_inside_a_record_is_seen(content_type: str, data: st.DataObject) -> None:
    """Cut anywhere but between two records (or around what ends them), the parts do not hold."""
    records, written = SHAPES[content_type]
    pieces = [written(record) for record in data.draw(records)]
    whole = b"".join(pieces)
    ends = np.cumsum([0, *map(len, pieces)])
    harmless = {int(end) - back for end in ends for back in (0, 1, 2, 3)}
    inside = sorted(set(range(1, len(whole))) - harmless)
    assume(inside)
    cut = data.draw(st.sampled_from(inside))
    assert not checks.record_boundaries(
        whole, [whole[:cut], whole[cut:]], content_type=content_type
    ).passed


def test_where_a_record_was_cut_is_said() -> None:
    """Which part, which record of the object, and how far into it."""
    whole = b'1,2\n3,"4\n5"\n6,7\n'
    assert checks.record_boundaries(whole, [b"1,2\n3,"]).detail == (
        "part 0 ends inside record 1, after 2 of its 7 bytes"
    )
    assert "a quoted cell that does not end" in checks.record_boundaries(whole, [whole[:8]]).detail
    assert checks.record_boundaries(whole, [b"2\n"]).detail == (
        "part 0 begins inside record 0, 2 bytes after its start"
    )
    assert "has b'9' where record 0 begins b'1,2'" in checks.record_boundaries(whole, [b"9"]).detail
    assert checks.record_boundaries(whole, [whole, b"1,2"]).detail == (
        "part 1 goes on with b'1,2' after the object's last record"
    )
    assert checks.record_boundaries(whole, []).detail == (
        "3 of 3 records are in no part, from 0 on"
    )
    assert "the object itself" in checks.record_boundaries(b'"', []).detail
    with pytest.raises(ValueError, match="application/json"):
        checks.record_boundaries(b"{}", [b"{}"], content_type="application/json")


@pytest.mark.documented("sagemaker:TransformInput.SplitType")
def test_a_single_record_may_come_without_its_padding() -> None:
    """One record per request is sent without padding; with a byte of its payload missing it is cut."""
    message = recordio.dumps(np.array([[1, 2, 3]], np.float32))
    payload = message[8 : 8 + int.from_bytes(message[4:8], "little")]
    whole = frame(payload + b"\0") * 2
    bare = frame(payload + b"\0")[: 8 + len(payload) + 1]
    protobuf = "application/x-recordio-protobuf"
    assert checks.record_boundaries(whole, [bare, bare], content_type=protobuf).passed
    cut = checks.record_boundaries(whole, [bare[:-1], bare], content_type=protobuf)
    assert not cut.passed
    assert "part 0" in cut.detail


@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html")
@pytest.mark.parametrize(
    ("data", "detail"),
    [
        ('{"a": 1}\n[2]\n3', "3 lines"),
        ('{"a": 1}\r\n', "1 lines"),
        ('{"a": 1}\n{"a": \n', "line 2, column 7"),
        ('{"a": 1}\n\n{"a": 2}\n', "line 2, column 1: a blank line"),
        ('{"a": NaN}\n', "NaN, which is not JSON"),
        ('{"a": 1, "a": 2}\n', "a second time"),
        ("\ufeff1\n", "a byte order mark"),
        (b'"\xff"\n', "the byte 0xff"),
        ("", "0 lines"),
    ],
)
def test_json_lines_are_json_line_by_line(data: bytes | str, detail: str) -> None:
    """What holds says how many lines there are; what does not says where it goes wrong."""
    found = checks.json_lines_valid(data)
    assert detail in found.detail
    assert found.passed is (detail in ("3 lines", "1 lines"))
