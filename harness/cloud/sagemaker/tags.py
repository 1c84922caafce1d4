"""Tags of the resources that are ours (docs/notes/listing.md, "Tags").

LIMITATIONS: the tags of experiments, model packages and other records that moto keeps are moto's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.cloud.context import RequestContext
from harness.cloud.sagemaker.refusals import refusal
from harness.cloud.sagemaker.service import AccountRegion, SageMaker

MAX_TAGS = 50
OUR_KINDS = frozenset({"training-job", "model", "endpoint-config", "endpoint"})

Request = dict[str, Any]


def is_ours(arn: str) -> bool:
    """Whether the ARN names a kind of resource that this service keeps itself."""
    return arn.split(":", 5)[-1].partition("/")[0].lower() in OUR_KINDS


def checked(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The tags of a request. Raises a ValidationException for a key twice or one that AWS reserves."""
    found: dict[str, str] = {}
    for tag in tags:
        key = tag["Key"]
        if key in found:
            raise refusal("duplicate_tag_key", key=key)
        if key.lower().startswith("aws:"):
            raise refusal("reserved_tag_key", key=key)
        found[key] = tag["Value"]
    return found


def add_tags(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """Adds or overwrites tags; answers with all of them."""
    state = service.state(context)
    new = checked(request["Tags"])
    with state.changed:
        kept = _tags_of(state, request["ResourceArn"])
        if len(kept | new) > MAX_TAGS:
            raise refusal("too_many_tags", limit=MAX_TAGS)
        kept.update(new)
        return {"Tags": _as_list(kept.items())}


def list_tags(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """All tags of a resource, by key: MaxResults is at least 50, so there is never a second page."""
    if "NextToken" in request:
        raise refusal("invalid_next_token")
    state = service.state(context)
    with state.changed:
        return {"Tags": _as_list(sorted(_tags_of(state, request["ResourceArn"]).items()))}


def delete_tags(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """Removes tags; keys that are not there do no harm."""
    state = service.state(context)
    with state.changed:
        kept = _tags_of(state, request["ResourceArn"])
        for key in request["TagKeys"]:
            kept.pop(key, None)
    return {}


def _tags_of(state: AccountRegion, arn: str) -> dict[str, str]:
    try:
        return state.tags[arn]
    except KeyError:
        raise refusal("tagged_resource_not_found", arn=arn) from None


def _as_list(tags: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags]
