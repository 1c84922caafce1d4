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
                raise UserError("Hidden file found in the data path! Remove that before training.")
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
        log.warning(
            f"The depth of folder {show(path)} exceed the limit {_DEEPEST_FOLDER}. Files in deeper sub dirs "
            "won't be loaded. Please adjust the folder structure accordingly."
        )
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
        raise UserError(
            f"Could not determine delimiter on line {line[:_SNIPPET]}:\n{error}"
        ) from None
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
    return UserError(
        f"Non-numeric value '{letter}' found in the header line '{line[:_SNIPPET]}...' of file '{file.name}'. "
        "CSV format require no header line in it. If header line is already removed, XGBoost does not accept "
        "non-numeric value in the data."
    )


def _check_first_line(file: Path, form: Format) -> None:
    line = _first_line(file)
    start = f"'{line[:_SNIPPET]}...' of file '{file.name}'"
    if form is Format.CSV:
        if " " in line and ":" in line:
            raise UserError(
                f"Blankspace and colon found in firstline {start}. Please ensure the file is in csv format."
            )
        letter = header(line)
        if letter is not None:
            raise header_error(letter, line, file)
    elif form is Format.LIBSVM and not (" " in line and ":" in line):
        raise UserError(  # "defaullt" is the image's spelling.
            f"Blankspace and colon not found in firstline {start}. ContentType by defaullt is in libsvm. "
            "Please ensure the file is in libsvm format."
        )


def _check_libsvm(file: Path, log: Log) -> None:
    with file.open(encoding="utf-8", errors="ignore") as lines:
        while line := lines.readline(_LONGEST_FIRST_LINE):
            features = _libsvm_features(line, log)
            if features > 1:
                return
            if features < 0:
                raise UserError(
                    f"First line '{line[:_SNIPPET]}...' of file '{file.name}' is not 'LIBSVM' format. "
                    "Please ensure the file is in 'LIBSVM' format."
                )
    log.warning(
        f"File {file.name} is not an invalid LIBSVM file but has no features. Accepting simple validation."
    )


def _libsvm_features(line: str, log: Log) -> int:
    """How many features a line of libsvm has, -1 when it is none."""
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
                f"Suspected identical files found. ({show(file)} and {show(other)}with same size "
                f"{other.stat().st_size} bytes). Note: Duplicate data in the training set and validation set "
                "is usually not intentional and can impair the validity of the model evaluation by the "
                "validation score."
            )
