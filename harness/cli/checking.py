"""`harness check`: what SageMaker would make of a data file."""

import json
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, BinaryIO

from harness.checks.inspection import (
    ALGORITHMS,
    Inspection,
    Use,
    content_type_of,
    inspect,
    recognised,
)
from harness.cli.problem import Problem

INTERRUPTED = 130

_HEAD = 4096
_BUFFER = 1 << 20
_LONG = 1 << 25
"""Bytes to be read in all from which on it is shown how far they have been."""
_PARQUET = ("application/x-parquet", "parquet")
_TABS = ("tab", "\\t", "\t")


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    file: Path
    content_type: str | None
    use: str | None
    algorithms: tuple[str, ...]
    label_size: int | None
    delimiter: str | None
    limit: int
    json: str | None


def check(options: Options) -> int:
    """Look at the file and say what was found; 0 when it can be used."""
    size = _size(options.file)
    content_type = options.content_type or _content_type(options.file)
    if content_type.split(";")[0].strip().lower() in _PARQUET:
        raise Problem(
            "Parquet is not looked into",
            "check the same data as CSV: to_csv(header=False, index=False)",
        )
    algorithms = tuple(dict.fromkeys(map(_algorithm, options.algorithms)))
    use, delimiter = _use(options.use), _delimiter(options.delimiter)
    try:
        with _watched(size * (1 + len(algorithms or ALGORITHMS[:2]))) as opened:
            inspection = inspect(
                options.file,
                content_type,
                use=use,
                algorithms=algorithms,
                label_size=options.label_size,
                delimiter=delimiter,
                limit=options.limit,
                opened=opened,
            )
    except OSError as error:
        raise Problem(
            f"{options.file} cannot be read: {error.strerror or error}", "look at it with ls -l"
        ) from None
    except KeyboardInterrupt:
        print("harness: interrupted", file=sys.stderr)
        return INTERRUPTED
    _write(inspection, options.json)
    return 0 if inspection.usable else 1


def _write(inspection: Inspection, where: str | None) -> None:
    text = json.dumps(inspection.to_json(), indent=2, ensure_ascii=False) + "\n"
    if where == "-":
        sys.stdout.write(text)
        return
    if where is not None:
        try:
            Path(where).write_text(text, "utf-8")
        except OSError as error:
            raise Problem(
                f"{where} cannot be written: {error.strerror}", "give --json another file, or -"
            ) from None
    from harness.cli.inspection_table import show

    show(inspection, sys.stdout)


def _size(path: Path) -> int:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise Problem(f"there is no file {path}", "look at the path, or at ls") from None
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}", "look at the path") from None
    if stat.S_ISDIR(found.st_mode):
        raise Problem(
            f"{path} is a folder", f"name one file in it, e.g. harness check {path}/train.csv"
        )
    if not stat.S_ISREG(found.st_mode):
        raise Problem(f"{path} is no ordinary file", "write the data into one first")
    return found.st_size


def _content_type(path: Path) -> str:
    found = content_type_of(path)
    if found is None:
        with path.open("rb") as file:
            found = recognised(file.read(_HEAD))
    if found is None:
        raise Problem(
            f"the name of {path.name} does not tell what is in it",
            "say it: --content-type text/csv, or application/x-recordio-protobuf, ...",
        )
    return found


def _algorithm(name: str) -> str:
    if name in ALGORITHMS:
        return name
    repository, _, tag = name.partition(":")
    if repository == "xgboost" and tag:
        from harness.algorithms.xgboost.versions import by_tag

        try:
            old = by_tag(tag).has("first_line_checks")
        except KeyError:
            raise Problem(
                f"{tag} is no version of XGBoost's image", "name one, e.g. xgboost:1.7-1"
            ) from None
        return "xgboost:1" if old else "xgboost"
    raise Problem(
        f"nothing is known of how {name!r} reads its data", f"choose from {', '.join(ALGORITHMS)}"
    )


def _use(name: str | None) -> Use | None:
    if name is None:
        return None
    try:
        return Use(name)
    except ValueError:
        raise Problem(
            f"--use {name} is not known", "say --use training, or --use inference"
        ) from None


def _delimiter(text: str | None) -> str | None:
    if text is None:
        return None
    found = "\t" if text in _TABS else text
    if len(found) != 1 or found in '"\r\n':
        raise Problem(
            f"--delimiter {text!r} is not one character", "say e.g. --delimiter ';', or tab"
        )
    return found


@contextmanager
def _watched(total: int) -> Iterator[Callable[[Path], BinaryIO] | None]:
    """A way to open files that shows on a terminal how far they have been read."""
    if total < _LONG or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    columns = ("reading", BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)

        def opened(path: Path) -> BinaryIO:
            raw = _Counted(path, lambda count: progress.advance(task, count))
            return BufferedReader(raw, _BUFFER)

        yield opened


class _Counted(FileIO):
    """A file that tells how many bytes were read from it."""

    def __init__(self, path: Path, tell: Callable[[int], object]) -> None:
        super().__init__(path)
        self._tell = tell

    def readinto(self, buffer: Any, /) -> int | None:
        """Read, and tell."""
        count = super().readinto(buffer)
        self._tell(count or 0)
        return count
