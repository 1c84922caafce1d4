"""What Python finds at start-up under `harness exec`: loads the hook, then your own sitecustomize.

The folder holds nothing else, so that no other name appears in the program's import path.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - nothing heavy at start-up


def _run(name: str, spec: Any) -> Any:
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _yours() -> Any:
    """The spec of the sitecustomize that Python would have run without us, or None."""
    elsewhere = [
        entry
        for entry in sys.path
        if os.path.abspath(entry or os.curdir) != _HERE  # noqa: PTH100
    ]
    return importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)


if os.environ.get("HARNESS_SDK") == "on":
    _run(
        "_harness_sdk_hook",
        importlib.util.spec_from_file_location(
            "_harness_sdk_hook",
            os.path.join(os.path.dirname(_HERE), "hook.py"),  # noqa: PTH118, PTH120
        ),
    ).install()

_next = _yours()
if _next is not None:
    _run("sitecustomize", _next)
