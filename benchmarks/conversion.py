"""A recordIO file to CSV and back, in a process of its own: how much its memory grows.

`python -m benchmarks.conversion FOLDER MEGABYTES` is that process; it prints what it measured as JSON.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from benchmarks.table import Row
from harness.formats import csv, recordio
from harness.formats.records import Records

COLUMNS = 100
_BATCH = 1000


def _batches(count: int) -> Iterator[Records]:
    """Normal numbers with all digits that a float32 has."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        features = rng.normal(size=(_BATCH, COLUMNS)).astype(np.float32)
        yield Records(features, rng.integers(0, 2, _BATCH).astype(np.float32))


def _narrowed(batches: Iterator[Records]) -> Iterator[Records]:
    """What CSV does not tell: that the numbers were float32."""
    for batch in batches:
        assert batch.labels is not None
        yield Records(batch.features.astype(np.float32), batch.labels.astype(np.float32))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _peak() -> float:
    """Megabytes that were resident at most; the getrusage of a child may tell of its parent's."""
    text = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s*(\d+) kB", text)
    assert found
    return int(found[1]) * 1024 / 1e6


def convert(folder: Path, megabytes: int) -> dict[str, float]:
    """Write a file, convert it to CSV and back, compare; the growth of memory and what each step took."""
    first, text, second = folder / "first.pbr", folder / "data.csv", folder / "second.pbr"
    one = len(recordio.dumps(*_pair(next(_batches(1)))))
    before = psutil.Process().memory_info().rss / 1e6
    with first.open("wb") as file:
        recordio.dump_batches(_batches(megabytes * 10**6 // one), file)
    start = time.perf_counter()
    with first.open("rb") as source, text.open("wb") as target:
        csv.dump_batches(recordio.iter_batches(source), target)
    middle = time.perf_counter()
    with text.open("rb") as source, second.open("wb") as target:
        recordio.dump_batches(_narrowed(csv.iter_batches(source, label_size=1)), target)
    end = time.perf_counter()
    assert _digest(first) == _digest(second)
    return {
        "growth": _peak() - before,
        "to_csv": middle - start,
        "back": end - middle,
        "recordio": first.stat().st_size / 1e6,
        "csv": text.stat().st_size / 1e6,
    }


def _pair(records: Records) -> tuple[object, object]:
    return records.features, records.labels


def measure(runs: int, megabytes: int = 100) -> list[Row]:
    """Each run converts a file of that many megabytes, in a new process."""
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.conversion", folder, str(megabytes)],
                check=True,
                stdout=subprocess.PIPE,
            )
            found.append(json.loads(done.stdout))
    name = f"{found[0]['recordio']:.0f} MB of recordIO to {found[0]['csv']:.0f} MB of CSV"
    return [
        Row(
            f"{name} and back: growth of memory",
            "MB",
            [each["growth"] for each in found],
            goal="< 64",
        ),
        Row(name, "s", [each["to_csv"] for each in found]),
        Row(f"{name}, the way back", "s", [each["back"] for each in found]),
    ]


if __name__ == "__main__":
    print(json.dumps(convert(Path(sys.argv[1]), int(sys.argv[2]))))
