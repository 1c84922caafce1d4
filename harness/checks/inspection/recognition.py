"""What a file is, by its first bytes and by its name, whatever its content type says."""

import json
import re
from dataclasses import dataclass
from pathlib import PurePath

from harness.formats.framing import HEADER, MAGIC_BYTES

CSV = "text/csv"
RECORDIO = "application/x-recordio-protobuf"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
LIBSVM = "text/libsvm"
NPY = "application/x-npy"
NPZ = "application/x-npz"
PARQUET = "application/x-parquet"

HEAD = 4096
"""As many of a file's first bytes are looked at."""

_BY_EXTENSION = {
    ".csv": CSV,
    ".json": JSON,
    ".jsonl": JSON_LINES,
    ".jsonlines": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".libsvm": LIBSVM,
    ".svm": LIBSVM,
    ".svmlight": LIBSVM,
    ".npy": NPY,
    ".npz": NPZ,
    ".parquet": PARQUET,
    ".pbr": RECORDIO,
    ".pb": RECORDIO,
    ".recordio": RECORDIO,
    ".rio": RECORDIO,
    ".tsv": CSV,
}

_ALIASES = {
    "csv": CSV,
    "libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
    "application/jsonl": JSON_LINES,
    "application/json-lines": JSON_LINES,
}


@dataclass(frozen=True)
class Kind:
    """What bytes look like: a name for people, and the content type they would have; "" where there is none."""

    name: str
    content_type: str = ""


_SIGNATURES = (
    (b"\x1f\x8b", Kind("compressed with gzip")),
    (b"BZh", Kind("compressed with bzip2")),
    (b"\x28\xb5\x2f\xfd", Kind("compressed with Zstandard")),
    (b"\x93NUMPY", Kind("an array of numpy's", NPY)),
    (b"PAR1", Kind("Parquet", PARQUET)),
    (b"\xff\xfe", Kind("text in UTF-16")),
    (b"\xfe\xff", Kind("text in UTF-16")),
    (b"\x89PNG", Kind("a picture")),
    (b"\xff\xd8\xff", Kind("a picture")),
    (b"%PDF", Kind("a PDF document")),
    (b"\xd0\xcf\x11\xe0", Kind("an old Excel or Word document")),
    (b"SQLite format 3", Kind("an SQLite database")),
    (b"\x80\x04\x95", Kind("a pickle of Python's")),
    (b"\x80\x05\x95", Kind("a pickle of Python's")),
)
_LIBSVM = re.compile(
    rb"[-+0-9.eE]+(?::[-+0-9.eE]+)?(?:[ \t]+qid:\d+)?(?:[ \t]+\d+:[-+0-9.eE]+)+\s*"
)


def content_type_of(path: PurePath) -> str | None:
    """What a file of this name holds; None where its extension does not say."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return _BY_EXTENSION.get(suffixes[-1]) if suffixes else None


def media_type(content_type: str) -> str:
    """The media type alone, in lower case, under its usual name."""
    name = content_type.split(";", 1)[0].strip().lower()
    return _ALIASES.get(name, name)


def recognised(head: bytes) -> str | None:
    """The content type that the first bytes of a file show, if they do."""
    kind = recognise(head)
    return kind.content_type or None if kind else None


def is_text(head: bytes) -> bool:
    """Whether there is nothing in the first bytes of a file but what a person can read."""
    return bool(head) and not re.search(rb"[^\t\r\n\x20-\x7e]", head)


def recognise(head: bytes) -> Kind | None:
    """What the first bytes of a file show it to be; None for text in which there are numbers and words."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head.startswith(b"PK\x03\x04"):
        if b".npy" in head[:100]:
            return Kind("an archive of numpy arrays", NPZ)
        return Kind("an Excel sheet" if b"[Content_Types].xml" in head else "a ZIP archive")
    if head.startswith(MAGIC_BYTES):
        return _recordio(head)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"{", b"[")):
        return _json(text)
    if text[:1] == b"<":
        return Kind("XML or HTML")
    if _LIBSVM.fullmatch(text.split(b"\n", 1)[0]):
        return Kind("libsvm", LIBSVM)
    return None


def _recordio(head: bytes) -> Kind:
    # Both have the same framing; the head of an image record is a flag, a label and two ids, then the picture.
    picture = head[HEADER.size + 24 : HEADER.size + 28]
    if picture.startswith((b"\xff\xd8\xff", b"\x89PNG")):
        return Kind("image records of MXNet", "application/x-recordio")
    return Kind("recordIO-protobuf", RECORDIO)


def _json(text: bytes) -> Kind:
    first, ended, rest = text.partition(b"\n")
    if ended and rest.strip().startswith((b"{", b"[")):
        try:
            json.loads(first)
        except ValueError:
            return Kind("JSON", JSON)
        return Kind("JSON Lines", JSON_LINES)
    return Kind("JSON", JSON)
