"""What the first lines of a file must look like, and the delimiter that they show."""

import csv
import io
import re
from typing import BinaryIO

from harness.formats.diagnosis import say
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.notes import Notes
from harness.formats.readers.refusal import DataRefused
from harness.formats.readers.xgboost.content_types import Format

_SNIPPET = 50
_LONGEST = 1 << 26


def check(file: DataFile, form: Format, notes: Notes, *, as_0_72: bool) -> None:
    """DataRefused with the image's message for a file whose beginning is not what the format demands."""
    if as_0_72:
        _check_as_0_72(file, form)
    elif form is Format.CSV:
        delimiter(file, notes)
    elif form is Format.LIBSVM:
        _check_libsvm(file, notes)


def delimiter(file: DataFile, notes: Notes) -> str:
    """The delimiter that Python's csv.Sniffer finds in the first line of a file.

    DataRefused when it finds none, or part of a number.
    """
    line = first_line(file)
    try:
        found = sniff(line)
        if found.isalnum() or found in ".+-\r":
            # Of a single number the sniffer takes a digit for the delimiter.
            raise csv.Error("Could not determine delimiter")
    except csv.Error as error:
        raise DataRefused(
            say("xgboost_no_delimiter", line=line[:_SNIPPET], problem=error)
        ) from None
    notes.info(f"Determined delimiter of CSV input is '{found}'")
    return found


def sniff(line: str) -> str:
    """What csv.Sniffer().sniff(line).delimiter is; csv.Error when it cannot tell."""
    # Without quotes the sniffer takes the comma whenever there is one: no need to count characters.
    if "," in line and '"' not in line and "'" not in line:
        return ","
    return csv.Sniffer().sniff(line).delimiter


def first_line(file: DataFile) -> str:
    """The first line with its end; bytes that are not UTF-8 are left out, as the image leaves them out."""
    with file.open() as stream, _text(stream) as lines:
        return lines.readline(_LONGEST)


def _text(stream: BinaryIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream, encoding="utf-8", errors="ignore")


def header(line: str) -> str | None:
    """The letter that shows a first line to be a header, as 0.72 looks for it; None for a line of numbers."""
    match = re.search("[a-df-zA-DF-Z]", line)
    return match.group(0) if match else None


def header_text(letter: str, line: str, file: DataFile) -> str:
    """What 0.72 says about a header."""
    return say("xgboost_header", letter=letter, line=line[:_SNIPPET], file=file.name)


def _check_as_0_72(file: DataFile, form: Format) -> None:
    line = first_line(file)
    shown = {"line": line[:_SNIPPET], "file": file.name}
    both = " " in line and ":" in line
    if form is Format.CSV:
        if both:
            raise DataRefused(say("xgboost_libsvm_as_csv", **shown))
        letter = header(line)
        if letter is not None:
            raise DataRefused(header_text(letter, line, file))
    elif form is Format.LIBSVM and not both:
        raise DataRefused(say("xgboost_csv_as_libsvm", **shown))


def _check_libsvm(file: DataFile, notes: Notes) -> None:
    with file.open() as stream, _text(stream) as lines:
        while line := lines.readline(_LONGEST):
            features = _libsvm_features(line, notes)
            if features > 1:
                return
            if features < 0:
                raise DataRefused(say("xgboost_not_libsvm", line=line[:_SNIPPET], file=file.name))
    notes.warning(say("xgboost_no_features", file=file.name))


def _libsvm_features(line: str, notes: Notes) -> int:
    """How many features a line of libsvm has, -1 when it is none."""
    label, *features = line.split(" ")
    if not _is_libsvm_label(label):
        notes.error(f"{label} does not follow LIBSVM label format <label>(:<weight>).")
        return -1
    # Of the features only the first is looked at more closely.
    if any(":" not in feature for feature in features) or (
        features and features[0].count(":") != 1
    ):
        return -1
    return len(features)


def _is_libsvm_label(text: str) -> bool:
    parts = text.split(":")
    try:
        return len(parts) <= 2 and all(float(part) is not None for part in parts)
    except ValueError:
        return False
