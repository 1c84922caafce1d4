"""JSON Lines line by line, and JSON as one text: only linear-learner and its kin take them, as requests."""

from typing import BinaryIO

from harness.checks.inspection.features import add_features
from harness.checks.inspection.report import LINEAR_LEARNER, Contents, Findings, Place
from harness.formats import json_requests, strict_json
from harness.formats.errors import FormatError
from harness.formats.lines import Line, iter_lines

_ALL = (LINEAR_LEARNER,)
_LARGEST_JSON = 1 << 26


def scan_json_lines(stream: BinaryIO, findings: Findings, *, instances: bool) -> Contents:
    """JSON Lines; with `instances` each line must be a row of features, as in a request."""
    contents = Contents(label_size=0)
    blanks = [0, 0]
    try:
        for line in iter_lines(stream):
            if findings.full:
                contents.complete = False
                break
            if not line.data.strip():
                blanks = [blanks[0] or line.number, blanks[1] + 1]
                continue
            if _is_json(line, findings):
                contents.records += 1
                if instances:
                    _take_instance(line, findings, contents)
    except FormatError as error:
        findings.add_error("unreadable", error, refused_by=_ALL)
        contents.complete = False
    if blanks[1]:
        findings.add(
            "blank_line",
            "a blank line: some readers skip it, the SDK's deserializer fails at it",
            Place(line=blanks[0]),
            times=blanks[1],
        )
    return contents


def _is_json(line: Line, findings: Findings) -> bool:
    """Whether a line is JSON to the readers of containers, which let some things pass that are none."""
    try:
        strict_json.loads(line.data, line=line.number, offset=line.offset)
    except FormatError as error:
        shown = line.data.decode("utf-8", "replace")
        try:
            strict_json.loads(line.data, allow_nan=True, lenient=True)
        except FormatError:
            findings.add_error("not_json", error, shown=shown, refused_by=_ALL)
            return False
        findings.add_error("lenient_json", error, shown=shown, refused_by=())
    return True


def _take_instance(line: Line, findings: Findings, contents: Contents) -> None:
    shown = line.data.decode("utf-8", "replace")
    try:
        found = json_requests.loads(line.data, lines=True, allow_nan=True, lenient=True)
    except FormatError as error:
        place = FormatError(error.problem, expected=error.expected, line=line.number)
        findings.add_error("instance", place, shown=shown, refused_by=_ALL)
        return
    if contents.width is None:
        contents.width = found.width
    if found.width != contents.width:
        findings.add(
            "instance_width",
            f"{found.width} features, the first instance has {contents.width}",
            Place(line=line.number),
            shown=shown,
            refused_by=_ALL,
        )
        return
    add_features(found, Place(line=line.number), findings, contents, refused_by=_ALL, shown=shown)


def scan_json(stream: BinaryIO, findings: Findings) -> Contents:
    """A request in JSON: one text with a list of instances."""
    contents = Contents(label_size=0)
    data = stream.read(_LARGEST_JSON + 1)
    if len(data) > _LARGEST_JSON:
        contents.complete = False
        contents.notes.append("more than 64 MiB of JSON, which is not looked into")
        return contents
    try:
        strict_json.loads(data)
    except FormatError as error:
        line = data.split(b"\n")[(error.line or 1) - 1].decode("utf-8", "replace")
        try:
            strict_json.loads(data, allow_nan=True, lenient=True)
        except FormatError:
            findings.add_error("not_json", error, shown=line, refused_by=_ALL)
            contents.complete = False
            return contents
        findings.add_error("lenient_json", error, shown=line, refused_by=())
    try:
        found = json_requests.loads(data, allow_nan=True, lenient=True)
    except FormatError as error:
        findings.add_error("instance", error, refused_by=_ALL)
        return contents
    if not len(found):
        findings.add("empty", "no instances", refused_by=_ALL)
        return contents
    contents.records, contents.width = len(found), found.width
    add_features(found, Place(), findings, contents, refused_by=_ALL)
    return contents
