"""MXNet's array files: published bytes, round trips, and damage."""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.algorithms import mxnet_format
from harness.formats.errors import FormatError

arrays = hnp.arrays(
    st.sampled_from(["f4", "f8", "f2", "u1", "i4", "i1", "i8", "?"]),
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
)


def same(left: Any, right: Any) -> bool:
    """Equal in dtype, shape and bytes."""
    return (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())


@given(st.dictionaries(st.text(max_size=5), arrays, min_size=1, max_size=4))
def test_named_arrays_come_back(values: dict[str, Any]) -> None:
    """Arrays by name are the same after writing and reading."""
    found = mxnet_format.loads(mxnet_format.dumps(values))
    assert isinstance(found, dict)
    assert list(found) == list(values)
    assert all(same(found[name], values[name]) for name in values)


@given(st.lists(arrays, max_size=4))
def test_arrays_without_names_come_back_as_a_list(values: list[Any]) -> None:
    """A file without names is a list."""
    found = mxnet_format.loads(mxnet_format.dumps(values))
    assert isinstance(found, list)
    assert all(same(left, right) for left, right in zip(found, values, strict=True))


@pytest.mark.recorded("notes/first-party-algorithms.md#mxnet-arrays")
def test_the_bytes_are_mxnets() -> None:
    """The dictionary s = [1, 2] in float32 has the bytes that mxnet 1.9.1 writes."""
    expected = (
        "1201000000000000 0000000000000000 0100000000000000 c9fa93f9 00000000 01000000"
        "0200000000000000 01000000 00000000 00000000 0000803f 00000040"
        "0100000000000000 0100000000000000 73"
    )
    written = mxnet_format.dumps({"s": np.array([1, 2], np.float32)})
    assert written == bytes.fromhex(expected)


@given(st.dictionaries(st.text(max_size=3), arrays, min_size=1, max_size=2), st.data())
def test_damage_is_a_format_error_or_other_data(values: dict[str, Any], draw: Any) -> None:
    """Cut or changed anywhere, a file gives arrays or a FormatError, nothing else."""
    whole = bytearray(mxnet_format.dumps(values))
    cut = draw.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(FormatError):
        mxnet_format.loads(bytes(whole[:cut]))
    whole[cut] = draw.draw(st.integers(0, 255))
    with suppress(FormatError):
        mxnet_format.loads(bytes(whole))


def test_an_empty_array_of_a_shape_beyond_numpy_is_refused() -> None:
    """No byte is missing, but nobody could hold such an array."""
    data = bytearray(mxnet_format.dumps([np.zeros((0, 1, 1), np.float32)]))
    for place in (44, 52):
        data[place : place + 8] = (2**62).to_bytes(8, "little")
    with pytest.raises(FormatError, match="a shape that can be addressed"):
        mxnet_format.loads(bytes(data))


@pytest.mark.parametrize("array", [np.zeros(()), np.zeros(1, complex), np.zeros(1, "u8")])
def test_what_mxnet_cannot_hold_is_refused(array: Any) -> None:
    """Arrays without dimensions and other dtypes are refused."""
    with pytest.raises(FormatError, match="expected"):
        mxnet_format.dumps({"a": array})


def test_the_symbol_is_a_layer_and_a_head() -> None:
    """The symbol names data, weight, bias, layer, label and head, as Module.load reads them."""
    symbol = json.loads(mxnet_format.linear_symbol(3, "SoftmaxOutput"))
    names = [node["name"] for node in symbol["nodes"]]
    assert names == ["data", "fc0_weight", "fc0_bias", "fc0", "out_label", "out"]
    assert symbol["nodes"][3]["attrs"] == {"num_hidden": "3"}
    assert symbol["nodes"][5]["op"] == "SoftmaxOutput"
    assert [symbol["nodes"][place]["op"] for place in symbol["arg_nodes"]] == ["null"] * 4
    assert symbol["heads"] == [[5, 0, 0]]
