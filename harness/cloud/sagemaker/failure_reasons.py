"""FailureReason of a training job from what its container left behind (docs/notes/training-jobs.md, "Failures")."""

from harness.cloud.sagemaker.refusals import reason
from harness.containers.spec import Exit

LONGEST = 1024

# What an algorithm writes in the failure file, and as what the service shows it.
_PREFIXES = (
    ("Customer Error:", "ClientError:"),
    ("Algorithm Error:", "AlgorithmError:"),
)
_PLATFORM = "Platform Error:"


def of_training(exit: Exit, failure: str | None) -> str:
    """The reason for a container that ended with `exit`; `failure` is the text of its failure file, if any."""
    text = (failure or "")[:LONGEST].strip()
    if not text:
        return reason("failure_without_text", code=exit.shell_code)
    if text.startswith(_PLATFORM):
        return reason("failure_internal")
    for written, shown in _PREFIXES:
        if text.startswith(written):
            text = shown + text.removeprefix(written)
            break
    else:
        text = f"AlgorithmError: {text}"
    ending = f", exit code: {exit.shell_code}"
    return text[: LONGEST - len(ending)] + ending
