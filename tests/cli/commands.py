"""Runs `harness` as a person does: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HARNESS = (sys.executable, "-c", "from harness.cli import main; main()")
SECONDS = 100


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, plain terminal, nothing of AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "TERM": "dumb", "NO_COLOR": "1", **changes}


def harness(
    *arguments: str | Path, folder: Path | None = None, changes: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [*HARNESS, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(**(changes or {})),
        timeout=SECONDS,
        check=False,
    )


def started(
    *arguments: str | Path, folder: Path | None = None, changes: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start a command; its output is read line by line."""
    return subprocess.Popen(
        [*HARNESS, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env=environment(PYTHONUNBUFFERED="1", **(changes or {})),
    )
