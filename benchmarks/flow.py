"""`boston_housing_deploy` from `fit` to the deleted endpoint, as `harness run` times it."""

import json
import subprocess
import tempfile
from pathlib import Path

from benchmarks.servers import HARNESS
from benchmarks.table import Row


def _seconds() -> float:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "out.json"
        subprocess.run(
            [HARNESS, "run", "boston_housing_deploy", "--json", str(report)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (scenario,) = json.loads(report.read_text())["scenarios"]
        assert scenario["status"] == "passed"
        seconds: float = scenario["seconds"]
        return seconds


def measure(runs: int) -> list[Row]:
    """Whole scenario, high and low level, SDK sleeps shortened."""
    return [
        Row(
            "boston_housing_deploy, both halves, fit to deleted endpoint",
            "s",
            [_seconds() for _ in range(runs)],
            goal="< 4",
        )
    ]
