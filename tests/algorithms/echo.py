"""A program that serves back what it gets, in upper case; it can be made to wait, refuse and break."""

import os
import sys
from pathlib import Path

from harness.algorithms import serving
from harness.algorithms.serving import Answer, Invocation, ModelLocation, Refusal


class Echo:
    """The body chooses what happens."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def invoke(self, invocation: Invocation) -> Answer:
        """`wait` blocks until somebody writes to the FIFO `gate`; `refuse` and `break` fail."""
        if invocation.body == b"refuse":
            raise Refusal(415, "not like this")
        if invocation.body == b"break":
            raise ZeroDivisionError
        if invocation.body == b"wait":
            print("waiting", flush=True)
            (self._directory / "gate").read_bytes()
        if invocation.body == b"about":
            text = f"{invocation.content_type}|{invocation.accept}|{invocation.headers['x-mine']}"
            return Answer(text.encode(), "text/plain")
        return Answer(invocation.body.upper(), "text/x-echo")


def load(location: ModelLocation) -> Echo:
    """A model directory with the file `broken` cannot be loaded."""
    if (location.model_dir / "broken").exists():
        raise RuntimeError("broken")
    return Echo(location.model_dir)


if __name__ == "__main__":
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    sys.exit(serving.serve(load, ModelLocation(base, os.environ)))
