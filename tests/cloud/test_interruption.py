"""Waiting that can be cut short."""

import threading
from collections.abc import Callable
from datetime import timedelta

from harness.cloud.clock import ManualClock, Timer
from harness.cloud.interruption import Interruption
from harness.cloud.sagemaker.pace import Pace


def _in_thread(interruption: Interruption, seconds: float, clock: ManualClock) -> threading.Thread:
    thread = threading.Thread(target=lambda: interruption.pause(seconds, clock), daemon=True)
    thread.start()
    return thread


def test_a_pause_lasts_as_long_as_the_clock_says() -> None:
    """It ends when the clock has moved that far, uninterrupted."""
    clock, interruption = ManualClock(), Interruption()
    over: list[bool] = []
    owed = threading.Event()
    call_later = clock.call_later

    def tell(seconds: float, callback: object) -> object:
        timer = call_later(seconds, callback)  # type: ignore[arg-type]
        owed.set()
        return timer

    clock.call_later = tell  # type: ignore[method-assign, assignment]
    thread = threading.Thread(target=lambda: over.append(interruption.pause(10, clock)))
    thread.start()
    assert owed.wait(10)
    clock.advance(9)
    assert over == []
    clock.advance(1)
    thread.join(10)
    assert over == [False]


def test_an_interruption_ends_every_pause_now_and_later() -> None:
    """It needs no move of the clock."""
    clock, interruption = ManualClock(), Interruption()
    threads = [_in_thread(interruption, 1000, clock) for _ in range(3)]
    interruption.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert interruption.pause(1000, clock)
    assert interruption.pause(1000)
    assert interruption.pause(0)


def test_a_pause_of_nothing_is_none() -> None:
    """No time to wait for, no waiting."""
    assert not Interruption().pause(0, ManualClock())
    assert not Interruption().pause(0.001)


class _Hasty(ManualClock):
    """A clock that has moved on whenever somebody asks to be woken."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        self.advance(seconds)
        return super().call_later(seconds, callback)


def test_a_moment_that_has_passed_is_not_waited_for() -> None:
    """Neither one of the past nor one that passes while the wait begins; nothing has to move the clock again."""
    clock = _Hasty()
    assert not Interruption().pause_until(clock.now() - timedelta(seconds=1), clock)
    assert not Interruption().pause_until(clock.now() + timedelta(seconds=60), clock)


def test_a_follower_is_set_with_what_it_follows() -> None:
    """Both when the other is set later and when it was set before; not the other way round."""
    leader, follower, late = Interruption(), Interruption(), Interruption()
    follower.follow(leader)
    follower.set()
    assert not leader.is_set()
    leader.set()
    late.follow(leader)
    assert late.is_set()


def test_the_paces_are_known_by_name() -> None:
    """The fastest adds nothing; the realistic one has a time for each phase."""
    assert Pace.named("fastest").seconds == {}
    assert Pace.named("realistic").seconds["training.launch"] > 0
    Pace.named("fastest").spend("training.launch", ManualClock(), Interruption())
