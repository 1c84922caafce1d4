"""A log sink that tests can wait on."""

import threading
from collections.abc import Callable, Sequence

from harness.containers.spec import LogLine
from tests.containers.processes import PATIENCE


class LogCollector:
    """Keeps every line. As a sink, call it."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.batches: list[int] = []
        self._changed = threading.Condition()

    def __call__(self, lines: Sequence[LogLine]) -> None:
        with self._changed:
            self.lines += lines
            self.batches.append(sum(len(line.message) for line in lines))
            self._changed.notify_all()

    @property
    def messages(self) -> list[str]:
        """The texts."""
        return [line.message for line in self.lines]

    def wait_for(self, wanted: Callable[[str], bool]) -> str:
        """The first text that is `wanted`; waits for it."""

        def found() -> str | None:
            return next((text for text in self.messages if wanted(text)), None)

        with self._changed:
            text = self._changed.wait_for(found, PATIENCE)
        assert text is not None, f"not in the log: {self.messages[-20:]}"
        return text

    def wait_for_start(self, start: str) -> str:
        """What follows `start` in the first line that begins with it."""
        return self.wait_for(lambda text: text.startswith(start)).removeprefix(start)
