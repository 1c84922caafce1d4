"""Looks at an account from outside: whatever the List operations of its services show.

LIMITATIONS: S3 objects are listed in the buckets that the caller names or that are new, not in all of
an account's; operations that need an argument (a parent's name) are not asked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

#: Always looked at, as the service itself writes there.
SERVICES = ("sagemaker", "s3", "logs", "iam")

# Services whose listings are not called List*, and listings that need an argument to be of use.
_OTHER: Mapping[str, tuple[tuple[str, Mapping[str, Any]], ...]] = {
    "logs": (("DescribeLogGroups", {}),),
    "iam": (("ListPolicies", {"Scope": "Local"}),),
    "cloudwatch": (("DescribeAlarms", {}),),
    "ecr": (("DescribeRepositories", {}),),
    "apigateway": (("GetRestApis", {}),),
}
_NAME_ENDINGS = ("Arn", "Name", "Id")


@dataclass(frozen=True, order=True)
class Item:
    """Something that a listing shows: the service, what kind of thing, its name or ARN."""

    service: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.service} {self.kind} {self.name}"


class Inventory:
    """Asks one account and region; remembers which operations it refuses, so as not to ask again."""

    def __init__(self, client_of: Callable[[str], Any], buckets: Iterable[str] = ()) -> None:
        self._client_of = client_of
        self._buckets = frozenset(buckets)
        self._refused: set[tuple[str, str]] = set()
        self._known_buckets: set[str] | None = None
        self.asked: set[tuple[str, str]] = set()

    def look(self, services: Iterable[str] = SERVICES) -> frozenset[Item]:
        """What is there now."""
        found: set[Item] = set()
        for service in sorted({*services} & _LISTABLE | {*SERVICES}):
            client = self._client_of(service)
            for operation, arguments in _listings(client, service):
                found.update(self._list(client, service, operation, arguments))
        found.update(self._objects({item.name for item in found if item.kind == "Buckets"}))
        return frozenset(found)

    def _list(
        self, client: Any, service: str, operation: str, arguments: Mapping[str, Any]
    ) -> Iterator[Item]:
        if (service, operation) in self._refused:
            return
        try:
            for page in _pages(client, operation, arguments):
                self.asked.add((service, operation))
                for kind, entries in page.items():
                    if isinstance(entries, list):
                        for entry in entries:
                            yield Item(service, kind, _name(entry))
        except (ClientError, BotoCoreError, ResponseParserError):
            # This place does not have the operation, so nothing that it would list.
            self._refused.add((service, operation))

    def _objects(self, buckets: set[str]) -> Iterator[Item]:
        """Objects and unfinished uploads of the named buckets and of those that came since."""
        if self._known_buckets is None:
            self._known_buckets = buckets
        s3 = self._client_of("s3")
        for bucket in sorted(buckets & (self._buckets | (buckets - self._known_buckets))):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                for entry in page.get("Versions", ()):
                    yield Item("s3", "object", f"{bucket}/{entry['Key']}")
            for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
                for entry in page.get("Uploads", ()):
                    yield Item("s3", "upload", f"{bucket}/{entry['Key']}")


def _listings(client: Any, service: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    model = client.meta.service_model
    given = dict(_OTHER.get(service, ()))
    yield from given.items()
    for operation in model.operation_names:
        if operation.startswith("List") and operation not in given:
            shape = model.operation_model(operation).input_shape
            if shape is None or not shape.required_members:
                yield operation, {}


def _pages(client: Any, operation: str, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    method = _method(client, operation)
    if client.can_paginate(method):
        yield from client.get_paginator(method).paginate(**arguments)
    else:
        yield getattr(client, method)(**arguments)


def _method(client: Any, operation: str) -> str:
    methods: dict[str, str] = client.meta.method_to_api_mapping
    return next(method for method, name in methods.items() if name == operation)


def _name(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    for ending in _NAME_ENDINGS:
        for key, value in entry.items():
            if isinstance(value, str) and key.lower().endswith(ending.lower()):
                return value
    return str(sorted(entry.items(), key=lambda pair: pair[0]))


_LISTABLE = frozenset(
    {*SERVICES, *_OTHER, "lambda", "events", "sns", "sqs", "ssm", "dynamodb", "secretsmanager"}
)
