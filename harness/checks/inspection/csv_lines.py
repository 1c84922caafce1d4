"""CSV, line by line: the numbers of good lines, a finding for each other one."""

import csv as _csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from harness.checks.cells import is_number
from harness.checks.inspection.report import EVERY, LINEAR_LEARNER, Contents, Findings, Place
from harness.checks.inspection.statistics import too_large
from harness.formats import csv
from harness.formats.errors import FormatError

Array = npt.NDArray[Any]

_BLOCK = 1 << 20
_LONGEST_RECORD = 1 << 26
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = re.compile(rb"^\r?$", re.MULTILINE)
_NAMES = 8


def scan(stream: BinaryIO, findings: Findings, *, delimiter: str, label_size: int) -> Contents:
    """Read a stream to its end, or to where nothing more can be told of it."""
    scanner = _Scanner(findings, delimiter, label_size)
    for block in _blocks(stream):
        if not scanner.read(block):
            return scanner.contents
    scanner.end()
    return scanner.contents


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block if block.endswith(b"\n") else block + stream.readline(_LONGEST_RECORD)


@dataclass(frozen=True)
class _Record:
    """A record as it stands in the file, with what ends it, and the number of its first line."""

    data: bytes
    line: int

    @property
    def shown(self) -> str:
        return self.data.decode("utf-8", "replace").rstrip("\r\n")


class _Scanner:
    def __init__(self, findings: Findings, delimiter: str, label_size: int) -> None:
        self.contents = Contents(label_size=label_size)
        self._findings = findings
        self._delimiter = delimiter
        self._label_size = label_size
        self._columns: int | None = None
        # The line that comes next, and the lines of a record whose quoted cell is still open.
        self._line = 1
        self._begun: list[bytes] = []
        self._quotes = 0
        self._first_blank = self._blanks = 0
        self._returns = self._quoted = False

    def read(self, block: bytes) -> bool:
        """Take in whole lines; False when the rest need not be looked at."""
        if self._line == 1 and block.startswith(_BYTE_ORDER_MARK):
            self._findings.add(
                "byte_order_mark",
                "a byte order mark stands before the first cell",
                Place(line=1, column=1),
                shown="EF BB BF",
                refused_by=EVERY,
            )
            block = block[len(_BYTE_ORDER_MARK) :]
        self._returns = self._returns or b"\r\n" in block
        self._quoted = self._quoted or b'"' in block
        return self._read_at_once(block) or self._read_by_record(block)

    def _read_at_once(self, block: bytes) -> bool:
        """Take in a block whose records need not be looked at: there is nothing to find, or no more room for it."""
        quotes = block.count(b'"')
        if self._columns is None or self._begun or quotes % 2:
            return False
        try:
            found = csv.loads(block, delimiter=self._delimiter, missing=math.nan)
        except (FormatError, ValueError):
            return False
        blank = _BLANK.search(block)
        if quotes and blank and not self._findings.full:
            return False  # A blank line, or a newline in a cell.
        table: Array = found.features
        if len(table):
            if table.shape[1] != self._columns:
                return False
            odd = np.isnan(table).any() or too_large(table).any()
            if odd and not self._findings.full:
                return False
            self._add(table)
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        if not quotes and len(table) < lines:
            self._blanks += lines - len(table)
            if blank and not self._first_blank:
                self._first_blank = self._line + block.count(b"\n", 0, blank.start())
        self._line += lines
        return True

    def _read_by_record(self, block: bytes) -> bool:
        rows: list[Array] = []
        rest = 0
        for line in io.BytesIO(block):
            if self._findings.full and not self._begun:
                break
            rest += len(line)
            self._begun.append(line)
            self._quotes += line.count(b'"')
            if self._quotes % 2 == 0:
                record = _Record(b"".join(self._begun), self._line)
                self._line += len(self._begun)
                self._begun = []
                row = self._row(record)
                if row is not None:
                    rows.append(row)
        if rows:
            self._add(np.concatenate(rows))
        if rest < len(block) and not self._read_at_once(block[rest:]):
            self.contents.complete = False
        return self.contents.complete

    def _add(self, table: Array) -> None:
        contents, size = self.contents, self._label_size
        contents.records += len(table)
        contents.features.add(table[:, size:])
        if size == 1:
            contents.labels.add(table[:, 0])

    def end(self) -> None:
        """The stream is over."""
        if self._begun:
            self._findings.add(
                "open_quote",
                "a quoted cell begins and does not end",
                Place(line=self._line),
                shown=_Record(self._begun[0], self._line).shown,
                refused_by=EVERY,
            )
        if self._blanks:
            self._findings.add(
                "blank_line",
                "a blank line, which is skipped",
                Place(line=self._first_blank),
                times=self._blanks,
            )
        if self._returns:
            self.contents.notes.append("lines end in CRLF, which is read as a newline")
        if self._quoted:
            self.contents.notes.append("some cells are quoted")

    def _row(self, record: _Record) -> Array | None:
        """The numbers of a record; None, and a finding, when it has others."""
        if not record.data.strip(b"\r\n"):
            self._first_blank = self._first_blank or record.line
            self._blanks += 1
            return None
        first = self._columns is None
        if first:
            self._columns = len(self._cells(record))
            self.contents.width = max(0, self._columns - self._label_size)
        try:
            row: Array = csv.loads(
                record.data, delimiter=self._delimiter, missing=math.nan
            ).features
        except FormatError as error:
            self._refuse(record, error, first)
            return None
        if row.shape[1] != self._columns:
            self._findings.add(
                "width",
                f"{row.shape[1]} columns, the first line has {self._columns}",
                Place(line=record.line),
                shown=record.shown,
                refused_by=EVERY,
            )
            return None
        self._look_at(row[0], record)
        return row

    def _cells(self, record: _Record) -> list[str]:
        try:
            return next(
                _csv.reader(io.StringIO(record.shown, newline=""), delimiter=self._delimiter), []
            )
        except _csv.Error:
            return record.shown.split(self._delimiter)

    def _refuse(self, record: _Record, error: FormatError, first: bool) -> None:
        place = Place(line=record.line + (error.line or 1) - 1, column=error.column)
        if error.column is None:
            self._findings.add(
                "unreadable", error.problem, place, shown=record.shown, refused_by=EVERY
            )
            return
        cells = self._cells(record)
        words = [cell for cell in cells if not is_number(cell)]
        if first and 2 * len(words) > len(cells):
            names = ", ".join(words[:_NAMES]) + (", ..." if len(words) > _NAMES else "")
            self._findings.add(
                "header",
                "a header: names where numbers must be",
                place,
                shown=names,
                refused_by=EVERY,
            )
            return
        shown = cells[error.column - 1] if error.column <= len(cells) else record.shown
        self._findings.add("not_a_number", "not a number", place, shown=shown, refused_by=EVERY)

    def _look_at(self, row: Array, record: _Record) -> None:
        for kind, found in (("missing", np.isnan(row)), ("infinite", too_large(row))):
            columns = np.flatnonzero(found).tolist()
            if not columns:
                continue
            cells = self._cells(record)
            label = columns[0] < self._label_size
            more = f", and {len(columns) - 1} more in this line" if len(columns) > 1 else ""
            self._findings.add(
                f"{kind}_label" if label else f"{kind}_value",
                f"{'the label' if label else 'a value'} is {_CALLED[kind]}{more}",
                Place(line=record.line, column=columns[0] + 1),
                shown=cells[columns[0]]
                if len(columns) == 1 and cells[columns[0]]
                else record.shown,
                refused_by=EVERY if label or kind == "infinite" else (LINEAR_LEARNER,),
            )


_CALLED = {"missing": "missing", "infinite": "infinite, or too large for 32 bits"}
