"""The folder that stands for /var/runtime: AWS's runtime client and its SDK, and nothing else.

A function that imports what it did not bring along fails here as it does on AWS.
"""

import re
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

# What a managed Python runtime contains (docs/notes/functions.md, "Search path"), with what they need.
PACKAGES = ("awslambdaric", "boto3")
NATIVE_CLIENT = "runtime_client"
_SOURCES = Path(__file__).parent / "var_runtime"
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def build(folder: Path, native_client: bool = True) -> Path:
    """Make the folder, of links to what is installed here; its bootstrap program.

    Without `native_client`, or where awslambdaric has no extension module, our own stands in for it.
    """
    folder.mkdir(parents=True)
    found_native = False
    for entry in _entries():
        if entry.name.partition(".")[0] == NATIVE_CLIENT:
            if not native_client:
                continue
            found_native = True
        target = folder / entry.name
        if not target.exists():
            target.symlink_to(entry)
    if not found_native:
        shutil.copy(_SOURCES / f"{NATIVE_CLIENT}.py", folder)
    # A copy, not a link: Python looks for modules beside the file that a program really is.
    return Path(shutil.copy(_SOURCES / "bootstrap.py", folder))


def _entries() -> Iterator[Path]:
    """The modules, packages and metadata of each distribution, where they are."""
    for distribution in _distributions():
        tops = {
            file.parts[0]
            for file in distribution.files or ()
            if file.parts[0] not in ("..", "__pycache__")
        }
        for top in sorted(tops):
            yield Path(str(distribution.locate_file(top))).resolve()


def _distributions() -> Iterator[metadata.Distribution]:
    waiting, seen = list(PACKAGES), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if name in PACKAGES:
                raise
            continue  # a requirement of other Pythons or systems
        yield distribution
        for requirement in distribution.requires or ():
            if "extra ==" not in requirement and (match := _NAME.match(requirement)):
                waiting.append(match[0].lower())
