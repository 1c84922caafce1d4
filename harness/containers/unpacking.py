"""Where the members of an archive go: into one folder, whatever they are called, within limits."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

_PIECE = 1 << 20
_KEPT_MODE = 0o755  # no set-uid, set-gid or sticky bit, and nobody else may write


class ArchiveError(Exception):
    """An archive that is damaged, dangerous or too large, or a folder that cannot be packed."""


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold: bytes of content, members, and bytes of one member's headers."""

    size: int = 50 * 1024**3
    members: int = 200_000
    header: int = 1 << 20


DEFAULT_LIMITS = Limits()


@contextlib.contextmanager
def destination(folder: Path, limits: Limits) -> Iterator["Destination"]:
    """A folder to unpack into, made if need be. After an error it is empty again.

    Raises:
        ArchiveError: it is not empty, or, at the end, a link leads out of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if next(folder.iterdir(), None) is not None:
        raise ArchiveError(f"{folder} is not empty")
    try:
        place = Destination(folder.resolve(), limits)
        yield place
        place.check_links()
    except BaseException:
        _clear(folder)
        raise


class Destination:
    """The folder, and what was put there so far. Nothing is written anywhere else.

    Every method raises ArchiveError for a member that would land outside, leads outside or is too much.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._links: list[Path] = []
        self._size = 0
        self._count = 0

    @property
    def count(self) -> int:
        """How many members there were."""
        return self._count

    def begin(self) -> None:
        """One more member."""
        self._count += 1
        if self._count > self._limits.members:
            raise ArchiveError(f"more than {self._limits.members} members")

    def place(self, name: str) -> Path | None:
        """Where a member goes, None for the folder itself; the folders on the way are made, and are real ones."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts:
            raise ArchiveError(f"the member {name!r} would land outside")
        place = self._folder
        for index, part in enumerate(parts):
            if index:
                if place.is_symlink() or (place.exists() and not place.is_dir()):
                    raise ArchiveError(f"{self._name(place)!r} is no folder, but {name!r} is in it")
                place.mkdir(exist_ok=True)
            place /= part
        return place if parts else None

    def make_folder(self, path: Path, mode: int) -> None:
        """Make a folder at `path`, if there is none."""
        self._replace(path, with_folder=True)
        path.mkdir(exist_ok=True)
        path.chmod(mode & _KEPT_MODE | 0o700)

    def write(self, name: str, path: Path, source: IO[bytes], size: int, mode: int) -> None:
        """Copy the `size` bytes of the member `name` to `path`."""
        self._size += size
        if self._size > self._limits.size:
            raise ArchiveError(f"more than {self._limits.size} bytes")
        self._replace(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            while piece := source.read(_PIECE):
                file.write(piece)
            if file.tell() != size:
                raise ArchiveError(f"it ends in the middle of {name!r}")
        path.chmod(mode & _KEPT_MODE | 0o600)

    def link(self, name: str, path: Path, target: str) -> None:
        """Make a symbolic link at `path`; where it leads is seen when all members are there."""
        if PurePosixPath(target).is_absolute():
            raise ArchiveError(f"the link {name!r} leads to {target!r}")
        self._replace(path)
        path.symlink_to(target)
        self._links.append(path)

    def hard_link(self, name: str, path: Path, original_name: str) -> None:
        """Make `path` another name of an earlier member, a file."""
        original = self.place(original_name)
        if original is None or original.is_symlink() or not original.is_file():
            raise ArchiveError(f"{name!r} is a link to {original_name!r}, no file before it")
        if original != path:
            self._replace(path)
            os.link(original, path)

    def check_links(self) -> None:
        """No link may lead out of the folder."""
        for link in self._links:
            target = link_target(link)
            if target is None or not target.is_relative_to(self._folder):
                raise ArchiveError(f"the link {self._name(link)!r} leads out of the archive")

    def _replace(self, path: Path, *, with_folder: bool = False) -> None:
        """Make room at `path`: a later member takes the place of an earlier one."""
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISDIR(path.lstat().st_mode):
                path.unlink()
            elif not with_folder:
                raise ArchiveError(f"{self._name(path)!r} is a folder and something else")

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._folder))


def link_target(link: Path) -> Path | None:
    """What a link leads to in the end, which need not exist; None if it leads in circles."""
    try:
        end = link.resolve()
    except (OSError, RuntimeError):
        return None
    # From Python 3.13 a circle is no error: its own link comes back.
    return None if end.is_symlink() else end


def _clear(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink()
