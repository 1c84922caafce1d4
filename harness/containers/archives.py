"""model.tar.gz and its kin: a folder packed the same way each time, an archive unpacked without harm.

LIMITATIONS: owners and times are not kept. Sockets, pipes and devices are left out of an archive;
one that contains them, or a link that leads out of it, is refused.
"""

import contextlib
import gzip
import io
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

_PIECE = 1 << 20
_KEPT_MODE = 0o755  # no set-uid, set-gid or sticky bit, and nobody else may write
_LEVEL = 6


class ArchiveError(Exception):
    """An archive that is damaged, dangerous or too large, or a folder that cannot be packed."""


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold: bytes of content, members, and bytes of one member's headers."""

    size: int = 50 * 1024**3
    members: int = 200_000
    header: int = 1 << 20


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
        target = _target(path)
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


def unpack(archive: IO[bytes], folder: Path, limits: Limits = Limits()) -> int:
    """Unpack a tar.gz into `folder`, which is made if need be and must be empty; the number of members.

    Nothing is written anywhere else. After an error the folder is empty again.

    Raises:
        ArchiveError: it is not a whole tar.gz, a member would land outside, leads outside or is no
        file,
            folder or link, or it holds more than `limits` allow.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if next(folder.iterdir(), None) is not None:
        raise ArchiveError(f"{folder} is not empty")
    try:
        try:
            return _Unpacking(folder.resolve(), limits).unpack(archive)
        except tarfile.ReadError as error:
            raise ArchiveError(f"not a tar.gz archive: {error}") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ArchiveError(f"not a whole gzip file: {error}") from error
        except (tarfile.TarError, UnicodeError, ValueError, OverflowError) as error:
            raise ArchiveError(f"a damaged tar archive: {error}") from error
        except OSError as error:
            raise ArchiveError(f"cannot be unpacked: {error.strerror or error}") from error
    except BaseException:
        _clear(folder)
        raise


def _target(link: Path) -> Path | None:
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


class _Unpacking:
    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._links: list[Path] = []
        self._size = 0

    def unpack(self, archive: IO[bytes]) -> int:
        count = 0
        with gzip.GzipFile(fileobj=archive, mode="rb") as content:
            source = _Source(content, self._limits)
            with tarfile.open(fileobj=source, mode="r:") as tar:
                while (member := tar.next()) is not None:
                    tar.members.clear()  # type: ignore[attr-defined]  # it keeps all that it has read
                    count += 1
                    if count > self._limits.members:
                        raise ArchiveError(f"more than {self._limits.members} members")
                    self._extract(tar, member)
            if any(source.last):  # tarfile takes a header that it cannot read for the end
                raise ArchiveError(f"damaged after {count} members")
            source.read_to_end()
        for link in self._links:
            target = _target(link)
            if target is None or not target.is_relative_to(self._folder):
                raise ArchiveError(f"the link {self._name(link)!r} leads out of the archive")
        return count

    def _extract(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = self._place(member.name)
        if path == self._folder:
            return
        if member.isdir():
            self._replace(path, with_folder=True)
            path.mkdir(exist_ok=True)
            path.chmod(member.mode & _KEPT_MODE | 0o700)
        elif member.isreg():
            self._write(tar, member, path)
        elif member.issym():
            if PurePosixPath(member.linkname).is_absolute():
                raise ArchiveError(f"the link {member.name!r} leads to {member.linkname!r}")
            self._replace(path)
            path.symlink_to(member.linkname)
            self._links.append(path)
        elif member.islnk():
            self._link(member, path)
        else:
            raise ArchiveError(f"{member.name!r} is neither a file nor a folder")

    def _place(self, name: str) -> Path:
        """Where a member goes; the folders on the way there are made, and are real ones."""
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
        return place

    def _write(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        self._size += member.size
        if self._size > self._limits.size:
            raise ArchiveError(f"more than {self._limits.size} bytes")
        self._replace(path)
        source = tar.extractfile(member)
        assert source is not None, "a regular file has content"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            while piece := source.read(_PIECE):
                file.write(piece)
            if file.tell() != member.size:
                raise ArchiveError(f"it ends in the middle of {member.name!r}")
        path.chmod(member.mode & _KEPT_MODE | 0o600)

    def _link(self, member: tarfile.TarInfo, path: Path) -> None:
        original = self._place(member.linkname)
        if original.is_symlink() or not original.is_file():
            raise ArchiveError(
                f"{member.name!r} is a link to {member.linkname!r}, no file before it"
            )
        if original != path:
            self._replace(path)
            os.link(original, path)

    def _replace(self, path: Path, *, with_folder: bool = False) -> None:
        """Make room at `path`: a later member takes the place of an earlier one."""
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISDIR(path.lstat().st_mode):
                path.unlink()
            elif not with_folder:
                raise ArchiveError(f"{self._name(path)!r} is a folder and something else")

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._folder))


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
