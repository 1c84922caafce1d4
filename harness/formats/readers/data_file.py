"""A file of a channel: its bytes, and what a container calls it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


@dataclass(frozen=True)
class DataFile:
    """`shown` is the path under /opt/ml that stands in messages; `opened` opens `path`, to watch it being read."""

    path: Path
    shown: str
    opened: Callable[[Path], BinaryIO] = _open

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.path.name

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """Its bytes, from the start."""
        return self.opened(self.path)
