"""Failures of first-party algorithms: prefix, exit code and cause.

See docs/notes/first-party-algorithms.md#failures.
"""

from harness.algorithms.contract import JobFailure


class AlgorithmFailure(JobFailure):
    """A failure with the layout of the framework: prefix, message and, when there is one, the cause."""

    prefix = "Algorithm Error"
    code = 1

    def __init__(self, message: str, *, caused_by: tuple[str, str] | None = None) -> None:
        """`caused_by` is the name of the exception class below, and its text."""
        self.summary = f"{self.prefix}: {message}"
        self.detail = ""
        if caused_by is not None:
            name, cause = caused_by
            self.summary += f" (caused by {name})"
            self.detail = f"Caused by: {cause}"
        text = f"{self.summary}\n\n{self.detail}" if self.detail else self.summary
        super().__init__(text, self.code)


class CustomerError(AlgorithmFailure):
    """What the caller can mend: data, hyperparameters. Shown as `ClientError: ...`."""

    prefix = "Customer Error"
    code = 2


class NotHonoured(CustomerError):
    """Something that AWS accepts and that this implementation would ignore; it refuses instead."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not supported by this implementation of the algorithm.")
