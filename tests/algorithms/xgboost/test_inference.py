"""A loaded model: bodies parsed, predictions answered, in the forms and words of each version."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import xgboost as xgb
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from harness.algorithms.serving import Answer, Invocation, ModelLocation, Refusal, UnusableModel
from harness.algorithms.xgboost import answers, artifact, load
from harness.algorithms.xgboost.inference import XGBoostPredictor
from harness.algorithms.xgboost.requests import matrix
from harness.algorithms.xgboost.versions import all_versions, named
from harness.formats import recordio
from harness.formats.readers.refusal import RequestRefused
from harness.formats.readers.xgboost import requests
from tests.algorithms.xgboost.jobs import boston

Array = npt.NDArray[Any]

ROWS = np.round(np.random.default_rng(3).random((40, 4)) * 10, 2).astype(np.float32)
LISTED = (
    "csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, application/x-parquet, "
    "application/x-recordio-protobuf"
)
OLD = ["0.72", "0.90-1", "0.90-2", "1.0-1", "1.2-1"]
NEW = ["1.2-2", "1.3-1", "1.5-1", "1.7-1", "3.0-5"]


@cache
def booster(objective: str = "reg:squarederror", rounds: int = 3, seed: int = 0) -> xgb.Booster:
    """A small model of four features; three classes where the objective has classes."""
    classes = 3 if objective.startswith("multi:") else 2
    labels = (ROWS.sum(axis=1) * (seed + 1)).astype(int) % classes
    parameters = {"objective": objective, "max_depth": 2, "nthread": 1, "seed": seed}
    if classes == 3:
        parameters["num_class"] = 3
    return xgb.train(parameters, xgb.DMatrix(ROWS, label=labels), num_boost_round=rounds)


def predictor(
    folder: Path, version: str, boosters: Sequence[xgb.Booster] | None = None, **environment: str
) -> XGBoostPredictor:
    """These models, saved and loaded by a version."""
    for number, each in enumerate(boosters or [booster()]):
        artifact.save(each, folder / f"xgboost-model-{number}", named(version))
    loaded = load(ModelLocation(folder, environment, version))
    assert isinstance(loaded, XGBoostPredictor)
    return loaded


def ask(
    loaded: XGBoostPredictor,
    body: bytes,
    content_type: str | None = "text/csv",
    accept: str | None = None,
) -> Answer:
    """One request."""
    return loaded.invoke(Invocation(body, content_type, accept))


def refused(
    loaded: XGBoostPredictor,
    body: bytes,
    content_type: str | None = "text/csv",
    accept: str | None = None,
) -> tuple[int, str]:
    """Status and text of a refusal."""
    with pytest.raises(Refusal) as caught:
        ask(loaded, body, content_type, accept)
    return caught.value.status, caught.value.text


def as_csv(rows: Array) -> bytes:
    """Rows as the SDK's CSVSerializer writes them: no newline at the end."""
    return "\n".join(",".join(str(value) for value in row) for row in rows.tolist()).encode()


def expected(rows: Array, objective: str = "reg:squarederror") -> Any:
    """What the model itself says."""
    return booster(objective).predict(xgb.DMatrix(rows)).tolist()


@pytest.mark.documented("notes/xgboost.md#answers")
@pytest.mark.parametrize("version", OLD)
def test_old_images_answer_on_one_line(tmp_path: Path, version: str) -> None:
    """Joined by commas, without newline, whatever Accept says."""
    loaded = predictor(tmp_path, version)
    for accept in (None, "text/csv", "application/json", "nonsense"):
        answer = ask(loaded, as_csv(ROWS[:3]), accept=accept)
        assert answer.body == ",".join(map(str, expected(ROWS[:3]))).encode()
        assert answer.content_type == "text/csv; charset=utf-8"


@pytest.mark.documented("notes/xgboost.md#answers")
@pytest.mark.parametrize("version", NEW)
@pytest.mark.parametrize("accept", [None, "*/*", "text/csv", "Text/CSV; charset=utf-8"])
def test_new_images_answer_one_line_per_row(
    tmp_path: Path, version: str, accept: str | None
) -> None:
    """Each line ends with a newline, the last one too."""
    answer = ask(predictor(tmp_path, version), as_csv(ROWS[:3]), accept=accept)
    assert answer.body == "".join(f"{value}\n" for value in expected(ROWS[:3])).encode()
    assert answer.content_type == "text/csv; charset=utf-8"


@pytest.mark.documented("notes/xgboost.md#answers")
@pytest.mark.parametrize("version", NEW)
def test_new_images_answer_json_when_asked(tmp_path: Path, version: str) -> None:
    """A list of scores under `predictions`, spaced as json.dumps spaces."""
    answer = ask(predictor(tmp_path, version), as_csv(ROWS[:2]), accept="application/json")
    one, two = expected(ROWS[:2])
    assert answer.body == f'{{"predictions": [{{"score": {one}}}, {{"score": {two}}}]}}'.encode()
    assert answer.content_type == "application/json"


@pytest.mark.documented("notes/xgboost.md#answers")
@pytest.mark.parametrize(
    ("version", "environment", "accept", "form"),
    [
        ("1.2-1", {}, None, "[{0}, {1}, {2}],[{3}, {4}, {5}]"),
        ("1.7-1", {}, None, "{0},{1},{2}\n{3},{4},{5}\n"),
        (
            "1.7-1",
            {},
            "application/json",
            '{{"predictions": [{{"score": [{0}, {1}, {2}]}}, {{"score": [{3}, {4}, {5}]}}]}}',
        ),
        ("1.2-1", {"SAGEMAKER_BATCH": "true"}, None, "[{0}, {1}, {2}]\n[{3}, {4}, {5}]\n"),
        (
            "1.7-1",
            {"SAGEMAKER_BATCH": "true"},
            "application/json",
            "[{0}, {1}, {2}]\n[{3}, {4}, {5}]\n",
        ),
    ],
)
def test_several_scores_per_row_have_a_form_of_their_own(
    tmp_path: Path, version: str, environment: dict[str, str], accept: str | None, form: str
) -> None:
    """Of multi:softprob: Python's lists in old images and in batches, columns of CSV in new ones."""
    loaded = predictor(tmp_path, version, [booster("multi:softprob")], **environment)
    scores = [score for row in expected(ROWS[:2], "multi:softprob") for score in row]
    assert ask(loaded, as_csv(ROWS[:2]), accept=accept).body.decode() == form.format(*scores)


@pytest.mark.documented("notes/xgboost.md#answers")
@pytest.mark.parametrize("version", ["1.0-1", "1.7-1"])
def test_a_batch_transform_gets_a_line_per_row_from_all_images(
    tmp_path: Path, version: str
) -> None:
    """Accept is not looked at then."""
    loaded = predictor(tmp_path, version, SAGEMAKER_BATCH="true")
    answer = ask(loaded, as_csv(ROWS[:2]), accept="application/json")
    assert answer.body == "".join(f"{value}\n" for value in expected(ROWS[:2])).encode()
    assert answer.content_type == "text/csv; charset=utf-8"


@pytest.mark.documented("notes/xgboost.md#serving")
def test_the_default_accept_can_be_set(tmp_path: Path) -> None:
    """By SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT, which the SDK sets."""
    loaded = predictor(tmp_path, "1.7-1", SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/json")
    assert ask(loaded, as_csv(ROWS[:1])).content_type == "application/json"


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize("accept", ["application/xml", "text/csv, application/json", "text/*"])
def test_another_accept_is_406_from_1_2_2_on(tmp_path: Path, accept: str) -> None:
    """A header with several types is another one: it is compared as a whole."""
    assert refused(predictor(tmp_path, "1.2-2"), as_csv(ROWS[:1]), accept=accept) == (
        406,
        f"Accept type {accept} is not supported. Please use supported accept types: ['application/json', "
        "'application/jsonlines', 'application/x-recordio-protobuf', 'text/csv'].",
    )


@pytest.mark.documented("notes/xgboost.md#answers")
@pytest.mark.parametrize("accept", ["application/jsonlines", "application/x-recordio-protobuf"])
def test_what_only_selectable_inference_encodes_is_500(tmp_path: Path, accept: str) -> None:
    """Though it is in the list of what may be asked for."""
    status, text = refused(predictor(tmp_path, "1.7-1"), as_csv(ROWS[:1]), accept=accept)
    assert (status, accept in text) == (500, True)


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/csv2", ";"])
def test_another_content_type_is_415_with_the_list(tmp_path: Path, content_type: str) -> None:
    """The content type is shown as it came."""
    assert refused(predictor(tmp_path, "1.7-1"), b"1,2,3,4", content_type) == (
        415,
        f"{content_type} is not an accepted ContentType: {LISTED}.",
    )


@pytest.mark.documented("notes/xgboost.md#serving")
def test_parquet_is_for_training_only(tmp_path: Path) -> None:
    """It is a known content type, but not one of requests."""
    assert refused(predictor(tmp_path, "1.7-1"), b"PAR1", "application/x-parquet") == (
        415,
        "Content-type application/x-parquet is not supported.",
    )


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize(
    ("body", "kind", "problem"),
    [
        (b"1,2,a,4", "ValueError", "could not convert string to float: 'a'"),
        (b"x1,x2,x3,x4\n1,2,3,4", "ValueError", "could not convert string to float: 'x1'"),
        (b"1,2,3,4\n1,2,3", "ValueError", "setting an array element with a sequence."),
        (b"", "_csv.Error", "Could not determine delimiter"),
        (b"\xff\xfe,1", "UnicodeDecodeError", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
)  # fmt: skip
def test_csv_that_cannot_be_parsed_is_415(
    tmp_path: Path, body: bytes, kind: str, problem: str
) -> None:
    """With the class and the text of the exception."""
    assert refused(predictor(tmp_path, "1.7-1"), body or b" ") == (
        415,
        "Loading csv data failed with Exception, please ensure data is in csv format:\n "
        f"<class '{kind}'>\n {problem}",
    )


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize("body", [b"0:a", b"x:1", b"1 2 3", b"-1:2"])
def test_libsvm_that_cannot_be_parsed_is_415(tmp_path: Path, body: bytes) -> None:
    """Likewise; so is a body without any value."""
    status, text = refused(predictor(tmp_path, "1.7-1"), body, "text/libsvm")
    assert status == 415
    assert text.startswith(
        "Loading libsvm data failed with Exception, please ensure data is in libsvm format:\n <class '"
    )


@pytest.mark.documented("notes/xgboost.md#serving")
def test_recordio_that_cannot_be_parsed_is_415(tmp_path: Path) -> None:
    """On one line, unlike the other two."""
    status, text = refused(
        predictor(tmp_path, "1.7-1"), b"1,2,3,4", "application/x-recordio-protobuf"
    )
    assert status == 415
    assert text.startswith(
        "Loading recordio-protobuf data failed with Exception, please ensure data is in recordio-protobuf format: "
        "<class '"
    )


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize("content_type", ["text/libsvm", "text/x-libsvm", None])
def test_libsvm_is_what_comes_without_content_type(
    tmp_path: Path, content_type: str | None
) -> None:
    """Labels are ignored, what is not there is missing."""
    rows = ROWS[:3].copy()
    body = "\n".join(
        "1 " + " ".join(f"{k}:{v}" for k, v in enumerate(row) if k != 1) for row in rows.tolist()
    )
    rows[:, 1] = np.nan
    answer = ask(predictor(tmp_path, "1.7-1"), body.encode(), content_type)
    assert answer.body == "".join(f"{value}\n" for value in expected(rows)).encode()


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize("sparse", [False, True])
def test_recordio_is_predicted(tmp_path: Path, sparse: bool) -> None:
    """Dense and sparse, with or without labels."""
    rows = ROWS[:3].astype(np.float64)
    body = (
        recordio.dumps(csr_matrix(rows))
        if sparse
        else recordio.dumps(rows, np.zeros(3, np.float64))
    )
    answer = ask(predictor(tmp_path, "1.7-1"), body, "application/x-recordio-protobuf")
    assert answer.body == "".join(f"{value}\n" for value in expected(ROWS[:3])).encode()


@pytest.mark.documented("notes/xgboost.md#serving")
def test_an_empty_cell_of_a_request_is_missing(tmp_path: Path) -> None:
    """So is `nan`."""
    answer = ask(predictor(tmp_path, "1.7-1"), b"1,,3,4\n1,nan,3,4\n\n")
    row = np.array([[1, np.nan, 3, 4]], np.float32)
    assert answer.body.decode() == f"{expected(row)[0]}\n" * 2


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize("delimiter", [",", ";", "\t", " "])
def test_the_delimiter_of_a_request_is_sniffed(tmp_path: Path, delimiter: str) -> None:
    """On its first line."""
    body = as_csv(ROWS[:4]).replace(b",", delimiter.encode())
    answer = ask(predictor(tmp_path, "1.7-1"), body)
    assert answer.body == "".join(f"{value}\n" for value in expected(ROWS[:4])).encode()


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize(
    ("body", "content_type", "problem"),
    [
        (b"1,2,3,4,5", "text/csv", "csv inference data 5 is not consistent with"),
        (b"1,2", "text/csv", "csv inference data 2 is not consistent with"),
        (b"1 5:1", "text/libsvm", "libsvm inference data 6 is larger than"),
        (
            recordio.dumps(np.zeros((1, 2))),
            "application/x-recordio-protobuf",
            "recordio-protobuf inference data 2 is not consistent with",
        ),
    ],
)
def test_a_pickled_model_counts_the_columns(
    tmp_path: Path, body: bytes, content_type: str, problem: str
) -> None:
    """400, with both numbers."""
    assert refused(predictor(tmp_path, "1.2-1"), body, content_type) == (
        400,
        f"Unable to evaluate payload provided: Feature size of {problem} feature size of trained model 4.",
    )


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize("version", ["1.2-1", "1.7-1"])
def test_one_column_less_is_missing(tmp_path: Path, version: str) -> None:
    """Pickled models allow it, others any number of columns that are not there."""
    answer = ask(predictor(tmp_path, version), b"1,2,3")
    assert float(answer.body) == expected(np.array([[1, 2, 3]], np.float32))[0]


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize("version", ["1.3-1", "3.0-5"])
def test_too_many_columns_are_refused_by_xgboost(tmp_path: Path, version: str) -> None:
    """Its message comes without the addresses that follow it."""
    status, text = refused(predictor(tmp_path, version), b"1,2,3,4,5")
    assert status == 400
    assert text.startswith("Unable to evaluate payload provided: ")
    assert text.endswith("Number of columns does not match number of features in booster.")


@pytest.mark.documented("notes/xgboost.md#training")
@pytest.mark.parametrize(("version", "rounds"), [("1.2-2", 2), ("1.3-1", 6)])
def test_an_old_artifact_predicts_with_the_rounds_up_to_the_best(
    tmp_path: Path, version: str, rounds: int
) -> None:
    """Later artifacts end there, so all their rounds count."""
    model = booster("reg:squarederror", 6).copy()
    model.set_attr(best_iteration="1")
    answer = ask(predictor(tmp_path, version, [model]), as_csv(ROWS[:1]))
    short = booster("reg:squarederror", rounds).predict(xgb.DMatrix(ROWS[:1]))
    assert float(answer.body) == pytest.approx(float(short[0]))


@pytest.mark.documented("notes/xgboost.md#artifact")
@pytest.mark.parametrize(
    ("objective", "version", "environment", "used"),
    [
        ("reg:squarederror", "1.3-1", {}, 3),
        ("reg:squarederror", "1.3-1", {"SAGEMAKER_INFERENCE_ENSEMBLE": "false"}, 1),
        ("reg:squarederror", "1.2-2", {}, 1),
    ],
)
def test_several_models_are_averaged_from_1_3_on(
    tmp_path: Path, objective: str, version: str, environment: dict[str, str], used: int
) -> None:
    """Before, and when switched off, the first file is the model."""
    models = [booster(objective, 3, seed) for seed in range(3)]
    answer = ask(predictor(tmp_path, version, models, **environment), as_csv(ROWS[:5]))
    each = [model.predict(xgb.DMatrix(ROWS[:5])) for model in models[:used]]
    assert np.array(answer.body.split(), np.float32) == pytest.approx(
        np.mean(each, axis=0), rel=1e-6
    )


@pytest.mark.documented("notes/xgboost.md#artifact")
@pytest.mark.parametrize("objective", ["multi:softmax", "binary:hinge"])
def test_several_models_of_classes_vote(tmp_path: Path, objective: str) -> None:
    """The most frequent class, the smallest on a tie."""
    models = [booster(objective, 3, seed) for seed in range(3)]
    answer = ask(predictor(tmp_path, "1.7-1", models), as_csv(ROWS))
    votes = np.stack([model.predict(xgb.DMatrix(ROWS)) for model in models]).astype(int)
    expected_votes = [int(np.bincount(column).argmax()) for column in votes.T]
    assert [int(float(line)) for line in answer.body.split()] == expected_votes
    assert len(np.unique(votes)) > 1


@pytest.mark.documented("notes/xgboost.md#serving")
@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "there is no file in the model directory"),
        ({".hidden": b"x"}, "there is no file in the model directory"),
        ({"xgboost-model": b"junk"}, "Model xgboost-model cannot be loaded"),
    ],
)
def test_a_folder_without_a_usable_model_is_refused(
    tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    """The message begins as the image's does."""
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableModel, match=f"^Unable to load model: .*{message}"):
        load(ModelLocation(tmp_path, {}, "1.7-1"))


def test_selectable_inference_and_unknown_versions_are_refused_by_name(tmp_path: Path) -> None:
    """As is a folder that does not exist."""
    artifact.save(booster(), tmp_path / "xgboost-model", named("1.7-1"))
    with pytest.raises(UnusableModel, match="SAGEMAKER_INFERENCE_OUTPUT"):
        load(ModelLocation(tmp_path, {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label"}, "1.7-1"))
    with pytest.raises(UnusableModel, match=r"'9\.9' is none of the XGBoost image tags"):
        load(ModelLocation(tmp_path, {}, "9.9"))
    with pytest.raises(UnusableModel, match="No such file"):
        load(ModelLocation(tmp_path / "nowhere", {}, "1.7-1"))
    load(ModelLocation(tmp_path, {}))


def words(body: bytes) -> xgb.DMatrix:
    """Libsvm as the image's own code takes it apart: each word with a colon in it is a feature."""
    rows, columns, values = [], [], []
    for row, line in enumerate(body.strip().decode("utf-8").split("\n")):
        for word in line.split(" "):
            if ":" in word:
                rows.append(row)
                columns.append(int(word.split(":")[0]))
                values.append(float(word.split(":")[1]))
    return xgb.DMatrix(csr_matrix((np.array(values, np.float32), (rows, columns))), nthread=1)


def content(matrix: xgb.DMatrix) -> object:
    """The shape of a matrix, and each value in its place."""
    found = matrix.get_data()
    return found.shape, found.indptr.tolist(), found.indices.tolist(), list(map(repr, found.data))


near_libsvm = st.lists(
    st.sampled_from(
        ["1", "0:1", "1:2", "2:nan", "3:-.5e-1", "4:1e10", "qid:1", "1:0:5", ":", "x", "#", "-1:2",
         "1_0:1", "+2:3", "7:1_0", "5:", "\t", "\r", "\x0b", "\n", "\n", "\n\n", " ", "\ufeff"]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip


@given(near_libsvm | near_libsvm.map(lambda text: text.replace(" \n ", "\n")))
@example("1 0:1 0:2")
@example("1 0:1 # 5:6")
@example("1 0:1\n\n1 2:3\n1\n")
@example("1\n1")
@example("1 0:1\n1\n1")
@pytest.mark.documented("notes/xgboost.md#serving")
def test_a_libsvm_body_is_what_the_image_takes_it_for(text: str) -> None:
    """Large or small: the same values in the same places, or the same complaint."""
    body = text.encode()
    try:
        expected: object = content(words(body))
    except (ValueError, xgb.core.XGBoostError) as error:
        expected = f"{type(error)}\n {error}".split("\nStack trace:")[0].rstrip()
    for small in (0, 1 << 12):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(requests, "_SMALL", small)
            try:
                found: object = content(matrix(body, None)[1])
            except RequestRefused as error:
                found = str(error).partition("format:\n ")[2]
        assert found == expected


@given(st.binary(max_size=80), st.sampled_from(["csv", "libsvm", "recordio-protobuf"]))
def test_no_body_raises_anything_but_the_refusal(body: bytes, content_type: str) -> None:
    """Any bytes: a matrix, or an error with a text."""
    try:
        message = f"{matrix(body, content_type)[1].num_row()} rows"
    except RequestRefused as error:
        message = str(error)
    assert message


@given(
    st.lists(
        st.lists(st.none() | st.floats(-(2.0**100), 2.0**100, width=32), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    )
)
def test_a_csv_body_becomes_the_numbers_in_it(rows: list[list[float | None]]) -> None:
    """Whatever the numbers; an empty cell is missing."""
    body = "\n".join(
        ",".join("" if value is None else repr(value) for value in row) for row in rows
    )
    # An image strips the body, so a first cell that is empty stays only before a comma.
    found = matrix(body.encode(), "csv")[1]
    assert found.num_row() == len(rows)
    assert found.num_nonmissing() == sum(value is not None for row in rows for value in row)


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=9))
def test_every_answer_reads_back_as_the_predictions(values: list[float]) -> None:
    """In all forms, to the last bit of float32."""
    predictions = np.array(values, np.float32)
    texts = [
        answers.batch(predictions).body.decode().split("\n")[:-1],
        answers.comma_joined(predictions).body.decode().split(","),
        answers.accepted(predictions, "text/csv").body.decode().split("\n")[:-1],
        [repr(p["score"]) for p in json.loads(answers.accepted(predictions, "application/json").body)["predictions"]],
    ]  # fmt: skip
    for text in texts:
        assert np.array_equal(np.array(text, np.float64).astype(np.float32), predictions)


def test_every_version_answers_boston(tmp_path: Path) -> None:
    """The same numbers from all of them."""
    features, prices = boston()
    rows = features.astype(np.float32)
    model = xgb.train({"nthread": 1}, xgb.DMatrix(rows, label=prices), num_boost_round=5)
    body = as_csv(rows[:20])
    seen = set()
    for version in all_versions():
        answer = ask(predictor(tmp_path / version.name, version.name, [model]), body)
        seen.add(answer.body.replace(b",", b"\n").strip())
    assert len(seen) == 1


@pytest.mark.parametrize("kind", ["gbtree", "dart", "gblinear"])
def test_requests_at_the_same_time_do_not_disturb_each_other(tmp_path: Path, kind: str) -> None:
    """Each gets the answer to its own rows, from every kind of booster."""
    labels = ROWS.sum(axis=1)
    model = xgb.train(
        {"booster": kind, "nthread": 1}, xgb.DMatrix(ROWS, label=labels), num_boost_round=5
    )
    loaded = predictor(tmp_path, "1.7-1", [model])
    bodies = [as_csv(np.roll(ROWS, shift, axis=0)) for shift in range(40)]
    alone = [ask(loaded, each).body for each in bodies]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda each: ask(loaded, each).body, bodies)) == alone
