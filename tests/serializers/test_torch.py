"""TorchTensorSerializer and TorchTensorDeserializer: tensors by way of npy, where PyTorch is installed."""

import importlib
import io
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.testing.strategies import TENSOR_DTYPES, Malformed, malformed_npy, matrices
from tests.serializers import sdk

pytestmark = pytest.mark.sdk_source("notes/serializers.md#tensors")


@pytest.fixture(scope="module")
def torch() -> Any:
    return importlib.import_module("torch")


def test_without_pytorch_the_classes_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """v3 says what to install; v2 does so for one class and says a plain Exception for the other."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError) as serializer:
        sdk.serializers.TorchTensorSerializer()
    with pytest.raises(Exception, match=r"Unable to import (py)?torch\.") as deserializer:
        sdk.deserializers.TorchTensorDeserializer()
    if sdk.MAJOR == 2:
        assert "import of torch halted" in str(serializer.value)
        assert (deserializer.type, str(deserializer.value)) == (
            Exception,
            "Unable to import pytorch.",
        )
        return
    for caught in (serializer, deserializer):
        assert caught.type is ImportError
        assert "pip install 'sagemaker-core[torch]'" in str(caught.value)


@pytest.mark.torch
def test_content_types_of_tensors(torch: Any) -> None:
    """Both speak of `tensor/pt`."""
    assert sdk.serializers.TorchTensorSerializer().CONTENT_TYPE == "tensor/pt"
    assert sdk.deserializers.TorchTensorDeserializer().ACCEPT == ("tensor/pt",)


@pytest.mark.torch
@given(matrices())
def test_tensors_come_back(torch: Any, matrix: Any) -> None:
    """A tensor is sent as npy, which numpy reads, and comes back bit by bit; an empty one is refused."""
    serializer = sdk.serializers.TorchTensorSerializer()
    tensor = torch.from_numpy(matrix)
    if not matrix.size:
        with pytest.raises(ValueError, match=r"because: Cannot serialize empty array\."):
            serializer.serialize(tensor)
        return
    sent = serializer.serialize(tensor)
    assert np.load(io.BytesIO(sent)).tobytes() == matrix.tobytes()
    again = sdk.answer(sdk.deserializers.TorchTensorDeserializer(), sent)
    assert (again.dtype, tuple(again.shape)) == (tensor.dtype, matrix.shape)
    assert again.numpy().tobytes() == matrix.tobytes()


@pytest.mark.torch
@given(st.sampled_from(TENSOR_DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, (2, 3))))
def test_a_view_of_a_tensor_is_sent_as_it_looks(torch: Any, matrix: Any) -> None:
    """A transposed tensor, and one that has gradients, are sent by value."""
    tensor = torch.from_numpy(matrix).T
    if tensor.dtype.is_floating_point:
        tensor = tensor.clone().requires_grad_()
    sent = sdk.serializers.TorchTensorSerializer().serialize(tensor)
    assert np.array_equal(np.load(io.BytesIO(sent)), matrix.T, equal_nan=matrix.dtype.kind == "f")


@pytest.mark.torch
@pytest.mark.parametrize("data", [[1.0], np.ones(2), None])
def test_only_tensors_are_tensors(torch: Any, data: Any) -> None:
    """Arrays and lists are refused by the name of their type."""
    with pytest.raises(ValueError, match=r"Object of type <class '.*'> is not a torch\.Tensor"):
        sdk.serializers.TorchTensorSerializer().serialize(data)


@pytest.mark.torch
def test_what_numpy_has_no_type_for_is_refused(torch: Any) -> None:
    """bfloat16 is no dtype of numpy's."""
    tensor = torch.ones(2, dtype=torch.bfloat16)
    with pytest.raises(ValueError, match=r"Unable to serialize your data because: .*BFloat16"):
        sdk.serializers.TorchTensorSerializer().serialize(tensor)


@pytest.mark.torch
@given(malformed_npy())
def test_damaged_tensors_raise(torch: Any, drawn: Malformed) -> None:
    """Whatever is wrong with an answer, the error is one and says nothing of it."""
    with pytest.raises(ValueError, match=r"Unable to deserialize your data to torch\.Tensor"):
        sdk.answer(sdk.deserializers.TorchTensorDeserializer(), drawn.data)
