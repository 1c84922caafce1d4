"""Several pieces of work at once, each in a thread of its own, waited for."""

import threading
from collections.abc import Callable, Iterable


def in_parallel(works: Iterable[Callable[[], object]]) -> None:
    """Do all of `works` and return when each has ended; raises what the first of them that failed raised."""
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    first, *others = [*works] or [lambda: None]
    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in others]
    for thread in threads:
        thread.start()
    # One piece of work needs no thread.
    run(first)
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
