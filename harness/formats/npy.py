"""npy (application/x-npy): one numpy array to bytes and back. Nothing is ever unpickled.

See docs/notes/npy.md.
"""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from harness.formats.errors import FormatError
from harness.formats.npy_header import Header, read_header
from harness.formats.records import Array

CONTENT_TYPE = "application/x-npy"

_BLOCK = 1 << 20
_KINDS = "biufcSUMm"


def dumps(array: Array) -> bytes:
    """Encode an array: the bytes of `numpy.save`. FormatError for Python objects and for records of fields."""
    file = io.BytesIO()
    dump(array, file)
    return file.getvalue()


def dump(array: Array, file: BinaryIO) -> None:
    """Write what `dumps` returns to a binary file."""
    if array.dtype.kind not in _KINDS or not array.dtype.itemsize:
        raise FormatError(
            f"an array of dtype {array.dtype}", expected="numbers, truth values, texts or dates"
        )
    np.save(file, array, allow_pickle=False)


def loads(data: bytes) -> Array:
    """Decode an array: dtype, byte order, shape and layout as it was saved.

    FormatError, with the byte, for data that is no npy file, that ends too early or goes on behind
    the array, and for an array of Python objects, which only running code could read.
    """
    return load(io.BytesIO(data))


def load(file: BinaryIO) -> Array:
    """Decode the array in a binary file, read to its end; errors as `loads`."""
    header = read_header(file)
    data = _take(file, header, 0, header.size)
    _check_end(file, header)
    return header.array(data)


def iter_records(stream: BinaryIO) -> Iterator[Any]:
    """Each row of an array, in order: what lies behind one index of its first dimension.

    Memory holds one batch. FormatError as `loads`, and for an array without dimensions.
    """
    for batch in iter_batches(stream):
        yield from batch


def iter_batches(stream: BinaryIO) -> Iterator[Array]:
    """The rows of an array, about a megabyte at a time, in order.

    Of an array in Fortran's order, whose rows lie scattered, the stream must be one that can seek.
    FormatError as `iter_records`.
    """
    header = read_header(stream)
    if not header.shape:
        raise FormatError("an array without dimensions", expected="an array of rows")
    if header.fortran_order and header.row_size > header.dtype.itemsize:
        batches = _scattered(stream, header)
    else:
        batches = _in_turn(stream, header)
    yield from batches
    _check_end(stream, header)


def _in_turn(stream: BinaryIO, header: Header) -> Iterator[Array]:
    for start, count in _batches(header):
        data = _take(stream, header, start * header.row_size, count * header.row_size)
        yield header.array(data, count)


def _scattered(stream: BinaryIO, header: Header) -> Iterator[Array]:
    """Rows of an array that lies in the file column by column: each batch has a piece of each."""
    if not stream.seekable():
        raise FormatError(
            "an array in Fortran's order", expected="C's order in a stream that cannot seek"
        )
    origin, item = stream.tell(), header.dtype.itemsize
    for start, count in _batches(header):
        data = bytearray()
        for column in range(header.row_size // item):
            place = (column * header.shape[0] + start) * item
            stream.seek(origin + place)
            data += _take(stream, header, place, count * item)
        yield header.array(data, count)
    stream.seek(origin + header.size)


def _batches(header: Header) -> Iterator[tuple[int, int]]:
    """First row and number of rows of each batch."""
    rows = max(1, _BLOCK // max(1, header.row_size))
    for start in range(0, header.shape[0], rows):
        yield start, min(rows, header.shape[0] - start)


def _take(stream: BinaryIO, header: Header, place: int, count: int) -> bytearray:
    """`count` bytes of the array from byte `place` on, gathered as they come: a header may lie."""
    data = bytearray()
    while len(data) < count:
        piece = stream.read(min(_BLOCK, count - len(data)))
        if not piece:
            raise FormatError(
                f"the data ends after {place + len(data)} bytes of the array",
                expected=f"{header.size} bytes, for shape {header.shape} of {header.dtype}",
                offset=header.length + place + len(data),
            )
        data += piece
    return data


def _check_end(stream: BinaryIO, header: Header) -> None:
    if stream.read(1):
        raise FormatError(
            "data behind the array",
            expected=f"{header.size} bytes of it",
            offset=header.length + header.size,
        )
