"""What is left of functions when their cloud ends, in good order or not: nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.containers.processes import PATIENCE, state, wait_until_gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("how", ["close", "kill"])
def test_nothing_is_left(how: str) -> None:
    """After the end of a cloud, also by SIGKILL, no process of a function and no folder is there."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.cloud.functions.cloud_with_functions"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as cloud:
        assert cloud.stdout is not None
        told = json.loads(cloud.stdout.readline())
        family = set(told["family"])
        assert len(family) == 4, "the fork server, a supervisor, its function's process, a child"
        for pid in family:
            assert state(pid) in ("S", "R")
        if how == "kill":
            cloud.kill()
        cloud.communicate("\n", PATIENCE)
    assert cloud.returncode == (-9 if how == "kill" else 0)
    for pid in family:
        wait_until_gone(pid)
    assert not Path(told["folder"]).exists()
