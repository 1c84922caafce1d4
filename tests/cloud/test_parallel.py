"""Several pieces of work at once."""

import threading

import pytest

from harness.cloud.parallel import in_parallel


def test_all_run_at_once_and_have_ended() -> None:
    """Each can wait for all the others; when in_parallel returns, all are done."""
    barrier = threading.Barrier(5)
    done: list[int] = []

    def work() -> None:
        done.append(barrier.wait(30))

    in_parallel([work] * 5)
    assert sorted(done) == [0, 1, 2, 3, 4]
    in_parallel([])


def test_a_failure_is_raised_when_the_others_have_ended() -> None:
    """Whichever fails: what it raised is raised, and nothing is left running."""
    failed = threading.Event()
    ended: list[bool] = []

    def fail() -> None:
        failed.set()
        raise KeyError("why")

    def go_on() -> None:
        ended.append(failed.wait(30))

    for works in ([fail, go_on], [go_on, fail]):
        failed.clear()
        with pytest.raises(KeyError, match="why"):
            in_parallel(works)
    assert ended == [True, True]
