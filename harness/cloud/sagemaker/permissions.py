"""What leave a caller needs for an operation of SageMaker's, read from permissions.toml.

LIMITATIONS: of condition keys those in the table, and tags; the tags of resources that moto keeps are not looked at.
"""

import functools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.cloud.http import Scope
from harness.cloud.identity.authentication import Caller
from harness.cloud.identity.authorization import Authorizer, Need, circumstances
from harness.cloud.protocol.models import Shape, load
from harness.cloud.sagemaker.arns import sagemaker_arn

Request = Mapping[str, Any]
# A place in a request: names of members, and None for every element of a list.
_Path = tuple[str | None, ...]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@functools.cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / "permissions.toml").read_text("utf-8"))


class Permissions:
    """Refuses callers who may not. `tags_of(account, region, arn)` tells the tags of an existing resource."""

    def __init__(
        self,
        authorizer: Authorizer,
        tags_of: Callable[[str, str, str], Mapping[str, str]],
    ) -> None:
        self._authorizer = authorizer
        self._tags_of = tags_of

    def check(self, caller: Caller, operation: str, request: Request, scope: Scope) -> None:
        """Raise AccessDeniedException unless the caller may carry out this request of the control plane."""
        if not self._authorizer.trusts(caller.principal):
            tags_of = functools.partial(self._tags_of, caller.account, caller.region)
            self._authorizer.check(
                caller.principal,
                needs(operation, request, caller.account, caller.region, tags_of),
                circumstances(scope, caller.region),
            )

    def check_invocation(
        self, caller: Caller, operation: str, request: Request, scope: Scope
    ) -> None:
        """Raise AccessDeniedException unless the caller may invoke the endpoint."""
        if not self._authorizer.trusts(caller.principal):
            self._authorizer.check(
                caller.principal,
                [self._need_of_invocation(caller, operation, request)],
                circumstances(scope, caller.region),
            )

    def _need_of_invocation(self, caller: Caller, operation: str, request: Request) -> Need:
        endpoint = sagemaker_arn(caller.account, caller.region, "endpoint", request["EndpointName"])
        context = _of_resource(self._tags_of(caller.account, caller.region, endpoint))
        if "TargetModel" in request:
            context["sagemaker:TargetModel"] = request["TargetModel"]
        return Need(f"sagemaker:{operation}", endpoint, context)


def needs(
    operation: str,
    request: Request,
    account: str,
    region: str,
    tags_of: Callable[[str], Mapping[str, str]],
) -> Iterator[Need]:
    """The permissions that one request of the control plane needs."""
    resources = list(_resources(operation, request, account, region))
    context = _of_request(operation, request)
    for resource in resources or ["*"]:
        tags = _of_resource(tags_of(resource))
        yield Need(f"sagemaker:{operation}", resource, {**context, **tags})
    if operation.startswith("Create") and request.get("Tags") and resources:
        tagging = {**context, "sagemaker:TaggingAction": operation}
        yield Need("sagemaker:AddTags", resources[0], tagging)
    for role in _values(request, _places(operation, tuple(_table()["roles"]["members"]))):
        yield Need("iam:PassRole", role, {"iam:PassedToService": "sagemaker.amazonaws.com"})


def _resources(operation: str, request: Request, account: str, region: str) -> Iterator[str]:
    for template in _templates().get(operation, ()):
        values = {name: request.get(name) for name in _PLACEHOLDER.findall(template)}
        if None in values.values():
            continue
        # Some members take a name or an ARN, others an ARN alone.
        whole = next((str(v) for v in values.values() if str(v).startswith("arn:")), None)
        kind, _, name = template.format(**values).partition("/")
        yield whole or sagemaker_arn(account, region, kind, name)


@functools.cache
def _templates() -> Mapping[str, list[str]]:
    """The ends of ARNs that each operation is authorized on."""
    found: dict[str, list[str]] = {}
    for template, operations in _table()["resources"].items():
        for operation in operations:
            found.setdefault(operation, []).append(template)
    return found


def _of_request(operation: str, request: Request) -> dict[str, list[str]]:
    """The condition keys that a request brings along."""
    context = {}
    for key, member in _table()["conditions"].items():
        values = [_text(value) for value in _values(request, _places(operation, (member,)))]
        if values:
            context[key] = values
    tags = {tag["Key"]: tag.get("Value", "") for tag in request.get("Tags") or ()}
    context.update({f"aws:RequestTag/{key}": [value] for key, value in tags.items()})
    if keys := [*tags, *(request.get("TagKeys") or ())]:
        context["aws:TagKeys"] = keys
    return context


def _of_resource(tags: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{prefix}:ResourceTag/{key}": value
        for key, value in tags.items()
        for prefix in ("aws", "sagemaker")
    }


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@functools.cache
def _places(operation: str, members: tuple[str, ...]) -> tuple[_Path, ...]:
    """Where in a request the values of these members stand."""
    shape = load("sagemaker").operation(operation).input
    return () if shape is None else tuple(_below(shape, members, (), frozenset()))


def _below(
    shape: Shape, members: tuple[str, ...], path: _Path, above: frozenset[str]
) -> Iterator[_Path]:
    if shape.name in above:
        return
    above |= {shape.name}
    if shape.type == "list":
        yield from _below(shape.member, members, (*path, None), above)
    elif shape.type == "structure":
        for name, member in shape.members.items():
            if name in members:
                yield (*path, name, None) if member.shape.type == "list" else (*path, name)
            else:
                yield from _below(member.shape, members, (*path, name), above)


def _values(request: Any, places: tuple[_Path, ...]) -> Iterator[Any]:
    for path in places:
        found = [request]
        for step in path:
            if step is None:
                found = [element for each in found for element in each]
            else:
                found = [each[step] for each in found if each.get(step) is not None]
        yield from found
