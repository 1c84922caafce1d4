"""How the XGBoost image says that a job failed: its exceptions, and the text in the failure file."""

import traceback
from pathlib import Path

from harness.algorithms.contract import JobFailure
from harness.algorithms.xgboost.versions import Version
from harness.formats.readers.refusal import DataRefused

_FRAMES = 3
_PACKAGES = Path(__file__).parents[3]


class ToolkitError(Exception):
    """An error of the container; `caused_by` adds the name of its class to the message, as there."""

    def __init__(self, message: str, caused_by: BaseException | None = None) -> None:
        self.message = f"{message} (caused by {type(caused_by).__name__})" if caused_by else message
        super().__init__(self.message)


class UserError(ToolkitError):
    """Something the caller can put right."""


class AlgorithmError(ToolkitError):
    """Something that went wrong in the algorithm."""


class PlatformError(ToolkitError):
    """Something that this platform does not do."""


def failure(error: Exception, version: Version) -> JobFailure:
    """What goes to the failure file, and the exit code.

    0.72 wrote one line, `Customer Error: ...` (exit code 2) or `Algorithm Error: ...` (1). Later images write
    `framework error: `, a traceback and the message (1); ours shows the last frames only, because
    the service keeps 1024 characters of it.
    """
    if version.has("customer_errors"):
        if isinstance(error, UserError | DataRefused):
            return JobFailure(f"Customer Error: {error}", 2)
        return JobFailure(f"Algorithm Error: {error}", 1)
    return JobFailure(f"framework error: \n{_traceback(error)}\n{error}", 1)


def _traceback(error: Exception) -> str:
    lines = ["Traceback (most recent call last):\n"]
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    for frame in frames:
        file = Path(frame.filename)
        shown = file.relative_to(_PACKAGES) if file.is_relative_to(_PACKAGES) else file.name
        lines.append(f'  File "{shown}", line {frame.lineno}, in {frame.name}\n    {frame.line}\n')
    name = UserError.__name__ if isinstance(error, DataRefused) else type(error).__name__
    if isinstance(error, ToolkitError | DataRefused):
        # The name under which the image raises it: what people search a log for.
        name = f"sagemaker_algorithm_toolkit.exceptions.{name}"
    lines.append(f"{name}: {error}\n")
    return "".join(lines)


def without_stack(error: Exception) -> str:
    """The message of an xgboost error without the addresses in its library that follow it."""
    return str(error).split("\nStack trace:")[0].rstrip()
