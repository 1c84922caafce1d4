"""MXNet's files: arrays as `mx.nd.save` writes them, and the symbol of a linear module.

Verified against mxnet 1.9.1; see docs/notes/first-party-algorithms.md#mxnet-arrays.
"""

import json
import struct
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from harness.formats.errors import FormatError

Array = npt.NDArray[np.generic]

_LIST_MAGIC = 0x112
_ARRAY_MAGIC = 0xF993FAC9
_DTYPES = [np.dtype(name) for name in ("<f4", "<f8", "<f2", "u1", "<i4", "i1", "<i8", "?")]
_MOST_ARRAYS = 1 << 20
_MOST_DIMENSIONS = 32


def dumps(arrays: Mapping[str, Array] | Sequence[Array]) -> bytes:
    """Arrays by name, or without names, in MXNet's V2 layout. FormatError for what it cannot hold."""
    names = list(arrays) if isinstance(arrays, Mapping) else []
    values = list(arrays.values()) if isinstance(arrays, Mapping) else list(arrays)
    parts = [struct.pack("<QQQ", _LIST_MAGIC, 0, len(values)), *map(_dump_array, values)]
    parts.append(struct.pack("<Q", len(names)))
    for name in names:
        encoded = name.encode()
        parts.append(struct.pack("<Q", len(encoded)) + encoded)
    return b"".join(parts)


def _dump_array(array: Array) -> bytes:
    dtype = array.dtype.newbyteorder("<")
    if dtype not in _DTYPES:
        raise FormatError(f"an array of dtype {array.dtype}", expected="a dtype that MXNet has")
    if array.ndim == 0:
        raise FormatError("an array without dimensions", expected="at least one dimension")
    return b"".join(
        (
            struct.pack("<IiI", _ARRAY_MAGIC, 0, array.ndim),
            struct.pack(f"<{array.ndim}q", *array.shape),
            struct.pack("<iii", 1, 0, _DTYPES.index(dtype)),
            np.ascontiguousarray(array, dtype).tobytes(),
        )
    )


def loads(data: bytes) -> dict[str, Array] | list[Array]:
    """Arrays by name, or a list where the file has no names.

    FormatError, with the byte offset, for data that is cut short or of another layout.
    """
    reader = _Reader(data)
    magic, _, count = reader.unpack("<QQQ")
    if magic != _LIST_MAGIC or count > _MOST_ARRAYS:
        raise FormatError(
            "not a list of MXNet arrays", expected=f"magic {_LIST_MAGIC:#x}", offset=0
        )
    arrays = [_load_array(reader) for _ in range(count)]
    (named,) = reader.unpack("<Q")
    if named not in (0, count):
        raise reader.error(f"{named} names", f"none or {count}")
    if not named:
        return arrays
    names = []
    for _ in range(count):
        (length,) = reader.unpack("<Q")
        try:
            names.append(reader.take(length).decode())
        except UnicodeDecodeError:
            raise reader.error("a name that is not UTF-8", "UTF-8") from None
    return dict(zip(names, arrays, strict=True))


def _load_array(reader: "_Reader") -> Array:
    magic, storage, dimensions = reader.unpack("<IiI")
    if magic != _ARRAY_MAGIC or storage != 0:
        raise reader.error(f"array magic {magic:#x}, storage {storage}", f"{_ARRAY_MAGIC:#x}, 0")
    if not 0 < dimensions <= _MOST_DIMENSIONS:
        raise reader.error(f"{dimensions} dimensions", f"1 to {_MOST_DIMENSIONS}")
    shape = reader.unpack(f"<{dimensions}q")
    _, _, flag = reader.unpack("<iii")
    if not 0 <= flag < len(_DTYPES) or min(shape) < 0:
        raise reader.error(f"dtype {flag}, shape {shape}", "a dtype and a shape that MXNet has")
    size = _DTYPES[flag].itemsize
    for extent in shape:
        size *= extent
    values = np.frombuffer(reader.take(size), _DTYPES[flag])
    try:
        return values.reshape(shape)
    except ValueError:  # no elements, since one extent is 0, and another too large for numpy
        raise reader.error(f"shape {shape}", "a shape that fits into memory") from None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def error(self, problem: str, expected: str) -> FormatError:
        return FormatError(problem, expected=expected, offset=self._position)

    def take(self, count: int) -> bytes:
        if count > len(self._data) - self._position:
            raise self.error("the data ends too early", f"{count} more bytes")
        taken = self._data[self._position : self._position + count]
        self._position += count
        return taken

    def unpack(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form)))


def linear_symbol(outputs: int, head: str) -> str:
    """The symbol of data x weight + bias with an output operator `head`, as Module.load reads it."""
    nodes = [
        {"op": "null", "name": "data", "inputs": []},
        {
            "op": "null",
            "name": "fc0_weight",
            "attrs": {"num_hidden": str(outputs)},
            "inputs": [],
        },
        {"op": "null", "name": "fc0_bias", "attrs": {"num_hidden": str(outputs)}, "inputs": []},
        {
            "op": "FullyConnected",
            "name": "fc0",
            "attrs": {"num_hidden": str(outputs)},
            "inputs": [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
        },
        {"op": "null", "name": "out_label", "inputs": []},
        {"op": head, "name": "out", "inputs": [[3, 0, 0], [4, 0, 0]]},
    ]
    return json.dumps(
        {
            "nodes": nodes,
            "arg_nodes": [0, 1, 2, 4],
            "node_row_ptr": list(range(len(nodes) + 1)),
            "heads": [[5, 0, 0]],
            "attrs": {"mxnet_version": ["int", 10901]},
        },
        indent=2,
    )
