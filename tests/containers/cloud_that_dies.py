"""A process with an engine and containers of many kinds, for a test that kills it with SIGKILL.

It prints the pids of everything that it started, then waits. Arguments: a folder, "fork" to also fork itself.
"""

import os
import signal
import sys
from pathlib import Path

from harness.containers.process_engine import ProcessEngine
from tests.containers.engine_contract import (
    DAEMON,
    DEAF,
    GRANDCHILD,
    SERVER,
    SLEEPER,
    Runner,
    python,
)
from tests.containers.processes import children, parent


def main() -> None:
    """Start the containers and wait."""
    folder = Path(sys.argv[1])
    scratch = folder / "scratch"
    (scratch / "runs").mkdir(parents=True)
    engine = ProcessEngine(scratch, preload=())
    runner = Runner(engine, scratch / "runs")
    environment = {"HARNESS_TEST_MARK": str(folder)}
    family: set[int] = set()
    for code, command in (
        (DEAF, "train"),
        (f"{GRANDCHILD}\n{SLEEPER}", "train"),
        (f"{DAEMON}\n{SLEEPER}", "train"),
        (SERVER, "serve"),
    ):
        container, log = runner.start(python(code), environment=environment, command=command)
        log.wait_for(lambda text: text in ("ready", "listening"))
        family.add(container.pid)
        family.add(parent(container.pid))
        family.update(int(text.split()[-1]) for text in log.messages if text[-1].isdigit())
    family.update(children(os.getpid()))
    if "fork" in sys.argv and os.fork() == 0:
        signal.pause()
    print(*family, flush=True)
    signal.pause()


main()
