"""Ending a container: SIGTERM, and SIGKILL when the grace has passed on the injected clock."""

import threading

from harness.cloud.clock import Clock
from harness.containers.spec import Container, Exit

# The engine's own limit is on the wall; it must not come before that of a clock which stands still.
_WALL_LIMIT = 86_400.0


def stop_within(container: Container, grace: float, clock: Clock) -> Exit:
    """Stop `container` as the platform does; returns when it has ended."""

    def kill() -> None:
        # The clock's thread must not wait for a process to die.
        threading.Thread(target=container.kill, name="kill", daemon=True).start()

    timer = clock.call_later(grace, kill)
    try:
        return container.stop(_WALL_LIMIT)
    finally:
        timer.cancel()
