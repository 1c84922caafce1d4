"""Threads for work that outlives a request."""

import threading

from harness.cloud.sagemaker.background import Background


def test_queued_work_waits_for_a_place_in_order() -> None:
    """No more than `places` run at once, and they are taken in the order of their arrival."""
    background = Background(2, lambda error: None)
    gates = [threading.Event() for _ in range(5)]
    begun = [threading.Event() for _ in range(5)]
    order: list[int] = []
    running: list[int] = []

    def work(number: int) -> None:
        running.append(number)
        order.append(number)
        assert len(running) <= 2
        begun[number].set()
        gates[number].wait(10)
        running.remove(number)

    for number in range(5):
        background.enqueue(f"work {number}", lambda number=number: work(number))  # type: ignore[misc]
    assert begun[0].wait(10)
    assert begun[1].wait(10)
    for number in range(5):
        assert not any(event.is_set() for event in begun[number + 2 :])
        gates[number].set()
        if number + 2 < 5:
            assert begun[number + 2].wait(10)
    assert background.drain(10)
    # The first two may begin in either order; the others wait for them.
    assert (sorted(order[:2]), order[2:]) == ([0, 1], [2, 3, 4])


def test_a_fault_is_told_and_frees_its_place() -> None:
    """An exception reaches on_fault, and the next in the queue runs."""
    faults: list[Exception] = []
    background = Background(1, faults.append)
    done = threading.Event()

    def fail() -> None:
        raise ValueError("mine")

    background.enqueue("fails", fail)
    background.enqueue("works", done.set)
    assert done.wait(10)
    assert background.drain(10)
    assert [str(fault) for fault in faults] == ["mine"]


def test_draining_forgets_what_is_queued_and_gives_up_in_time() -> None:
    """What runs is waited for, as long as was said; what waits never runs."""
    background = Background(1, lambda error: None)
    gate, begun, never = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(10)

    background.enqueue("runs", work)
    background.enqueue("waits", never.set)
    assert begun.wait(10)
    assert not background.drain(0)
    gate.set()
    assert background.drain(10)
    assert not never.is_set()
