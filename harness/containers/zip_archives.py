"""Zip archives unpacked without harm: a Lambda function's code, and the layers beneath it.

LIMITATIONS: owners and times are not kept. An encrypted archive, one that contains sockets, pipes or
devices, or a link that leads out of it, is refused.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from harness.containers.unpacking import (
    DEFAULT_LIMITS,
    ArchiveError,
    Destination,
    Limits,
    destination,
)

_LONGEST_LINK = 4096
_ENCRYPTED = 0x1


def unpack_zips(archives: Iterable[bytes], folder: Path, limits: Limits = DEFAULT_LIMITS) -> int:
    """Unpack archives into `folder`, each over those before it; the number of members.

    The folder is made if need be and must be empty. `limits` hold for all archives together.
    Nothing is written anywhere else. After an error the folder is empty again.

    Raises:
        ArchiveError: one is not a whole zip archive, a member would land outside, leads outside or
            is no file, folder or link, or they hold more than `limits` allow.
    """
    with destination(folder, limits) as place:
        try:
            for archive in archives:
                _unpack(archive, place)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ArchiveError(f"not a whole zip archive: {error}") from error
        except (NotImplementedError, UnicodeError, ValueError, OverflowError) as error:
            raise ArchiveError(f"a damaged zip archive: {error}") from error
        except OSError as error:
            raise ArchiveError(f"cannot be unpacked: {error.strerror or error}") from error
    return place.count


def _unpack(archive: bytes, place: Destination) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        for member in zipped.infolist():
            place.begin()
            _extract(zipped, member, place)


def _extract(zipped: zipfile.ZipFile, member: zipfile.ZipInfo, place: Destination) -> None:
    name = member.filename
    if member.flag_bits & _ENCRYPTED:
        raise ArchiveError(f"{name!r} is encrypted")
    path = place.place(name)
    if path is None:
        return
    mode = member.external_attr >> 16  # 0 where the archive was made on another system
    kind = stat.S_IFMT(mode)
    if member.is_dir():
        place.make_folder(path, mode or 0o755)
    elif kind == stat.S_IFLNK:
        if member.file_size > _LONGEST_LINK:
            raise ArchiveError(f"the link {name!r} is too long")
        place.link(name, path, zipped.read(member).decode())
    elif kind in (0, stat.S_IFREG):
        with zipped.open(member) as content:
            place.write(name, path, content, member.file_size, mode or 0o644)
    else:
        raise ArchiveError(f"{name!r} is neither a file nor a folder")
