"""Lifecycles and registries."""

import threading

import pytest

from harness.cloud.clock import ManualClock
from harness.cloud.sagemaker.lifecycle import Gone, IllegalTransition, Record, Registry
from harness.cloud.sagemaker.records import ENDPOINT, TRAINING_JOB, Endpoint, EndpointConfig


def _endpoint(registry: Registry[Endpoint], clock: ManualClock, name: str = "One") -> Endpoint:
    now = clock.now()
    config = EndpointConfig(name="c", arn="c", created=now, modified=now, serial=1, request={})
    return Endpoint(
        name=name,
        arn=name,
        created=now,
        modified=now,
        serial=registry.next_serial(),
        config=config,
    )


@pytest.fixture
def registry(clock: ManualClock) -> Registry[Endpoint]:
    """An empty registry of endpoints."""
    return Registry(ENDPOINT, clock, threading.Condition())


def test_every_state_of_a_table_is_reachable_and_known() -> None:
    """Each move leads to a state of the table, and each state can be reached from the initial one."""
    for lifecycle in (TRAINING_JOB, ENDPOINT):
        reached, frontier = set(), {lifecycle.initial}
        while frontier:
            reached |= frontier
            frontier = {after for state in frontier for after in lifecycle.moves[state]} - reached
        assert reached == set(lifecycle.moves)


def test_a_move_outside_the_table_is_our_mistake(
    registry: Registry[Endpoint], clock: ManualClock
) -> None:
    """A move that the table does not have raises and changes nothing."""
    record = _endpoint(registry, clock)
    registry.add(record)
    with pytest.raises(IllegalTransition):
        registry.move(record, status="Updating")
    assert registry.find("One") == record


def test_a_move_stamps_the_record(registry: Registry[Endpoint], clock: ManualClock) -> None:
    """LastModifiedTime is the clock's time of the move, in whole milliseconds."""
    record = _endpoint(registry, clock)
    registry.add(record)
    clock.advance(5.0004)
    moved = registry.move(record, status="InService")
    assert (moved.modified - record.created).total_seconds() == 5.0
    assert moved.created == record.created


def test_a_record_of_the_same_name_is_another_record(
    registry: Registry[Endpoint], clock: ManualClock
) -> None:
    """Work for a deleted record cannot touch a later one of the same name."""
    first = _endpoint(registry, clock)
    registry.add(first)
    registry.remove(first)
    second = _endpoint(registry, clock)
    registry.add(second)
    with pytest.raises(Gone):
        registry.move(first, status="InService")
    with pytest.raises(Gone):
        registry.remove(first)
    assert registry.find("one") == second


def test_names_differ_by_more_than_case(registry: Registry[Endpoint], clock: ManualClock) -> None:
    """Two names that differ only in case are one name."""
    registry.add(_endpoint(registry, clock, "Model-A"))
    assert registry.find("mODEL-a") is not None
    with pytest.raises(IllegalTransition):
        registry.add(_endpoint(registry, clock, "model-a"))


def test_whoever_waits_hears_of_every_move(
    registry: Registry[Endpoint], clock: ManualClock
) -> None:
    """wait_for returns the record as soon as the condition holds, also when it is removed."""
    record = _endpoint(registry, clock)
    registry.add(record)
    seen: list[Record | None] = []
    first = threading.Event()

    def wait() -> None:
        seen.append(registry.wait_for("One", lambda r: r is not None and r.state == "Failed"))
        first.set()
        seen.append(registry.wait_for("One", lambda r: r is None))

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    failed = registry.move(record, status="Failed")
    assert first.wait(10)
    registry.move(record, status="Deleting")
    registry.remove(record)
    thread.join(10)
    assert seen == [failed, None]


def test_waiting_ends(registry: Registry[Endpoint]) -> None:
    """wait_for gives up after its limit."""
    with pytest.raises(TimeoutError):
        registry.wait_for("nobody", lambda r: r is not None, timeout=0)
