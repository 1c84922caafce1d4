"""Functions' code, unpacked once for all execution environments that run it."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.cloud.backing.functions import Archive, FunctionVersion
from harness.cloud.errors import AwsError
from harness.containers import opt_ml
from harness.containers.unpacking import ArchiveError, Limits
from harness.containers.zip_archives import unpack_zips


@dataclass(frozen=True)
class Code:
    """The folders that stand for /var/task and /opt; nobody writes there."""

    task: Path
    opt: Path


class CodeStore:
    """Folders by the hashes of what is in them, below `folder`. Threads may share it."""

    def __init__(self, folder: Path, largest: int) -> None:
        self._folder = folder
        self._largest = largest
        self._lock = threading.Lock()
        self._sizes: dict[Path, int] = {}
        self._users: dict[FunctionVersion, Code] = {}

    def unpack(self, function: FunctionVersion) -> Code:
        """A function's code and layers. Raises InvalidZipFileException."""
        with self._lock:
            try:
                opt = self._place("opt", function.layers, self._largest)
                room = self._largest - self._sizes[opt]
                task = self._place("task", (function.code,), room)
            except ArchiveError as error:
                raise AwsError(
                    "InvalidZipFileException",
                    f"Lambda could not unzip the deployment package of {function.name}: {error}.",
                    502,
                ) from None
            code = self._users[function] = Code(task, opt)
            return code

    def prune(self, wanted: Callable[[FunctionVersion], bool]) -> None:
        """Remove the code that only unwanted functions have."""
        with self._lock:
            for function in [each for each in self._users if not wanted(each)]:
                del self._users[function]
            used = {folder for code in self._users.values() for folder in (code.task, code.opt)}
            for folder in self._sizes.keys() - used:
                opt_ml.remove_tree(folder)
                del self._sizes[folder]

    def _place(self, kind: str, archives: Sequence[Archive], room: int) -> Path:
        name = hashlib.sha256("\n".join(archive.sha256 for archive in archives).encode())
        folder = self._folder / f"{kind}-{name.hexdigest()}"
        if folder not in self._sizes:
            try:
                unpack_zips([each.content for each in archives], folder, Limits(self._largest))
            except ArchiveError:
                folder.rmdir()
                raise
            opt_ml.make_read_only(folder)
            self._sizes[folder] = sum(
                path.stat().st_size for path in folder.rglob("*") if path.is_file()
            )
        if self._sizes[folder] > room:
            raise ArchiveError(f"more than {self._largest} bytes")
        return folder
