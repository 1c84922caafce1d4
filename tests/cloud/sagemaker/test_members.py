"""Each member of each request that is ours is honoured, on the published ignore list, or refused by name."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.cloud.errors import AwsError
from harness.cloud.protocol.models import Shape, load
from harness.cloud.sagemaker.members import members_of, refuse_unsupported
from harness.cloud.sagemaker.operations import OWN


def _members(shape: Shape, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every member below `shape`: its path, and a request that has this member and no other.

    Of a map, whose keys are the caller's, the whole is a member.
    """
    for name, member in shape.members.items():
        below = f"{path}.{name}" if path else name
        yield from _leaves(member.shape, below, lambda value, name=name: {name: value})


def _leaves(shape: Shape, path: str, wrap: Any) -> Iterator[tuple[str, Any]]:
    if shape.type == "structure":
        for name, member in shape.members.items():
            yield from _leaves(
                member.shape, f"{path}.{name}", lambda value, name=name: wrap({name: value})
            )
    elif shape.type == "list":
        yield from _leaves(shape.member, f"{path}[]", lambda value: wrap([value]))
    else:
        yield path, wrap(_sample(shape))


def _sample(shape: Shape) -> Any:
    if shape.type == "map":
        return {"key": "value"}
    if shape.type == "boolean":
        return True
    if shape.type == "string":
        return shape.enum[0] if shape.enum else "text"
    return 7


def _covering(operation: str, path: str) -> str | None:
    """The entry of the lists that covers `path`: itself or what it lies below."""
    lists = members_of(operation)
    parts = path.replace("[]", ".[]").split(".")
    for length in range(len(parts), 0, -1):
        prefix = ".".join(parts[:length]).replace(".[]", "[]")
        if lists.knows(prefix):
            return prefix
    return None


@pytest.mark.parametrize("operation", OWN)
def test_every_member_of_the_model_is_decided(operation: str) -> None:
    """A request with any one member is taken if the lists have it, and refused with its name if not."""
    shape = load("sagemaker").operation(operation).input
    assert shape is not None
    lists = members_of(operation)
    for path, request in _members(shape):
        entry = _covering(operation, path) or ""
        if entry in lists.honoured or entry in lists.ignored:
            refuse_unsupported(operation, request)
            continue
        if entry in lists.only and next(iter(_values(request))) in lists.only[entry]:
            refuse_unsupported(operation, request)
            continue
        with pytest.raises(AwsError) as refused:
            refuse_unsupported(operation, request)
        assert refused.value.code == "ValidationException"
        assert path in refused.value.message


@pytest.mark.parametrize("operation", OWN)
def test_the_lists_name_members_of_the_model_once(operation: str) -> None:
    """Each entry of the lists is a member of the model's input, on one list only, and each reason is given."""
    shape = load("sagemaker").operation(operation).input
    assert shape is not None
    paths = {path for path, _ in _members(shape)}
    lists = members_of(operation)
    entries = [*lists.honoured, *lists.only, *lists.ignored]
    assert len(entries) == len(set(entries))
    for entry in entries:
        assert any(path == entry or path.startswith((f"{entry}.", f"{entry}[")) for path in paths)
    assert all(lists.ignored.values())


def test_all_that_is_unsupported_is_named_at_once() -> None:
    """One error names every member that would not be honoured, and the values that would be."""
    request = {
        "TrainingJobName": "a",
        "AlgorithmSpecification": {"TrainingInputMode": "Pipe"},
        "CheckpointConfig": {"S3Uri": "s3://b/c"},
        "InputDataConfig": [{"InputMode": "FastFile"}, {"InputMode": "FastFile"}],
    }
    with pytest.raises(AwsError) as refused:
        refuse_unsupported("CreateTrainingJob", request)
    assert refused.value.message == (
        "CreateTrainingJob: not available in this local cloud: "
        "AlgorithmSpecification.TrainingInputMode other than File; CheckpointConfig.S3Uri; "
        "InputDataConfig[].InputMode other than File."
    )


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _values(member)
    elif isinstance(value, list):
        for element in value:
            yield from _values(element)
    else:
        yield value
