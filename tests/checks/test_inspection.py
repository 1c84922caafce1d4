"""What an inspection finds, and where: findings by line, record and column, numbers, and when it stops looking."""

import gzip
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from harness.checks.inspection import (
    Finding,
    Inspection,
    Use,
    advice,
    content_type_of,
    inspect,
    intended_use,
    recognised,
)
from harness.formats import csv, framing, libsvm, npy, recordio

PROTOBUF = "application/x-recordio-protobuf"
TABLE = np.array([[1, 2, 3], [4, 5, 6.5], [7, 8, 9]], np.float32)
ROWS = csv.dumps(TABLE)
RECORDS = recordio.dumps(TABLE[:, 1:], TABLE[:, 0])


def look(folder: Path, content: bytes, content_type: str = "text/csv", **how: Any) -> Inspection:
    """Inspect bytes as a file."""
    path = folder / "data"
    path.write_bytes(content)
    return inspect(path, content_type, **how)


def told(found: Inspection) -> list[tuple[str, str, str]]:
    """Kind, place and text of each finding."""
    return [(finding.kind, str(finding.place), finding.shown) for finding in found.findings]


@pytest.mark.parametrize(
    ("content", "findings"),
    [
        (ROWS, []),
        (b"MEDV,CRIM,ZN\n" + ROWS, [("header", "line 1, column 1", "MEDV, CRIM, ZN")]),
        (b"M,1\nF,2\n", [("not_a_number", "line 1, column 1", "M"), ("not_a_number", "line 2, column 1", "F")]),
        (b",2,3\n" + ROWS, [("missing_label", "line 1, column 1", ",2,3")]),
        (
            ROWS + b"1,2\n\n1,2,3,4\n",
            [("width", "line 4", "1,2"), ("width", "line 6", "1,2,3,4"), ("blank_line", "line 5", "")],
        ),
        (b"\xef\xbb\xbf" + ROWS, [("byte_order_mark", "line 1, column 1", "EF BB BF")]),
        (ROWS.replace(b"\n", b"\r\n"), []),
        (ROWS.replace(b"\n", b"\r"), [("unreadable", "line 1", r"1.0,2.0,3.0")]),
        (ROWS + b"1,nan,3\n", [("missing_value", "line 4, column 2", "nan")]),
        (ROWS + b"1,,\n", [("missing_value", "line 4, column 2", "1,,")]),
        (ROWS + b"1,-inf,1e39\n", [("infinite_value", "line 4, column 2", "1,-inf,1e39")]),
        (b"\n\n", [("empty", "", ""), ("blank_line", "line 1", "")]),
        (b"", [("empty", "", "")]),
        (b'1,"2\n3",4\n1,2,3\n', [("not_a_number", "line 1, column 2", "2\n3")]),
        (b'1,2\n3,"4\n5,6\n', [("open_quote", "line 2", '3,"4')]),
        (b"1,2\n3,\xe9\n", [("unreadable", "line 2", "3,\ufffd")]),
        (b"1;2\n3;4\n", [("delimiter", "line 1", "")]),
        (b"5\n7\n", [("no_features", "line 1", "")]),
        (b"0,5\n1,6\n2,7\n", [("index", "column 1", "0, 1, 2")]),
        (gzip.compress(ROWS, mtime=0), [("other_format", "byte 0", "")]),
        (RECORDS, [("other_format", "byte 0", "")]),
        ("1,2\n".encode("utf-16"), [("other_format", "byte 0", "")]),
        (b'{"a": 1}\n', [("other_format", "byte 0", "")]),
        (b"1 0:2 1:3\n", [("other_format", "byte 0", "")]),
    ],
)  # fmt: skip
def test_each_fault_of_csv_is_found_where_it_is(
    tmp_path: Path, content: bytes, findings: list[tuple[str, str, str]]
) -> None:
    """A kind, a line and a column, and the text in question; what is as it should be gives none."""
    found = look(tmp_path, content)
    expected = [(kind, place, shown) for kind, place, shown in findings]
    shown = [(k, p, s.split("\r")[0]) for k, p, s in told(found)]
    assert shown == expected
    assert found.usable is not bool([f for f in found.findings if f.refused_by])


@pytest.mark.parametrize(
    ("content", "findings"),
    [
        (RECORDS, []),
        (RECORDS[:-5], [("framing", "record 2, byte 104")]),
        (RECORDS + b"\n#", [("framing", "record 3, byte 156")]),
        (RECORDS + framing.frame(b"\xff") + RECORDS, [("record", "record 3, byte 156")]),
        (recordio.dumps(TABLE), [("no_label", "record 0")]),
        (recordio.dumps(TABLE.astype(int), TABLE[:, 0]), [("tensor", "record 0, byte 0")]),
        (RECORDS + recordio.dumps(TABLE[:, 1:], TABLE[:, 0].astype(int)), [("tensor", "record 3, byte 156")]),
        (b"", [("empty", "")]),
        (ROWS, [("other_format", "byte 0")]),
        (b"\0" * 40, [("framing", "record 0, byte 0")]),
    ],
)  # fmt: skip
def test_each_fault_of_recordio_is_found_where_it_is(
    tmp_path: Path, content: bytes, findings: list[tuple[str, str]]
) -> None:
    """A kind, a record and a byte."""
    assert [(kind, place) for kind, place, _ in told(look(tmp_path, content, PROTOBUF))] == findings


def test_records_after_a_bad_one_are_looked_at(tmp_path: Path) -> None:
    """Two records of another width, and one that is no protobuf, are three findings; the others are counted."""
    narrow = recordio.dumps(TABLE[:1, 2:], TABLE[:1, 0])
    found = look(tmp_path, RECORDS + narrow + RECORDS + framing.frame(b"\xff") + narrow, PROTOBUF)
    places = [finding.place.record for finding in found.findings]
    assert (places, found.contents.records, found.contents.width) == ([3, 7, 8], 6, 2)
    assert (found.contents.labels.lowest, found.contents.labels.highest) == (1, 7)


def test_a_first_record_that_is_bad_decides_no_width(tmp_path: Path) -> None:
    """The second one does."""
    found = look(
        tmp_path, framing.frame(b"\xff") + RECORDS + recordio.dumps(TABLE, TABLE[:, 0]), PROTOBUF
    )
    assert [finding.place.record for finding in found.findings] == [0, 4, 5, 6]
    assert (found.contents.records, found.contents.width) == (3, 2)


def test_missing_and_infinite_values_have_their_record(tmp_path: Path) -> None:
    """Of dense and of sparse records, of features and of labels."""
    from scipy.sparse import csr_matrix

    table = TABLE[:, 1:].copy()
    table[1, 0], table[2, 1] = np.nan, np.inf
    labels = np.array([np.nan, 1, -np.inf], np.float32)
    for features in (table, csr_matrix(table)):
        found = look(tmp_path, recordio.dumps(features, labels), PROTOBUF)
        assert sorted((f.kind, f.place.record) for f in found.findings) == [
            ("infinite_label", 2),
            ("infinite_value", 2),
            ("missing_label", 0),
            ("missing_value", 1),
        ]


@pytest.mark.documented("notes/inspection.md#the-magic-number-in-a-record")
def test_a_magic_number_inside_a_record_is_a_hint(tmp_path: Path) -> None:
    """A float with its bits does no harm to readers by length; cut at it, as dmlc's writer does, neither."""
    table = TABLE[:, 1:].copy()
    table.view(np.uint32)[1, 0] = framing.MAGIC
    whole = recordio.dumps(table, TABLE[:, 0])
    found = look(tmp_path, whole, PROTOBUF)
    assert (told(found), found.usable) == (
        [("embedded_magic", "record 1, byte 52", "0A 23 D7 CE")],
        True,
    )
    payload = whole[60:104]
    at = payload.index(framing.MAGIC_BYTES)
    assert at % 4 == 0
    parts = b"".join(
        framing.MAGIC_BYTES
        + (flag << 29 | len(part)).to_bytes(4, "little")
        + part
        + bytes(-len(part) % 4)
        for flag, part in ((1, payload[:at]), (3, payload[at + 4 :]))
    )
    cut = look(tmp_path, whole[:52] + parts + whole[104:], PROTOBUF)
    assert "1 records are in several parts" in cut.contents.notes[0]
    assert cut.usable


@pytest.mark.parametrize(
    ("content_type", "content", "findings"),
    [
        ("application/jsonlines", b'{"features": [1, 2]}\n{"features": [3, 4]}', []),
        ("application/jsonlines", b'{"features": [1, 2]}\n{"features": [1\n', [("not_json", "line 2, column 16")]),
        (
            "application/jsonlines", b'{"features": [1]}\n\n{"features": [1, 2]}\n',
            [("instance_width", "line 3"), ("blank_line", "line 2")],
        ),
        (
            "application/jsonlines", b'{"features": [1, NaN]}\n',
            [("missing_value", "line 1"), ("lenient_json", "line 1, column 18")],
        ),
        ("application/jsonlines", b'{"a": [1]}\n{"features": [1]}\n', [("instance", "line 1")]),
        ("application/json", b'{"instances": [{"features": [1]}]}', []),
        ("application/json", b'{"instances": [{"features": [1]},]}', [("not_json", "line 1, column 34")]),
        ("application/json", b'{"instances": []}', [("empty", "")]),
        ("application/json", b'{"instances": [{"features": [1]}, 2]}', [("instance", "record 1")]),
        ("text/libsvm", b"1 0:1\n\n0 1:2 2:x\n", [("not_libsvm", "line 3, column 7")]),
        ("text/libsvm", b"1 0:1\n0 1:nan\n", [("missing_value", "line 2")]),
        ("text/libsvm", b"1 0:1\ninf 1:1\n", [("infinite_label", "line 2")]),
        ("text/libsvm", b"1\n0\n", [("no_features", "line 1")]),
        ("text/libsvm", b"# 1 0:1\n", [("empty", "")]),
        ("text/libsvm", b"1:2 0:1\n1 0:1\n", [("refused", "")]),
        ("application/x-npy", npy.dumps(TABLE)[:20], [("unreadable", "byte 20")]),
    ],
)  # fmt: skip
def test_each_fault_of_another_format_is_found_where_it_is(
    tmp_path: Path, content_type: str, content: bytes, findings: list[tuple[str, str]]
) -> None:
    """JSON Lines, JSON, libsvm and npy."""
    found = look(tmp_path, content, content_type)
    assert [(kind, place) for kind, place, _ in told(found)] == findings


numbers = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6),
    elements=st.floats(-1e30, 1e30),
)


@given(table=numbers)
def test_the_numbers_of_a_file_are_counted(
    tmp_path_factory: pytest.TempPathFactory,
    table: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
) -> None:
    """Records, features, the label's first values, range and different ones, alike in three formats."""
    folder = tmp_path_factory.mktemp("numbers")
    labels, features = table[:, 0], table[:, 1:]
    for content_type, content in (
        ("text/csv", csv.dumps(features, labels)),
        (PROTOBUF, recordio.dumps(features, labels)),
        ("text/libsvm", libsvm.dumps(features, labels)),
    ):
        contents = look(folder, content, content_type).contents
        assert (contents.records, contents.width) == features.shape
        assert contents.labels.first == labels[:5].tolist()
        assert (contents.labels.lowest, contents.labels.highest) == (labels.min(), labels.max())
        assert len(contents.labels.distinct) == len(np.unique(labels))
        assert contents.labels.whole is bool((labels == np.floor(labels)).all())
        assert (contents.features.lowest, contents.features.highest) == (
            features.min(),
            features.max(),
        )


@given(st.lists(st.sampled_from(["1,2", "3,", "x,4", "5", "", '"6",7', '8,"9\n"']), max_size=12))
def test_where_blocks_end_makes_no_difference(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    """The same findings and the same numbers, whether the file is read at once or some bytes at a time."""
    folder = tmp_path_factory.mktemp("blocks")
    content = ("1,1\n" + "\n".join(lines)).encode()

    class Slowly(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size, 7) if size is not None and size > 7 else size)

    def slowly(path: Path) -> BinaryIO:
        return Slowly(path.read_bytes())

    at_once, in_pieces = look(folder, content), look(folder, content, opened=slowly)
    assert at_once.findings == in_pieces.findings
    assert at_once.contents == in_pieces.contents


def test_only_so_many_findings_are_kept(tmp_path: Path) -> None:
    """Then one that stops nobody is counted, and reading goes on; at one that stops a block it ends."""
    missing = look(tmp_path, b"1,2\n" + b"1,\n" * 300 + b"1,2\n", limit=5)
    assert len(missing.findings) == 5
    assert (missing.contents.records, missing.contents.complete) == (302, True)
    assert missing.contents.features.missing == 300
    ragged = look(tmp_path, b"1,2\n" + b"1\n" * 300, limit=5)
    assert len(ragged.findings) == 5
    assert (ragged.contents.records, ragged.contents.complete) == (1, False)
    table = np.full((300, 2), np.nan, np.float32)
    records = look(tmp_path, recordio.dumps(table, np.ones(300, np.float32)), PROTOBUF, limit=5)
    assert len(records.findings) == 5
    assert records.left_out == {"missing_value": 590}


def test_memory_holds_a_block_not_the_file(tmp_path: Path) -> None:
    """Forty megabytes of CSV and of recordIO are looked at in a small part of it."""
    path = tmp_path / "data"
    block = np.random.default_rng(0).random((20_000, 10)).astype(np.float32)
    for content_type, data, times in (
        ("text/csv", csv.dumps(block), 20),
        (PROTOBUF, recordio.dumps(block[:, 1:], block[:, 0]), 25),
    ):
        with path.open("wb") as file:
            for _ in range(times):
                file.write(data)
        del data
        tracemalloc.start()
        found = inspect(path, content_type)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (found.contents.records, found.usable) == (20_000 * times, True)
        assert peak < path.stat().st_size / 2


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("train.csv", "text/csv"),
        ("TRAIN.CSV", "text/csv"),
        ("train.csv.gz", "text/csv"),
        ("a.jsonl", "application/jsonlines"),
        ("a.libsvm", "text/libsvm"),
        ("matrix_0.pbr", PROTOBUF),
        ("a.npy", "application/x-npy"),
        ("part-00000", None),
        ("data.bin", None),
        (".gz", None),
    ],
)
def test_a_name_tells_the_content_type(name: str, content_type: str | None) -> None:
    """Where its extension is clear."""
    assert content_type_of(Path(name)) == content_type


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (RECORDS, PROTOBUF),
        (npy.dumps(TABLE), "application/x-npy"),
        (b'{"a": 1}\n{"a": 2}\n', "application/jsonlines"),
        (b'{\n"a": 1\n}\n', "application/json"),
        (b"[[1, 2],\n[3, 4]]", "application/json"),
        (b"1 0:2 3:4\n", "text/libsvm"),
        (b"1,2\n", None),
        (gzip.compress(b"1,2\n", mtime=0), None),
        (b"PK\x03\x04" + b"\0" * 26 + b"features.npy", "application/x-npz"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", None),
        (framing.frame(bytes(24) + b"\xff\xd8\xff\xe0"), "application/x-recordio"),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_bytes_tell_the_content_type(head: bytes, content_type: str | None) -> None:
    """Where they begin as only one format does."""
    assert recognised(head) == content_type


@pytest.mark.parametrize(
    ("content_type", "label_size", "use"),
    [
        ("text/csv", None, Use.TRAINING),
        ("text/csv", 1, Use.TRAINING),
        ("text/csv", 0, Use.INFERENCE),
        ("text/csv;label_size=0", None, Use.INFERENCE),
        (PROTOBUF, None, Use.TRAINING),
        ("application/json", None, Use.INFERENCE),
        ("application/jsonlines", 1, Use.INFERENCE),
    ],
)
def test_the_use_follows_from_what_has_labels(
    content_type: str, label_size: int | None, use: Use
) -> None:
    """Requests have none, and JSON is for requests only."""
    assert intended_use(content_type, label_size) is use


def test_what_is_said_of_a_file_can_be_written_as_json(tmp_path: Path) -> None:
    """NaN and all: a program that reads JSON strictly reads it."""
    found = look(tmp_path, b"nan,inf\n1,2\nx,y\n").to_json()
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    assert (found["usable"], found["contents"]["labels"]["first"]) == (False, ["nan", 1.0])
    assert found["findings"][0]["refused_by"] == ["linear-learner", "xgboost"]


def test_each_kind_that_stops_an_algorithm_has_advice(tmp_path: Path) -> None:
    """Except where the algorithm's own words must do."""
    contents = (
        ROWS,
        b"a,b\n",
        b"1,\n",
        b"\xef\xbb\xbf1,2\n",
        b"1;2\n",
        b"1\n",
        b"",
        b'1,"2\n',
        b"1,2\n1\n",
    )
    findings: list[Finding] = []
    for content in contents:
        findings += look(tmp_path, content).findings
    assert findings
    assert [finding.kind for finding in findings if not advice(finding.kind)] == []
    assert "unpack" in str(advice("other_format", "the bytes are compressed with gzip"))
