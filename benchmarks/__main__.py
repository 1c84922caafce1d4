"""`python -m benchmarks [NAME ...] [--runs N]`: measure, and print the table of docs/benchmarks.md."""

import argparse
import compileall
import importlib
import importlib.metadata
import os
import platform
from pathlib import Path

import harness
from benchmarks.table import Row, markdown

NAMES = ("start", "control_plane", "endpoints", "flow", "functions", "formats", "conversion")
VERSIONS = ("moto", "boto3", "uvicorn", "sagemaker", "numpy", "pandas", "scipy", "protobuf")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*NAMES, []], help="what to measure; all by default"
    )
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument(
        "--megabytes", type=int, default=100, help="size of the file of `conversion`"
    )
    arguments = parser.parse_args()
    # PYTHONDONTWRITEBYTECODE may be set, and compiling on every start is not what users see.
    compileall.compile_dir(str(Path(harness.__file__).parent), quiet=1)
    rows: list[Row] = []
    for name in arguments.names or NAMES:
        sizes = {"megabytes": arguments.megabytes} if name == "conversion" else {}
        rows += importlib.import_module(f"benchmarks.{name}").measure(arguments.runs, **sizes)
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{n} {importlib.metadata.version(n)}" for n in VERSIONS))
    print(markdown(rows))


if __name__ == "__main__":
    main()
