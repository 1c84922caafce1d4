"""What counts as left behind, and how long what ends by itself may take."""

import time
from collections.abc import Callable

from harness.runs.inventory import Item

# How long what ends by itself (a deleted endpoint's processes) may take before it counts as left.
PATIENCE = 15.0
LOOK_AGAIN = 0.1
_KEPT_KINDS = frozenset({("sagemaker", "TrainingJobSummaries")})
_KEPT_LOGS = "/aws/sagemaker/"


def wait_until_gone(
    look: Callable[[], frozenset[Item]],
    patience: float,
    worth_it: Callable[[frozenset[Item]], bool] = lambda _found: True,
) -> frozenset[Item]:
    """What `look` finds at last: nothing, or what is there when patience ends or waiting is no use."""
    deadline = time.monotonic() + patience
    while (found := look()) and time.monotonic() < deadline and worth_it(found):
        time.sleep(LOOK_AGAIN)
    return found


def is_kept(item: Item) -> bool:
    """What AWS's own lessons leave: records of jobs and logs."""
    return (item.service, item.kind) in _KEPT_KINDS or (
        item.service == "logs" and _KEPT_LOGS in item.name
    )
