"""model.tar.gz and its kin: a folder packed the same way each time, an archive unpacked without harm.

LIMITATIONS: owners and times are not kept. Sockets, pipes and devices are left out of an archive;
one that contains them, or a link that leads out of it, is refused.
"""

import gzip
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from harness.containers.unpacking import (
    DEFAULT_LIMITS,
    ArchiveError,
    Destination,
    Limits,
    destination,
    link_target,
)

__all__ = ["ArchiveError", "Limits", "is_empty", "pack", "unpack"]

_PIECE = 1 << 20
_LEVEL = 6


def pack(folder: Path, archive: IO[bytes]) -> int:
    """Write the contents of `folder` as tar.gz, names relative to it; the number of members.

    The same contents give the same bytes. A symbolic link stays one if it leads to something in the
    folder; one that leads to a file elsewhere becomes that file.

    Raises:
        ArchiveError: a link leads to a folder elsewhere or to nothing, or a file cannot be read.
    """
    count = 0
    try:
        with (
            gzip.GzipFile("", "wb", _LEVEL, archive, mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            for path in _contents(folder):
                count += _add(tar, folder, path)
    except OSError as error:
        raise ArchiveError(f"{error.filename or folder}: {error.strerror or error}") from error
    return count


def is_empty(folder: Path) -> bool:
    """Whether there is nothing in `folder` that would be packed, or no such folder."""
    return next(_contents(folder), None) is None


def _contents(folder: Path) -> Iterator[Path]:
    """Everything below `folder`, a folder before its contents, by name; links are not followed."""
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        if path != folder:
            yield path
        if path.is_dir() and (path == folder or not path.is_symlink()):
            waiting += sorted(filter(_is_packed, path.iterdir()), key=os.fsencode, reverse=True)


def _is_packed(path: Path) -> bool:
    return path.is_symlink() or path.is_file() or path.is_dir()


def _add(tar: tarfile.TarFile, folder: Path, path: Path) -> int:
    member = tarfile.TarInfo(str(PurePosixPath(path.relative_to(folder))))
    status = path.lstat()
    member.mode = 0o755 if status.st_mode & 0o111 else 0o644
    if path.is_symlink():
        target = link_target(path)
        if target is None or not target.exists():
            raise ArchiveError(f"{member.name!r} is a link to nothing")
        if target.is_relative_to(folder.resolve()):
            member.type = tarfile.SYMTYPE
            member.mode = 0o777
            member.linkname = os.path.relpath(target, path.parent.resolve())
        elif not target.is_file():
            raise ArchiveError(f"{member.name!r} is a link to something elsewhere that is no file")
    elif stat.S_ISDIR(status.st_mode):
        member.type = tarfile.DIRTYPE
    if member.type == tarfile.REGTYPE:
        with path.open("rb") as content:
            member.size = os.fstat(content.fileno()).st_size
            tar.addfile(member, content)
    else:
        tar.addfile(member)
    return 1


def unpack(archive: IO[bytes], folder: Path, limits: Limits = DEFAULT_LIMITS) -> int:
    """Unpack a tar.gz into `folder`, which is made if need be and must be empty; the number of members.

    Nothing is written anywhere else. After an error the folder is empty again.

    Raises:
        ArchiveError: it is not a whole tar.gz, a member would land outside, leads outside or is no
        file,
            folder or link, or it holds more than `limits` allow.
    """
    with destination(folder, limits) as place:
        try:
            _unpack(archive, place, limits)
        except tarfile.ReadError as error:
            raise ArchiveError(f"not a tar.gz archive: {error}") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ArchiveError(f"not a whole gzip file: {error}") from error
        except (tarfile.TarError, UnicodeError, ValueError, OverflowError) as error:
            raise ArchiveError(f"a damaged tar archive: {error}") from error
        except OSError as error:
            raise ArchiveError(f"cannot be unpacked: {error.strerror or error}") from error
    return place.count


def _unpack(archive: IO[bytes], place: Destination, limits: Limits) -> None:
    with gzip.GzipFile(fileobj=archive, mode="rb") as content:
        source = _Source(content, limits)
        with tarfile.open(fileobj=source, mode="r:") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # it keeps all that it has read
                place.begin()
                _extract(tar, member, place)
        if any(source.last):  # tarfile takes a header that it cannot read for the end
            raise ArchiveError(f"damaged after {place.count} members")
        source.read_to_end()


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, place: Destination) -> None:
    path = place.place(member.name)
    if path is None:
        return
    if member.isdir():
        place.make_folder(path, member.mode)
    elif member.isreg():
        content = tar.extractfile(member)
        assert content is not None, "a regular file has content"
        place.write(member.name, path, content, member.size, member.mode)
    elif member.issym():
        place.link(member.name, path, member.linkname)
    elif member.islnk():
        place.hard_link(member.name, path, member.linkname)
    else:
        raise ArchiveError(f"{member.name!r} is neither a file nor a folder")


class _Source(io.BufferedIOBase):
    """The unpacked bytes as tarfile reads them: forward, bounded in all and in what is read at a time."""

    def __init__(self, content: gzip.GzipFile, limits: Limits) -> None:
        self._content = content
        self._limits = limits
        self.last = b""

    def read(self, size: int | None = -1) -> bytes:
        """Read content, in pieces, or a header, which tarfile reads whole."""
        if size is None or not 0 <= size <= max(self._limits.header, _PIECE):
            raise ArchiveError(f"a header of more than {self._limits.header} bytes")
        self.last = self._content.read(size)
        return self.last

    def seek(self, position: int, whence: int = 0) -> int:
        """Pass over content."""
        if position > self._limits.size + 2048 * self._limits.members:
            raise ArchiveError(f"more than {self._limits.size} bytes")
        return self._content.seek(position, whence)

    def read_to_end(self) -> None:
        """Pass over what follows the archive, so that gzip compares its checksum."""
        self.seek(self.tell())
        while self._content.read(_PIECE):
            self.seek(self.tell())

    def tell(self) -> int:
        """The place in the unpacked bytes."""
        return self._content.tell()
