"""The models as the wire reads them are botocore's models."""

import subprocess
import sys
from typing import Any

import pytest

from harness.cloud.protocol.models import Shape, UnknownModel, load
from tests.cloud.protocol.generated import service_model

SERVICES = ["sagemaker", "sagemaker-runtime"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_there(service: str) -> None:
    """Operations, and the shapes of their input and output, are those that botocore reads."""
    ours, theirs = load(service), service_model(service)
    assert list(ours.operation_names) == list(theirs.operation_names)
    for name in theirs.operation_names:
        operation, model = ours.operation(name), theirs.operation_model(name)
        assert (operation.method, operation.request_uri) == (
            model.http["method"],
            model.http["requestUri"],
        )
        assert operation.status == model.http.get("responseCode", 200)
        for shape, other in [
            (operation.input, model.input_shape),
            (operation.output, model.output_shape),
        ]:
            assert (shape and shape.name) == (other and other.name)
        assert list(operation.errors) == [shape.name for shape in model.error_shapes]


@pytest.mark.parametrize("service", SERVICES)
def test_every_shape_says_the_same(service: str) -> None:
    """Type, members, required ones, bounds, pattern and enum of each shape are botocore's."""
    ours, theirs = load(service), service_model(service)
    for name in theirs.shape_names:
        shape = ours.shape(name)
        other: Any = theirs.shape_for(name)
        assert shape.type == other.type_name
        assert (shape.minimum, shape.maximum, shape.pattern) == (
            other.metadata.get("min"),
            other.metadata.get("max"),
            other.metadata.get("pattern"),
        )
        assert list(shape.enum) == other.metadata.get("enum", [])
        assert shape.sensitive == other.metadata.get("sensitive", False)
        if shape.type == "structure":
            assert [(m.name, m.shape.name) for m in shape.members.values()] == [
                (key, member.name) for key, member in other.members.items()
            ]
            assert shape.required == set(other.required_members)
            assert shape.is_exception == other.metadata.get("exception", False)
        elif shape.type == "list":
            assert shape.member.name == other.member.name
        elif shape.type == "map":
            assert (shape.key.name, shape.value.name) == (other.key.name, other.value.name)


def test_a_model_is_read_once() -> None:
    """Asking for the same service again gives the same object, down to its shapes."""
    assert load("sagemaker") is load("sagemaker")
    assert load("sagemaker").shape("Tag") is load("sagemaker").shape("Tag")


@pytest.mark.parametrize("name", ["no-such-service", "../sagemaker/nothing"])
def test_an_unknown_service_is_said(name: str) -> None:
    """A service that botocore does not have is an UnknownModel, as is an unknown operation or shape."""
    with pytest.raises(UnknownModel):
        load(name)
    with pytest.raises(UnknownModel):
        load("sagemaker").operation(name)
    with pytest.raises(UnknownModel):
        load("sagemaker").shape(name)


def test_recursive_shapes_are_themselves_again() -> None:
    """SearchExpression contains itself; following it leads back to the same object."""
    expression = load("sagemaker").shape("SearchExpression")
    inner: Shape = expression.members["SubExpressions"].shape.member
    assert inner is expression


def test_the_wire_needs_no_botocore_module() -> None:
    """Parsing, validating and answering a request imports nothing of botocore: its import is slow."""
    program = (
        "import sys\n"
        "from harness.cloud.protocol import control_plane, rest, errors\n"
        "request = control_plane.parse('ListEndpoints', b'{}')\n"
        "control_plane.validate('ListEndpoints', request)\n"
        "control_plane.serialize('ListEndpoints', {'Endpoints': []})\n"
        "rest.routes()\n"
        "sys.exit(any(name.partition('.')[0] in ('botocore', 'regex') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
