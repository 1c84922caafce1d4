"""Runs a program in a fresh Python, as `harness exec` does."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.sdk.environment import local_environment

NOWHERE = "http://127.0.0.1:9"


def run_program(
    source: str,
    url: str = NOWHERE,
    *,
    environment: Mapping[str, str] | None = None,
    python: Path | str = sys.executable,
    folder: Path | None = None,
    speed: float | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run `source` with the variables of a local cloud at `url`."""
    before = {**os.environ, **(environment or {})}
    variables = local_environment(url, speed=speed).applied_to(before)
    return subprocess.run(
        [str(python), "-c", source],
        env=variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
