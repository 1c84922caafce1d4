"""The Record protobuf of SageMaker (proto2, package aialgs.data), built by protobuf's own runtime.

It lives in a descriptor pool of its own, so that it never meets the SDK's `record.proto`.
Source: `amazon/record.proto` of the SageMaker Python SDK; see docs/notes/recordio.md#record.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "aialgs.data"


def _tensor(
    file: descriptor_pb2.FileDescriptorProto, name: str, kind: "_FIELD.Type.ValueType"
) -> None:
    message = file.message_type.add(name=name)
    for number, (field, field_type) in enumerate(
        (("values", kind), ("keys", _FIELD.TYPE_UINT64), ("shape", _FIELD.TYPE_UINT64)), start=1
    ):
        added = message.field.add(
            name=field, number=number, label=_FIELD.LABEL_REPEATED, type=field_type
        )
        added.options.packed = True


def _map(record: descriptor_pb2.DescriptorProto, field: str, number: int, entry: str) -> None:
    nested = record.nested_type.add(name=entry)
    nested.options.map_entry = True
    nested.field.add(name="key", number=1, label=_FIELD.LABEL_OPTIONAL, type=_FIELD.TYPE_STRING)
    nested.field.add(
        name="value",
        number=2,
        label=_FIELD.LABEL_OPTIONAL,
        type=_FIELD.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.Value",
    )
    record.field.add(
        name=field,
        number=number,
        label=_FIELD.LABEL_REPEATED,
        type=_FIELD.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.Record.{entry}",
    )


def _describe() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="harness/record.proto", package=_PACKAGE, syntax="proto2"
    )
    _tensor(file, "Float32Tensor", _FIELD.TYPE_FLOAT)
    _tensor(file, "Float64Tensor", _FIELD.TYPE_DOUBLE)
    _tensor(file, "Int32Tensor", _FIELD.TYPE_INT32)
    raw = file.message_type.add(name="Bytes")
    raw.field.add(name="value", number=1, label=_FIELD.LABEL_REPEATED, type=_FIELD.TYPE_BYTES)
    raw.field.add(
        name="content_type", number=2, label=_FIELD.LABEL_OPTIONAL, type=_FIELD.TYPE_STRING
    )
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for name, number, kind in (
        ("float32_tensor", 2, "Float32Tensor"),
        ("float64_tensor", 3, "Float64Tensor"),
        ("int32_tensor", 7, "Int32Tensor"),
        ("bytes", 9, "Bytes"),
    ):
        value.field.add(
            name=name,
            number=number,
            label=_FIELD.LABEL_OPTIONAL,
            type=_FIELD.TYPE_MESSAGE,
            type_name=f".{_PACKAGE}.{kind}",
            oneof_index=0,
        )
    record = file.message_type.add(name="Record")
    _map(record, "features", 1, "FeaturesEntry")
    _map(record, "label", 2, "LabelEntry")
    for number, name in enumerate(("uid", "metadata", "configuration"), start=3):
        record.field.add(
            name=name, number=number, label=_FIELD.LABEL_OPTIONAL, type=_FIELD.TYPE_STRING
        )
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_describe())

Record: Any = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.Record"))
"""The message class; protobuf makes it at run time, so its fields are known to the runtime only."""
