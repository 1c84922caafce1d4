"""CloudWatch Logs as the control plane writes to it: containers' output, straight into moto.

One HTTP call per batch would cost more than many a training job. What a stream keeps is bounded, since
moto holds all events in memory: the first lines, and the last ones when the stream is finished.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.cloud.backing.moto_services import MotoServices
from harness.containers.spec import LogLine

KEPT_LINES = 100_000
KEPT_LAST_LINES = 1_000
# An event's limit (CloudWatch Logs quotas, "Event size"), less the 26 bytes that each is charged.
MAX_EVENT_BYTES = 1_048_576 - 26


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def as_logged(line: str) -> str:
    """A line as it arrives in CloudWatch Logs: control characters in octal, a tab as `#011`.

    So do the containers' lines on AWS; the metrics of XGBoost are looked for in this form. See
    docs/notes/xgboost.md#log.
    """
    return _CONTROL.sub(lambda found: f"#{ord(found[0]):03o}", line)


class LogStore(Protocol):
    """Where log events go. A group or stream that does not exist is made."""

    def open(self, account: str, region: str, group: str, stream: str) -> None:
        """Make the stream exist, without any event yet."""

    def put(
        self, account: str, region: str, group: str, stream: str, lines: Sequence[LogLine]
    ) -> None:
        """Append events in order."""

    def finish(self, account: str, region: str, group: str, stream: str) -> None:
        """No more events will come."""


@dataclass
class _Written:
    count: int = 0
    dropped: int = 0
    last: deque[LogLine] = field(default_factory=lambda: deque(maxlen=KEPT_LAST_LINES))


class MotoLogs:
    """The in-process implementation. `form` makes of a line the message that is kept."""

    def __init__(self, services: MotoServices, form: Callable[[str], str] = as_logged) -> None:
        self._services = services
        self._form = form
        self._lock = threading.Lock()
        self._written: dict[tuple[str, str, str, str], _Written] = {}

    def open(self, account: str, region: str, group: str, stream: str) -> None:
        """Make group and stream exist."""
        self._services.application()
        from moto.logs.models import logs_backends

        with self._services.lock:
            backend = logs_backends[account][region]
            backend.ensure_log_group(group)
            backend.ensure_log_stream(group, stream)

    def put(
        self, account: str, region: str, group: str, stream: str, lines: Sequence[LogLine]
    ) -> None:
        """Append events, the first KEPT_LINES of them at once."""
        with self._lock:
            written = self._written.setdefault((account, region, group, stream), _Written())
            room = max(0, KEPT_LINES - written.count)
            kept, rest = lines[:room], lines[room:]
            written.count += len(kept)
            written.dropped += len(rest)
            written.last.extend(rest)
        if kept:
            self._append(account, region, group, stream, kept)

    def finish(self, account: str, region: str, group: str, stream: str) -> None:
        """Append the last events, if there were more than are kept."""
        with self._lock:
            written = self._written.pop((account, region, group, stream), None)
        if written is None or not written.last:
            return
        missing = written.dropped - len(written.last)
        notice = LogLine(
            written.last[0].timestamp, f"[local cloud: {missing} lines of output are not kept]"
        )
        self._append(account, region, group, stream, [notice, *written.last])

    def _append(
        self, account: str, region: str, group: str, stream: str, lines: Sequence[LogLine]
    ) -> None:
        self.open(account, region, group, stream)
        from moto.logs.models import logs_backends

        # An empty message is refused by CloudWatch Logs; the agent leaves such lines out.
        events = [
            {"timestamp": line.timestamp, "message": self._form(line.message)[:MAX_EVENT_BYTES]}
            for line in lines
            if line.message
        ]
        if not events:
            return
        with self._services.lock:
            logs_backends[account][region].put_log_events(group, stream, events)
