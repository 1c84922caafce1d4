"""Each malformed variant is refused by a reader, for the fault that it names."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.formats import csv, jsonlines, libsvm, npy, recordio
from harness.formats.errors import FormatError
from harness.testing.strategies import (
    Malformed,
    malformed_csv,
    malformed_json_lines,
    malformed_libsvm,
    malformed_npy,
    malformed_recordio,
)
from tests.testing.strategies.finding import drawn

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
JSON_LINES = {
    "truncated": "the text ends|JSON|string",
    "single_quotes": "property name enclosed in double quotes",
    "two_values": "extra data",
    "bare_word": "extra data|found",
    "not_utf8": "UTF-8",
    "blank_line": "a blank line",
    "byte_order_mark": "a byte order mark",
}
LIBSVM = {
    "text_label": "a label, or label:weight|index:value",
    "text_value": "found '99:|found 'kg'",
    "no_value": "found '99:'",
    "text_index": "found 'x:1'",
    "negative_index": "found '-1:1'",
    "repeated_index": "an index that occurs twice",
    "not_utf8": "found '99:",
    "byte_order_mark": "a byte order mark",
}
NPY = {
    "truncated": "the data ends",
    "magic": "expected 934e554d5059",
    "pickled": "Python objects",
    "text": "expected 934e554d5059|the data ends",
}


READERS = [
    (malformed_csv, csv.loads, CSV),
    (malformed_recordio, recordio.loads, RECORDIO),
    (malformed_json_lines, jsonlines.loads, JSON_LINES),
    (malformed_libsvm, libsvm.loads, LIBSVM),
    (malformed_npy, npy.loads, NPY),
]


@pytest.mark.parametrize(("strategy", "faults"), [(made, faults) for made, _, faults in READERS])
def test_each_fault_occurs_and_no_other(
    strategy: Callable[..., st.SearchStrategy[Malformed]], faults: Any
) -> None:
    """Each documented fault is drawn; a name that is none is an error that lists them."""
    assert {one.fault for one in drawn(strategy(), 300)} == {*faults}
    assert all(f"`{fault}`" in (strategy.__doc__ or "") for fault in faults)
    with pytest.raises(ValueError, match="no fault 'other': one of " + ", ".join(faults)):
        strategy("other")


@pytest.mark.parametrize(("strategy", "loads", "faults"), READERS)
@given(st.data())
def test_a_codec_refuses_each_for_its_fault(
    strategy: Callable[[], st.SearchStrategy[Malformed]],
    loads: Callable[[bytes], Any],
    faults: dict[str, str],
    data: st.DataObject,
) -> None:
    """The codec of the format names what is wrong."""
    bad = data.draw(strategy())
    with pytest.raises(FormatError, match=faults[bad.fault]):
        loads(bad.data)


@given(malformed_npy())
def test_malformed_npy_is_refused_by_numpy(bad: Malformed) -> None:
    """Numpy does not load it either."""
    with pytest.raises((ValueError, EOFError)):
        np.load(io.BytesIO(bad.data))
