"""Lists: pages, order, filters."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.errors import AwsError
from harness.cloud.sagemaker import endpoints, training_jobs
from harness.cloud.sagemaker.listing import PAGE, Listing
from harness.cloud.sagemaker.records import Endpoint, EndpointConfig, TrainingJob
from harness.containers.images import Implementation
from harness.containers.spec import Program

START = datetime(2026, 11, 1, tzinfo=UTC)
IMAGE = Implementation(
    name="x", version="1", program=Program(), metric_definitions=(), first_party=False
)
CONFIG = EndpointConfig(name="c", arn="c", created=START, modified=START, serial=1, request={})


@st.composite
def _jobs(draw: st.DrawFn) -> list[TrainingJob]:
    names = draw(st.lists(st.from_regex(r"[a-c]{1,3}", fullmatch=True), unique=True, max_size=25))
    made = []
    for serial, name in enumerate(names, 1):
        created = START + timedelta(seconds=draw(st.integers(0, 3)))
        made.append(
            TrainingJob(
                name=name,
                arn=name,
                created=created,
                modified=created + timedelta(seconds=draw(st.integers(0, 3))),
                serial=serial,
                request={},
                implementation=IMAGE,
                artifact="",
                status=draw(st.sampled_from(["InProgress", "Completed", "Failed"])),
            )
        )
    return made


def _pages(listing: Listing[Any], records: list[Any], request: dict[str, Any]) -> list[list[Any]]:
    found = []
    while True:
        answer = listing.answer(records, request)
        found.append(answer[listing.members])
        if "NextToken" not in answer:
            return found
        request = {**request, "NextToken": answer["NextToken"]}


ORDERS = st.fixed_dictionaries(
    {},
    optional={
        "SortBy": st.sampled_from(["Name", "CreationTime", "Status"]),
        "SortOrder": st.sampled_from(["Ascending", "Descending"]),
        "MaxResults": st.integers(1, 100),
    },
)


@pytest.mark.documented("sagemaker:ListTrainingJobs")
@given(records=_jobs(), request=ORDERS)
def test_the_union_of_the_pages_is_the_list(
    records: list[TrainingJob], request: dict[str, Any]
) -> None:
    """Whatever the order and the size of a page: every job once, none twice, in that order."""
    found = _pages(training_jobs.LIST, records, request)
    rows = [row for page in found for row in page]
    assert sorted(row["TrainingJobName"] for row in rows) == sorted(r.name for r in records)
    assert all(len(page) == request.get("MaxResults", PAGE) for page in found[:-1])
    member = {"Name": "TrainingJobName", "Status": "TrainingJobStatus"}.get(
        request.get("SortBy", ""), "CreationTime"
    )
    keys = [row[member] for row in rows]
    assert keys == sorted(keys, reverse=request.get("SortOrder") == "Descending")


@given(records=_jobs(), request=ORDERS, data=st.data())
def test_pages_stay_whole_while_jobs_come_and_go(
    records: list[TrainingJob], request: dict[str, Any], data: st.DataObject
) -> None:
    """A job that is there all the time is on exactly one page, whatever is deleted between the pages."""
    request = {**request, "MaxResults": 3}
    left, names = list(records), []
    while True:
        answer = training_jobs.LIST.answer(left, request)
        names += [row["TrainingJobName"] for row in answer["TrainingJobSummaries"]]
        if "NextToken" not in answer:
            break
        request = {**request, "NextToken": answer["NextToken"]}
        if left and data.draw(st.sampled_from([True, False])):
            left.pop(data.draw(st.integers(0, len(left) - 1)))
    assert len(names) == len(set(names))
    assert {job.name for job in left} <= set(names)


@pytest.mark.documented("sagemaker:ListTrainingJobs")
@given(records=_jobs(), size=st.integers(1, 10), status=st.sampled_from(["Completed", "Failed"]))
def test_training_jobs_are_filtered_by_status_after_the_page_is_cut(
    records: list[TrainingJob], size: int, status: str
) -> None:
    """MaxResults jobs are taken first and filtered then: a page may be short or empty and still lead on."""
    request = {"MaxResults": size}
    plain = _pages(training_jobs.LIST, records, request)
    filtered = _pages(training_jobs.LIST, records, {**request, "StatusEquals": status})
    assert filtered == [
        [row for row in page if row["TrainingJobStatus"] == status] for page in plain
    ]


@pytest.mark.documented("sagemaker:ListEndpoints")
@given(
    statuses=st.lists(st.sampled_from(["Creating", "InService"]), max_size=30),
    size=st.integers(1, 10),
)
def test_endpoints_are_filtered_by_status_before_the_page_is_cut(
    statuses: list[str], size: int
) -> None:
    """Only the list of training jobs has that peculiarity."""
    records = [
        Endpoint(
            name=f"e{serial}",
            arn="",
            created=START,
            modified=START,
            serial=serial,
            config=CONFIG,
            status=status,
        )
        for serial, status in enumerate(statuses)
    ]
    found = _pages(endpoints.LIST, records, {"MaxResults": size, "StatusEquals": "InService"})
    assert all(len(page) == size for page in found[:-1])
    assert sum(map(len, found)) == statuses.count("InService")


@pytest.mark.documented("sagemaker:ListEndpointsInput.CreationTimeAfter")
@given(records=_jobs(), second=st.integers(0, 3))
def test_times_are_bounds(records: list[TrainingJob], second: int) -> None:
    """After means at or after, Before means before: together they part the list in two."""
    at = START + timedelta(seconds=second)
    for kind in ("CreationTime", "LastModifiedTime"):
        halves = [
            {row["TrainingJobName"] for page in found for row in page}
            for found in (
                _pages(training_jobs.LIST, records, {f"{kind}After": at}),
                _pages(training_jobs.LIST, records, {f"{kind}Before": at}),
            )
        ]
        assert halves[0] | halves[1] == {job.name for job in records}
        assert not halves[0] & halves[1]
        member = "created" if kind == "CreationTime" else "modified"
        assert halves[0] == {job.name for job in records if getattr(job, member) >= at}


@given(records=_jobs(), part=st.from_regex(r"[a-c]{1,2}", fullmatch=True))
def test_names_contain(records: list[TrainingJob], part: str) -> None:
    """NameContains keeps the names that have the text in them."""
    found = _pages(training_jobs.LIST, records, {"NameContains": part, "SortBy": "Name"})
    assert [row["TrainingJobName"] for page in found for row in page] == sorted(
        job.name for job in records if part in job.name
    )


@pytest.mark.assumed("notes/listing.md#tokens")
@given(token=st.text() | st.binary().map(lambda b: b.hex()))
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    """Garbage, a token of another order and a damaged token are ValidationExceptions, never failures of ours."""
    with pytest.raises(AwsError) as refused:
        training_jobs.LIST.answer([], {"NextToken": token})
    assert refused.value.code == "ValidationException"


@pytest.mark.assumed("notes/listing.md#tokens")
def test_a_token_belongs_to_its_order() -> None:
    """A token that was made for one order is refused for another."""
    records = [
        Endpoint(name=n, arn="", created=START, modified=START, serial=i, config=CONFIG)
        for i, n in enumerate("ab")
    ]
    token = endpoints.LIST.answer(records, {"MaxResults": 1})["NextToken"]
    with pytest.raises(AwsError):
        endpoints.LIST.answer(records, {"NextToken": token, "SortBy": "Name"})
