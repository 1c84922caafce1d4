"""The SDK that is installed, v2 or v3, under one set of names."""

import importlib
import io
import os
from importlib.metadata import version
from typing import Any

from botocore.response import StreamingBody

os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")

MAJOR = int(version("sagemaker").partition(".")[0])

_SERIALIZERS, _DESERIALIZERS, _RECORDS = {
    2: ("sagemaker.serializers", "sagemaker.deserializers", "sagemaker.serializer_utils"),
    3: (
        "sagemaker.core.serializers",
        "sagemaker.core.deserializers",
        "sagemaker.core.serializers.utils",
    ),
}[MAJOR]

serializers: Any = importlib.import_module(_SERIALIZERS)
deserializers: Any = importlib.import_module(_DESERIALIZERS)
records: Any = importlib.import_module(_RECORDS)


def body(data: bytes) -> StreamingBody:
    """What botocore hands over as the body of an answer."""
    return StreamingBody(io.BytesIO(data), len(data))


def on_the_wire(data: Any) -> bytes:
    """The bytes that botocore sends for what a serializer has returned."""
    if isinstance(data, str):
        return data.encode("utf-8")
    return bytes(data if isinstance(data, bytes) else data.read())


def answer(deserializer: Any, data: bytes, content_type: str = "") -> Any:
    """What a deserializer makes of an answer, by default of the content type that it asks for."""
    return deserializer.deserialize(body(data), content_type or deserializer.ACCEPT[0])
