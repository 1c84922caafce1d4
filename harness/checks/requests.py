"""Checks on requests: their size, and whether an object was split into them between its records."""

import io
from collections.abc import Callable, Mapping, Sequence

from harness.checks.result import CheckResult, Invariant
from harness.formats import csv, framing, jsonlines, recordio
from harness.formats.errors import FormatError

LARGEST_REQUEST = 6_291_456
"""`BodyBlob.max` of the runtime's model; a batch transform's default of 6 MB is the same number."""

_SHOWN = 40
# Records of recordIO begin at multiples of it: see docs/notes/recordio.md#framing.
_ALIGNMENT = 4

_WITHIN_LIMIT = Invariant(
    "within_payload_limit",
    "A request to a real-time endpoint is not larger than the service accepts.",
    "sagemaker-runtime:InvokeEndpointInput.Body",
)
_BOUNDARIES = Invariant(
    "record_boundaries",
    "An object that is split into mini-batches is cut between records only, and all of it is sent.",
    "sagemaker:TransformInput.SplitType",
)


_JSON_LINES = Invariant(
    "json_lines_valid",
    "In JSON Lines each line is one JSON value, and no line is blank.",
    "https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html",
)


def within_payload_limit(body: bytes | str, *, limit: int = LARGEST_REQUEST) -> CheckResult:
    """A request body of at most `limit` bytes."""
    size = len(body.encode() if isinstance(body, str) else body)
    return _WITHIN_LIMIT.result(size <= limit, f"{size:,} of {limit:,} bytes")


def json_lines_valid(data: bytes | str) -> CheckResult:
    """Each line of `data` is JSON as RFC 8259 has it, in UTF-8: NaN, which the SDK writes, is not."""
    raw = data.encode() if isinstance(data, str) else data
    try:
        lines = sum(1 for _ in jsonlines.iter_records(io.BytesIO(raw)))
    except FormatError as error:
        return _JSON_LINES.result(False, str(error))
    return _JSON_LINES.result(lines > 0, f"{lines} lines")


def record_boundaries(
    whole: bytes,
    parts: Sequence[bytes],
    *,
    content_type: str = csv.CONTENT_TYPE,
    limit: int = LARGEST_REQUEST,
) -> CheckResult:
    """`parts` are the records of the object `whole` in order, none cut in two, each part at most `limit` bytes.

    `content_type` is text/csv or application/jsonlines, whose records are lines, or recordIO-protobuf. What
    ends a line, blank lines, and the padding at the end of a part may be left out, as splitting does.
    """
    split = _SPLITTERS.get(content_type)
    if split is None:
        raise ValueError(f"{content_type!r} is none of {', '.join(_SPLITTERS)}")
    try:
        records = split(whole)
    except FormatError as error:
        return _BOUNDARIES.result(False, f"the object itself: {error}")
    at = 0
    for number, part in enumerate(parts):
        if len(part) > limit:
            return _BOUNDARIES.result(
                False, f"part {number} has {len(part):,} bytes, the limit is {limit:,}"
            )
        try:
            found = split(part)
        except FormatError as error:
            return _BOUNDARIES.result(False, f"part {number}, record {at} of the object: {error}")
        if not found:
            return _BOUNDARIES.result(False, f"part {number} has no record")
        for place, record in enumerate(found):
            if at == len(records) or record != records[at]:
                reason = _misplaced(records, at, record, last=place == len(found) - 1)
                return _BOUNDARIES.result(False, f"part {number} {reason}")
            at += 1
    if at < len(records):
        return _BOUNDARIES.result(
            False, f"{len(records) - at} of {len(records)} records are in no part, from {at} on"
        )
    largest = max(map(len, parts), default=0)
    return _BOUNDARIES.result(
        True,
        f"{len(records)} records in {len(parts)} parts, the largest {largest:,} of {limit:,} bytes",
    )


def _misplaced(records: Sequence[bytes], at: int, found: bytes, *, last: bool) -> str:
    """What is wrong with a part that has `found` where record `at` of the object should be."""
    shown = repr(found[:_SHOWN])
    if at == len(records):
        return f"goes on with {shown} after the object's last record"
    expected = records[at]
    if last and expected.startswith(found):
        return f"ends inside record {at}, after {len(found)} of its {len(expected)} bytes"
    if found and expected.endswith(found):
        return f"begins inside record {at}, {len(expected) - len(found)} bytes after its start"
    return f"has {shown} where record {at} begins {expected[:_SHOWN]!r}"


def _csv_records(data: bytes) -> list[bytes]:
    """Lines without their ends; a quoted cell may hold one. FormatError for a quote that stays open."""
    records: list[bytes] = []
    begun: list[bytes] = []
    quotes = 0
    for line in io.BytesIO(data):
        begun.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            records.append(b"".join(begun).rstrip(b"\r\n"))
            begun = []
    if begun:
        raise FormatError(
            "a quoted cell that does not end", expected='a second "', record=len(records)
        )
    return [record for record in records if record]


def _lines(data: bytes) -> list[bytes]:
    return [line for line in (line.rstrip(b"\r") for line in data.split(b"\n")) if line]


def _recordio_records(data: bytes) -> list[bytes]:
    # A request of one record comes without its padding.
    lacking = -len(data) % _ALIGNMENT
    records = [found.payload for found in framing.iter_frames(io.BytesIO(data + bytes(lacking)))]
    if lacking and -len(records[-1]) % _ALIGNMENT != lacking:
        raise FormatError(
            f"the data ends {lacking} bytes too early",
            expected="a whole record",
            record=len(records) - 1,
        )
    return records


_SPLITTERS: Mapping[str, Callable[[bytes], list[bytes]]] = {
    csv.CONTENT_TYPE: _csv_records,
    jsonlines.CONTENT_TYPE: _lines,
    recordio.CONTENT_TYPE: _recordio_records,
}
