"""libsvm: sparse rows both ways, read by others alike, and the place of whatever is no pair."""

import io
import re
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from harness.formats import libsvm, lines
from harness.formats.errors import FormatError
from tests.formats.strategies import DTYPES, Array, columns

XGBOOST = "notes/libsvm.md#xgboosts-reader"


@st.composite
def tables(draw: st.DrawFn) -> tuple[Any, dict[str, Any]]:
    """A csr matrix, and the columns that go with it: labels, or labels and weights, and qids."""
    kind = draw(st.sampled_from(DTYPES))
    rows = draw(st.lists(st.dictionaries(st.integers(0, 9), columns(kind), max_size=6), max_size=8))
    indices = [index for row in rows for index in row]
    values = np.array([value for row in rows for value in row.values()], kind)
    ends = np.cumsum([0, *map(len, rows)])
    matrix = sparse.csr_matrix((values, indices, ends), shape=(len(rows), 10))
    beside = {"labels": np.array(draw(_column(st.integers(-5, 5) | st.floats(), rows)), np.float64)}
    if draw(st.booleans()):
        weights = draw(_column(st.floats(0, 10), rows))
        beside["weights"] = np.array(weights, np.float64)
    if draw(st.booleans()):
        beside["qids"] = np.array(draw(_column(st.integers(0, 2**63 - 2), rows)), np.int64)
    return matrix, beside


def _column(elements: st.SearchStrategy[Any], rows: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(elements, min_size=len(rows), max_size=len(rows))


def same(left: Array | None, right: Array | None) -> bool:
    """Equal in every value, NaN like NaN, or both None."""
    if left is None or right is None:
        return left is right
    return np.array_equal(left, right, equal_nan=left.dtype.kind == "f")


def same_rows(left: Any, right: Any) -> bool:
    """The same entries in the precision of `right`, stored zeros and NaN included."""
    left, right = left.astype(right.dtype), right.copy()
    left.sort_indices()
    right.sort_indices()
    return bool(
        left.shape == right.shape
        and np.array_equal(left.indptr, right.indptr)
        and np.array_equal(left.indices, right.indices)
        and np.array_equal(left.data, right.data, equal_nan=True)
    )


@given(tables(), st.booleans())
def test_what_was_dumped_loads_again(table: tuple[Any, dict[str, Any]], one_based: bool) -> None:
    """Entries, labels, weights and qids come back, whichever number is the first index."""
    matrix, beside = table
    data = libsvm.dumps(matrix, **beside, one_based=one_based)
    found = libsvm.loads(data, width=10, one_based=one_based)
    assert same_rows(found.features, matrix)
    assert same(found.labels, beside["labels"])
    if len(found):
        assert same(found.weights, beside.get("weights"))
        assert same(found.qids, beside.get("qids"))


@given(tables())
def test_without_labels_they_are_passed_over(table: tuple[Any, dict[str, Any]]) -> None:
    """Labels that stand there make no difference; rows may also do without."""
    matrix, beside = table
    bare = matrix[np.diff(matrix.indptr) > 0]
    for features, labels in ((matrix, beside["labels"]), (bare, None)):
        data = libsvm.dumps(features, labels)
        found = libsvm.loads(data, labels=False, width=10)
        assert found.labels is None
        assert same_rows(found.features, features)


def test_an_array_is_written_whole() -> None:
    """Zeros are written, since what is not there may be taken for missing."""
    features = np.array([[0.1, 0], [2, -3]], np.float32)
    data = libsvm.dumps(features, np.array([1, 0]))
    assert data == b"1 0:0.1 1:0.0\n0 0:2.0 1:-3.0\n"
    assert np.array_equal(libsvm.loads(data).features.toarray().astype(np.float32), features)


@given(tables(), st.booleans())
def test_sklearn_reads_what_we_write(table: tuple[Any, dict[str, Any]], one_based: bool) -> None:
    """Its reader finds the same matrix, labels and queries; it knows no weights."""
    matrix, beside = table
    beside.pop("weights", None)
    data = libsvm.dumps(matrix, **beside, one_based=one_based)
    if not matrix.shape[0]:
        assert data == b""
        return
    x, y, qids = load_svmlight_file(
        io.BytesIO(data), n_features=10, zero_based=not one_based, query_id=True
    )
    assert same_rows(x, matrix)
    assert same(y, beside["labels"])
    if "qids" in beside:
        assert same(qids, beside["qids"])


@given(
    tables().filter(lambda table: table[0].shape[0] > 0),
    st.booleans(),
    st.sampled_from([None, "made by hand\n1 0:1"]),
)
def test_we_read_what_sklearn_writes(
    table: tuple[Any, dict[str, Any]], one_based: bool, comment: str | None
) -> None:
    """Its writer's bytes, comments included, are to us what they are to its reader."""
    matrix, beside = table
    file = io.BytesIO()
    labels = np.nan_to_num(beside["labels"])
    values = matrix.astype(np.float64)
    values.data = np.nan_to_num(values.data)
    dump_svmlight_file(
        values, labels, file, zero_based=not one_based, comment=comment, query_id=beside.get("qids")
    )
    found = libsvm.loads(file.getvalue(), width=10, one_based=one_based)
    file.seek(0)
    theirs, their_labels = load_svmlight_file(file, n_features=10, zero_based=not one_based)
    assert same_rows(found.features, theirs)
    assert same(found.labels, their_labels)
    assert same(found.qids, beside.get("qids"))


@given(st.data())
@pytest.mark.documented(XGBOOST)
def test_xgboost_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """The reader of the library finds the same entries, labels and weights: indices count from 0."""
    matrix, beside = data.draw(tables().filter(lambda table: table[0].shape[0] > 0))
    plain = np.round(np.nan_to_num(matrix.data.astype(np.float64), posinf=1, neginf=-1) % 1000, 2)
    matrix = sparse.csr_matrix((plain, matrix.indices, matrix.indptr), shape=matrix.shape)
    beside["labels"] = np.round(np.nan_to_num(beside["labels"], posinf=1, neginf=-1) % 1000, 2)
    beside.pop("qids", None)
    path = tmp_path_factory.mktemp("data") / "a"
    path.write_bytes(libsvm.dumps(matrix, **beside))
    theirs = xgb.DMatrix(f"{path}?format=libsvm")
    ours = libsvm.loads(path.read_bytes())
    assert theirs.num_row() == len(ours)
    assert theirs.num_col() == ours.width
    found = theirs.get_data()
    assert np.array_equal(found.indptr, ours.features.indptr)
    ours.features.sort_indices()
    assert np.array_equal(found.indices, ours.features.indices)
    assert np.allclose(found.data, ours.features.data, rtol=1e-6)
    assert ours.labels is not None
    assert np.allclose(theirs.get_label(), ours.labels, rtol=1e-6)
    if ours.weights is not None:
        assert np.allclose(theirs.get_weight(), ours.weights, rtol=1e-6)


@pytest.mark.parametrize(
    "data",
    [
        b"1 0:2 2:4\n0 1:-.5\n",
        b"1 0:2 2:4\n0 1:-.5",
        b"1 0:2 2:4\r\n0 1:-.5\r\n",
        b"\n1\t2:4e0  0:+2.\t\n \t\n 0 1:-5E-1\n\n",
        b"# 7:8\n1 0:2 2:4 # \xff qid:1 x\n#\n0 1:-.5#9\n",
        b"1.0 00:2 0000000000000000000000000002:4.000000000000000000000000\n0 1:-0.5\n",
    ],
)
def test_blanks_ends_comments_and_order_do_not_matter(data: bytes) -> None:
    """Tabs, carriage returns, comments, blank lines and other ways to write a number change nothing."""
    for labels in (True, False):
        found = libsvm.loads(data, labels=labels)
        assert found.features.toarray().tolist() == [[2, 0, 4], [0, -0.5, 0]]
    assert libsvm.loads(data).labels is not None
    libsvm.check(io.BytesIO(data))


def test_a_line_may_have_a_weight_and_a_query() -> None:
    """`label:weight qid:n`, and without labels `qid:n` alone."""
    found = libsvm.loads(b"1:0.5 qid:7 0:2\n-1:2 qid:8\n")
    assert found.labels is not None
    assert found.weights is not None
    assert found.qids is not None
    assert (found.labels.tolist(), found.weights.tolist(), found.qids.tolist()) == (
        [1, -1], [0.5, 2], [7, 8],
    )  # fmt: skip
    found = libsvm.loads(b"qid:7 0:2\n1 qid:8 1:3\n", labels=False)
    assert found.qids is not None
    assert (found.qids.tolist(), found.features.toarray().tolist()) == ([7, 8], [[2, 0], [0, 3]])


def test_without_labels_a_first_pair_is_a_feature() -> None:
    """What would be a label and its weight is an index and its value."""
    assert libsvm.loads(b"1:0.5 0:2\n", labels=False).features.toarray().tolist() == [[2, 0.5]]


@pytest.mark.parametrize(
    ("data", "line", "column", "problem"),
    [
        (b"x 0:1\n", 1, 1, r"found 'x' \(expected a label, or label:weight\)"),
        (b"1 0:1\n0:1:2\n", 2, 1, "found '0:1:2'"),
        (b"1 0:1\n0 0:1 two\n", 2, 7, r"found 'two' \(expected index:value\)"),
        (b"1 0:1\n0 0:1 2\n", 2, 7, "found '2'"),
        (b"1 0:1\n0 0:1  -1:2 3:x\n", 2, 8, "found '-1:2'"),
        (b"1 0:1 1:0x1\n", 1, 7, "found '1:0x1'"),
        (b"1 0:1_0\n", 1, 3, "found '0:1_0'"),
        (b"1 0:1 qid:3\n", 1, 7, "found 'qid:3'"),
        (b"1 qid:3 qid:4\n", 1, 9, "found 'qid:4'"),
        (b"1 qid:x\n", 1, 3, "found 'qid:x'"),
        (b"1,2 0:1\n", 1, 1, "found '1,2'"),
        (b"1 0:1\r2 0:1\n", 1, 3, "found '0:1.r2'"),
        (b"1 0:1\r# x\n", 1, 3, r"found '0:1.r'"),
        (b"1 0:" + b"9" * 50 + b"x\n", 1, 3, r"found '0:9{18}\.\.\.'"),
        (b"1 0:1\xff\n", 1, 3, "found '0:1\ufffd'"),
        (b"\xef\xbb\xbf1 0:1\n", 1, 1, "a byte order mark"),
        (b"1 0:1\n\n2 3:1 1:1 3:2\n1 x\n", 3, 11, "an index that occurs twice"),
        (b"1 0:1\n2:1 1:1\n", 2, 1, "a record with a weight"),
        (b"1:1 0:1\n2 1:1\n", 2, 1, "a record without weight"),
        (b"1 qid:1\n2 1:1\n", 2, 1, "a record without qid"),
        (b"1 0:1\n2 qid:1 1:1\n", 2, 1, "a record with a qid"),
        (b"1 9223372036854775807:1\n", 1, 3, "an index that does not fit"),
        (b"1 qid:99999999999999999999 1:1\n", 1, 7, "a qid that does not fit"),
        (b"1 0:1 4:1 5:2\n", 1, 11, r"outside the width \(expected at most 4\)"),
    ],
)  # fmt: skip
def test_the_place_of_what_is_wrong_is_named(
    data: bytes, line: int, column: int, problem: str
) -> None:
    """A FormatError has line, column and byte of the token, the first that is wrong in the data."""
    with pytest.raises(FormatError, match=problem) as caught:
        libsvm.loads(data, width=5 if b"5:2" in data else None)
    assert (caught.value.line, caught.value.column) == (line, column)
    before = b"".join(data.splitlines(keepends=True)[: line - 1]) if b"\r" not in data else b""
    assert caught.value.offset == len(before) + column - 1


def test_the_first_index_is_where_it_was_said_to_be() -> None:
    """Counting from 1 there is no index 0, and the width moves along."""
    assert libsvm.loads(b"1 1:5 3:6", one_based=True).features.toarray().tolist() == [[5, 0, 6]]
    with pytest.raises(FormatError, match="byte 7, line 1, column 8: index 0"):
        libsvm.loads(b"1 1:5  0:6", one_based=True)
    with pytest.raises(FormatError, match="expected at most 3"):
        libsvm.loads(b"1 4:1", one_based=True, width=3)


near = st.lists(
    st.sampled_from(
        ["1", "0:1", "1:2", "2:nan", "qid:1", "qid:2", " ", "  ", "\t", "\r", "\n", "#", "x", "-",
         ":", ".", "e5", "inf", "1:0.5", "3:+4e-1", "0:", "é", "\ufeff"]
    ),
    max_size=14,
).map("".join)  # fmt: skip

NUMBER = r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|(?i:nan|inf(?:inity)?))"
PAIRS = rf"(?:[ \t]+[0-9]+:{NUMBER})*[ \t]*(?:#.*|\r?)"
LABELED = re.compile(rf"[ \t]*(?:{NUMBER}(?::{NUMBER})?(?:[ \t]+qid:[0-9]+)?{PAIRS}|(?:#.*|\r?))")
UNLABELED = re.compile(
    rf"[ \t]*(?:(?:[0-9]+:{NUMBER}|(?:{NUMBER}[ \t]+)?qid:[0-9]+|{NUMBER}){PAIRS}|(?:#.*|\r?))"
)


@given(near, st.booleans(), st.integers(1, 30))
@example("1 0:1 qid:2", False, 4)
@example("0:1 qid:2", False, 4)
def test_any_text_is_rows_or_a_format_error_whatever_the_blocks(
    text: str, labels: bool, block: int
) -> None:
    """What a plain expression says of each line is what `check` says; blocks make no difference."""
    data = text.encode()

    def read() -> object:
        try:
            found = libsvm.loads(data, labels=labels)
            return found.features.toarray().tolist(), found.labels, found.weights, found.qids
        except FormatError as error:
            return error.line, error.column, error.problem

    whole = repr(read())
    form = LABELED if labels else UNLABELED
    rows = text.split("\n")
    bad = next((number for number, row in enumerate(rows, 1) if not form.fullmatch(row)), None)
    if bad is None:
        libsvm.check(io.BytesIO(data), labels=labels)
    else:
        with pytest.raises(FormatError) as caught:
            libsvm.check(io.BytesIO(data), labels=labels)
        assert caught.value.line == bad
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", block)
        assert repr(read()) == whole


@given(st.binary(max_size=100))
def test_any_bytes_are_rows_or_a_format_error(data: bytes) -> None:
    """Arbitrary bytes never raise anything but FormatError."""
    for labels in (True, False):
        with suppress(FormatError):
            libsvm.loads(data, labels=labels)


def test_cut_short_it_is_rows_or_an_error_in_the_last_line() -> None:
    """Cut at any byte, what stands before the last line is read, and that line is one or refused."""
    data = b"1:0.5 qid:3 0:1.5 7:-2e1\n0:1 qid:4 1:2 # end\n"
    for cut in range(len(data) + 1):
        try:
            found = len(libsvm.loads(data[:cut]))
        except FormatError as error:
            assert error.line == data.count(b"\n", 0, cut) + 1  # noqa: PT017
        else:
            assert found - data.count(b"\n", 0, cut) in (0, 1)


@given(tables(), st.integers(1, 60))
def test_batches_are_the_rows_in_order(table: tuple[Any, dict[str, Any]], block: int) -> None:
    """Batches of any size, and single rows, are what the whole is."""
    matrix, beside = table
    data = libsvm.dumps(matrix, **beside)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", block)
        batches = list(libsvm.iter_batches(io.BytesIO(data)))
        rows = list(libsvm.iter_records(io.BytesIO(data), width=10))
        whole = libsvm.loads(data)
    widths = [batch.width for batch in batches]
    assert widths == sorted(widths)
    assert sum(map(len, batches)) == len(rows) == len(whole) == matrix.shape[0]
    assert whole.width == (widths[-1] if widths else 0)
    assert same_rows(
        sparse.csr_matrix(
            (
                np.array([value for row in rows for value in row.values], np.float64),
                [index for row in rows for index in row.indices],
                np.cumsum([0, *(len(row.indices) for row in rows)]),
            ),
            shape=matrix.shape,
        ),
        matrix,
    )
    for number, row in enumerate(rows):
        assert repr(row.label) == repr(float(beside["labels"][number]))
        for found, column in ((row.weight, "weights"), (row.qid, "qids")):
            assert found == (beside[column][number] if column in beside else None)


@pytest.mark.parametrize(
    "line",
    [b"1 " + b"1" * 50_000, b"1" * 50_000 + b"x", b"1 0:" + b"1." * 30_000, b" " * 50_000 + b"x"],
)
def test_a_bad_line_costs_no_more_than_a_good_one(line: bytes) -> None:
    """Long tokens that come to nothing are refused at once; a reader that tries again would never end."""
    with pytest.raises(FormatError, match="line 301, column"):
        libsvm.loads(b"1 0:1\n" * 300 + line)


def test_a_long_file_is_read_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows come in batches from a file many times as large as what is held."""
    path = tmp_path / "data.svm"
    path.write_bytes(libsvm.dumps(np.full((500, 20), 0.125), np.ones(500)) * 20)
    monkeypatch.setattr(lines, "_BLOCK", 1 << 14)
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            assert sum(len(batch) for batch in libsvm.iter_batches(file)) == 10_000
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size
    finally:
        tracemalloc.stop()


def test_a_huge_index_costs_no_memory() -> None:
    """A row may have the index 2^62; only its own values are held."""
    found = libsvm.loads(f"1 {2**62}:3".encode()).features
    assert (found.shape, found.nnz) == ((1, 2**62 + 1), 1)


@pytest.mark.parametrize(
    ("features", "beside", "problem"),
    [
        (np.zeros(3), {}, "shape"),
        (np.array([["a"]]), {}, "features of dtype"),
        (np.zeros((2, 1)), {"labels": np.zeros(3)}, "labels of shape"),
        (np.zeros((2, 1)), {"labels": np.array(["a", "b"])}, "labels of dtype"),
        (np.zeros((2, 1)), {"weights": np.zeros(2)}, "weights without labels"),
        (np.zeros((2, 1)), {"qids": np.zeros(2)}, "qids of dtype"),
        (np.zeros((2, 1)), {"qids": np.array([1, -1])}, "negative qid"),
        (sparse.csr_matrix(np.array([[1], [0]])), {}, "record 1: a record without a value"),
    ],
)
def test_what_would_not_read_back_is_refused(
    features: Any, beside: dict[str, Any], problem: str
) -> None:
    """Other shapes and dtypes, columns that do not fit, and rows of nothing."""
    with pytest.raises(FormatError, match=problem):
        libsvm.dumps(features, **beside)


def test_dump_and_load_work_on_files(tmp_path: Path) -> None:
    """`dump` writes to a file what `load` reads back from it; an empty file has no records."""
    path = tmp_path / "data.svm"
    with path.open("wb") as file:
        libsvm.dump(np.array([[1.0, 2.0]]), file, np.array([3.0]))
    with path.open("rb") as file:
        found = libsvm.load(file)
    assert found.labels is not None
    assert (found.labels.tolist(), found.features.toarray().tolist()) == ([3], [[1, 2]])
    assert libsvm.loads(b"", width=4).features.shape == (0, 4)
    assert libsvm.loads(b"\n# nothing\n", labels=False).labels is None
