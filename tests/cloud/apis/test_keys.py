"""API keys, usage plans, and how often a stage may be called."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.apis.definitions import Quota, Throttle
from harness.cloud.apis.throttling import Throttles
from harness.cloud.clock import ManualClock
from tests.cloud.apis.conftest import RestApi

MakeApi = Callable[..., RestApi]
FORBIDDEN = b'{"message":"Forbidden"}'


def key(api: RestApi, plan: str | None, **arguments: Any) -> dict[str, Any]:
    """An API key, in a plan if one is named."""
    made: dict[str, Any] = api.gateway.create_api_key(enabled=True, **arguments)
    if plan is not None:
        api.gateway.create_usage_plan_key(usagePlanId=plan, keyId=made["id"], keyType="API_KEY")
    return made


def plan_of(api: RestApi, stage: str = "test", **arguments: Any) -> str:
    """A usage plan for a stage."""
    plan: str = api.gateway.create_usage_plan(
        name="plan", apiStages=[{"apiId": api.id, "stage": stage}], **arguments
    )["id"]
    return plan


def guarded(rest_api: MakeApi, **arguments: Any) -> RestApi:
    """An API that wants a key."""
    api = rest_api(**arguments)
    api.mock("GET", "/test", "$context.identity.apiKeyId", apiKeyRequired=True)
    api.deploy()
    return api


def ask(api: RestApi, value: str | None = None) -> int:
    """The status for a key."""
    headers = {} if value is None else {"x-api-key": value}
    return api.call("GET", "/test", headers=headers).status


@pytest.mark.recorded("notes/apis.md#keys-and-plans")
def test_a_key_opens_the_stages_of_its_plan(rest_api: MakeApi) -> None:
    """Recorded 27 July 2023: no key, a key, and the key disabled."""
    api = guarded(rest_api)
    made = key(api, plan_of(api, quota={"limit": 10, "period": "DAY", "offset": 0}))
    assert ask(api) == 403
    answer = api.call("GET", "/test", headers={"X-API-Key": made["value"]})
    assert (answer.status, answer.body) == (200, made["id"].encode())
    api.gateway.update_api_key(
        apiKey=made["id"],
        patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}],
    )
    answer = api.call("GET", "/test", headers={"x-api-key": made["value"]})
    assert (answer.status, answer.body) == (403, FORBIDDEN)
    assert answer.header("x-amzn-errortype") == "ForbiddenException"


@pytest.mark.documented("notes/apis.md#keys-and-plans")
def test_other_keys_open_nothing(rest_api: MakeApi) -> None:
    """A wrong one, one of no plan, and one of another stage's plan."""
    api = guarded(rest_api)
    other = key(api, plan_of(api, "other"))
    assert ask(api, "wrong") == 403
    assert ask(api, key(api, None)["value"]) == 403
    assert ask(api, other["value"]) == 403


@pytest.mark.documented("notes/apis.md#keys-and-plans")
def test_a_plan_throttles(rest_api: MakeApi, clock: ManualClock) -> None:
    """A burst of two, then one more each half second; each key for itself."""
    api = guarded(rest_api)
    plan = plan_of(api, throttle={"rateLimit": 2, "burstLimit": 2})
    one, two = key(api, plan)["value"], key(api, plan)["value"]
    assert [ask(api, one) for _ in range(3)] == [200, 200, 429]
    answer = api.call("GET", "/test", headers={"x-api-key": one})
    assert answer.json == {"message": "Too Many Requests"}
    assert answer.header("x-amzn-errortype") == "TooManyRequestsException"
    assert ask(api, two) == 200
    clock.advance(0.5)
    assert [ask(api, one) for _ in range(2)] == [200, 429]


@pytest.mark.documented("notes/apis.md#keys-and-plans")
def test_a_plan_throttles_a_method(rest_api: MakeApi) -> None:
    """A method of a stage can have less than the plan."""
    api = guarded(rest_api)
    api.mock("GET", "/other", apiKeyRequired=True)
    api.deploy()
    less = {"/test/GET": {"rateLimit": 1, "burstLimit": 1}}
    plan = api.gateway.create_usage_plan(
        name="plan", apiStages=[{"apiId": api.id, "stage": "test", "throttle": less}]
    )["id"]
    value = key(api, plan)["value"]
    assert [ask(api, value) for _ in range(2)] == [200, 429]
    assert api.call("GET", "/other", headers={"x-api-key": value}).status == 200


@pytest.mark.documented("notes/apis.md#keys-and-plans")
def test_a_plan_has_a_quota(rest_api: MakeApi, clock: ManualClock) -> None:
    """So many a day, fewer on the first if there is an offset; then 429 until the next."""
    api = guarded(rest_api)
    made = key(api, plan_of(api, quota={"limit": 3, "period": "DAY", "offset": 1}))
    assert [ask(api, made["value"]) for _ in range(3)] == [200, 200, 429]
    answer = api.call("GET", "/test", headers={"x-api-key": made["value"]})
    assert answer.json == {"message": "Limit Exceeded"}
    assert answer.header("x-amzn-errortype") == "LimitExceededException"
    clock.advance(86_400)
    assert [ask(api, made["value"]) for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.documented(
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html"
)
def test_a_stage_throttles_a_method(rest_api: MakeApi, clock: ManualClock) -> None:
    """By a method of its own, or all that have none, without any key."""
    api = rest_api()
    api.mock("GET", "/a/{b}")
    api.mock("GET", "/c")
    api.deploy()
    operations = [
        {"op": "replace", "path": f"/{where}/throttling/{name}", "value": value}
        for where, burst in (("~1a~1{b}/GET", "1"), ("*/*", "2"))
        for name, value in (("burstLimit", burst), ("rateLimit", "1"))
    ]
    api.gateway.update_stage(restApiId=api.id, stageName="test", patchOperations=operations)
    assert [api.call("GET", "/a/1").status for _ in range(2)] == [200, 429]
    assert [api.call("GET", "/c").status for _ in range(3)] == [200, 200, 429]
    clock.advance(1)
    assert api.call("GET", "/a/2").status == 200


@given(
    rate=st.integers(1, 5),
    burst=st.integers(1, 5),
    waits=st.lists(st.integers(0, 3), max_size=40),
)
def test_no_more_than_rate_and_burst_pass(rate: int, burst: int, waits: list[int]) -> None:
    """In no span of time do more requests pass than the burst and what the rate adds."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    throttles = Throttles(clock)
    elapsed, passed = 0, []
    for wait in waits:
        clock.advance(wait)
        elapsed += wait
        if throttles.admit("x", Throttle(rate, burst)):
            passed.append(elapsed)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + rate * (passed[last] - passed[first])


@pytest.mark.documented("notes/apis.md#keys-and-plans")
@pytest.mark.parametrize(
    ("period", "same", "other"),
    [
        ("DAY", datetime(2026, 11, 21, 23, 59, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)),
        # The 22nd is a Sunday.
        ("WEEK", datetime(2026, 11, 21, 23, 59, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)),
        ("MONTH", datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_periods_of_quotas(period: str, same: datetime, other: datetime) -> None:
    """A quota begins anew with the day, the week or the month."""
    clock = ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    throttles, quota = Throttles(clock), Quota(1, period)
    assert throttles.within("x", quota)
    clock.advance((same - clock.now()).total_seconds())
    assert not throttles.within("x", quota)
    clock.advance((other - clock.now()).total_seconds())
    assert throttles.within("x", quota)
