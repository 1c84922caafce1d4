"""npz: scipy's bytes both ways, and archives that are not what they seem."""

import io
import struct
import tracemalloc
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from harness.formats import npy, npz
from harness.formats.errors import FormatError
from tests.formats import sdk_serializers

FORMATS = ["csr", "csc", "bsr", "dia", "coo"]

matrices = st.builds(
    lambda table, form, family: getattr(sparse, f"{form}_{family}")(table),
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.bool_]),
        st.tuples(st.integers(1, 5), st.integers(1, 5)),
        elements=st.sampled_from([0, 0, 0, 1]),
    ),
    st.sampled_from(FORMATS),
    st.sampled_from(["matrix", "array"]),
)


def scipys(matrix: Any, compressed: bool = True) -> bytes:
    """The bytes of scipy.sparse.save_npz."""
    file = io.BytesIO()
    sparse.save_npz(file, matrix, compressed=compressed)
    return file.getvalue()


@given(matrices, st.booleans())
def test_bytes_are_scipys_both_ways(matrix: Any, compressed: bool) -> None:
    """`dumps` writes what save_npz writes, and reads it as load_npz does."""
    data = npz.dumps(matrix, compressed=compressed)
    assert data == scipys(matrix, compressed)
    found, theirs = npz.loads(data), sparse.load_npz(io.BytesIO(data))
    assert type(found) is type(theirs)
    assert found.dtype == theirs.dtype
    assert found.shape == theirs.shape
    assert np.array_equal(found.toarray(), matrix.toarray())


@given(matrices)
@pytest.mark.sdk_source("notes/npy.md#what-the-sdk-writes")
def test_the_sdk_writes_the_same(matrix: Any) -> None:
    """`SparseMatrixSerializer` gives these bytes."""
    assert npz.dumps(matrix) == sdk_serializers.npz(matrix)


@given(matrices)
def test_rows_come_in_order(matrix: Any) -> None:
    """Each row is a matrix of one row, whatever the format."""
    rows = list(npz.iter_records(io.BytesIO(npz.dumps(matrix))))
    assert np.vstack([row.toarray() for row in rows]).tolist() == matrix.toarray().tolist()


def test_arrays_come_by_name() -> None:
    """What numpy.savez writes is read one array at a time, in order."""
    file = io.BytesIO()
    np.savez_compressed(file, b=np.arange(3), a=np.array(["x"]))
    found = list(npz.iter_arrays(io.BytesIO(file.getvalue())))
    assert [(name, array.tolist()) for name, array in found] == [("b", [0, 1, 2]), ("a", ["x"])]
    with pytest.raises(FormatError, match="an archive without a format"):
        npz.loads(file.getvalue())


def archive(changes: dict[str, bytes | None], form: str = "csr", **options: Any) -> bytes:
    """A saved matrix in which members are other bytes, or gone."""
    table = np.array([[0, 1, 0], [2, 0, 3], [0, 0, 4.0]])
    members: dict[str, bytes | None] = {}
    with zipfile.ZipFile(io.BytesIO(scipys(getattr(sparse, f"{form}_matrix")(table)))) as old:
        members = {name: old.read(name) for name in old.namelist()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as new:
        for name, content in (members | changes).items():
            if content is not None:
                new.writestr(name, content)
    return file.getvalue()


def test_numbers_of_another_byte_order_are_read() -> None:
    """A big-endian machine's archive is the same matrix."""
    changes: dict[str, bytes | None] = {
        "data.npy": npy.dumps(np.array([1, 2, 3, 4], ">f8")),
        "indices.npy": npy.dumps(np.array([1, 0, 2, 2], ">i4")),
    }
    assert npz.loads(archive(changes)).toarray().tolist() == [[0, 1, 0], [2, 0, 3], [0, 0, 4]]


objects = io.BytesIO()
np.save(objects, np.array([None]), allow_pickle=True)


@pytest.mark.parametrize(
    ("changes", "form", "problem"),
    [
        ({"format.npy": None}, "csr", "without a format"),
        ({"format.npy": npy.dumps(np.array(b"xyz"))}, "csr", "the format 'xyz'"),
        ({"format.npy": npy.dumps(np.array(b"\xff"))}, "csr", "the format"),
        ({"format.npy": npy.dumps(np.array([b"csr"]))}, "csr", "without a format"),
        ({"data.npy": None}, "csr", "a csr matrix without data"),
        ({"indptr.npy": None}, "csr", "a csr matrix without indptr"),
        ({"col.npy": None}, "coo", "a coo matrix without col"),
        ({"offsets.npy": None}, "dia", "a dia matrix without offsets"),
        ({"data.npy": b"nonsense"}, "csr", "^byte 0: data.npy: found the bytes"),
        ({"data.npy": objects.getvalue()}, "csr", "data.npy: an array of Python objects"),
        ({"data.npy": npy.dumps(np.array(["a"] * 4))}, "csr", "data of dtype <U1"),
        ({"shape.npy": npy.dumps(np.array([3.0, 3.0]))}, "csr", "places of another kind"),
        ({"shape.npy": npy.dumps(np.array([3]))}, "csr", "places of another kind"),
        ({"shape.npy": npy.dumps(np.array([-3, 3]))}, "csr", "no csr matrix"),
        ({"shape.npy": npy.dumps(np.array([2, 3]))}, "csr", "no csr matrix"),
        ({"shape.npy": npy.dumps(np.array([2, 2]))}, "coo", "no coo matrix"),
        ({"indices.npy": npy.dumps(np.array([1, 0, 2, 3]))}, "csr", "no csr matrix"),
        ({"indices.npy": npy.dumps(np.array([1, 0, 2, -1]))}, "csc", "no csc matrix"),
        ({"indices.npy": npy.dumps(np.array([1.0, 0, 2, 1]))}, "csr", "places of another kind"),
        ({"indptr.npy": npy.dumps(np.array([0, 3, 1, 4]))}, "csr", "no csr matrix"),
        ({"offsets.npy": npy.dumps(np.array([0, 0, 1]))}, "dia", "no dia matrix"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_together_are_refused(
    changes: dict[str, bytes | None], form: str, problem: str
) -> None:
    """An index outside the shape above all: scipy would read memory that is not the matrix's."""
    with pytest.raises(FormatError, match=problem):
        npz.loads(archive(changes, form))


def test_a_zip_bomb_is_refused_before_it_goes_off() -> None:
    """A few kilobytes that unpack to more than the limit cost no more memory than the limit."""
    bomb = archive(
        {"data.npy": npy.dumps(np.zeros(8 << 20, np.int8))}, compression=zipfile.ZIP_DEFLATED
    )
    assert len(bomb) < 16 << 10
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=r"data\.npy: more than 1048576 bytes"):
            npz.loads(bomb, limit=1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    many = archive({f"{number}.npy": npy.dumps(np.zeros(1 << 16)) for number in range(4)})
    with pytest.raises(FormatError, match="more than 1048576 bytes"):
        npz.loads(many, limit=1 << 20)
    assert npz.loads(many, limit=4 << 20).shape == (3, 3)


def test_a_shape_that_lies_costs_no_memory() -> None:
    """A matrix of 2^60 rows with four entries is read; its rows are not counted out."""
    data = archive({"shape.npy": npy.dumps(np.array([2**60, 2**60]))}, "coo")
    assert npz.loads(data).nnz == 4
    with pytest.raises(FormatError, match="1152921504606846976 rows"):
        next(npz.iter_records(io.BytesIO(data)))


def test_other_archives_are_refused() -> None:
    """No zip, another way of packing, a name that stands there twice, an encrypted member."""
    with pytest.raises(FormatError, match="no zip archive"):
        npz.loads(b"PK")
    with pytest.raises(FormatError, match="packed in another way"):
        npz.loads(archive({}, compression=zipfile.ZIP_LZMA))
    file = io.BytesIO(archive({}))
    with warnings.catch_warnings(), zipfile.ZipFile(file, "a") as added:
        warnings.simplefilter("ignore")
        added.writestr("data.npy", npy.dumps(np.ones(4)))
    with pytest.raises(FormatError, match="'data' a second time"):
        npz.loads(file.getvalue())
    encrypted = bytearray(archive({}))
    at = encrypted.rindex(b"PK\x01\x02") + 8
    encrypted[at : at + 2] = struct.pack("<H", 1)
    with pytest.raises(FormatError, match="encrypted"):
        npz.loads(bytes(encrypted))


@pytest.mark.parametrize("compressed", [True, False])
def test_cut_short_at_any_byte_it_is_refused(compressed: bool) -> None:
    """A zip ends with its directory."""
    data = npz.dumps(sparse.csr_matrix(np.eye(2)), compressed=compressed)
    for cut in range(len(data)):
        with pytest.raises(FormatError):
            npz.loads(data[:cut])


@given(st.sampled_from(FORMATS), st.booleans(), st.data())
def test_damaged_data_is_a_matrix_or_a_format_error(
    form: str, compressed: bool, draw: st.DataObject
) -> None:
    """Whatever single byte changes, reading ends in a matrix that can be used, or in a FormatError."""
    table = np.array([[0, 1, 0, 0], [2, 0, 3, 0]], np.float32)
    matrix = getattr(sparse, f"{form}_matrix")(table)
    data = bytearray(npz.dumps(matrix, compressed=compressed))
    data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(FormatError):
        for row in npz.iter_records(io.BytesIO(bytes(data))):
            row.toarray()


@given(st.binary(max_size=100))
def test_any_bytes_are_a_matrix_or_a_format_error(data: bytes) -> None:
    """Arbitrary bytes, alone and as a member, never raise anything but FormatError."""
    for candidate in (data, archive({"data.npy": data}), archive({"shape.npy": data})):
        with suppress(FormatError):
            npz.loads(candidate)


class Pipe(io.RawIOBase):
    """A stream that cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 100))


def test_an_archive_may_come_from_a_pipe() -> None:
    """It is gathered first, up to the limit."""
    matrix = sparse.csr_matrix(np.eye(3))
    pipe: Any = Pipe(npz.dumps(matrix))
    assert np.array_equal(npz.load(pipe).toarray(), np.eye(3))
    pipe = Pipe(npz.dumps(matrix))
    with pytest.raises(FormatError, match="more than 500 bytes"):
        npz.load(pipe, limit=500)


@pytest.mark.parametrize(
    "matrix",
    [
        np.eye(2),
        sparse.lil_matrix(np.eye(2)),
        sparse.coo_array(np.ones(3)),
    ],
    ids=["dense", "lil", "one dimension"],
)
def test_what_cannot_be_saved_is_refused(matrix: Any) -> None:
    """Only matrices in a format that save_npz knows."""
    with pytest.raises(FormatError, match="expected"):
        npz.dumps(matrix)


def test_dump_and_load_work_on_files(tmp_path: Path) -> None:
    """`dump` writes to a file what `load` reads back from it."""
    path = tmp_path / "data.npz"
    with path.open("wb") as file:
        npz.dump(sparse.csr_matrix(np.eye(3)), file)
    with path.open("rb") as file:
        assert np.array_equal(npz.load(file).toarray(), np.eye(3))
