"""recordIO-protobuf and CSV to bytes and back: against the SDK v2, numpy and pandas, in one process, in turn."""

import contextlib
import gc
import io
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.table import Row, in_turn
from harness.formats import csv, recordio

RECORDS = 20_000
_FIELDS = {"float32": "float32_tensor", "float64": "float64_tensor", "int64": "int32_tensor"}


def _sdk() -> tuple[Any, Any]:
    os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
    with contextlib.redirect_stdout(io.StringIO()):
        from sagemaker import base_serializers
        from sagemaker.amazon import common

    return common, base_serializers.CSVSerializer()


def _matrix(columns: int, dtype: str) -> tuple[Any, Any]:
    """Normal numbers, times a hundred where they become integers, and one label of 0 or 1 each."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(RECORDS, columns)) * (100 if dtype == "int64" else 1)
    return features.astype(dtype), rng.integers(0, 2, RECORDS).astype(dtype)


def _timed(run: Callable[[], object]) -> Callable[[], float]:
    """Milliseconds of processor time that a call takes: a busy machine takes its turns out of no one's account.

    Both sides are one thread. What a call returns is dropped after the clock was read.
    """

    def measure() -> float:
        gc.collect()
        begin = time.process_time()
        kept = run()
        end = time.process_time()
        del kept
        return 1000 * (end - begin)

    return measure


def _compare(
    what: str,
    ours: Callable[[], Any],
    peer: str,
    peers: Callable[[], Any],
    same: Callable[[Any, Any], bool],
    runs: int,
    goal: str = "",
) -> Row:
    assert same(ours(), peers()), what
    our_times, their_times = in_turn(_timed(ours), _timed(peers), runs)
    return Row(what, "ms", our_times, peer, their_times, goal)


def _written(write: Callable[..., None], *arguments: Any) -> bytes:
    file = io.BytesIO()
    write(file, *arguments)
    return file.getvalue()


def _encodings(runs: int) -> Iterator[Row]:
    common, _ = _sdk()
    for columns, dtype, labelled, goal in (
        (14, "float32", True, "ratio <= 0.01"),
        (100, "float32", True, "ratio <= 0.01"),
        (14, "float32", False, "ratio <= 0.01"),
        (100, "float32", False, "ratio <= 0.01"),
        (100, "float64", True, ""),
        (14, "int64", True, ""),
    ):
        features, labels = _matrix(columns, dtype)
        given = (features, labels) if labelled else (features,)
        yield _compare(
            f"recordIO encode, {columns} columns of {dtype}{' and labels' if labelled else ''}",
            partial(recordio.dumps, *given),
            "SDK v2",
            partial(_written, common.write_numpy_to_dense_tensor, *given),
            bytes.__eq__,
            runs,
            goal,
        )


def _sparse_rows(runs: int) -> Iterator[Row]:
    from scipy import sparse

    common, _ = _sdk()
    matrix = sparse.random(RECORDS // 10, 10_000, 0.01, "csr", np.float32, random_state=0)
    data = recordio.dumps(matrix)
    name = "100 of 10,000 columns, sparse"
    yield _compare(
        f"recordIO encode, {name}",
        lambda: recordio.dumps(matrix),
        "SDK v2",
        lambda: _written(common.write_spmatrix_to_sparse_tensor, matrix),
        bytes.__eq__,
        runs,
    )

    def theirs() -> Any:
        tensors = [
            record.features["values"].float32_tensor
            for record in common.read_records(io.BytesIO(data))
        ]
        ends = np.cumsum([0, *(len(tensor.values) for tensor in tensors)])
        values = np.concatenate([np.array(tensor.values, np.float32) for tensor in tensors])
        keys = np.concatenate([np.array(tensor.keys, np.int64) for tensor in tensors])
        return sparse.csr_matrix((values, keys, ends), shape=matrix.shape)

    yield _compare(
        f"recordIO decode, {name}",
        lambda: recordio.loads(data).features,
        "SDK v2",
        theirs,
        lambda a, b: (a != b).nnz == 0 and (a != matrix).nnz == 0,
        runs,
    )


def _decodings(runs: int) -> Iterator[Row]:
    common, _ = _sdk()
    for columns, dtype, goal in (
        (14, "float32", "ratio <= 0.05"),
        (100, "float32", "ratio <= 0.05"),
        (14, "int64", ""),
    ):
        data = recordio.dumps(*_matrix(columns, dtype))

        def theirs(data: bytes, field: str, dtype: str) -> tuple[Any, Any]:
            records = common.read_records(io.BytesIO(data))
            rows = [getattr(record.features["values"], field).values for record in records]
            labels = [getattr(record.label["values"], field).values[0] for record in records]
            return np.array(rows, dtype), np.array(labels, dtype)

        yield _compare(
            f"recordIO decode to arrays, {columns} columns of {dtype} and labels",
            partial(recordio.loads, data),
            "SDK v2",
            partial(theirs, data, _FIELDS[dtype], dtype),
            lambda ours, peers: (
                np.array_equal(ours.features, peers[0]) and np.array_equal(ours.labels, peers[1])
            ),
            runs,
            goal,
        )


def _csv_rows(runs: int) -> Iterator[Row]:
    import pandas as pd

    _, serializer = _sdk()
    for dtype in ("float32", "float64"):
        features, _ = _matrix(14, dtype)
        yield _compare(
            f"CSV encode, 14 columns of {dtype}",
            partial(csv.dumps, features),
            "SDK v2 CSVSerializer",
            partial(serializer.serialize, features),
            lambda ours, theirs: ours == theirs.encode() + b"\n",
            runs,
        )
    features, _ = _matrix(14, "float64")
    text = csv.dumps(features)
    peers: dict[str, Callable[[], Any]] = {
        "numpy.loadtxt": lambda: np.loadtxt(io.BytesIO(text), delimiter=","),
        "pandas.read_csv": lambda: pd.read_csv(io.BytesIO(text), header=None).to_numpy(),
    }
    for peer, read in peers.items():
        yield _compare(
            "CSV decode, 14 columns of float64",
            lambda: csv.loads(text).features,
            peer,
            read,
            lambda ours, theirs: np.array_equal(ours, features) and np.allclose(ours, theirs),
            runs,
        )


def measure(runs: int) -> list[Row]:
    """20,000 records a time; what both sides give is compared before they are timed."""
    return [
        *_encodings(runs),
        *_decodings(runs),
        *_sparse_rows(runs),
        *_csv_rows(runs),
    ]
