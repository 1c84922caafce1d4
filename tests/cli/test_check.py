"""`harness check`: what is printed, the exit code, the JSON, and wrong command lines."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from harness.formats import csv, recordio
from tests.cli.commands import harness

TABLE = np.array([[24, 0.5, 3], [21.6, 1, 4], [34.7, 2, 5]], np.float32)
ROWS = csv.dumps(TABLE)


def test_a_good_file_is_shown_with_its_numbers(tmp_path: Path) -> None:
    """Records, columns, the label's values and range, and who can use it; exit code 0."""
    (tmp_path / "train.csv").write_bytes(ROWS)
    done = harness("check", "train.csv", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "train.csv  text/csv for training, ",
        "3 records of 2 features and 1 label",
        "column 1: 24, 21.6, 34.7; from 21.6 to 34.7, 3 different, not all whole",
        "from 0.5 to 5",
        "linear-learner  ✓ can use it",
        "xgboost         ✓ can use it",
    ):
        assert words in done.stdout


def test_a_bad_file_is_shown_with_places_texts_and_advice(tmp_path: Path) -> None:
    """The line, the text, the words of both containers, what to do; exit code 1."""
    (tmp_path / "train.csv").write_bytes(b"MEDV,CRIM,ZN\n" + ROWS + b"1,2,\n")
    done = harness("check", "train.csv", "--label-size", "1", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    printed = " ".join(done.stdout.split())
    for words in (
        "line 1, column 1 a header: names where numbers must be MEDV, CRIM, ZN stops linear-learner, xgboost",
        "line 5, column 3 a value is missing 1,2, stops linear-learner",
        "FailureReason: ClientError: Unable to parse csv: rows 1-1000, file /opt/ml/input/data/train/train.csv "
        "(caused by MXNetError)",
        "Failed to load csv data with exception: Non-numeric value 'M' found in the header line "
        "'MEDV,CRIM,ZN ...' of file 'train.csv'.",
        "to do write no header: to_csv(header=False)",
    ):
        assert words in printed


def test_an_algorithm_can_be_named(tmp_path: Path) -> None:
    """A missing value stops linear-learner and no version of XGBoost; the exit code is that of whom one asks."""
    (tmp_path / "train.csv").write_bytes(ROWS + b"1,2,\n")
    for names, code in (
        (["linear-learner"], 1),
        (["xgboost"], 0),
        (["xgboost:1.7-1"], 0),
        (["xgboost:latest"], 0),
        (["xgboost", "linear-learner"], 1),
    ):
        options = [part for name in names for part in ("--algorithm", name)]
        done = harness("check", "train.csv", *options, folder=tmp_path)
        assert done.returncode == code, done.stdout
        assert ("linear-learner" in done.stdout) is ("linear-learner" in names)


def test_an_algorithm_that_takes_no_such_file_counts_only_when_named(tmp_path: Path) -> None:
    """libsvm is XGBoost's alone: by default it is said and does no harm."""
    (tmp_path / "train.libsvm").write_bytes(b"1 0:2 1:3\n")
    done = harness("check", "train.libsvm", folder=tmp_path)
    assert done.returncode == 0
    assert "linear-learner  - takes no text/libsvm for training" in done.stdout
    named = harness("check", "train.libsvm", "--algorithm", "linear-learner", folder=tmp_path)
    assert named.returncode == 1


def test_json_for_programs(tmp_path: Path) -> None:
    """To standard output in place of the tables, or to a file beside them."""
    (tmp_path / "m.pbr").write_bytes(recordio.dumps(TABLE[:, 1:].astype(int), TABLE[:, 0]))
    done = harness("check", "m.pbr", "--json", "-", folder=tmp_path)
    found = json.loads(done.stdout)
    assert (done.returncode, found["usable"], found["use"]) == (1, False, "training")
    assert [verdict["usable"] for verdict in found["verdicts"]] == [False, True]
    assert [finding["kind"] for finding in found["findings"]] == ["tensor"]
    beside = harness("check", "m.pbr", "--json", "found.json", folder=tmp_path)
    assert "documents Float32 only" in beside.stdout
    assert json.loads((tmp_path / "found.json").read_text("utf-8")) == found


def test_what_a_file_holds_cannot_move_the_cursor(tmp_path: Path) -> None:
    """Control characters and markup of a file are shown, not obeyed."""
    (tmp_path / "train.csv").write_bytes(b"1,2\n\x1b[2J[red]x,[/]\n")
    done = harness("check", "train.csv", folder=tmp_path)
    assert (done.returncode, "\x1b" in done.stdout) == (1, False)
    assert r"\x1b[2J[red]x" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.csv"], "there is no file nothing.csv"),
        (["."], ". is a folder"),
        (["/dev/null"], "/dev/null is no ordinary file"),
        (["unclear"], "the name of unclear does not tell what is in it"),
        (["train.csv", "--use", "testing"], "--use testing is not known"),
        (["train.csv", "--algorithm", "kmeans"], "nothing is known of how 'kmeans' reads its data"),
        (["train.csv", "--algorithm", "xgboost:9"], "9 is no version of XGBoost's image"),
        (["train.csv", "--delimiter", "ab"], "--delimiter 'ab' is not one character"),
        (["train.csv", "--content-type", "application/x-parquet"], "Parquet is not looked into"),
        (["train.csv", "--json", "no/such/folder"], "no/such/folder cannot be written"),
    ],
)
def test_a_wrong_command_line_is_two_lines(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    """What happened, what to do, exit code 2."""
    (tmp_path / "train.csv").write_bytes(ROWS)
    (tmp_path / "unclear").write_bytes(ROWS)
    done = harness("check", *arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert words in first
    assert second.startswith("         ")


def test_the_delimiter_and_the_bytes_may_have_the_say(tmp_path: Path) -> None:
    """A tab can be named; a file without extension is known by its first bytes; a compressed one is recognised."""
    (tmp_path / "a.csv").write_bytes(ROWS.replace(b",", b"\t"))
    tabs = harness(
        "check", "a.csv", "--delimiter", "tab", "--algorithm", "xgboost", folder=tmp_path
    )
    assert (tabs.returncode, "3 records of 2 features" in tabs.stdout) == (0, True)
    (tmp_path / "part-00000").write_bytes(recordio.dumps(TABLE[:, 1:], TABLE[:, 0]))
    assert harness("check", "part-00000", folder=tmp_path).returncode == 0
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(ROWS, mtime=0))
    packed = harness("check", "a.csv.gz", folder=tmp_path)
    assert packed.returncode == 1
    assert "the bytes are compressed with gzip" in packed.stdout
    assert "to do  unpack it" in packed.stdout
