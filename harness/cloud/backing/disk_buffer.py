"""Bodies of S3 objects: small ones in memory, larger ones in a file that is open only while it is used.

moto keeps an object beyond its buffer size in an unlinked temporary file and so holds one descriptor
per object; a class of forty students with a few thousand files each runs into the limit of 1024.
"""

import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

IN_MEMORY_BYTES = 64 * 1024


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


class DiskBuffer:
    """The part of a temporary file's interface that moto's FakeKey uses; not thread safe, as moto is not."""

    folder: Path | None = None

    def __init__(self, max_size: int = 0) -> None:
        del max_size
        self._memory = b""
        self._path: Path | None = None
        self._position = 0
        self._size = 0
        self._finalizer: weakref.finalize[[Path], DiskBuffer] | None = None
        self.closed = False

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the object's body was already disposed of")

    def seek(self, position: int) -> int:
        """Move to `position` bytes from the start."""
        self._check_open()
        self._position = position
        return position

    def tell(self) -> int:
        """The current position in bytes."""
        return self._position

    def truncate(self) -> int:
        """Cut the body at the current position."""
        self._check_open()
        if self._path is None:
            self._memory = self._memory[: self._position]
        elif self._position == 0:
            self._forget_file()
        else:
            with self._path.open("r+b") as file:
                file.truncate(self._position)
        self._size = min(self._size, self._position)
        return self._size

    def write(self, data: bytes) -> int:
        """Write at the current position; the body moves to a file once it is large."""
        self._check_open()
        end = self._position + len(data)
        if self._path is None and end <= IN_MEMORY_BYTES:
            head = self._memory[: self._position].ljust(self._position, b"\0")
            self._memory = head + data + self._memory[end:]
        else:
            if self._path is None:
                self._move_to_file()
            assert self._path is not None
            with self._path.open("r+b") as file:
                file.seek(self._position)
                file.write(data)
        self._position = end
        self._size = max(self._size, end)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, or to the end."""
        self._check_open()
        if self._path is None:
            stop = None if size < 0 else self._position + size
            data = self._memory[self._position : stop]
        else:
            with self._path.open("rb") as file:
                file.seek(self._position)
                data = file.read(size)
        self._position += len(data)
        return data

    def close(self) -> None:
        """Drop the body."""
        self.closed = True
        self._memory = b""
        if self._path is not None:
            self._forget_file()

    def _move_to_file(self) -> None:
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix="object-", delete=False) as file:
            file.write(self._memory)
        self._path = Path(file.name)
        self._memory = b""
        self._finalizer = weakref.finalize(self, _unlink, self._path)

    def _forget_file(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._path = None
