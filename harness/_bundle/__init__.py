"""Where the scenarios and fixtures of the project are: in a wheel here, in a checkout at its root."""

from pathlib import Path

_HERE = Path(__file__).parent


def directory(name: str) -> Path:
    """The directory `name` (`"scenarios"` or `"fixtures"`) of this installation.

    Raises:
        FileNotFoundError: the installation has no such directory.
    """
    for root in (_HERE, _HERE.parent.parent):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(f"this installation of sagemaker-harness has no directory {name!r}")
