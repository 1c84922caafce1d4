"""The header of an npy file: version 1, 2 or 3, read without evaluating what stands in it."""

import math
import re
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from harness.formats.errors import FormatError
from harness.formats.records import Array

MAGIC = b"\x93NUMPY"

_LENGTHS = {1: struct.Struct("<H"), 2: struct.Struct("<I"), 3: struct.Struct("<I")}
_LONGEST = 10_000
"""Bytes of a header: numpy reads no longer ones either."""
_MOST_DIMENSIONS = 64
_MOST_BYTES = 1 << 63
_MOST_EMPTY_ROWS = 1 << 24
_HIGHEST_CHARACTER = 0x10FFFF

_STRING = r"(?:'([^'\\]*+)'|\"([^\"\\]*+)\")"
_ENTRY = re.compile(
    rf"\s*+{_STRING}\s*+:\s*+(?:{_STRING}|(True|False)|\(([0-9L,\s]*+)\)|(\[))\s*+", re.ASCII
)
_EXTENT = re.compile(r"\s*+([0-9]{1,20}+)L?+\s*+", re.ASCII)
_DTYPE = re.compile(
    r"[<>|=]?(?:b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|[SU][0-9]{1,9}"
    r"|[mM]8(?:\[[0-9]{0,9}[A-Za-z]{1,2}\])?)",
    re.ASCII,
)


@dataclass(frozen=True)
class Header:
    """What an npy file says of its array; `length` is the header's own, in bytes from the file's start."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool
    length: int

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return self.dtype.itemsize * math.prod(self.shape)

    @property
    def row_size(self) -> int:
        """Bytes of what lies behind one index of the first dimension."""
        return self.dtype.itemsize * math.prod(self.shape[1:])

    def array(self, data: bytearray, rows: int | None = None) -> Array:
        """An array on `data`: the whole, or `rows` of it."""
        shape = self.shape if rows is None else (rows, *self.shape[1:])
        if self.dtype.kind == "U":
            self._check_characters(np.frombuffer(data, np.uint32))
        order: Any = "F" if self.fortran_order else "C"
        return np.ndarray(shape, self.dtype, data, order=order)

    def _check_characters(self, codes: npt.NDArray[np.uint32]) -> None:
        codes = codes if self.dtype.isnative else codes.byteswap()
        if len(codes) and codes.max() > _HIGHEST_CHARACTER:
            raise FormatError(f"the character {codes.max():#x}", expected="characters of Unicode")


def read_header(stream: BinaryIO) -> Header:
    """Read the header with which a stream begins. FormatError when it is none, or of Python objects."""
    start = _read(stream, len(MAGIC) + 2, 0)
    if not start.startswith(MAGIC):
        raise FormatError(f"found the bytes {start[:6].hex()}", expected=MAGIC.hex(), offset=0)
    length = _LENGTHS.get(start[6])
    if length is None or start[7]:
        raise FormatError(
            f"version {start[6]}.{start[7]}", expected="version 1.0, 2.0 or 3.0", offset=6
        )
    (size,) = length.unpack(_read(stream, length.size, len(start)))
    offset = len(start) + length.size
    if size > _LONGEST:
        raise FormatError(f"a header of {size} bytes", expected=f"at most {_LONGEST}", offset=8)
    text = _read(stream, size, offset).decode("latin-1")
    try:
        return _header(_entries(text), offset + size)
    except FormatError as error:
        raise FormatError(error.problem, expected=error.expected, offset=offset) from None


def _read(stream: BinaryIO, count: int, offset: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = stream.read(count - len(data))
        if not piece:
            raise FormatError(
                "the data ends inside the header",
                expected=f"{count - len(data)} more bytes",
                offset=offset + len(data),
            )
        data += piece
    return data


def _entries(text: str) -> dict[str, Any]:
    """The entries of a dictionary as Python writes it, of the few kinds that a header has."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        raise FormatError("a header that is no dictionary", expected="{'descr': ..., ...}")
    found: dict[str, Any] = {}
    place, end = 1, len(text) - 1
    while text[place:end].strip():
        match = _ENTRY.match(text, place, end)
        if match is not None and match[7]:
            raise FormatError("an array of records of fields", expected="an array of one type")
        if match is None or (match.end() < end and text[match.end()] != ","):
            raise FormatError(
                "an entry that cannot be read", expected="descr, fortran_order, shape"
            )
        key, other_key, string, other_string, flag, shape, _ = match.groups()
        key = key if other_key is None else other_key
        if key in found:
            raise FormatError(f"two entries {key!r}", expected="one of each")
        if flag:
            found[key] = flag == "True"
        elif shape is not None:
            found[key] = _shape(shape)
        else:
            found[key] = string if other_string is None else other_string
        place = match.end() + 1
    return found


def _shape(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not parts[-1].strip():
        parts.pop()
    elif len(parts) == 1:
        raise FormatError(f"the shape ({text})", expected="a tuple: (3,)")
    matches = [_EXTENT.fullmatch(part) for part in parts]
    extents = [int(match[1]) for match in matches if match is not None]
    if len(extents) != len(parts):
        raise FormatError(f"the shape ({text})", expected="whole numbers")
    return tuple(extents)


def _header(entries: dict[str, Any], length: int) -> Header:
    if set(entries) != {"descr", "fortran_order", "shape"}:
        raise FormatError(
            f"the entries {sorted(entries)}", expected="descr, fortran_order and shape"
        )
    shape, fortran_order = entries["shape"], entries["fortran_order"]
    if not isinstance(shape, tuple) or not isinstance(fortran_order, bool):
        raise FormatError("a shape or an order of another kind", expected="a tuple, a truth value")
    header = Header(_dtype(entries["descr"]), shape, fortran_order, length)
    if len(shape) > _MOST_DIMENSIONS:
        raise FormatError(f"{len(shape)} dimensions", expected=f"at most {_MOST_DIMENSIONS}")
    if header.dtype.itemsize * math.prod(extent for extent in shape if extent) >= _MOST_BYTES:
        raise FormatError(f"the shape {shape}", expected="an array that can be addressed")
    if shape and not header.row_size and shape[0] > _MOST_EMPTY_ROWS:
        raise FormatError(f"{shape[0]} rows without a byte", expected=f"at most {_MOST_EMPTY_ROWS}")
    return header


def _dtype(text: object) -> np.dtype[Any]:
    if isinstance(text, str) and text.lstrip("<>|=") == "O":
        raise FormatError(
            "an array of Python objects", expected="one that can be read without running code"
        )
    if isinstance(text, str) and _DTYPE.fullmatch(text):
        try:
            dtype = np.dtype(text)
        except (TypeError, ValueError):
            pass  # A type that this machine lacks, a unit that no date has.
        else:
            if dtype.itemsize:
                return dtype
    raise FormatError(f"the dtype {text!r:.50}", expected="numbers, truth values, texts or dates")
