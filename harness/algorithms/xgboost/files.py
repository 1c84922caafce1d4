"""The files of a channel: which are read, and what their first lines must look like."""

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path

from harness.algorithms.xgboost.content_types import Format
from harness.algorithms.xgboost.errors import UserError
from harness.algorithms.xgboost.log import Log
from harness.algorithms.xgboost.versions import Version
from harness.formats.diagnosis import say

_DEEPEST_FOLDER = 3
_SNIPPET = 50
_LONGEST_FIRST_LINE = 1 << 26

Show = Callable[[Path], str]
"""Turns a path into the one under /opt/ml that it stands for."""


def size(path: Path, show: Show, log: Log) -> int:
    """Bytes in all files under `path`, 0 when there is none; UserError for a hidden file among them."""
    if not path.exists():
        log.info(f"Path {show(path)} does not exist!")
        return 0
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            if name.startswith("."):
                raise UserError(say("xgboost_hidden_file"))
            total += (Path(folder) / name).stat().st_size
    return total


def to_read(path: Path, version: Version, show: Show, log: Log) -> list[Path]:
    """The files whose content is trained on, in the order of their paths.

    Since 1.3 those in folders up to three deep, before it those of the first folder without sub-folders.
    """
    if not version.has("folders_followed"):
        return _files_of(_first_leaf(path))
    found: list[Path] = []
    too_deep = False
    for folder, folders, names in os.walk(path, followlinks=True):
        depth = len(Path(folder).relative_to(path).parts) + 1
        if depth > _DEEPEST_FOLDER:
            folders.clear()
            too_deep = True
            continue
        found += [Path(folder) / name for name in names]
    if too_deep:
        log.warning(say("xgboost_too_deep", path=show(path), limit=_DEEPEST_FOLDER))
    return sorted(found)


def _first_leaf(path: Path) -> Path:
    for folder, folders, _ in os.walk(path):
        folders.sort()
        if not folders:
            return Path(folder)
    return path


def _files_of(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_file())


def check_first_lines(path: Path, form: Format, version: Version, log: Log) -> None:
    """UserError with the image's message for a file whose beginning is not what the format demands."""
    for file in _files_of(_first_leaf(path)):
        if file.name.startswith((".", "_")):
            continue
        if version.has("first_line_checks"):
            _check_first_line(file, form)
        elif form is Format.CSV:
            delimiter(_first_line(file), log)
        elif form is Format.LIBSVM:
            _check_libsvm(file, log)


def _first_line(file: Path) -> str:
    with file.open(encoding="utf-8", errors="ignore") as lines:
        return lines.readline(_LONGEST_FIRST_LINE)


def first_delimiter(files: list[Path], log: Log) -> str:
    """The delimiter of the first file's first line: all files are read with it."""
    return delimiter(_first_line(files[0]), log)


def delimiter(line: str, log: Log) -> str:
    """The delimiter that Python's csv.Sniffer finds in a line; UserError when it finds none, or part of a number."""
    try:
        found = sniff(line)
        if found.isalnum() or found in ".+-\r":
            # Of a single number the sniffer takes a digit for the delimiter.
            raise csv.Error("Could not determine delimiter")
    except csv.Error as error:
        raise UserError(say("xgboost_no_delimiter", line=line[:_SNIPPET], problem=error)) from None
    log.info(f"Determined delimiter of CSV input is '{found}'")
    return found


def sniff(line: str) -> str:
    """What csv.Sniffer().sniff(line).delimiter is; csv.Error when it cannot tell."""
    # Without quotes the sniffer takes the comma whenever there is one: no need to count characters.
    if "," in line and '"' not in line and "'" not in line:
        return ","
    return csv.Sniffer().sniff(line).delimiter


def header(line: str) -> str | None:
    """The letter that shows a first line to be a header, as 0.72 looks for it; None for a line of numbers."""
    match = re.search("[a-df-zA-DF-Z]", line)
    return match.group(0) if match else None


def header_error(letter: str, line: str, file: Path) -> UserError:
    """What 0.72 says about a header."""
    return UserError(say("xgboost_header", letter=letter, line=line[:_SNIPPET], file=file.name))


def _check_first_line(file: Path, form: Format) -> None:
    line = _first_line(file)
    shown = {"line": line[:_SNIPPET], "file": file.name}
    both = " " in line and ":" in line
    if form is Format.CSV:
        if both:
            raise UserError(say("xgboost_libsvm_as_csv", **shown))
        letter = header(line)
        if letter is not None:
            raise header_error(letter, line, file)
    elif form is Format.LIBSVM and not both:
        raise UserError(say("xgboost_csv_as_libsvm", **shown))


def _check_libsvm(file: Path, log: Log) -> None:
    with file.open(encoding="utf-8", errors="ignore") as lines:
        while line := lines.readline(_LONGEST_FIRST_LINE):
            features = _libsvm_features(line, log)
            if features > 1:
                return
            if features < 0:
                raise UserError(say("xgboost_not_libsvm", line=line[:_SNIPPET], file=file.name))
    log.warning(say("xgboost_no_features", file=file.name))


def _libsvm_features(line: str, log: Log) -> int:
    """How many features a line of libsvm has, -1 when it is none, as the image tells: laxer than the codec."""
    label, *features = line.split(" ")
    if not _is_libsvm_label(label):
        log.error(f"{label} does not follow LIBSVM label format <label>(:<weight>).")
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


def warn_of_redundancy(train: Path, validation: Path, show: Show, log: Log) -> None:
    """Warn of files that have the same name and size in both channels."""
    if not (train.is_dir() and validation.is_dir()):
        return
    ours = {file.name: file for file in _files_of(train)}
    for other in _files_of(validation):
        file = ours.get(other.name)
        if file is not None and file.stat().st_size == other.stat().st_size:
            log.warning(
                say(
                    "xgboost_identical_files",
                    train=show(file),
                    validation=show(other),
                    size=other.stat().st_size,
                )
            )
