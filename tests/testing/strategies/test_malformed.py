"""Each malformed variant is refused by a reader, for the fault that it names."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.algorithms.xgboost import data as xgboost_data
from harness.formats import csv, recordio
from harness.formats.errors import FormatError
from harness.testing.strategies import (
    Malformed,
    malformed_csv,
    malformed_json_lines,
    malformed_libsvm,
    malformed_npy,
    malformed_recordio,
)
from tests.testing.strategies.finding import found

CSV = {
    "header": "the cell 'column 0'",
    "byte_order_mark": "a byte order mark",
    "text_cell": "the cell",
    "empty_cell": "an empty cell",
    "ragged": "columns",
    "open_quote": "unexpected end of data",
    "not_utf8": "not UTF-8",
}
RECORDIO = {
    "truncated": "ends|expected",
    "magic": "expected",
    "stray_part": "part",
    "not_protobuf": "not a Record protobuf",
    "no_features": "without features",
    "other_width": "features",
}
JSON_LINES = ["truncated", "single_quotes", "two_values", "bare_word", "not_utf8"]
LIBSVM = ["text_label", "text_value", "no_value", "text_index", "negative_index", "not_utf8"]
NPY = ["truncated", "magic", "pickled", "text"]


@pytest.mark.parametrize(
    ("strategy", "faults"),
    [
        (malformed_csv, CSV),
        (malformed_recordio, RECORDIO),
        (malformed_json_lines, JSON_LINES),
        (malformed_libsvm, LIBSVM),
        (malformed_npy, NPY),
    ],
)
def test_each_fault_occurs_and_no_other(
    strategy: Callable[..., st.SearchStrategy[Malformed]], faults: Any
) -> None:
    """Each documented fault is drawn; a name that is none is an error that lists them."""
    drawn = {fault: found(strategy(), lambda one: one.fault == fault) for fault in faults}  # noqa: B023
    assert {one.fault for one in drawn.values()} == {*faults}
    assert all(f"`{fault}`" in (strategy.__doc__ or "") for fault in faults)
    with pytest.raises(ValueError, match="no fault 'other': one of " + ", ".join(faults)):
        strategy("other")


@given(malformed_csv())
def test_malformed_csv_is_refused_for_its_fault(drawn: Malformed) -> None:
    """The CSV codec names what is wrong."""
    with pytest.raises(FormatError, match=CSV[drawn.fault]):
        csv.loads(drawn.data)


@given(malformed_recordio())
def test_malformed_recordio_is_refused_for_its_fault(drawn: Malformed) -> None:
    """The recordIO codec names what is wrong."""
    with pytest.raises(FormatError, match=RECORDIO[drawn.fault]):
        recordio.loads(drawn.data)


@given(malformed_json_lines())
def test_malformed_json_lines_have_a_line_that_is_no_json(drawn: Malformed) -> None:
    """All lines but the last are values, the last is none."""
    *lines, last = drawn.data.removesuffix(b"\n").split(b"\n")
    for line in lines:
        json.loads(line)
    with pytest.raises(ValueError):  # noqa: PT011
        json.loads(last)


@given(malformed_libsvm())
def test_malformed_libsvm_has_a_line_that_xgboost_does_not_take(drawn: Malformed) -> None:
    """All lines but the last are well formed, the last is not."""
    *lines, last = drawn.data.removesuffix(b"\n").split(b"\n")
    well_formed = xgboost_data._LIBSVM_LINES
    assert well_formed.fullmatch(b"\n".join(lines))
    assert not well_formed.fullmatch(last)


@given(malformed_npy())
def test_malformed_npy_is_refused_by_numpy(drawn: Malformed) -> None:
    """numpy does not load it."""
    with pytest.raises((ValueError, EOFError)):
        np.load(io.BytesIO(drawn.data))
