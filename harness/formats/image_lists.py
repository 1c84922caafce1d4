"""Lists of images (.lst): the number, the labels and the path of each, separated by tabs.

See docs/notes/image-records.md#lists.
"""

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import BinaryIO

from harness.formats.errors import FormatError
from harness.formats.lines import Line, iter_lines

_LEAST_COLUMNS = 3
_INDEX = re.compile(r"[0-9]{1,20}+", re.ASCII)
_LABEL = re.compile(r"[-+]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][-+]?[0-9]++)?+", re.ASCII)
_BLANKS = " \t\r\n"


@dataclass(frozen=True)
class ListedImage:
    """An image in a list: its number, one label or more, and its path below the channel's folder."""

    index: int
    labels: tuple[float, ...]
    path: str


def dumps(images: Iterable[ListedImage]) -> bytes:
    """Encode a list as MXNet's im2rec writes it: labels with six decimals, with more where they need more.

    FormatError for an image without label or path, and for a path that would not read back.
    """
    return b"".join(map(_encode, images, count()))


def dump(images: Iterable[ListedImage], file: BinaryIO) -> None:
    """Write what `dumps` returns to a binary file, line by line."""
    for number, image in enumerate(images):
        file.write(_encode(image, number))


def loads(data: bytes) -> list[ListedImage]:
    """Decode a list.

    FormatError, with line and column (of the table, from 1), for lines of another form, and for a number
    that occurs twice.
    """
    return load(io.BytesIO(data))


def load(file: BinaryIO) -> list[ListedImage]:
    """Decode the list in a binary file; errors as `loads`."""
    found: dict[int, ListedImage] = {}
    for line, image in enumerate(iter_records(file), 1):
        if image.index in found:
            raise FormatError(
                f"the number {image.index} a second time",
                expected="distinct numbers",
                line=line,
                column=1,
            )
        found[image.index] = image
    return list(found.values())


def iter_records(stream: BinaryIO) -> Iterator[ListedImage]:
    """Each image of a list, in order; errors as `loads`, but numbers are not compared."""
    for line in iter_lines(stream):
        yield _decode(line)


def _decode(line: Line) -> ListedImage:
    try:
        text = line.data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(
            "bytes that are not UTF-8",
            expected="UTF-8",
            line=line.number,
            offset=line.offset + error.start,
        ) from None
    cells = [cell.strip(_BLANKS) for cell in text.split("\t")]
    if len(cells) < _LEAST_COLUMNS:
        raise FormatError(
            f"{len(cells)} columns",
            expected="a number, labels and a path, between tabs",
            line=line.number,
            offset=line.offset,
        )
    index, *labels, path = cells
    for column, cell in enumerate(cells, 1):
        form, expected = (_INDEX, "the image's number") if column == 1 else (_LABEL, "a label")
        good = bool(cell) if column == len(cells) else form.fullmatch(cell)
        if not good:
            raise FormatError(
                f"the cell {cell!r}",
                expected="a path" if column == len(cells) else expected,
                line=line.number,
                column=column,
                offset=line.offset,
            )
    return ListedImage(int(index), tuple(map(float, labels)), path)


def _encode(image: ListedImage, number: int) -> bytes:
    cells = [str(image.index), *map(_text, image.labels), image.path]
    line = "\t".join(cells) + "\n"
    try:
        data = line.encode("utf-8")
        good = _decode(Line(data[:-1], 1, 0)) == image and data.count(b"\n") == 1
    except (UnicodeEncodeError, FormatError):
        good = False
    if not good:
        raise FormatError(
            f"the line {line!r}",
            expected="a number, finite labels and a path without tabs and line ends",
            record=number,
        )
    return data


def _text(label: float) -> str:
    short = f"{label:f}"
    return short if float(short) == label else repr(float(label))
