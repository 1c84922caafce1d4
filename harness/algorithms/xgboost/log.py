"""What the XGBoost image writes to its log, each version in its own form."""

import sys
import time

from harness.algorithms.xgboost.versions import Version


class Log:
    """Lines of one job, on stdout, where those of xgboost go too."""

    def __init__(self, version: Version) -> None:
        self._bracketed = version.has("bracketed_log") or version.has("customer_errors")

    def info(self, message: str, logger: str = "root") -> None:
        """A line of level INFO."""
        self._write("INFO", message, logger)

    def warning(self, message: str, logger: str = "root") -> None:
        """A line of level WARNING."""
        self._write("WARNING", message, logger)

    def error(self, message: str, logger: str = "root") -> None:
        """A line of level ERROR."""
        self._write("ERROR", message, logger)

    def _write(self, level: str, message: str, logger: str) -> None:
        if self._bracketed:
            now = time.strftime("%Y-%m-%d:%H:%M:%S", time.gmtime())
            self.plain(f"[{now}:{level}] {message}")
        else:
            self.plain(f"{level}:{logger}:{message}")

    def plain(self, message: str) -> None:
        """A line without level and time, as xgboost's own."""
        sys.stdout.write(f"{message}\n")
