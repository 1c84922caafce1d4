"""libsvm, line by line; of the built-in algorithms only XGBoost takes it."""

import io
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from harness.checks.inspection.features import add_features
from harness.checks.inspection.report import XGBOOST, Contents, Findings, Place
from harness.formats import libsvm
from harness.formats.errors import FormatError
from harness.formats.lines import Block, iter_blocks, iter_lines

_ALL = (XGBOOST,)


def scan(stream: BinaryIO, findings: Findings, *, labels: bool) -> Contents:
    """libsvm; `labels` says whether each line must begin with a label, as in training."""
    contents = Contents(label_size=1 if labels else 0, width=0)

    def take(found: libsvm.WeightedRecords, line: int, shown: str = "") -> None:
        contents.records += len(found)
        contents.width = max(contents.width or 0, found.width)
        place = Place(line=line)
        add_features(found, place, findings, contents, refused_by=_ALL, shown=shown)
        if found.labels is not None:
            contents.labels.add(found.labels)
            if found.weights is not None and "weights" not in "".join(contents.notes):
                contents.notes.append("labels have weights")

    try:
        for block in iter_blocks(stream):
            if not _at_once(block, labels, take):
                _line_by_line(block, labels, take, findings)
            if findings.full:
                contents.complete = False
                break
    except FormatError as error:
        findings.add_error("unreadable", error, refused_by=_ALL)
        contents.complete = False
    if not contents.records and not findings.kept():
        findings.add("empty", "no records", refused_by=_ALL)
    elif contents.records and not contents.width:
        findings.add("no_features", "no line has a feature", Place(line=1), refused_by=_ALL)
    return contents


_Take = Callable[..., None]


def _at_once(block: Block, labels: bool, take: _Take) -> bool:
    """Take in a block in which there is nothing to find."""
    try:
        found = libsvm.loads(block.data, labels=labels)
    except FormatError:
        return False
    arrays = [found.features.data] + ([] if found.labels is None else [found.labels])
    if not all(np.isfinite(array).all() for array in arrays):
        return False
    take(found, block.line)
    return True


def _line_by_line(block: Block, labels: bool, take: _Take, findings: Findings) -> None:
    for line in iter_lines(io.BytesIO(block.data)):
        if findings.full:
            return
        number = block.line + line.number - 1
        shown = line.data.decode("utf-8", "replace")
        try:
            found = libsvm.loads(line.data, labels=labels)
        except FormatError as error:
            place = FormatError(
                error.problem, expected=error.expected, line=number, column=error.column
            )
            findings.add_error("not_libsvm", place, shown=shown, refused_by=_ALL)
            continue
        if found.labels is not None and not np.isfinite(found.labels).all():
            findings.add(
                "infinite_label",
                "the label is nan or infinite, which XGBoost's reader does not read",
                Place(line=number),
                shown=shown,
                refused_by=_ALL,
            )
        if len(found):
            take(found, number, shown)
