"""What a reader says besides: lines that a container writes to its log."""

from typing import Protocol


class Notes(Protocol):
    """Takes the lines, each with its level; a program's log is one."""

    def info(self, message: str) -> None:
        """What was found out."""

    def warning(self, message: str) -> None:
        """What is odd and goes through."""

    def error(self, message: str) -> None:
        """What is wrong; the refusal follows."""
