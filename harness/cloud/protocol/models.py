"""botocore's service models as the wire needs them, read from its files without importing it."""

import gzip
import importlib.util
import json
from collections.abc import KeysView, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple


class UnknownModel(LookupError):
    """The installed botocore has no such service, operation or shape."""


class Member(NamedTuple):
    """A member of a structure.

    `path` is its name in AWS's messages, `wire_name` the key or header that carries it, `location`
    "uri", "header" or None for the body.
    """

    name: str
    path: str
    wire_name: str
    location: str | None
    shape: "Shape"


class Shape:
    """A shape of a model; what it consists of is resolved when asked for (shapes may be recursive).

    `minimum` and `maximum` bound a value, or the length of strings, blobs, lists and maps.
    `pattern` is a Java regular expression.
    """

    def __init__(self, model: "ServiceModel", name: str, definition: Mapping[str, Any]) -> None:
        self.name = name
        self.type: str = definition["type"]
        self.required: frozenset[str] = frozenset(definition.get("required", ()))
        self.minimum: float | None = definition.get("min")
        self.maximum: float | None = definition.get("max")
        self.pattern: str | None = definition.get("pattern")
        self.enum: tuple[str, ...] = tuple(definition.get("enum", ()))
        self.sensitive: bool = definition.get("sensitive", False)
        self.payload: str | None = definition.get("payload")
        self.http_status: int | None = definition.get("error", {}).get("httpStatusCode")
        self.is_exception: bool = definition.get("exception", False)
        self._model = model
        self._definition = definition

    def __repr__(self) -> str:
        return f"Shape({self.name!r}, {self.type!r})"

    @cached_property
    def members(self) -> dict[str, Member]:
        """A structure's members by name, in the order of the model."""
        return {
            name: Member(
                name,
                name[:1].lower() + name[1:],
                reference.get("locationName", name),
                reference.get("location"),
                self._model.shape(reference["shape"]),
            )
            for name, reference in self._definition.get("members", {}).items()
        }

    @cached_property
    def members_by_wire_name(self) -> dict[str, Member]:
        """The members that travel in a JSON body, by their key there."""
        return {m.wire_name: m for m in self.members.values() if m.location is None}

    @cached_property
    def member(self) -> "Shape":
        """What a list holds."""
        return self._model.shape(self._definition["member"]["shape"])

    @cached_property
    def key(self) -> "Shape":
        """What a map's keys are."""
        return self._model.shape(self._definition["key"]["shape"])

    @cached_property
    def value(self) -> "Shape":
        """What a map's values are."""
        return self._model.shape(self._definition["value"]["shape"])

    @cached_property
    def enum_set(self) -> frozenset[str]:
        """`enum`, for looking up."""
        return frozenset(self.enum)


class Operation:
    """An operation: where it is reached, what goes in, what comes out (None: nothing)."""

    def __init__(self, model: "ServiceModel", definition: Mapping[str, Any]) -> None:
        http = definition["http"]
        self.name: str = definition["name"]
        self.method: str = http["method"]
        self.request_uri: str = http["requestUri"]
        self.status: int = http.get("responseCode", 200)
        self.errors: tuple[str, ...] = tuple(e["shape"] for e in definition.get("errors", ()))
        self._model = model
        self._definition = definition

    def __repr__(self) -> str:
        return f"Operation({self.name!r})"

    @cached_property
    def input(self) -> Shape | None:
        """The shape of a request."""
        return self._shape("input")

    @cached_property
    def output(self) -> Shape | None:
        """The shape of an answer."""
        return self._shape("output")

    def _shape(self, side: str) -> Shape | None:
        reference = self._definition.get(side)
        return None if reference is None else self._model.shape(reference["shape"])


class ServiceModel:
    """A service as its `service-2.json` describes it."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.metadata: Mapping[str, Any] = definition["metadata"]
        self._operations: Mapping[str, Any] = definition["operations"]
        self._shapes: Mapping[str, Any] = definition["shapes"]
        self._resolved: dict[str, Operation | Shape] = {}

    @property
    def operation_names(self) -> KeysView[str]:
        """Every operation, in the order of the model."""
        return self._operations.keys()

    def operation(self, name: str) -> Operation:
        """One operation; raises UnknownModel."""
        found = self._resolved.get("operation " + name)
        if not isinstance(found, Operation):
            if name not in self._operations:
                raise UnknownModel(f"no operation {name!r}")
            found = self._resolved["operation " + name] = Operation(self, self._operations[name])
        return found

    def shape(self, name: str) -> Shape:
        """One shape; raises UnknownModel."""
        found = self._resolved.get("shape " + name)
        if not isinstance(found, Shape):
            if name not in self._shapes:
                raise UnknownModel(f"no shape {name!r}")
            found = self._resolved["shape " + name] = Shape(self, name, self._shapes[name])
        return found

    @cached_property
    def exceptions(self) -> dict[str, Shape]:
        """The modelled exceptions by name, which is the error code on the wire."""
        return {
            name: self.shape(name)
            for name, definition in self._shapes.items()
            if definition.get("exception")
        }


@cache
def load(service: str) -> ServiceModel:
    """The newest model of `service` ("sagemaker", "sagemaker-runtime") in botocore; read once.

    botocore's own loader would cost an import of 80 ms for what 20 ms of reading do.
    Raises UnknownModel.
    """
    spec = importlib.util.find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise UnknownModel("botocore is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "data" / service
    files = sorted(folder.glob("*/service-2.json*"))
    if not files:
        raise UnknownModel(f"botocore has no service {service!r}")
    content = files[-1].read_bytes()
    if files[-1].suffix == ".gz":
        content = gzip.decompress(content)
    definition = json.loads(content)
    # Three quarters of the model are prose that nobody here reads.
    for shape in definition["shapes"].values():
        shape.pop("documentation", None)
        for member in shape.get("members", {}).values():
            member.pop("documentation", None)
    for operation in definition["operations"].values():
        operation.pop("documentation", None)
    return ServiceModel(definition)
