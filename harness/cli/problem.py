"""An error as the terminal shows it: one line that says what happened, one that says what to do."""

import sys
from typing import NoReturn

EXIT_PROBLEM = 2


class Problem(Exception):
    """Ends the command with two lines on standard error and exit code 2."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.what, self.advice = _one_line(what), _one_line(advice)


def say(problem: Problem) -> None:
    """Print the two lines."""
    print(f"harness: {problem.what}\n         {problem.advice}", file=sys.stderr)


def leave(problem: Problem) -> NoReturn:
    """Print the two lines and end the process."""
    say(problem)
    raise SystemExit(EXIT_PROBLEM)


def _one_line(text: str) -> str:
    return " ".join(text.split())
