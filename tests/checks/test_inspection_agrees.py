"""The verdict on a file is what becomes of a training job, or a request, with the same file: words included."""

import contextlib
import io
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.algorithms import contract, linear_learner, xgboost
from harness.algorithms.serving import Invocation, ModelLocation, Predictor, Refusal
from harness.checks.inspection import Inspection, Use, Verdict, inspect
from harness.formats import csv, framing, recordio
from harness.formats.record_message import Record

CSV, PROTOBUF, LIBSVM = "text/csv", "application/x-recordio-protobuf", "text/libsvm"
HYPERPARAMETERS: dict[str, dict[str, str]] = {
    "linear-learner": {"predictor_type": "regressor", "epochs": "1", "num_models": "1"},
    "xgboost": {"num_round": "1"},
    "xgboost:1": {"num_round": "1"},
}
VERSIONS = {"xgboost": "1.7-1", "xgboost:1": "0.72"}
TABLE = np.array([[1, 2, 3], [4, 5, 6.5], [7, 8, 9]], np.float32)
ROWS = csv.dumps(TABLE)
RECORDS = recordio.dumps(TABLE[:, 1:], TABLE[:, 0])


def job(
    base: Path, name: str, content: bytes, content_type: str, values: Mapping[str, str]
) -> None:
    """Lay out a training job with one file in its one channel."""
    for folder in ("input/config", "input/data/train", "model", "output"):
        (base / folder).mkdir(parents=True)
    (base / "input/data/train" / name).write_bytes(content)
    channel = {
        "ContentType": content_type,
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    for file, value in (
        ("hyperparameters", values),
        ("inputdataconfig", {"train": channel}),
        ("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"]}),
    ):
        (base / "input/config" / f"{file}.json").write_text(json.dumps(value))


def trained(base: Path, algorithm: str) -> str | None:
    """Run the training of an algorithm over a job, in this process: the failure file, None when it succeeded."""
    train = linear_learner.train if algorithm == "linear-learner" else xgboost.train
    with contextlib.redirect_stdout(io.StringIO()):
        code = contract.run(
            train,
            version=VERSIONS.get(algorithm),
            environment={"SAGEMAKER_BASE_DIR": str(base)},
        )
    return (base / "output/failure").read_text("utf-8") if code else None


def agrees(verdict: Verdict, failure: str | None) -> None:
    """The verdict says what the failure file says."""
    if failure is None:
        assert verdict.usable, f"{verdict.algorithm} trains on it: {verdict}"
        return
    # xgboost puts the time and the place in its source before its sentences.
    failure = re.sub(r"\[\d\d:\d\d:\d\d\] \S+:\d+: ", "", failure)
    assert not verdict.usable, f"{verdict.algorithm}: {failure}"
    if verdict.algorithm == "linear-learner":
        assert failure.splitlines()[0] == f"Customer Error: {verdict.text}"
        assert failure.endswith(verdict.log)
    else:
        assert failure.endswith(verdict.text)


def compare(base: Path, name: str, content: bytes, content_type: str, *others: str) -> Inspection:
    """Inspect a file, train each algorithm on it, and see that they agree."""
    path = base / name
    path.write_bytes(content)
    names = ("linear-learner", "xgboost", *others)
    found = inspect(path, content_type, use=Use.TRAINING, algorithms=names)
    for verdict in found.verdicts:
        folder = base / verdict.algorithm.replace(":", "-")
        job(folder, name, content, content_type, HYPERPARAMETERS[verdict.algorithm])
        agrees(verdict, trained(folder, verdict.algorithm))
    return found


@pytest.mark.documented("notes/inspection.md#verdicts")
@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("good.csv", ROWS, CSV),
        ("header.csv", b"MEDV,CRIM,ZN\n" + ROWS, CSV),
        ("label.csv", b",2,3\n" + ROWS, CSV),
        ("ragged.csv", ROWS + b"1,2\n", CSV),
        ("bom.csv", b"\xef\xbb\xbf" + ROWS, CSV),
        ("crlf.csv", ROWS.replace(b"\n", b"\r\n"), CSV),
        ("cr.csv", ROWS.replace(b"\n", b"\r"), CSV),
        ("nan.csv", b"1,nan,3\n" + ROWS, CSV),
        ("later_nan.csv", ROWS + b"1,nan,3\n", CSV),
        ("empty_cell.csv", ROWS + b"1,,3\n", CSV),
        ("infinity.csv", ROWS + b"1,inf,3\n", CSV),
        ("large.csv", ROWS + b"1,1e39,3\n", CSV),
        ("large_label.csv", ROWS + b"1e39,1,3\n", CSV),
        ("empty.csv", b"", CSV),
        ("blank.csv", b"\n\n", CSV),
        ("blanks.csv", b"1,2\n\n\n3,4\n", CSV),
        ("quotes.csv", b'"1","2"\n"3","4"\n', CSV),
        ("open.csv", b'1,2\n3,"4\n', CSV),
        ("semicolon.csv", ROWS.replace(b",", b";"), CSV),
        ("tab.csv", ROWS.replace(b",", b"\t"), CSV),
        ("space.csv", ROWS.replace(b",", b" "), CSV),
        ("latin.csv", "1,2\n3,é\n".encode("latin-1"), CSV),
        ("utf16.csv", "1,2\n".encode("utf-16"), CSV),
        ("words.csv", b"M,1\nF,2\n", CSV),
        ("column.csv", b"1\n2\n", CSV),
        ("trailing.csv", b"1,2,\n3,4,\n", CSV),
        (".hidden.csv", ROWS, CSV),
        ("_part.csv", b"x\n1,2\n", CSV),
        ("labels.csv", ROWS, "text/csv;label_size=0"),
        ("two.csv", ROWS, "text/csv;label_size=2"),
        ("odd.csv", ROWS, "text/csv;label_size=x"),
        ("short.csv", ROWS, "csv"),
        ("upper.csv", ROWS, "Text/CSV"),
        ("good.pbr", RECORDS, PROTOBUF),
        ("cut.pbr", RECORDS[:-5], PROTOBUF),
        ("header.pbr", RECORDS + RECORDS[:5], PROTOBUF),
        ("wide.pbr", RECORDS + recordio.dumps(TABLE, TABLE[:, 0]), PROTOBUF),
        ("int64.pbr", recordio.dumps(TABLE.astype(int), TABLE[:, 0]), PROTOBUF),
        ("float64.pbr", recordio.dumps(TABLE, TABLE[:, 0].astype(float)), PROTOBUF),
        ("unlabelled.pbr", recordio.dumps(TABLE), PROTOBUF),
        ("featureless.pbr", recordio.dumps(TABLE[:, :0], TABLE[:, 0]), PROTOBUF),
        ("csv.pbr", ROWS, PROTOBUF),
        ("recordio.csv", RECORDS, CSV),
        ("good.libsvm", b"1 0:2 1:3\n0 1:4\n", LIBSVM),
        ("featureless.libsvm", b"1\n0\n", LIBSVM),
        ("blank.libsvm", b"\n", LIBSVM),
        ("nan.libsvm", b"1 0:2 1:3\n0 1:nan\n", LIBSVM),
        ("label.libsvm", b"1 0:2 1:3\ninf 1:1\n", LIBSVM),
        ("far.libsvm", b"1 0:2 1:3\n1 4294967296:1\n", LIBSVM),
        ("comment.libsvm", b"1 0:2 1:3 # nan\n", LIBSVM),
        ("csv.libsvm", ROWS, LIBSVM),
        ("json.jsonl", b'{"features": [1]}\n', "application/jsonlines"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_training_on_a_file_ends_as_the_verdict_says(
    tmp_path: Path, name: str, content: bytes, content_type: str
) -> None:
    """For each kind of mistake, the newer XGBoost, 0.72 and linear-learner, word by word."""
    compare(tmp_path, name, content, content_type, "xgboost:1")


CELLS = st.sampled_from(["1", "-2.5", "3e2", "0.125", "40", "7."]) | st.sampled_from(
    ["nan", "", "inf", "1e39", "x", " 4 ", "'5'", '"6"', '"7\n8"', '"', "1_0", "٣", "-", "1,5", "#"]
)
CSV_FILES = st.builds(
    lambda rows, delimiter, end, mark, last: (
        mark + end.join(delimiter.join(row) for row in rows) + (end if last else "")
    ).encode(),
    st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=5)
    | st.integers(1, 3).flatmap(
        lambda width: st.lists(
            st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=5
        )
    ),
    st.sampled_from([",", ",", ",", ";", "\t", " "]),
    st.sampled_from(["\n", "\n", "\r\n", "\n\n", "\r"]),
    st.sampled_from(["", "", "", "\ufeff", "a,b\n"]),
    st.booleans(),
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """recordIO of records that mostly go together, sometimes cut or damaged."""
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        message: Any = Record()
        width = draw(st.sampled_from([2, 2, 2, 3, 0]))
        kind = draw(st.sampled_from(["float32_tensor"] * 4 + ["float64_tensor", "int32_tensor"]))
        numbers = st.integers(-9, 9)
        if kind != "int32_tensor":
            numbers = numbers | st.sampled_from([0.5, float("nan"), float("inf")])
        for entries, count in ((message.features, width), (message.label, 1)):
            if entries is message.label:
                count = draw(st.sampled_from([1, 1, 1, 1, 0, 2]))
                if not count:
                    continue
            tensor = getattr(entries["values"], kind)
            tensor.values.extend(draw(st.lists(numbers, min_size=count, max_size=count)))
            if entries is message.features and draw(st.integers(0, 5)) == 0:
                tensor.keys.extend(range(count))
                tensor.shape.append(2)
        parts.append(framing.frame(message.SerializeToString()))
    data = b"".join(parts)
    cut = draw(st.sampled_from([0, 0, 0, 1, 7]))
    data = data[: max(0, len(data) - cut)]
    if data and draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
    return data


LIBSVM_FILES = st.lists(
    st.lists(
        st.sampled_from(["1", "0:1", "1:2.5", "2:-3e-1", "1:0.5", "qid:1", "nan", "3:inf", "x", "#", "4:"]),
        max_size=4,
    ).map(" ".join),
    max_size=5,
).map(lambda lines: "\n".join(lines).encode())  # fmt: skip


@contextlib.contextmanager
def folder() -> Any:
    """A folder of an example's own."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@given(CSV_FILES)
@example(b"1,2\n\n3,4\n")
@example(b'1,2\n"3,4\n')
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_any_csv_trains_or_fails_as_the_verdict_says(content: bytes) -> None:
    """Lines of whatever cells, delimiters and ends; what stops an algorithm is among the findings."""
    with folder() as base:
        found = compare(base, "data.csv", content, CSV)
    explained(found)


@given(messages())
@example(recordio.dumps(TABLE.astype(int), TABLE[:, 0]) + RECORDS[:50])
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_any_recordio_trains_or_fails_as_the_verdict_says(content: bytes) -> None:
    """Records of whatever tensors, cut and damaged ones; what stops an algorithm is among the findings."""
    with folder() as base:
        found = compare(base, "data.pbr", content, PROTOBUF)
    explained(found)


@given(LIBSVM_FILES)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_any_libsvm_trains_or_fails_as_the_verdict_says(content: bytes) -> None:
    """Lines of whatever labels and pairs, some of which XGBoost's own reader misreads."""
    with folder() as base:
        compare(base, "data.libsvm", content, LIBSVM)


def explained(found: Inspection) -> None:
    """The look line by line finds a reason for each refusal by itself."""
    assert "refused" not in {finding.kind for finding in found.findings}, found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Predictor]:
    """A model of two features by each algorithm, ready to answer."""
    models: dict[str, Predictor] = {}
    for algorithm, load in (("linear-learner", linear_learner.load), ("xgboost", xgboost.load)):
        base = tmp_path_factory.mktemp(algorithm)
        job(base, "data.csv", ROWS, CSV, HYPERPARAMETERS[algorithm])
        assert trained(base, algorithm) is None
        models[algorithm] = load(ModelLocation(base / "model", {}, VERSIONS.get(algorithm)))
    return models


def same_answer(
    served: Mapping[str, Predictor], base: Path, content: bytes, content_type: str
) -> Inspection:
    """Inspect a request, send it to both models, and see that they agree."""
    path = base / "request"
    path.write_bytes(content)
    found = inspect(path, content_type, use=Use.INFERENCE)
    for verdict in found.verdicts:
        refusal = refused(served[verdict.algorithm], Invocation(content, content_type, None))
        if refusal is None:
            assert verdict.usable, verdict
            continue
        if verdict.usable:  # Of the model's width the file says nothing.
            assert re.search("(?i)number of columns|feature dimension", refusal.log + refusal.text)
            continue
        assert f"{verdict.said_as}{verdict.text}" == f"HTTP {refusal.status}: {refusal.text}"
        if verdict.log:
            assert refusal.log.endswith(f"Customer Error: {verdict.log}")
    return found


def refused(model: Predictor, invocation: Invocation) -> Refusal | None:
    """The refusal with which a model answers, None where it answers with predictions."""
    try:
        model.invoke(invocation)
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.documented("notes/inspection.md#verdicts")
@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"1,2\n3,4\n", "text/csv"),
        (b"1,2\n3,4\n", "Text/CSV; charset=utf-8"),
        (b"0,1,2\n", "text/csv;label_size=1"),
        (b"1,2\n3,4\n", "csv"),
        (b"a,b\n1,2\n", "text/csv"),
        (b"1,2\n1\n", "text/csv"),
        (b"1,\n", "text/csv"),
        (b"1,inf\n", "text/csv"),
        (b"1;2\n", "text/csv"),
        (b"\xff\xfe1,2\n", "text/csv"),
        (b'"1","2"\n', "text/csv"),
        (recordio.dumps(TABLE[:, 1:]), PROTOBUF),
        (recordio.dumps(TABLE[:, 1:].astype(int)), PROTOBUF),
        (recordio.dumps(TABLE[:, 1:])[:-3], PROTOBUF),
        (b"0:1 1:2\n", LIBSVM),
        (b"1 0:1 1:x\n", LIBSVM),
        (b'{"instances": [{"features": [1, 2]}]}', "application/json"),
        (b'{"instances": [{"features": [1, NaN]}]}', "application/json"),
        (b'{"instances": [', "application/json"),
        (b'{"instances": []}', "application/json"),
        (b"[1, 2]", "application/json"),
        (b'{"features": [1, 2]}\n{"features": [3, 4]}\n', "application/jsonlines"),
        (b'{"features": [1, 2]}\n\n{"features": [3]}\n', "application/jsonlines"),
        (b'{"features": [1, 2]}\nfeatures\n', "application/jsonlines"),
        (b"\x93NUMPY", "application/x-npy"),
        (b"anything", "application/octet-stream"),
    ],
)
def test_a_request_is_answered_as_the_verdict_says(
    served: Mapping[str, Predictor], tmp_path: Path, content: bytes, content_type: str
) -> None:
    """By a model of as many features: with an answer, or with the status, the text and the line in the log."""
    same_answer(served, tmp_path, content, content_type)


@given(
    st.lists(st.tuples(CELLS, CELLS).map(",".join), min_size=1, max_size=4)
    .map("\n".join)
    .filter(lambda text: text.strip() != "")
)
@settings(max_examples=50)
def test_any_request_of_csv_is_answered_as_the_verdict_says(
    served: Mapping[str, Predictor], content: str
) -> None:
    """Whatever the cells."""
    with folder() as base:
        same_answer(served, base, content.encode(), CSV)


@pytest.mark.documented("notes/inspection.md#limits")
def test_what_the_front_end_answers_by_itself(tmp_path: Path) -> None:
    """An empty request is answered with nothing, one over the limit not at all."""
    path = tmp_path / "data.csv"
    path.write_bytes(b"")
    for verdict in inspect(path, CSV, use=Use.INFERENCE).verdicts:
        assert (verdict.usable, verdict.said_as) == (False, "HTTP 204: ")
    path.write_bytes(b"1,2\n" * 2_000_000)
    for verdict in inspect(path, CSV, use=Use.INFERENCE).verdicts:
        assert (verdict.usable, verdict.said_as) == (False, "HTTP 413: ")
