"""npz (application/x-npz): a scipy sparse matrix as `scipy.sparse.save_npz` lays it out in a zip of npy files.

See docs/notes/npy.md#npz.
"""

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, BinaryIO

import numpy as np

from harness.formats import npy
from harness.formats.errors import FormatError
from harness.formats.records import Array

CONTENT_TYPE = "application/x-npz"
LIMIT = 1 << 30
"""Bytes that an archive may unpack to."""

_KINDS = "biufc"
_SUFFIX = ".npy"
_NEEDED = {
    "csr": ("indices", "indptr"),
    "csc": ("indices", "indptr"),
    "bsr": ("indices", "indptr"),
    "dia": ("offsets",),
    "coo": ("row", "col"),
}
# What zipfile raises for archives that are damaged, encrypted, or packed as nobody here packs them.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    OverflowError,
)


def dumps(matrix: Any, *, compressed: bool = True) -> bytes:
    """Encode a scipy sparse matrix in csr, csc, bsr, dia or coo: the bytes of `scipy.sparse.save_npz`.

    FormatError for anything else.
    """
    file = io.BytesIO()
    dump(matrix, file, compressed=compressed)
    return file.getvalue()


def dump(matrix: Any, file: BinaryIO, *, compressed: bool = True) -> None:
    """Write what `dumps` returns to a binary file."""
    from scipy import sparse

    if not sparse.issparse(matrix) or matrix.format not in _NEEDED or matrix.ndim != 2:
        raise FormatError(
            f"a {type(matrix).__name__}", expected=f"a matrix in one of {', '.join(_NEEDED)}"
        )
    sparse.save_npz(file, matrix, compressed=compressed)


def loads(data: bytes, *, limit: int = LIMIT) -> Any:
    """Decode a scipy sparse matrix, in the format in which it was saved.

    FormatError for data that is no such archive, that unpacks to more than `limit` bytes, or whose
    arrays do not fit together. Nothing is unpickled.
    """
    return load(io.BytesIO(data), limit=limit)


def load(file: BinaryIO, *, limit: int = LIMIT) -> Any:
    """Decode the matrix in a binary file; errors as `loads`."""
    return _matrix(dict(iter_arrays(file, limit=limit)))


def iter_arrays(file: BinaryIO, *, limit: int = LIMIT) -> Iterator[tuple[str, Array]]:
    """Each array of an npz file with its name, in order, one at a time: `numpy.savez` writes such too.

    FormatError for data that is no zip of npy files, and for more than `limit` bytes in all.
    """
    file = file if file.seekable() else io.BytesIO(_whole(file, limit))
    try:
        archive = zipfile.ZipFile(file)
    except _DAMAGED as error:
        raise FormatError(f"no zip archive: {error}", expected="npy files in a zip") from None
    left = limit
    seen: set[str] = set()
    with archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(_SUFFIX)
            if name in seen:
                raise FormatError(f"{name!r} a second time", expected="distinct names")
            seen.add(name)
            array, used = _array(archive, member, left, limit)
            left -= used
            yield name, array


def iter_records(stream: BinaryIO, *, limit: int = LIMIT) -> Iterator[Any]:
    """Each row of the matrix, in order, as a csr matrix of one row; errors as `loads`."""
    matrix = load(stream, limit=limit)
    if matrix.shape[0] > limit // np.dtype(np.int64).itemsize:
        raise FormatError(f"{matrix.shape[0]} rows", expected="rows that can be held in memory")
    rows = matrix.tocsr()
    for row in range(rows.shape[0]):
        yield rows[row : row + 1]


def _whole(stream: BinaryIO, limit: int) -> bytes:
    data = bytearray()
    while piece := stream.read(min(1 << 20, limit + 1 - len(data))):
        data += piece
        if len(data) > limit:
            raise FormatError(f"more than {limit} bytes", expected="an archive of less")
    return bytes(data)


def _array(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int, limit: int
) -> tuple[Array, int]:
    """One array, and how many bytes its file has unpacked."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FormatError(
            f"{member.filename!r} packed in another way", expected="stored or deflated"
        )
    try:
        with archive.open(member) as packed:
            counted: Any = _Counted(packed, left, limit)
            return npy.load(counted), counted.count
    except FormatError as error:
        raise FormatError(
            f"{member.filename}: {error.problem}", expected=error.expected, offset=error.offset
        ) from None
    except _DAMAGED as error:
        raise FormatError(f"{member.filename}: {error}", expected="an intact archive") from None


class _Counted(io.RawIOBase):
    """A stream out of an archive; FormatError once it has given more than there may be."""

    def __init__(self, packed: IO[bytes], left: int, limit: int) -> None:
        self._packed = packed
        self._left = left
        self._limit = limit
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._packed.read(size)
        self.count += len(piece)
        if self.count > self._left:
            raise FormatError(f"more than {self._limit} bytes", expected="an archive of less")
        return piece


def _matrix(arrays: dict[str, Array]) -> Any:
    from scipy import sparse

    kind = _kind(arrays)
    names = _NEEDED[kind]
    if kind == "coo" and "coords" in arrays:
        names = ("coords",)
    missing = {"shape", "data", *names} - arrays.keys()
    if missing:
        raise FormatError(f"a {kind} matrix without {sorted(missing)[0]}", expected="all its parts")
    # scipy takes numbers in this machine's byte order only.
    shape, data, *parts = (
        arrays[name].astype(arrays[name].dtype.newbyteorder("="), copy=False)
        for name in ("shape", "data", *names)
    )
    places: list[Any] = parts
    if shape.shape != (2,) or any(part.dtype.kind not in "iu" for part in (shape, *places)):
        raise FormatError("a shape or places of another kind", expected="whole numbers")
    if data.dtype.kind not in _KINDS:
        raise FormatError(f"data of dtype {data.dtype}", expected="numbers or truth values")
    if names == ("coords",):
        places = [tuple(places[0])]
    elif kind == "coo":
        places = [tuple(places)]
    flag = arrays.get("_is_array")
    family = "array" if flag is not None and flag.all() else "matrix"
    try:
        matrix = getattr(sparse, f"{kind}_{family}")((data, *places), shape=tuple(map(int, shape)))
        if kind in ("csr", "csc", "bsr"):
            # The constructor does not look at each index, and a wrong one would be read behind the data.
            matrix.check_format(full_check=True)
    except (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError) as error:
        raise FormatError(
            f"no {kind} matrix: {error}", expected="arrays that fit together"
        ) from None
    return matrix


def _kind(arrays: dict[str, Array]) -> str:
    named = arrays.get("format")
    if named is None or named.shape or named.dtype.kind not in "SU":
        raise FormatError("an archive without a format", expected="what scipy's save_npz writes")
    kind = named.item()
    if isinstance(kind, bytes):
        kind = kind.decode("ascii", "replace")
    if kind not in _NEEDED:
        raise FormatError(f"the format {kind!r}", expected=f"one of {', '.join(_NEEDED)}")
    return str(kind)
