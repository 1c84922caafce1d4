"""The log of first-party algorithms: stamped lines and `#metrics` lines on stdout."""

import json
import sys
import threading
import time
from collections.abc import Mapping

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Log:
    """Writes each line as it is said. `algorithm` and `host` are the Dimensions of metrics."""

    def __init__(self, algorithm: str, host: str) -> None:
        self.host = host
        self._dimensions = {"Algorithm": algorithm, "Host": host, "Operation": "training"}
        self._threshold = _LEVELS["info"]

    def set_level(self, name: str) -> bool:
        """Print only from this level on; False when there is no such level."""
        if name.lower() not in _LEVELS:
            return False
        self._threshold = _LEVELS[name.lower()]
        return True

    def raw(self, line: str) -> None:
        """A line without a stamp."""
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def info(self, message: str) -> None:
        """A line at level INFO."""
        self._stamped("info", message)

    def warning(self, message: str) -> None:
        """A line at level WARNING."""
        self._stamped("warning", message)

    def error(self, message: str) -> None:
        """A line at level ERROR."""
        self._stamped("error", message)

    def _stamped(self, level: str, message: str) -> None:
        if _LEVELS[level] >= self._threshold:
            stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
            self.raw(f"[{stamp} {level.upper()} {threading.get_ident()}] {message}")

    def metrics(
        self,
        start: float,
        metrics: Mapping[str, Mapping[str, float] | float],
        **dimensions: object,
    ) -> None:
        """A `#metrics` line, followed by an empty one.

        `start` is in seconds since the epoch; each metric is a single number or its sum, count, min, max.
        """
        line = {
            "StartTime": start,
            "EndTime": time.time(),
            "Dimensions": {**self._dimensions, **dimensions},
            "Metrics": {
                name: value
                if isinstance(value, Mapping)
                else {"sum": float(value), "count": 1, "min": value, "max": value}
                for name, value in metrics.items()
            },
        }
        self.raw(f"#metrics {json.dumps(line)}\n")

    def quality(
        self, data: str, name: str, kind: str, value: float, epoch: int | None = None
    ) -> None:
        """A `#quality_metric` line; `kind` is loss or score."""
        when = "" if epoch is None else f" epoch={epoch},"
        self.info(f"#quality_metric: host={self.host},{when} {data} {name} <{kind}>={value}")


class Timings:
    """Durations by name, in milliseconds, for the last `#metrics` line."""

    def __init__(self) -> None:
        self._spans: dict[str, list[float]] = {}

    def add(self, name: str, milliseconds: float) -> None:
        """One more duration of this name."""
        self._spans.setdefault(name, []).append(milliseconds)

    def metrics(self) -> dict[str, dict[str, float]]:
        """Sum, count, min and max by name."""
        return {
            name: {"sum": sum(spans), "count": len(spans), "min": min(spans), "max": max(spans)}
            for name, spans in self._spans.items()
        }
