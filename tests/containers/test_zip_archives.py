"""Unpacking zip archives, those included that mean no good."""

import io
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.containers.unpacking import ArchiveError, Limits
from harness.containers.zip_archives import unpack_zips
from tests.containers.test_archives import TREES, tree

Entry = tuple[zipfile.ZipInfo, bytes]


def entry(name: str, content: bytes = b"", mode: int = stat.S_IFREG | 0o644) -> Entry:
    """A member of an archive."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16 | 0x20  # DOS's archive bit: else zipfile adds a mode of its own
    info.compress_type = zipfile.ZIP_DEFLATED
    return info, content


def link(name: str, target: str) -> Entry:
    """A symbolic link."""
    return entry(name, target.encode(), stat.S_IFLNK | 0o777)


def zipped(*entries: Entry) -> bytes:
    """An archive as somebody may have made it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for info, content in entries:
            archive.writestr(info, content)
    return file.getvalue()


def refused(archive: bytes, folder: Path, limits: Limits | None = None) -> str:
    """Unpack an archive that must be refused; the text. Nothing may be left, nor be outside."""
    place = folder / "inside" / "task"
    with pytest.raises(ArchiveError) as caught:
        unpack_zips([archive], place, limits or Limits())
    assert tree(folder) == {"inside": None, "inside/task": None}
    return str(caught.value)


def flattened(node: dict[str, object], prefix: str = "") -> list[tuple[str, bytes | None]]:
    """The paths of a drawn tree, with the contents of files and None for folders."""
    rows: list[tuple[str, bytes | None]] = []
    for name, value in node.items():
        if isinstance(value, bytes):
            rows.append((prefix + name, value))
        else:
            assert isinstance(value, dict)
            rows.append((prefix + name + "/", None))
            rows += flattened(value, f"{prefix}{name}/")
    return rows


@settings(max_examples=50)
@given(node=TREES)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, node: dict[str, object]) -> None:
    """What was zipped is what is unpacked."""
    rows = flattened(node)
    archive = zipped(*(entry(name, content or b"") for name, content in rows))
    folder = tmp_path_factory.mktemp("task")
    assert unpack_zips([archive], folder) == len(rows)
    assert tree(folder) == {name.rstrip("/"): content for name, content in rows}


def test_later_archives_lie_over_earlier_ones(tmp_path: Path) -> None:
    """Of several archives the later one's file stays, and what only one of them has, too."""
    first = zipped(entry("a", b"1"), entry("both/b", b"1"))
    second = zipped(entry("both/b", b"2"), entry("both/c", b"2"))
    unpack_zips([first, second], tmp_path)
    assert tree(tmp_path) == {"a": b"1", "both": None, "both/b": b"2", "both/c": b"2"}


def test_permissions_are_tamed(tmp_path: Path) -> None:
    """Programs stay programs; set-uid and others' right to write do not stay; none at all becomes ours."""
    archive = zipped(
        entry("program", b"", stat.S_IFREG | 0o6777),
        entry("locked", b"", stat.S_IFREG),
        entry("from-elsewhere", b"", 0),
    )
    unpack_zips([archive], tmp_path)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"program": 0o755, "locked": 0o600, "from-elsewhere": 0o644}


def test_links_inside(tmp_path: Path) -> None:
    """A link that leads to something in the archive stays a link."""
    unpack_zips(
        [zipped(link("lib/now", "v1/module.py"), entry("lib/v1/module.py", b"x"))], tmp_path
    )
    assert (tmp_path / "lib" / "now").is_symlink()
    assert (tmp_path / "lib" / "now").read_bytes() == b"x"


def encrypted() -> bytes:
    """An archive whose member says that it is encrypted."""
    archive = bytearray(zipped(entry("a", b"secret")))
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    archive[6] |= 1
    return bytes(archive)


@pytest.mark.parametrize(
    ("archive", "text"),
    [
        (zipped(entry("../outside", b"x")), "would land outside"),
        (zipped(entry("a/../../outside", b"x")), "would land outside"),
        (zipped(entry("/absolute", b"x")), "would land outside"),
        (zipped(link("etc", "/etc")), "leads to '/etc'"),
        (zipped(link("up", "../..")), "leads out of the archive"),
        (zipped(entry("a/"), link("a/up", "../../outside")), "leads out of the archive"),
        (zipped(link("loop", "loop")), "leads out of the archive"),
        (zipped(link("up", ".."), entry("up/outside", b"x")), "is no folder"),
        (zipped(link("long", "x" * 5000)), "too long"),
        (zipped(entry("file", b"x"), entry("file/below", b"x")), "is no folder"),
        (zipped(entry("a/b", b"x"), entry("a", b"x")), "is a folder and something else"),
        (zipped(entry("pipe", b"", stat.S_IFIFO | 0o644)), "neither a file nor a folder"),
        (zipped(entry("device", b"", stat.S_IFCHR | 0o644)), "neither a file nor a folder"),
        (encrypted(), "is encrypted"),
        (b"", "not a whole zip archive"),
        (b"def handler(): ...", "not a whole zip archive"),
        (zipped(entry("a", b"x" * 100))[:-30], "not a whole zip archive"),
    ],
)
def test_dangerous_archives(tmp_path: Path, archive: bytes, text: str) -> None:
    """Whatever would land or lead outside, or is no file, is refused, and nothing is left of it."""
    assert text in refused(archive, tmp_path)


def test_bomb(tmp_path: Path) -> None:
    """An archive that grows beyond the limit is refused before what is too much is written."""
    archive = zipped(entry("zeros", bytes(3_000_000)))
    assert len(archive) < 10_000
    assert refused(archive, tmp_path, Limits(size=2_999_999)) == "more than 2999999 bytes"


def test_limits_hold_for_all_archives_together(tmp_path: Path) -> None:
    """Two archives that are small enough each may be too much together."""
    one = zipped(entry("one", bytes(600)))
    two = zipped(entry("two", bytes(600)))
    with pytest.raises(ArchiveError, match="more than 1000 bytes"):
        unpack_zips([one, two], tmp_path, Limits(size=1000))
    assert tree(tmp_path) == {}


def test_member_limit(tmp_path: Path) -> None:
    """Too many members are refused."""
    archive = zipped(*(entry(str(number)) for number in range(11)))
    assert refused(archive, tmp_path, Limits(members=10)) == "more than 10 members"


def test_a_lie_about_the_size(tmp_path: Path) -> None:
    """A member that holds more than it says does not get past the limit."""
    archive = bytearray(zipped(entry("a", bytes(1000))))
    place = archive.index(b"PK\x01\x02")
    archive[place + 24 : place + 28] = (10).to_bytes(4, "little")
    assert refused(bytes(archive), tmp_path, Limits(size=100))


@settings(max_examples=150)
@example(place=0, value=0, data=b"")
@given(place=st.integers(0, 400), value=st.integers(0, 255), data=st.binary(max_size=60))
def test_damaged_anywhere(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, data: bytes
) -> None:
    """An archive with a wrong byte is unpacked or refused, never anything else, and stays inside."""
    archive = bytearray(zipped(entry("a/b", data), link("c", "a/b"), entry("d/")))
    archive[place % len(archive)] = value
    folder = tmp_path_factory.mktemp("damaged")
    try:
        unpack_zips([bytes(archive)], folder / "inside")
    except ArchiveError:
        assert tree(folder) == {"inside": None}
    assert [path.name for path in folder.iterdir()] == ["inside"]


@settings(max_examples=100)
@given(data=st.binary(max_size=200))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Bytes that are no archive are refused."""
    folder = tmp_path_factory.mktemp("bytes")
    with pytest.raises(ArchiveError):
        unpack_zips([data], folder)
