"""JSON Lines (application/jsonlines): a JSON value per line, and only a newline ends a line.

See docs/notes/json.md#json-lines.
"""

import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from harness.formats import strict_json
from harness.formats.errors import FormatError
from harness.formats.lines import iter_lines

CONTENT_TYPE = "application/jsonlines"


def dumps(values: Iterable[Any], *, allow_nan: bool = False) -> bytes:
    """Encode values, each as one line of ASCII; every line ends with a newline.

    `allow_nan` writes NaN and Infinity, as the SDK does. FormatError, with the record's number, for
    what JSON cannot hold.
    """
    return b"".join(_encode(values, allow_nan))


def dump(values: Iterable[Any], file: BinaryIO, *, allow_nan: bool = False) -> None:
    """Write what `dumps` returns to a binary file, line by line."""
    for line in _encode(values, allow_nan):
        file.write(line)


def loads(data: bytes, *, allow_nan: bool = False, lenient: bool = False) -> list[Any]:
    """The values of all lines.

    `allow_nan` takes NaN, Infinity and -Infinity for numbers, as the SDK writes them. `lenient` lets
    pass what many readers do: blank lines, byte order marks, and keys that occur twice (the last one
    counts). The last line may lack its newline. FormatError, with line and column (from 1), for
    anything else.
    """
    return load(io.BytesIO(data), allow_nan=allow_nan, lenient=lenient)


def load(file: BinaryIO, *, allow_nan: bool = False, lenient: bool = False) -> list[Any]:
    """The values of all lines of a binary file; arguments and errors as `loads`."""
    return list(iter_records(file, allow_nan=allow_nan, lenient=lenient))


def iter_records(
    stream: BinaryIO, *, allow_nan: bool = False, lenient: bool = False
) -> Iterator[Any]:
    """The value of each line of a stream; memory holds one value and one block. Errors as `loads`."""
    for _, value in iter_numbered(stream, allow_nan=allow_nan, lenient=lenient):
        yield value


def iter_numbered(
    stream: BinaryIO, *, allow_nan: bool = False, lenient: bool = False
) -> Iterator[tuple[int, Any]]:
    """The number of each line (from 1) and its value; otherwise `iter_records`."""
    for line in iter_lines(stream):
        if not line.data.strip():
            if lenient:
                continue
            raise FormatError(
                "a blank line",
                expected="a JSON value",
                line=line.number,
                column=1,
                offset=line.offset,
            )
        value = strict_json.loads(
            line.data, allow_nan=allow_nan, lenient=lenient, line=line.number, offset=line.offset
        )
        yield line.number, value


def _encode(values: Iterable[Any], allow_nan: bool) -> Iterator[bytes]:
    for index, value in enumerate(values):
        try:
            yield strict_json.dumps(value, allow_nan=allow_nan) + b"\n"
        except FormatError as error:
            raise FormatError(error.problem, expected=error.expected, record=index) from None
