"""Lists: sorting, filters, pages and their tokens (docs/notes/listing.md)."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic

from harness.cloud.sagemaker.lifecycle import R
from harness.cloud.sagemaker.refusals import refusal

PAGE = 10

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Listing(Generic[R]):
    """How one List operation answers.

    `sort_keys` maps a SortBy value to what is compared; `filters` maps a member of the request to a test of
    its value against a record. Those in `after_cut` are applied to a page that was already cut.
    """

    members: str
    summary: Callable[[R], dict[str, Any]]
    sort_by: str
    sort_order: str
    sort_keys: Mapping[str, Callable[[R], Any]]
    filters: Mapping[str, Callable[[R, Any], bool]]
    after_cut: frozenset[str] = field(default_factory=frozenset)

    def answer(self, records: Iterable[R], request: Request) -> dict[str, Any]:
        """The page that `request` asks for. Raises a ValidationException for a token that is not ours."""
        sort_by = request.get("SortBy", self.sort_by)
        descending = request.get("SortOrder", self.sort_order) == "Descending"
        key = self.sort_keys[sort_by]

        def place(record: R) -> tuple[Any, int]:
            value = key(record)
            return (value.timestamp() if isinstance(value, datetime) else value, record.serial)

        tests = [
            (test, request[member])
            for member, test in self.filters.items()
            if member in request and member not in self.after_cut
        ]
        rows = [record for record in records if all(test(record, value) for test, value in tests)]
        rows.sort(key=place, reverse=descending)
        if "NextToken" in request:
            last = _place_of(request["NextToken"], sort_by, descending)
            rows = [row for row in rows if (place(row) < last if descending else place(row) > last)]
        size = request.get("MaxResults", PAGE)
        page, rest = rows[:size], rows[size:]
        answer: dict[str, Any] = {
            self.members: [
                self.summary(row)
                for row in page
                if all(
                    self.filters[member](row, request[member])
                    for member in self.after_cut
                    if member in request
                )
            ]
        }
        if rest:
            answer["NextToken"] = _token(place(page[-1]), sort_by, descending)
        return answer


def name_contains(record: R, value: str) -> bool:
    """The filter NameContains."""
    return value in record.name


def created_since(record: R, value: datetime) -> bool:
    """CreationTimeAfter; the model documents it as "greater than or equal" for most lists."""
    return record.created >= value


def created_before(record: R, value: datetime) -> bool:
    """CreationTimeBefore."""
    return record.created < value


def modified_since(record: R, value: datetime) -> bool:
    """LastModifiedTimeAfter."""
    return record.modified >= value


def modified_before(record: R, value: datetime) -> bool:
    """LastModifiedTimeBefore."""
    return record.modified < value


def _token(place: tuple[Any, int], sort_by: str, descending: bool) -> str:
    content = json.dumps([sort_by, descending, *place]).encode()
    return base64.urlsafe_b64encode(content).decode()


def _place_of(token: str, sort_by: str, descending: bool) -> tuple[Any, int]:
    """The last row of the page before. A token says for which order it was made."""
    try:
        content: Sequence[Any] = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        made_for, made_descending, value, serial = content
        of_a_kind = isinstance(value, float if sort_by.endswith("Time") else str)
    except (binascii.Error, ValueError, TypeError):
        raise refusal("invalid_next_token") from None
    if (
        (made_for, made_descending) != (sort_by, descending)
        or not of_a_kind
        or type(serial) is not int
    ):
        raise refusal("invalid_next_token")
    return value, serial
