"""The entry point of every built-in image: `main([ALGORITHM, ("--version", V)?, "train" | "serve"])`.

Each algorithm is a package `harness.algorithms.<name with _>`, imported only when asked for, with
    train(job: contract.Job) -> None                        returns when the model is saved; raises JobFailure
    load(location: serving.ModelLocation) -> serving.Predictor     raises UnusableModel
"""

import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from harness.algorithms import contract, serving

_USAGE = "usage: python -m harness.algorithms ALGORITHM [--version V] train|serve"


def main(argv: Sequence[str]) -> int:
    """Run one command of one algorithm; the exit code of the container (64 for a wrong command line)."""
    arguments = list(argv)
    version = None
    if "--version" in arguments[:-1]:
        at = arguments.index("--version")
        version = arguments[at + 1]
        del arguments[at : at + 2]
    if len(arguments) != 2 or arguments[1] not in ("train", "serve"):
        print(_USAGE, file=sys.stderr)
        return 64
    name, command = arguments
    algorithm = _algorithm(name)
    if algorithm is None:
        print(f"There is no algorithm called {name!r}.\n{_USAGE}", file=sys.stderr)
        return 64
    if command == "train":
        return contract.run(algorithm.train, version=version)
    environment = dict(os.environ)
    location = serving.ModelLocation(contract.base_dir(environment) / "model", environment, version)
    return serving.serve(algorithm.load, location)


def _algorithm(name: str) -> Any:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        return None
    module = f"harness.algorithms.{name.replace('-', '_')}"
    try:
        package = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            return None
        raise
    # Modules beside the algorithms, this one for instance, are none.
    return package if hasattr(package, "train") and hasattr(package, "load") else None
