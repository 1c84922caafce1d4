"""Requests in JSON and JSON Lines: rows to instances and back, in every documented shape."""

import io
import json
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from harness.formats import json_requests, lines
from harness.formats.errors import FormatError
from harness.formats.records import Records
from tests.formats import sdk_serializers
from tests.formats.strategies import Array

SHAPES = "notes/json.md#requests"
either = pytest.mark.parametrize("lines", [False, True])
matrices = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64]),
    st.tuples(st.integers(1, 6), st.integers(0, 6)),
    elements={"allow_nan": False, "allow_infinity": False, "min_value": -1000, "max_value": 1000},
)


def written(instances: list[Any], lines: bool) -> bytes:
    """A request of these instances, by Python's json."""
    if lines:
        return "\n".join(map(json.dumps, instances)).encode()
    return json.dumps({"instances": instances}).encode()


def dense(records: Records) -> Any:
    """The features as lists."""
    found = records.features
    return (found if isinstance(found, np.ndarray) else found.toarray()).tolist()


@either
@given(features=matrices, nested=st.booleans())
def test_what_was_dumped_loads_again(lines: bool, features: Array, nested: bool) -> None:
    """Rows come back as float64, from the text that json.dumps makes of the documented shape."""
    data = json_requests.dumps(features, lines=lines, nested=nested)
    rows = features.tolist()
    instances: list[Any] = [{"features": row} for row in rows]
    if nested:
        instances = [{"data": {"features": {"values": row}}} for row in rows]
    assert data.removesuffix(b"\n") == written(instances, lines)
    found = json_requests.loads(data, lines=lines)
    assert found.labels is None
    assert found.features.dtype == np.float64
    assert np.array_equal(found.features, features)


@either
@given(features=matrices, mask=st.integers(0, 2**36 - 1))
def test_sparse_matrices_come_back(lines: bool, features: Array, mask: int) -> None:
    """A scipy matrix is written with keys and shape, and loads as the same matrix."""
    kept = np.array([mask >> place & 1 for place in range(features.size)], bool)
    features = np.where(kept.reshape(features.shape), features, features.dtype.type(0))
    matrix = sparse.csr_matrix(features)
    data = json_requests.dumps(matrix, lines=lines)
    found = json_requests.loads(data, lines=lines)
    assert found.features.shape == features.shape
    assert dense(found) == features.tolist()
    assert b'"keys"' in data


@either
@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html")
def test_all_documented_shapes_may_stand_together(lines: bool) -> None:
    """Lists, values and sparse instances in one request; one sparse instance makes the matrix sparse."""
    shapes: list[Any] = [
        {"features": [1.5, 16, 14, 23.0]},
        {"features": {"values": [1.5, 16, 14, 23.0]}},
        {"data": {"features": [1.5, 16, 14, 23.0]}},
        {"data": {"features": {"values": [1.5, 16, 14, 23.0]}}, "configuration": {}},
    ]
    found = json_requests.loads(written(shapes, lines), lines=lines)
    assert dense(found) == [[1.5, 16, 14, 23]] * 4
    shapes.append({"data": {"features": {"keys": [2, 0], "shape": [4], "values": [1, 4]}}})
    shapes.append({"features": {"keys": [], "shape": [4], "values": []}})
    found = json_requests.loads(written(shapes, lines), lines=lines)
    assert sparse.issparse(found.features)
    assert dense(found) == [[1.5, 16, 14, 23]] * 4 + [[4, 0, 1, 0], [0, 0, 0, 0]]


@given(matrices)
@pytest.mark.sdk_source("notes/json.md#what-the-sdk-writes")
def test_a_request_is_what_the_sdk_makes_of_its_instances(features: Array) -> None:
    """`JSONSerializer` writes the same text for the same instances."""
    instances = [{"features": row} for row in features.tolist()]
    assert json_requests.dumps(features).decode() == sdk_serializers.json({"instances": instances})


@pytest.mark.assumed(SHAPES)
def test_what_the_documentation_leaves_open() -> None:
    """A plain list wins over `data`, a shape without keys is not looked at, extra members do nothing."""
    instances = [
        {"features": [1, 2], "data": {"features": [3, 4]}},
        {"features": {"values": [1, 2], "shape": [7], "keys": None}},
        {"features": {}, "data": {"features": [1, 2]}, "uid": "x"},
    ]
    assert dense(json_requests.loads(written(instances, False))) == [[1, 2]] * 3


def sparse_instance(keys: Any, shape: Any, values: Any) -> dict[str, Any]:
    """An instance with these parts."""
    return {"data": {"features": {"keys": keys, "shape": shape, "values": values}}}


@either
@pytest.mark.parametrize(
    ("instance", "problem"),
    [
        (1, "without features"),
        (None, "without features"),
        ({}, "without features"),
        ({"data": []}, "without features"),
        ({"data": {}}, "without features"),
        ({"features": 1}, "without features"),
        ({"features": {}}, "without features"),
        ({"features": ["1"]}, "no numbers"),
        ({"features": [True]}, "no numbers"),
        ({"features": [None]}, "no numbers"),
        ({"features": [[1]]}, "no numbers"),
        ({"features": {"values": 1}}, "no numbers"),
        ({"features": [10**400]}, "does not fit"),
        ({"features": [1]}, "1 features"),
        (sparse_instance([0], [2], [1, 2]), "1 keys"),
        (sparse_instance([2], [2], [1]), "outside the shape"),
        (sparse_instance([-1], [2], [1]), "outside the shape"),
        (sparse_instance([1, 1], [2], [1, 2]), "occurs twice"),
        (sparse_instance([0.0], [2], [1]), "no places"),
        (sparse_instance("0", [2], [1]), "no places"),
        (sparse_instance([0], None, [1]), "another shape"),
        (sparse_instance([0], [2, 2], [1]), "another shape"),
        (sparse_instance([0], [2**63], [1]), "another shape"),
        (sparse_instance([0], [True], [1]), "another shape"),
    ],
)  # fmt: skip
def test_the_instance_that_is_wrong_is_named(lines: bool, instance: object, problem: str) -> None:
    """A FormatError has the number of the record and, in JSON Lines, the line."""
    with pytest.raises(FormatError, match=problem) as caught:
        json_requests.loads(written([{"features": [1, 2]}, instance], lines), lines=lines)
    assert (caught.value.record, caught.value.line) == (1, 2 if lines else None)


@pytest.mark.parametrize("request_", [[], {}, {"instances": {}}, "instances", None])
def test_json_without_a_list_of_instances_is_refused(request_: object) -> None:
    """The request itself is no record."""
    with pytest.raises(FormatError, match="a request without instances"):
        json_requests.loads(json.dumps(request_).encode())


def test_what_is_wrong_in_the_text_has_line_and_column() -> None:
    """JSON on several lines, and the second of several JSON Lines."""
    with pytest.raises(FormatError, match=r"^byte 17, line 2, column 4: found"):
        json_requests.loads(b'{"instances":\n [{]}')
    with pytest.raises(FormatError, match=r"^byte 21, line 3, column 2: found"):
        json_requests.loads(b'{"features": [1]}\n\r\n{]\n', lines=True, lenient=True)


def test_options_are_those_of_json_lines() -> None:
    """NaN and repeated keys are refused, or allowed by name."""
    data = b'{"features": [NaN], "features": [1, NaN]}\n\n'
    with pytest.raises(FormatError, match=r"a second time|NaN"):
        json_requests.loads(data, lines=True)
    found = json_requests.loads(data, lines=True, allow_nan=True, lenient=True).features
    assert np.array_equal(found, [[1, np.nan]], equal_nan=True)
    assert (
        json_requests.dumps(found, allow_nan=True) == b'{"instances": [{"features": [1.0, NaN]}]}'
    )
    with pytest.raises(FormatError, match="record 0: a value that cannot be written"):
        json_requests.dumps(found)


near = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from([2**63, 1e308, "values"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["instances", "features", "data", "values", "keys", "shape"]), inner
        )
    ),
    max_leaves=12,
)


@either
@given(near | st.lists(near, max_size=3).map(lambda found: {"instances": found}))
def test_any_json_is_rows_or_a_format_error(lines: bool, value: Any) -> None:
    """Whatever stands where, reading ends in rows or in a FormatError."""
    with suppress(FormatError):
        found = json_requests.loads(json.dumps(value).encode(), lines=lines)
        assert found.features.ndim == 2


@either
@given(data=st.binary(max_size=60))
@example(data=b'{"features": [1e999]}')
def test_any_bytes_are_rows_or_a_format_error(lines: bool, data: bytes) -> None:
    """Arbitrary bytes never raise anything but FormatError."""
    with suppress(FormatError):
        json_requests.loads(data, lines=lines)


@either
def test_cut_short_it_is_refused_or_has_fewer_rows(lines: bool) -> None:
    """JSON that is cut is never read; of JSON Lines the lines before the cut are."""
    data = json_requests.dumps(np.array([[1.5, 2.5], [3.5, 4.5]]), lines=lines)
    for cut in range(len(data)):
        try:
            found = len(json_requests.loads(data[:cut], lines=lines))
        except FormatError:
            continue
        assert lines
        assert found == data.count(b"]}", 0, cut)


@either
@given(features=matrices)
def test_batches_are_the_rows_in_order(lines: bool, features: Array) -> None:
    """Batches of any size put together are the whole, and so are single instances."""
    data = json_requests.dumps(features, lines=lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_requests, "_BATCH", 4)
        batches = list(json_requests.iter_batches(io.BytesIO(data), lines=lines))
        assert np.array_equal(json_requests.loads(data, lines=lines).features, features)
    assert [row for batch in batches for row in batch.features.tolist()] == features.tolist()
    found = json_requests.iter_records(io.BytesIO(data), lines=lines)
    assert [instance.values.tolist() for instance in found] == features.tolist()


def test_a_text_of_more_than_a_request_may_have_is_refused() -> None:
    """JSON is held whole, so there is an end to it."""

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b" " * min(size, 1 << 20)

    stream: Any = Endless()
    with pytest.raises(FormatError, match="more than 67108864 bytes"):
        json_requests.load(stream)


def test_json_lines_are_read_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows come in batches from a file larger than what is held."""
    path = tmp_path / "data.jsonl"
    path.write_bytes(json_requests.dumps(np.full((200, 50), 0.125), lines=True) * 20)
    monkeypatch.setattr(lines, "_BLOCK", 1 << 14)
    monkeypatch.setattr(json_requests, "_BATCH", 1 << 12)
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            batches = json_requests.iter_batches(file, lines=True)
            assert sum(len(batch) for batch in batches) == 4000
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size // 2
    finally:
        tracemalloc.stop()


def test_a_huge_sparse_width_costs_no_memory() -> None:
    """An instance may claim a width of 2^40; only its own values are held."""
    found = json_requests.loads(written([sparse_instance([2**39], [2**40], [1])], False))
    assert found.features.shape == (1, 2**40)
    assert found.features.nnz == 1


@pytest.mark.parametrize(
    "features", [np.zeros(3), np.zeros((1, 1, 1)), np.array([["a"]]), np.array([[None]])]
)
def test_what_is_no_matrix_of_numbers_is_refused(features: Array) -> None:
    """Only a matrix of numbers can be written."""
    with pytest.raises(FormatError, match="expected"):
        json_requests.dumps(features)


@either
def test_dump_and_load_work_on_files(tmp_path: Path, lines: bool) -> None:
    """`dump` writes to a file what `load` reads back from it; a request may have no instance."""
    path = tmp_path / "request"
    for features in (np.array([[1.0, 2.0]]), np.empty((0, 0))):
        with path.open("wb") as file:
            json_requests.dump(features, file, lines=lines)
        with path.open("rb") as file:
            assert dense(json_requests.load(file, lines=lines)) == features.tolist()
