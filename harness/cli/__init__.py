"""The command `harness`. Each verb's module is imported when the verb is used, so that every start is quick."""


def main() -> None:
    """The console script: run the command, turn what went wrong into two lines, never into a traceback."""
    import os
    import sys

    from harness.cli.app import app
    from harness.cli.problem import Problem, leave

    try:
        try:
            app(prog_name="harness")
        finally:
            sys.stdout.flush()
    except Problem as problem:
        leave(problem)
    except BrokenPipeError:
        # The reader of our output (`| head`) went away; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        if os.environ.get("HARNESS_DEBUG"):
            raise
        leave(
            Problem(
                f"a fault of its own: {type(error).__name__}: {error}",
                "set HARNESS_DEBUG=1 to see the traceback, and please report it",
            )
        )
