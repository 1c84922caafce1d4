"""npy: numpy's bytes both ways, rows out of files larger than memory, and no header believed."""

import io
import math
import pickle
import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.formats import npy
from harness.formats.errors import FormatError
from tests.formats import sdk_serializers
from tests.formats.strategies import Array

SDK = "notes/npy.md#what-the-sdk-writes"

dtypes = st.one_of(
    hnp.scalar_dtypes(),
    hnp.unicode_string_dtypes(max_len=5),
    hnp.byte_string_dtypes(max_len=5),
).filter(lambda dtype: dtype.itemsize > 0)
arrays = st.builds(
    lambda array, fortran: np.asfortranarray(array) if fortran else array,
    hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)),
    st.booleans(),
)


def numpys(array: Array) -> bytes:
    """The bytes of numpy.save."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def same(left: Array, right: Array) -> bool:
    """Equal in dtype, shape, layout and every byte."""
    return (
        left.dtype == right.dtype
        and left.shape == right.shape
        and left.flags.f_contiguous == right.flags.f_contiguous
        and left.tobytes() == right.tobytes()
    )


@given(arrays)
@example(np.array(5))
@example(np.arange(6, dtype=">f8").reshape(2, 3))
@example(np.asfortranarray(np.arange(24, dtype=">i2").reshape(2, 3, 4)))
@example(np.empty((3, 0)))
def test_bytes_are_numpys_both_ways(array: Array) -> None:
    """`dumps` writes what numpy.save writes, and each reads the other's bytes as the same array."""
    data = numpys(array)
    assert npy.dumps(array) == data
    found, theirs = npy.loads(data), np.load(io.BytesIO(data))
    assert same(found, theirs)
    assert found.flags.writeable


@given(arrays.filter(lambda array: array.size > 0))
@pytest.mark.sdk_source(SDK)
def test_the_sdk_writes_and_reads_the_same(array: Array) -> None:
    """`NumpySerializer` gives these bytes, and `NumpyDeserializer` takes them."""
    data = npy.dumps(array)
    assert sdk_serializers.npy(array) == data
    assert same(sdk_serializers.array_of_npy(data), npy.loads(data))


@given(arrays.filter(lambda array: array.ndim > 0), st.integers(1, 200))
def test_rows_come_in_order_whatever_the_layout(array: Array, block: int) -> None:
    """Batches of any size are the rows of the array, from C's order and from Fortran's."""
    data = npy.dumps(array)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(npy, "_BLOCK", block)
        batches = list(npy.iter_batches(io.BytesIO(data)))
        rows = list(npy.iter_records(io.BytesIO(data)))
    assert all(batch.dtype == array.dtype for batch in batches)
    assert sum(len(batch) for batch in batches) == len(rows) == len(array)
    assert [np.asarray(row).tobytes() for row in rows] == [row.tobytes() for row in array]


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_all_versions_of_the_header_are_read(version: tuple[int, int]) -> None:
    """Version 1 has a short length, 2 and 3 a long one."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.arange(3), version=version)
    assert npy.loads(file.getvalue()).tolist() == [0, 1, 2]


def header(text: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """A file with this header."""
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + version + length + text.encode("latin-1") + data


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }      \n",
        "{'descr': '<i2', 'fortran_order': False, 'shape': (2,)}",
        '{"shape": (2L,), "fortran_order": False, "descr": "<i2"}',
        "  {'descr':'i2','shape':( 2 , ),'fortran_order':False,}\n\n",
    ],
)
def test_headers_of_other_writers_are_read(text: str) -> None:
    """Order, quotes, blanks and Python 2's long numbers make no difference."""
    assert npy.loads(header(text, b"\x01\x00\x02\x00")).tolist() == [1, 2]


def described(descr: str = "'<f8'", order: str = "False", shape: str = "(2,)") -> str:
    """The text of a header."""
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the data ends inside the header"),
        (b"\x93NUMPY\x01\x00\x76", "the data ends inside the header"),
        (b"PK\x03\x04....", "found the bytes 504b03042e2e"),
        (b"\x93NUMPY\x04\x00\x00\x00\x00", r"version 4\.0"),
        (b"\x93NUMPY\x01\x01\x00\x00\x00", r"version 1\.1"),
        (header(" " * 20_000), "a header of 20000 bytes"),
        (header("x", version=b"\x02\x00").replace(b"\x01\x00\x00\x00", b"\xff" * 4), "4294967295"),
        (header("[1]"), "no dictionary"),
        (header("{}"), "the entries"),
        (header(described() + "+ 1"), "no dictionary"),
        (header("{'descr': '<f8', 'shape': (2,)}"), "the entries"),
        (header("{'descr': '<f8', 'descr': '<f4'}"), "two entries 'descr'"),
        (header(described(order="1 == 2")), "cannot be read"),
        (header(described(order="__import__('os')")), "cannot be read"),
        (header(described(order="'False'")), "of another kind"),
        (header(described(shape="'2'")), "of another kind"),
        (header(described(shape="(2)")), r"the shape \(2\)"),
        (header(described(shape="(-2,)")), "cannot be read"),
        (header(described(shape="(2,,3)")), "the shape"),
        (header(described(shape="(2 3)")), "the shape"),
        (header(described(shape=f"({2**61}, {2**61})")), "the shape"),
        (header(described(shape=f"(0, {10**18}, {10**18})")), "the shape"),
        (header(described(shape=f"({10**12}, 0)")), "rows without a byte"),
        (header(described(shape="(" + "1," * 65 + ")"), bytes(8)), "65 dimensions"),
        (header(described("'|O'")), "an array of Python objects"),
        (header(described("[('a', '<f8')]")), "records of fields"),
        (header(described("'f8,f8'")), "the dtype"),
        (header(described("'<f9'")), "the dtype"),
        (header(described("'<U0'")), "the dtype"),
        (header(described("'<M8[parsec]'")), "the dtype"),
        (header(described("'<M8[xx]'")), "the dtype"),
        (header(described("(2,)")), "the dtype"),
        (header(described("'|V8'")), "the dtype"),
        (header(described("'<U1'", shape="(1,)"), b"\x00\x00\x11\x00"), "the character 0x110000"),
        (header(described("'>U1'", shape="(1,)"), b"\x00\x11\x00\x00"), "the character 0x110000"),
        (header(described(), bytes(15)), "the data ends after 15 bytes of the array"),
        (header(described(), bytes(17)), "data behind the array"),
    ],
)  # fmt: skip
def test_what_is_no_array_is_refused(data: bytes, problem: str) -> None:
    """Each in words, and nothing of it is evaluated."""
    with pytest.raises(FormatError, match=problem):
        npy.loads(data)
    with pytest.raises(FormatError, match=problem):
        list(npy.iter_records(io.BytesIO(data)))


def test_an_array_of_objects_is_never_unpickled() -> None:
    """What numpy would run is not looked at; nor is it written."""

    class Bomb:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("it was unpickled",))

    file = io.BytesIO()
    np.save(file, np.array([Bomb()], object), allow_pickle=True)
    assert b"pytest" in file.getvalue()
    for data in (file.getvalue(), pickle.dumps(Bomb())):
        with pytest.raises(FormatError, match=r"Python objects|found the bytes"):
            npy.loads(data)
    fields = np.zeros(1, [("a", "f8")])
    for array in (
        np.array([None]),
        fields,
        np.zeros(1, "V3"),
        np.array(["x"], np.dtypes.StringDType()),
    ):
        with pytest.raises(FormatError, match="an array of dtype"):
            npy.dumps(array)


@given(arrays.filter(lambda array: array.size > 0))
def test_cut_short_at_any_byte_it_is_refused(array: Array) -> None:
    """The error says where the data ends."""
    data = npy.dumps(array)
    step = max(1, len(data) // 150)
    for cut in range(0, len(data), step):
        with pytest.raises(FormatError, match="ends") as caught:
            npy.loads(data[:cut])
        assert caught.value.offset == cut


def test_a_row_that_is_cut_is_refused_after_those_before_it() -> None:
    """Whole batches are read; the error has the byte at which the data ends."""
    data = npy.dumps(np.arange(200_000.0).reshape(-1, 10))
    rows = npy.iter_records(io.BytesIO(data[:-9]))
    assert next(rows).tolist() == list(range(10))
    with pytest.raises(FormatError) as caught:
        list(rows)
    assert caught.value.offset == len(data) - 9


@pytest.mark.parametrize("order", ["True", "False"])
@pytest.mark.parametrize("shape", [f"({2**40}, 100)", f"({2**57},)", f"(100, {2**40})"])
def test_a_header_that_lies_costs_no_memory(order: str, shape: str) -> None:
    """Petabytes promised in a file of kilobytes are refused without being allocated."""
    data = header(described(order=order, shape=shape), bytes(5000))
    tracemalloc.start()
    try:
        for read in (npy.load, lambda file: list(npy.iter_records(file))):
            with pytest.raises(FormatError, match="the data ends after"):
                read(io.BytesIO(data))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@given(arrays, st.data())
def test_damaged_data_is_an_array_or_a_format_error(array: Array, draw: st.DataObject) -> None:
    """Whatever single byte changes, reading ends in an array or in a FormatError, in nothing else."""
    data = bytearray(npy.dumps(array))
    data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    for read in (npy.load, lambda file: list(npy.iter_records(file))):
        with suppress(FormatError):
            read(io.BytesIO(bytes(data)))


@given(st.binary(max_size=100), st.text("{}()[]'\",:=<>|descrfotan_hpTuFl8i401 ", max_size=60))
def test_any_bytes_are_an_array_or_a_format_error(data: bytes, text: str) -> None:
    """Arbitrary bytes, alone, behind the magic and as a header, never raise anything but FormatError."""
    for candidate in (data, b"\x93NUMPY\x01\x00" + data, header(text, data)):
        with suppress(FormatError):
            npy.loads(candidate)


class Pipe(io.RawIOBase):
    """A stream that gives a few bytes at a time and cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 7))


def test_rows_come_from_a_pipe_unless_they_lie_scattered() -> None:
    """Fortran's order needs a stream that can go back, and says so."""
    array = np.arange(12.0).reshape(4, 3)
    pipe: Any = Pipe(npy.dumps(array))
    assert [row.tolist() for row in npy.iter_records(pipe)] == array.tolist()
    pipe = Pipe(npy.dumps(np.asfortranarray(array)))
    with pytest.raises(FormatError, match="an array in Fortran's order"):
        next(npy.iter_records(pipe))
    pipe = Pipe(npy.dumps(np.asfortranarray(array)))
    assert np.array_equal(npy.load(pipe), array)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_long_file_is_read_in_bounded_memory(tmp_path: Path, order: Any) -> None:
    """Rows come one by one from a file many times as large as what is held."""
    path = tmp_path / "data.npy"
    array = np.arange(2_000_000.0).reshape(-1, 50, order=order)
    with path.open("wb") as file:
        npy.dump(array, file)
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            total = math.fsum(float(batch.sum()) for batch in npy.iter_batches(file))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == array.sum()
    assert peak < 4 << 20


def test_an_array_without_dimensions_has_no_rows() -> None:
    """It is one value: `loads` gives it, `iter_records` refuses it."""
    data = npy.dumps(np.array(5))
    assert npy.loads(data) == 5
    with pytest.raises(FormatError, match="without dimensions"):
        next(npy.iter_records(io.BytesIO(data)))
