"""Deletes what a ledger names, users before what they use; safe to repeat."""

from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.runs.inventory import Item
from harness.runs.ledger import Entry
from harness.runs.resources import ClientOf, Resource, kind_named

_JOB_LOGS = "/aws/sagemaker/TrainingJobs"
_ENDPOINT_LOGS = "/aws/sagemaker/Endpoints/"


def teardown(
    client_of: ClientOf,
    entries: Iterable[Entry],
    *,
    existed: frozenset[Item] = frozenset(),
    told: Callable[[Resource], None] = lambda _resource: None,
) -> dict[Resource, str]:
    """Delete every resource that was created or may have been; what a service refused, and why.

    A refusal is no verdict (most are of what the lesson deleted itself): what is left says a look from
    outside. `existed` is what was there before the run; a shared log group that was not goes too.
    """
    resources = {entry.resource for entry in entries if entry.confirmed is not False}
    refused: dict[Resource, str] = {}
    for resource in sorted(resources, key=lambda one: (kind_named(one.kind).order, str(one))):
        told(resource)
        try:
            kind_named(resource.kind).delete(client_of, resource)
        except (ClientError, BotoCoreError) as error:
            refused[resource] = str(error)
    for resource in sorted(resources, key=str):
        _delete_logs(client_of("logs"), resource)
    _delete_shared_group(client_of("logs"), existed)
    return refused


def _delete_logs(logs: Any, resource: Resource) -> None:
    name = resource.names[0][1]
    if resource.kind == "TrainingJob":
        for stream in _streams(logs, _JOB_LOGS, f"{name}/"):
            _quietly(logs.delete_log_stream, logGroupName=_JOB_LOGS, logStreamName=stream)
    elif resource.kind == "Endpoint":
        _quietly(logs.delete_log_group, logGroupName=f"{_ENDPOINT_LOGS}{name}")


def _delete_shared_group(logs: Any, existed: frozenset[Item]) -> None:
    if any(item.service == "logs" and _JOB_LOGS in item.name for item in existed):
        return
    if not _streams(logs, _JOB_LOGS, ""):
        _quietly(logs.delete_log_group, logGroupName=_JOB_LOGS)


def _streams(logs: Any, group: str, prefix: str) -> list[str]:
    where = {"logGroupName": group} | ({"logStreamNamePrefix": prefix} if prefix else {})
    try:
        pages = logs.get_paginator("describe_log_streams").paginate(**where)
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    except ClientError:
        return []


def _quietly(operation: Callable[..., Any], **arguments: str) -> None:
    try:
        operation(**arguments)
    except (ClientError, BotoCoreError):
        return
