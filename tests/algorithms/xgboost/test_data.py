"""Files of a channel: what is read of them, and what is said about those that are wrong."""

import csv as python_csv
import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from harness.algorithms.xgboost import data, files
from harness.algorithms.xgboost.errors import PlatformError
from harness.algorithms.xgboost.log import Log
from harness.algorithms.xgboost.versions import named
from harness.formats import recordio
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.refusal import DataRefused
from harness.formats.readers.xgboost import plain_csv
from harness.formats.readers.xgboost.content_types import Format
from harness.formats.readers.xgboost.first_lines import sniff

LOG = Log(named("1.7-1"))
TABLE = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9.5]], np.float32)


def show(path: Path) -> str:
    """A path as it is said."""
    return f"/opt/ml/{path.name}"


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write files into a folder `train`."""

    def write(**contents: bytes) -> Path:
        folder = tmp_path / "train"
        for name, content in contents.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    return write


def listed(*paths: Path) -> list[DataFile]:
    """Files as the readers take them."""
    return [DataFile(path, path.name) for path in paths]


def read(folder: Path, form: Format, *, weights: bool = False) -> xgb.DMatrix:
    """All files of a folder as a matrix."""
    paths = files.to_read(folder, named("1.7-1"), show, LOG)
    return data.matrix(paths, form, csv_weights=weights, scratch=folder.parent, log=LOG)


def dense(matrix: xgb.DMatrix) -> Any:
    """The values of a matrix, NaN where there are none."""
    found: csr_matrix = matrix.get_data()
    values = np.full(found.shape, np.nan, np.float32)
    rows = np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))
    values[rows, found.indices] = found.data
    return values


def refusal(folder: Path, form: Format, *, weights: bool = False) -> str:
    """What is said about the files of a folder."""
    with pytest.raises(DataRefused) as caught:
        read(folder, form, weights=weights)
    return str(caught.value)


@pytest.mark.documented("notes/xgboost.md#data")
@pytest.mark.parametrize("delimiter", [",", ";", "\t", " ", "|"])
def test_csv_is_read_with_the_delimiter_of_its_first_line(
    put: Callable[..., Path], delimiter: str
) -> None:
    """The label is the first column; files follow one another in the order of their names."""
    lines = [delimiter.join(f"{value:g}" for value in row) for row in TABLE]
    folder = put(**{"b.csv": (lines[2] + "\n").encode(), "a.csv": "\n".join(lines[:2]).encode()})
    matrix = read(folder, Format.CSV)
    assert matrix.get_label().tolist() == [1, 4, 7]
    assert np.array_equal(dense(matrix), TABLE[:, 1:])


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
def test_csv_weights_are_the_second_column(put: Callable[..., Path]) -> None:
    """They are no feature then."""
    matrix = read(put(a=b"1,0.5,3\n4,2,6\n"), Format.CSV, weights=True)
    assert matrix.get_weight().tolist() == [0.5, 2]
    assert np.array_equal(dense(matrix), [[3], [6]])


@pytest.mark.documented("notes/xgboost.md#data")
def test_an_empty_cell_is_missing(put: Callable[..., Path]) -> None:
    """And not zero."""
    assert np.array_equal(
        dense(read(put(a=b"1,,3\n4,0,\n"), Format.CSV)), [[np.nan, 3], [0, np.nan]], equal_nan=True
    )


@pytest.mark.assumed("notes/xgboost.md#data-read-more-strictly")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"price,rooms,tax\n1,2,3\n",
            "Non-numeric value 'p' found in the header line 'price,rooms,tax\n...' of file 'a'. CSV format "
            "require no header line in it. If header line is already removed, XGBoost does not accept "
            "non-numeric value in the data.",
        ),
        (b"1,2,3\n4,five,6\n", "a: line 2, column 2: the cell 'five'"),
        (b"1,2,3\n4,5\n6,7,8\n", "a: line 2: 2 columns"),
        (b"1,2\n4,5,6\n", "a: line 2: 3 columns"),
        (b"1,2,\xff\xfe\n", "a: line 1: bytes that are not UTF-8"),
        (b'1,"2\n3,4\n', "a: line 1: unexpected end of data"),
    ],
)
def test_wrong_csv_is_refused_with_its_place(
    put: Callable[..., Path], content: bytes, message: str
) -> None:
    """A header, a word, lines of different length, bytes that are no text, a quote without end."""
    said = refusal(put(a=content), Format.CSV)
    assert said.startswith(f"Failed to load csv data with exception:\n{message}")


@pytest.mark.assumed("notes/xgboost.md#data-read-more-strictly")
def test_files_of_different_width_are_refused(put: Callable[..., Path]) -> None:
    """The second file is named."""
    message = refusal(put(a=b"1,2,3\n", b=b"1,2\n"), Format.CSV)
    assert (
        message
        == "Failed to load csv data with exception:\nb: 2 columns (expected 3, as in the first file)"
    )


@pytest.mark.documented("notes/xgboost.md#data-read-more-strictly")
@pytest.mark.parametrize("label", ["nan", "inf", "", "1e39"])
def test_a_label_that_is_no_number_is_refused_by_xgboost(
    put: Callable[..., Path], label: str
) -> None:
    """NaN, infinity, an empty cell, and more than float32 holds."""
    message = refusal(put(a=f"1,2,3\n{label},5,6\n".encode()), Format.CSV)
    assert message.startswith("Failed to load csv data with exception:\n")
    assert message.endswith("Label contains NaN, infinity or a value too large.")


@pytest.mark.documented("notes/xgboost.md#data-read-more-strictly")
def test_infinity_among_the_features_is_refused_by_xgboost(put: Callable[..., Path]) -> None:
    """Its message comes without the addresses that follow it."""
    message = refusal(put(a=b"1,inf,3\n4,5,6\n"), Format.CSV)
    assert "Input data contains `inf` or a value too large" in message
    assert "Stack trace" not in message


@pytest.mark.documented("notes/xgboost.md#data")
@pytest.mark.parametrize("line", [b"", b"\n"])
def test_a_line_without_delimiter_says_so(put: Callable[..., Path], line: bytes) -> None:
    """The sniffer's own message follows."""
    folder = put(a=line)
    with pytest.raises(DataRefused) as caught:
        files.check_first_lines(folder, Format.CSV, named("1.7-1"), LOG)
    assert str(caught.value) == (
        f"Could not determine delimiter on line {line.decode()}:\nCould not determine delimiter"
    )


@given(st.text(alphabet="0123456789.,;|\t :eE-+\"'ab", max_size=40))
@example("1,2,3")
@example(",,,")
@example("1.5")
@example("'a','b'")
def test_the_delimiter_is_what_the_sniffer_finds(line: str) -> None:
    """The short cut for a comma makes no difference."""
    try:
        expected: str | None = python_csv.Sniffer().sniff(line).delimiter
    except python_csv.Error:
        expected = None
    try:
        found: str | None = sniff(line)
    except python_csv.Error:
        found = None
    assert found == expected


@pytest.mark.documented("notes/xgboost.md#data")
def test_libsvm_is_sparse_and_counts_from_zero(put: Callable[..., Path]) -> None:
    """What is not there is missing; a label may have a weight."""
    matrix = read(put(a=b"1:0.5 0:2 2:4\n0:2 1:5 # note\n", b=b"1:1 0:1\n"), Format.LIBSVM)
    assert matrix.get_label().tolist() == [1, 0, 1]
    assert matrix.get_weight().tolist() == [0.5, 2, 1]
    assert np.array_equal(
        dense(matrix),
        [[2, np.nan, 4], [np.nan, 5, np.nan], [1, np.nan, np.nan]],
        equal_nan=True,
    )


@pytest.mark.documented("notes/xgboost.md#data")
def test_nothing_is_left_of_reading_libsvm(put: Callable[..., Path]) -> None:
    """The folder of links that xgboost reads is gone."""
    folder = put(a=b"1 0:2\n")
    read(folder, Format.LIBSVM)
    assert [entry.name for entry in folder.parent.iterdir()] == ["train"]


@pytest.mark.documented("notes/xgboost.md#data")
@pytest.mark.parametrize(
    "line", ["1,2,3\n", "a 0:1 1:2\n", "1 0:1 two\n", "1 0:1:2 3:4\n", "1:2:3 0:1\n", "1 \n"]
)
def test_a_first_line_that_is_not_libsvm_says_so(put: Callable[..., Path], line: str) -> None:
    """It is shown with its line's end, cut at fifty characters, the dots always."""
    folder = put(**{"part-0": line.encode()})
    with pytest.raises(DataRefused) as caught:
        files.check_first_lines(folder, Format.LIBSVM, named("1.7-1"), LOG)
    assert str(caught.value) == (
        f"First line '{line}...' of file 'part-0' is not 'LIBSVM' format. "
        "Please ensure the file is in 'LIBSVM' format."
    )


@pytest.mark.documented("notes/xgboost.md#data")
def test_a_file_whose_lines_have_no_features_is_warned_of(
    put: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The check ends at the first line with more than one feature; here there is none."""
    files.check_first_lines(put(a=b"1\n0 1:1\n"), Format.LIBSVM, named("1.7-1"), LOG)
    assert "File a is not an invalid LIBSVM file but has no features." in capsys.readouterr().out


@pytest.mark.assumed("notes/xgboost.md#data-read-more-strictly")
@pytest.mark.parametrize(
    "bad", ["1,2,3", "x 1:2", "1 a:2", "1 1:b", "1 1:2 3", "1 1:2:3", "1 -1:2"]
)
def test_any_later_line_that_is_not_libsvm_is_refused_with_its_number(
    put: Callable[..., Path], bad: str
) -> None:
    """The reader of xgboost would make something of it."""
    lines = "1 0:2 1:4\n" * 40_000 + bad + "\n1 0:1\n"
    message = refusal(put(a=lines.encode()), Format.LIBSVM)
    assert message == (
        f"Failed to load libsvm data with exception:\na: line 40001: '{bad}' is not <label> <index>:<value> ..."
    )


@pytest.mark.assumed("notes/xgboost.md#data-read-more-strictly")
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"1 0:2\n0 1:nan\n", "a: line 2: 'nan' is not read by XGBoost"),
        (b"1 0:2\n\n-INF 1:3\n", "a: line 3: 'INF' is not read by XGBoost"),
        (b"1 0:2 4294967295:1\n", "a: line 1: '4294967295' is not read by XGBoost"),
        (b"1:2 0:2\n0 1:3\n", "1 of 2 records have a weight, and the others none"),
        (b"1 qid:1 0:2\n0 1:3\n", "1 of 2 records have a qid, and the others none"),
    ],
)
def test_libsvm_that_the_reader_misreads_is_refused(
    put: Callable[..., Path], content: bytes, problem: str
) -> None:
    """It would make zeros of nan and inf, small numbers of large indices, and weights of nothing."""
    message = refusal(put(a=content), Format.LIBSVM)
    assert message == f"Failed to load libsvm data with exception:\n{problem}"


@pytest.mark.documented("notes/xgboost.md#data")
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b"1\n0 # 0:1\n",
            "XGB train call failed with exception:\n Check failed: mparam_.num_feature",
        ),
        (b"# 1 0:1\n", "Got input data without labels."),
    ],
)
def test_libsvm_without_features_or_records_is_refused(
    put: Callable[..., Path], content: bytes, problem: str
) -> None:
    """In the words in which xgboost refuses to train, and in the image's; a comment is neither."""
    assert refusal(put(a=content), Format.LIBSVM).startswith(problem)


@given(
    st.lists(
        st.tuples(
            st.floats(-100, 100, width=32),
            st.dictionaries(st.integers(0, 9), st.floats(-100, 100, width=32), min_size=1),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_is_libsvm_is_read(tmp_path_factory: pytest.TempPathFactory, rows: Any) -> None:
    """Labels and values come back as float32."""
    folder = tmp_path_factory.mktemp("data") / "train"
    folder.mkdir()
    lines = [
        f"{label!r} " + " ".join(f"{k}:{v!r}" for k, v in sorted(f.items())) for label, f in rows
    ]
    (folder / "a").write_text("\n".join(lines))
    matrix = read(folder, Format.LIBSVM)
    assert np.allclose(matrix.get_label(), [label for label, _ in rows], rtol=1e-6)
    values = dense(matrix)
    for row, (_, features) in enumerate(rows):
        assert np.allclose(
            values[row][sorted(features)], [features[k] for k in sorted(features)], rtol=1e-6
        )
        assert np.isfinite(values[row]).sum() == len(features)


@pytest.mark.documented("notes/xgboost.md#data")
def test_recordio_has_its_labels_beside_its_features(put: Callable[..., Path]) -> None:
    """Several files are one table."""
    parts = [recordio.dumps(TABLE[rows, 1:], TABLE[rows, 0]) for rows in (slice(0, 2), slice(2, 3))]
    matrix = read(put(a=parts[0], b=parts[1]), Format.RECORDIO)
    assert matrix.get_label().tolist() == [1, 4, 7]
    assert np.array_equal(dense(matrix), TABLE[:, 1:])


@pytest.mark.documented("notes/xgboost.md#data")
def test_sparse_recordio_is_missing_where_it_has_no_key(put: Callable[..., Path]) -> None:
    """As with libsvm."""
    sparse = csr_matrix(np.array([[0, 5, 0], [1, 0, 0]], np.float32))
    content = recordio.dumps(sparse, np.array([1, 2], np.float32))
    assert np.array_equal(
        dense(read(put(a=content), Format.RECORDIO)),
        [[np.nan, 5, np.nan], [1, np.nan, np.nan]],
        equal_nan=True,
    )


@pytest.mark.documented("notes/xgboost.md#data")
def test_records_without_label_are_refused(put: Callable[..., Path]) -> None:
    """The text speaks of several instances too."""
    message = refusal(put(a=recordio.dumps(TABLE)), Format.RECORDIO)
    assert message.startswith(
        "Got input data without labels. Please check the input data set. If training job"
    )


@pytest.mark.assumed("notes/xgboost.md#data-read-more-strictly")
@pytest.mark.parametrize("content", [b"1,2,3\n", b"\n", recordio.dumps(TABLE, TABLE[:, 0])[:-3]])
def test_what_is_no_recordio_is_refused(put: Callable[..., Path], content: bytes) -> None:
    """The file is named."""
    message = refusal(put(a=content), Format.RECORDIO)
    assert message.startswith("Failed to load recordio-protobuf data with exception:\na: ")


@pytest.mark.documented("notes/xgboost.md#data")
def test_recordio_of_different_width_is_refused(put: Callable[..., Path]) -> None:
    """The second file is named."""
    label = np.array([1], np.float32)
    message = refusal(
        put(a=recordio.dumps(TABLE[:1, 1:], label), b=recordio.dumps(TABLE[:1], label)),
        Format.RECORDIO,
    )
    assert message.endswith("b: 3 features (expected 2, as in the first file)")


@pytest.mark.parametrize("form", [Format.CSV, Format.RECORDIO])
def test_files_without_a_record_are_refused(put: Callable[..., Path], form: Format) -> None:
    """Though there are files."""
    message = refusal(put(a=b"", b=b""), form)
    assert message == f"Failed to load {form.value} data with exception:\nThere are no rows."


def test_blank_lines_alone_are_no_rows(put: Callable[..., Path]) -> None:
    """Whatever the reader says of them."""
    assert refusal(put(a=b"\n\n,\n"), Format.CSV).startswith("Could not determine delimiter")


def test_parquet_is_read_or_what_it_needs_is_named(put: Callable[..., Path]) -> None:
    """A file that is no parquet fails either way: for pyarrow's absence, or in its words."""
    with pytest.raises((DataRefused, PlatformError), match=r"pyarrow|Failed to load parquet data"):
        read(put(a=b"PAR1"), Format.PARQUET)


@pytest.mark.documented("notes/xgboost.md#data")
def test_folders_are_followed_three_deep_from_1_3_on(
    put: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Deeper ones are warned of; earlier images read the first folder without folders in it."""
    folder = put(a=b"1", b__c=b"2", b__d__e=b"3", b__d__f__g=b"4")
    names = [path.name for path in files.to_read(folder, named("1.3-1"), show, LOG)]
    assert names == ["a", "c", "e"]
    assert "The depth of folder /opt/ml/train exceed the limit 3." in capsys.readouterr().out
    assert [path.name for path in files.to_read(folder, named("1.2-2"), show, LOG)] == ["g"]


@pytest.mark.documented("notes/xgboost.md#data")
def test_a_hidden_file_is_refused_wherever_it_lies(put: Callable[..., Path]) -> None:
    """So does the image, which a notebook's checkpoint folder often meets."""
    with pytest.raises(DataRefused) as caught:
        files.size(put(a=b"1,2", **{"b__.hidden": b"x"}), show, LOG)
    assert str(caught.value) == "Hidden file found in the data path! Remove that before training."


@pytest.mark.documented("notes/xgboost.md#data")
def test_the_same_file_in_both_channels_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Same name and same size; another size is another file."""
    for channel, other in (("train", b"1"), ("validation", b"22")):
        (tmp_path / channel).mkdir()
        (tmp_path / channel / "same.csv").write_bytes(b"1,2,3")
        (tmp_path / channel / "other.csv").write_bytes(other)
    files.warn_of_redundancy(tmp_path / "train", tmp_path / "validation", show, LOG)
    out = capsys.readouterr().out
    assert (
        "Suspected identical files found. (/opt/ml/same.csv and /opt/ml/same.csvwith same size 5 bytes)"
        in out
    )
    assert "other.csv" not in out


@pytest.mark.assumed("notes/xgboost.md#data")
@pytest.mark.parametrize(
    ("form", "line", "message"),
    [
        (
            Format.CSV,
            "1 2:3\n",
            "Blankspace and colon found in firstline '1 2:3\n...' of file 'a'. Please ensure the file is in csv "
            "format.",
        ),
        (
            Format.LIBSVM,
            "1,2,3\n",
            "Blankspace and colon not found in firstline '1,2,3\n...' of file 'a'. ContentType by defaullt is in "
            "libsvm. Please ensure the file is in libsvm format.",
        ),
        (
            Format.CSV,
            "x,y\n",
            "Non-numeric value 'x' found in the header line 'x,y\n...' of file 'a'. CSV format require no header "
            "line in it. If header line is already removed, XGBoost does not accept non-numeric value in the data.",
        ),
    ],
)
def test_0_72_looks_at_first_lines(
    put: Callable[..., Path], form: Format, line: str, message: str
) -> None:
    """Its messages are those that people still search for."""
    with pytest.raises(DataRefused) as caught:
        files.check_first_lines(put(a=line.encode()), form, named("0.72"), LOG)
    assert str(caught.value) == message


def test_a_pickle_among_the_data_is_only_data(put: Callable[..., Path]) -> None:
    """Nothing in a channel is ever executed."""
    stream = io.BytesIO()
    pickle.dump(print, stream)
    assert refusal(put(a=b"1,2\n" + stream.getvalue()), Format.CSV).startswith("Failed to load csv")


@pytest.mark.assumed("notes/xgboost.md#data-read-more-strictly")
@pytest.mark.parametrize("content", [b"5\n6\n", b"1\r\n2\r\n", b"1.5\n2.5\n", b"abc\n"])
def test_csv_of_one_column_has_no_delimiter(put: Callable[..., Path], content: bytes) -> None:
    """The sniffer takes a digit, a letter, a point or the line's end for it, which cannot be meant."""
    assert refusal(put(a=content), Format.CSV).startswith("Could not determine delimiter on line ")


@pytest.mark.parametrize("content", [b'""\n', b"'1','2'\n", b"1,2,\n"])
def test_odd_quotes_and_a_comma_at_the_end_fail_or_are_read(
    put: Callable[..., Path], content: bytes
) -> None:
    """Whatever xgboost or the reader makes of them, the job gets a matrix or an error with a message."""
    folder = put(a=content)
    if content == b"1,2,\n":
        assert np.array_equal(dense(read(folder, Format.CSV)), [[2, np.nan]], equal_nan=True)
    else:
        assert refusal(folder, Format.CSV).startswith(
            ("Failed to load csv data", "Could not determine")
        )


NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE]-[0-9]+)?"
PLAIN = re.compile(rf"{NUMBER}(,({NUMBER})?)*,{NUMBER}")


def plain_by_line(text: str) -> bool:
    """What `is_plain` decides of whole blocks, line by line."""
    lines = text.removesuffix("\n").split("\n")
    if not all(PLAIN.fullmatch(line) for line in lines) or re.search(r"(^|[\n,+-])[0-9]{19}", text):
        return False
    return len({line.count(",") for line in lines}) == 1


@given(
    st.text(alphabet="019.,eE+-\n", max_size=24)
    | st.lists(
        st.lists(
            st.from_regex(NUMBER, fullmatch=True, alphabet="0123456789.eE+-")
            | st.sampled_from(
                ["", ".", "-", "1e5", "1e-5.0", "1.2.3", "1-2", "1e-", "+.5", "-.5e-3", "0" * 26]
            ),
            min_size=1,
            max_size=4,
        ).map(",".join),
        min_size=1,
        max_size=4,
    ).map("\n".join)
)
@example("1,2\n3,4\n")
@example("1,2\n\n3,4")
@example("1,.e-5,2")
@example("1,2e-.5,2")
def test_plain_csv_is_what_a_grammar_of_lines_says(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """The check of whole blocks and a regular expression per line agree."""
    path = tmp_path_factory.mktemp("plain") / "a"
    path.write_text(text)
    assert plain_csv.is_plain(listed(path)) is plain_by_line(text)


@given(
    st.lists(
        st.lists(
            st.floats(-(2.0**80), 2.0**80, width=32).map(repr)
            | st.floats(-1e6, 1e6).map(repr)
            | st.floats(-1e6, 1e6).map("{:.3f}".format)
            | st.integers(-(10**20), 10**20).map(str)
            | st.sampled_from(["1e-300", "1e-45", ".5", "5.", "+1", "-0"]),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=10,
    )
)
def test_both_readers_of_csv_read_the_same_numbers(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    """As float32, to its last digit but one."""
    folder = tmp_path_factory.mktemp("both") / "train"
    folder.mkdir()
    (folder / "a").write_text("\n".join(map(",".join, rows)))
    matrix = read(folder, Format.CSV)
    expected = np.array(rows, np.float64)
    # Xgboost's reader is not exact in the last place, and knows no exponent below -38.
    assert np.allclose(dense(matrix), expected[:, 1:], rtol=2**-22, atol=1e-36)
    assert np.allclose(matrix.get_label(), expected[:, 0], rtol=2**-22, atol=1e-36)


def test_plain_files_must_agree_and_may_be_empty(put: Callable[..., Path]) -> None:
    """Files of different width are not plain together; one without a byte is passed over."""
    folder = put(a=b"1,2\n", b=b"1,2,3\n", c=b"")
    assert plain_csv.is_plain(listed(folder / "a"))
    assert not plain_csv.is_plain(listed(folder / "a", folder / "b"))
    (folder / "b").unlink()
    assert read(folder, Format.CSV).num_row() == 1


def test_a_line_of_more_than_two_blocks_is_not_plain(put: Callable[..., Path]) -> None:
    """It is cut where the check cannot see that it is one line; the codec reads it."""
    folder = put(a=b"1," * 1_200_000 + b"1\n")
    assert not plain_csv.is_plain(listed(folder / "a"))
    assert read(folder, Format.CSV).num_col() == 1_200_000
