"""The files of a channel: which are read, and what their first lines must look like."""

import os
from collections.abc import Callable
from pathlib import Path

from harness.algorithms.xgboost.log import Log
from harness.algorithms.xgboost.versions import Version
from harness.formats.diagnosis import say
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.refusal import DataRefused
from harness.formats.readers.xgboost import first_lines
from harness.formats.readers.xgboost.content_types import Format

_DEEPEST_FOLDER = 3

Show = Callable[[Path], str]
"""Turns a path into the one under /opt/ml that it stands for."""


def size(path: Path, show: Show, log: Log) -> int:
    """Bytes in all files under `path`, 0 when there is none; DataRefused for a hidden file among them."""
    if not path.exists():
        log.info(f"Path {show(path)} does not exist!")
        return 0
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            if name.startswith("."):
                raise DataRefused(say("xgboost_hidden_file"))
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
    """DataRefused with the image's message for a file whose beginning is not what the format demands."""
    for file in _files_of(_first_leaf(path)):
        if not file.name.startswith((".", "_")):
            first_lines.check(
                DataFile(file, file.name), form, log, as_0_72=version.has("first_line_checks")
            )


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
