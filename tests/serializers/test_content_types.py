"""Content types: what each class says that it sends, and what it asks for."""

import contextlib
import io
from typing import Any

import pytest
from botocore.response import StreamingBody

from tests.serializers import sdk

pytestmark = pytest.mark.sdk_source("notes/serializers.md#content-types")

SENT = {
    "CSVSerializer": "text/csv",
    "DataSerializer": "file-path/raw-bytes",
    "IdentitySerializer": "application/octet-stream",
    "JSONLinesSerializer": "application/jsonlines",
    "JSONSerializer": "application/json",
    "LibSVMSerializer": "text/libsvm",
    "NumpySerializer": "application/x-npy",
    "RecordSerializer": "application/x-recordio-protobuf",
    "SparseMatrixSerializer": "application/x-npz",
    "StringSerializer": "text/plain",
}
ACCEPTED = {
    "BytesDeserializer": ("*/*",),
    "CSVDeserializer": ("text/csv",),
    "JSONDeserializer": ("application/json",),
    "JSONLinesDeserializer": ("application/jsonlines",),
    "NumpyDeserializer": ("application/x-npy",),
    "PandasDeserializer": ("text/csv", "application/json"),
    "RecordDeserializer": ("application/x-recordio-protobuf",),
    "StreamDeserializer": ("*/*",),
    "StringDeserializer": ("application/json",),
}


def _classes(module: Any, base: str) -> set[str]:
    found = {
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, getattr(module, base))
    }
    old_names = {"numpy_to_record_serializer", "record_deserializer"}
    return {name for name in found if "Base" not in name} - old_names


def test_the_tables_name_every_class() -> None:
    """The SDK has these classes and no others, but for those of tensors, which want PyTorch."""
    assert _classes(sdk.serializers, "BaseSerializer") == {*SENT, "TorchTensorSerializer"}
    assert _classes(sdk.deserializers, "BaseDeserializer") == {*ACCEPTED, "TorchTensorDeserializer"}


@pytest.mark.parametrize(("name", "content_type"), SENT.items())
def test_a_serializer_says_what_it_sends(name: str, content_type: str) -> None:
    """Each class has its content type, and takes any other from its caller."""
    kind = getattr(sdk.serializers, name)
    assert content_type == kind().CONTENT_TYPE
    assert kind(content_type="text/other; a=b").CONTENT_TYPE == "text/other; a=b"


@pytest.mark.parametrize("name", SENT)
def test_a_content_type_is_a_string(name: str) -> None:
    """Anything else is refused when the serializer is made."""
    with pytest.raises(ValueError, match="content_type must be a string"):
        getattr(sdk.serializers, name)(content_type=("text/csv",))


@pytest.mark.parametrize(("name", "accepted"), ACCEPTED.items())
def test_a_deserializer_says_what_it_asks_for(name: str, accepted: tuple[str, ...]) -> None:
    """Each class has a tuple of content types; one string becomes a tuple of one."""
    kind = getattr(sdk.deserializers, name)
    assert accepted == kind().ACCEPT
    assert kind(accept="text/other").ACCEPT == ("text/other",)
    assert kind(accept=("text/csv", "text/other")).ACCEPT == ("text/csv", "text/other")


CLOSED = sorted(ACCEPTED.keys() - {"PandasDeserializer", "StreamDeserializer"})


@pytest.mark.parametrize("name", CLOSED)
def test_a_deserializer_closes_the_body(name: str) -> None:
    """After a body was read, or could not be, it is closed."""
    raw = io.BytesIO(b"no such data")
    deserializer = getattr(sdk.deserializers, name)()
    with contextlib.suppress(Exception):  # what it makes of such data is for other tests
        deserializer.deserialize(StreamingBody(raw, raw.getbuffer().nbytes), deserializer.ACCEPT[0])
    assert raw.closed


@pytest.mark.parametrize("name", sorted(ACCEPTED.keys() - {*CLOSED}))
def test_two_deserializers_leave_the_body_open(name: str) -> None:
    """The stream's own, whose caller closes it, and pandas', which forgets to."""
    raw = io.BytesIO(b"a\n1\n")
    getattr(sdk.deserializers, name)().deserialize(
        StreamingBody(raw, raw.getbuffer().nbytes), "text/csv"
    )
    assert not raw.closed
