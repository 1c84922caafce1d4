"""Packing folders, and unpacking archives that mean no good."""

import gzip
import io
import os
import re
import socket
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.containers.archives import ArchiveError, Limits, is_empty, pack, unpack


def packed(folder: Path) -> bytes:
    """The archive of a folder."""
    archive = io.BytesIO()
    pack(folder, archive)
    return archive.getvalue()


def tar_gz(*members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive as somebody else may have made it."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=format) as tar:
        for member, content in members:
            if not member.size:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """A member of an archive."""
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def tree(folder: Path) -> dict[str, object]:
    """What is in a folder: contents of files, targets of links, None for folders."""
    return {
        str(path.relative_to(folder)): (
            path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        )
        for path in folder.rglob("*")
    }


def refused(archive: bytes, folder: Path, limits: Limits | None = None) -> str:
    """Unpack an archive that must be refused; the text. Nothing may be left, nor be outside."""
    place = folder / "inside" / "model"
    with pytest.raises(ArchiveError) as caught:
        unpack(io.BytesIO(archive), place, limits or Limits())
    assert tree(folder) == {"inside": None, "inside/model": None}
    return str(caught.value)


NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=12
).filter(lambda name: name not in (".", "..") and len(name.encode()) <= 200)
TREES = st.recursive(
    st.binary(max_size=2000), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
).filter(lambda node: isinstance(node, dict))


def grow(folder: Path, node: dict[str, object]) -> None:
    """Make the files of a drawn tree."""
    for name, value in node.items():
        if isinstance(value, bytes):
            (folder / name).write_bytes(value)
        else:
            assert isinstance(value, dict)
            (folder / name).mkdir()
            grow(folder / name, value)


@given(node=TREES)
@settings(max_examples=60)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, node: dict[str, object]) -> None:
    """What is unpacked is what was packed, and packs to the same bytes again."""
    folder = tmp_path_factory.mktemp("tree")
    (folder / "a").mkdir()
    grow(folder / "a", node)
    archive = packed(folder / "a")
    count = unpack(io.BytesIO(archive), folder / "b")
    assert tree(folder / "b") == tree(folder / "a")
    assert count == len(tree(folder / "a"))
    assert packed(folder / "b") == archive
    assert is_empty(folder / "a") == (not node)


@pytest.mark.documented("notes/containers.md#model-artifacts")
def test_names_are_relative(tmp_path: Path) -> None:
    """Members are named relative to the folder, without ./ before them."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text("")
    (tmp_path / "xgboost-model").write_bytes(b"trees")
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path)), mode="r:gz") as tar:
        assert tar.getnames() == ["code", "code/inference.py", "xgboost-model"]


def test_same_bytes(tmp_path: Path) -> None:
    """Times, owners and the order of creation leave no trace in an archive; permission to execute does."""
    for folder, names in (("a", "xy"), ("b", "yx")):
        (tmp_path / folder).mkdir()
        for name in names:
            path = tmp_path / folder / name
            path.write_text(name)
            path.chmod(0o640 if folder == "a" else 0o600)
            os.utime(path, (1, 1 if folder == "a" else 2))
    archive = packed(tmp_path / "a")
    assert archive == packed(tmp_path / "b")
    (tmp_path / "b" / "x").chmod(0o700)
    assert archive != packed(tmp_path / "b")
    unpack(io.BytesIO(packed(tmp_path / "b")), tmp_path / "c")
    assert os.access(tmp_path / "c" / "x", os.X_OK)


def test_links_in_folder(tmp_path: Path) -> None:
    """A link to something in the folder is packed as a relative link, wherever the folder stands."""
    model = tmp_path / "model"
    (model / "deep" / "er").mkdir(parents=True)
    (model / "weights").write_text("1")
    (model / "deep" / "er" / "link").symlink_to(model / "weights")
    (model / "folder").symlink_to("deep")
    unpack(io.BytesIO(packed(model)), tmp_path / "there")
    (tmp_path / "model").rename(tmp_path / "gone")
    assert (tmp_path / "there" / "deep" / "er" / "link").read_text() == "1"
    assert (tmp_path / "there" / "folder" / "er" / "link").read_text() == "1"


def test_link_to_file_elsewhere(tmp_path: Path) -> None:
    """A link to a file outside of the folder becomes that file."""
    (tmp_path / "cache").write_text("weights")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").symlink_to(tmp_path / "cache")
    unpack(io.BytesIO(packed(tmp_path / "model")), tmp_path / "there")
    assert tree(tmp_path / "there") == {"weights": b"weights"}


@pytest.mark.parametrize("target", ["nowhere", "link", "/"])
def test_link_that_cannot_be_packed(tmp_path: Path, target: str) -> None:
    """A link to nothing, to itself or to a folder elsewhere is an error that names it."""
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(ArchiveError, match="'link' is a link to"):
        packed(tmp_path)


def test_special_files_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipes and sockets are not packed, and hold nobody up."""
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert is_empty(tmp_path)
        Path("file").write_text("x")
        unpack(io.BytesIO(packed(tmp_path)), tmp_path / "there")
    assert tree(tmp_path / "there") == {"file": b"x"}


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is empty."""
    assert is_empty(tmp_path / "nothing")
    assert unpack(io.BytesIO(packed(tmp_path / "nothing")), tmp_path / "there") == 0


# Archives that others made.


def test_archive_of_current_folder(tmp_path: Path) -> None:
    """An archive made by `tar czf model.tar.gz .` unpacks, with or without entries for its folders."""
    archive = tar_gz(
        member("./", type=tarfile.DIRTYPE),
        member("./code/inference.py", b"x"),
        member(".//a", b"y"),
    )
    assert unpack(io.BytesIO(archive), tmp_path) == 3
    assert tree(tmp_path) == {"a": b"y", "code": None, "code/inference.py": b"x"}


def test_later_member_wins(tmp_path: Path) -> None:
    """Of several members with a name the last one counts; earlier links are not followed."""
    archive = tar_gz(
        member("a", b"first"),
        member("b", type=tarfile.SYMTYPE, linkname="a"),
        member("b", b"second"),
        member("a", b"third"),
    )
    unpack(io.BytesIO(archive), tmp_path)
    assert tree(tmp_path) == {"a": b"third", "b": b"second"}


def test_hard_links(tmp_path: Path) -> None:
    """A hard link is a second name of a member before it."""
    archive = tar_gz(member("d/a", b"x"), member("b", type=tarfile.LNKTYPE, linkname="d/a"))
    unpack(io.BytesIO(archive), tmp_path)
    assert tree(tmp_path) == {"b": b"x", "d": None, "d/a": b"x"}


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_formats(tmp_path: Path, format: int) -> None:
    """All formats of tar are read."""
    long = "/".join(["long" * 10] * (2 if format == tarfile.USTAR_FORMAT else 6))
    unpack(io.BytesIO(tar_gz(member(long, b"x"), format=format)), tmp_path)
    assert (tmp_path / long).read_bytes() == b"x"


def test_permissions_are_tamed(tmp_path: Path) -> None:
    """Set-uid, set-gid and sticky bits and others' permission to write are dropped; ours to read is added."""
    archive = tar_gz(
        member("tool", b"x", mode=0o6777),
        member("closed", b"x", mode=0),
        member("folder", type=tarfile.DIRTYPE, mode=0o3777),
    )
    unpack(io.BytesIO(archive), tmp_path)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"tool": 0o755, "closed": 0o600, "folder": 0o755}


EVIL: dict[str, tuple[list[tuple[tarfile.TarInfo, bytes]], str]] = {
    "parent": ([member("../evil", b"x")], "'../evil' would land outside"),
    "parent in the middle": ([member("a/../../evil", b"x")], "would land outside"),
    "parent at the end": ([member("a/..", type=tarfile.DIRTYPE)], "would land outside"),
    "absolute": ([member("/tmp/evil", b"x")], "'/tmp/evil' would land outside"),
    "absolute link": ([member("l", type=tarfile.SYMTYPE, linkname="/etc")], "'l' leads to '/etc'"),
    "link to parent": (
        [member("l", type=tarfile.SYMTYPE, linkname="../..")],
        "'l' leads out of the archive",
    ),
    "through a link": (
        [member("l", type=tarfile.SYMTYPE, linkname="../.."), member("l/evil", b"x")],
        "'l' is no folder",
    ),
    "through a link to a folder": (
        [
            member("d", type=tarfile.DIRTYPE),
            member("l", type=tarfile.SYMTYPE, linkname="d"),
            member("l/f", b"x"),
        ],
        "'l' is no folder",
    ),
    "links that add up": (
        [
            member("d", type=tarfile.DIRTYPE),
            member("d/up", type=tarfile.SYMTYPE, linkname=".."),
            member("out", type=tarfile.SYMTYPE, linkname="d/up/.."),
        ],
        "'out' leads out of the archive",
    ),
    "link replaced under a link": (
        [
            member("a", type=tarfile.SYMTYPE, linkname="b/.."),
            member("b", type=tarfile.SYMTYPE, linkname="."),
        ],
        "leads out of the archive",
    ),
    "circle": ([member("l", type=tarfile.SYMTYPE, linkname="l")], "'l' leads out of the archive"),
    "hard link to parent": (
        [member("l", type=tarfile.LNKTYPE, linkname="../../secret")],
        "would land outside",
    ),
    "hard link to absolute": (
        [member("l", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
        "would land outside",
    ),
    "hard link to a link": (
        [
            member("s", type=tarfile.SYMTYPE, linkname="../../secret"),
            member("l", type=tarfile.LNKTYPE, linkname="s"),
        ],
        "'l' is a link to 's', no file before it",
    ),
    "hard link to nothing": (
        [member("l", type=tarfile.LNKTYPE, linkname="n")],
        "'l' is a link to 'n', no file before it",
    ),
    "device": ([member("d", type=tarfile.CHRTYPE)], "'d' is neither a file nor a folder"),
    "block device": ([member("d", type=tarfile.BLKTYPE)], "'d' is neither a file nor a folder"),
    "pipe": ([member("p", type=tarfile.FIFOTYPE)], "'p' is neither a file nor a folder"),
    "file in a file": ([member("f", b"x"), member("f/g", b"x")], "'f' is no folder, but 'f/g'"),
    "folder as file": (
        [member("f", type=tarfile.DIRTYPE), member("f", b"x")],
        "'f' is a folder and something else",
    ),
    "long name": ([member("n" * 300, b"x")], "File name too long"),
    "zero byte in name": (
        [member("x", b"x", pax_headers={"path": "a\0b"})],
        "damaged|cannot be unpacked",
    ),
}


@pytest.mark.parametrize("case", EVIL)
def test_dangerous_archives(tmp_path: Path, case: str) -> None:
    """An archive that would touch, or lead, outside of its folder is refused with the member's name."""
    members, text = EVIL[case]
    message = refused(tar_gz(member("harmless", b"x"), *members), tmp_path)
    assert re.search(text, message), message


def test_size_limit(tmp_path: Path) -> None:
    """Contents over the limit are refused when they pass it; contents at the limit are not."""
    archive = tar_gz(member("a", bytes(600)), member("b", bytes(400)))
    assert refused(archive, tmp_path, Limits(size=999)) == "more than 999 bytes"
    assert unpack(io.BytesIO(archive), tmp_path / "ok", Limits(size=1000)) == 2


def test_member_limit(tmp_path: Path) -> None:
    """Too many members are refused."""
    archive = tar_gz(*(member(str(number)) for number in range(11)))
    assert refused(archive, tmp_path, Limits(members=10)) == "more than 10 members"
    assert unpack(io.BytesIO(archive), tmp_path / "ok", Limits(members=11)) == 11


def bomb(header: bytes, size: int) -> bytes:
    """An archive whose header is followed by `size` zero bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as zipped:
        zipped.write(header)
        for _ in range(size >> 20):
            zipped.write(bytes(1 << 20))
    return packed.getvalue()


def test_large_header(tmp_path: Path) -> None:
    """An extended header of 64 MiB is not read into memory."""
    header, _ = member("x", type=tarfile.XHDTYPE, size=64 << 20)
    message = refused(bomb(header.tobuf(tarfile.USTAR_FORMAT), 64 << 20), tmp_path)
    assert "a header of more than" in message


def test_data_behind_what_has_none(tmp_path: Path) -> None:
    """Data that belongs to no file counts as well, and is not passed over for ever."""
    header, _ = member("x", type=tarfile.CONTTYPE, size=1 << 40)
    message = refused(
        bomb(header.tobuf(tarfile.GNU_FORMAT), 1 << 20), tmp_path, Limits(size=1 << 20)
    )
    assert message == f"more than {1 << 20} bytes"


def test_empty_input(tmp_path: Path) -> None:
    """No bytes are no archive."""
    assert "not a" in refused(b"", tmp_path)


@pytest.mark.parametrize(
    ("archive", "text"),
    [
        (b"PK\x03\x04 a zip file", "not a whole gzip file"),
        (gzip.compress(b"", mtime=0), "not a tar.gz archive"),
        (gzip.compress(b"text, no tar" * 100, mtime=0), "not a tar.gz archive"),
        (gzip.decompress(tar_gz(member("a", b"x"))), "not a whole gzip file"),
    ],
)
def test_not_an_archive(tmp_path: Path, archive: bytes, text: str) -> None:
    """What is no gzip file, or no tar inside, is refused with words to that effect."""
    assert text in refused(archive, tmp_path)


WHOLE = tar_gz(*(member(f"file-{number}", os.urandom(700)) for number in range(4)))
PLAIN = gzip.decompress(WHOLE)


@given(st.integers(0, len(WHOLE) - 1))
@example(0)
@settings(max_examples=60)
def test_truncated_gzip(tmp_path_factory: pytest.TempPathFactory, end: int) -> None:
    """An archive that ends early is refused wherever it ends."""
    refused(WHOLE[:end], tmp_path_factory.mktemp("cut"))


def test_wrong_checksum(tmp_path: Path) -> None:
    """Contents that are not those that were packed are refused, even if the tar reads well."""
    wrong = bytearray(WHOLE)
    wrong[-8] ^= 1
    assert "not a whole gzip file" in refused(bytes(wrong), tmp_path)


def test_endless_padding(tmp_path: Path) -> None:
    """What follows an archive is bounded too."""
    archive = bomb(PLAIN, 8 << 20)
    assert unpack(io.BytesIO(archive), tmp_path / "ok") == 4
    assert "more than" in refused(archive, tmp_path / "no", Limits(size=4 << 20, members=10))


@given(st.integers(1, 8 * 1024 - 1))
@settings(max_examples=60)
def test_truncated_tar(tmp_path_factory: pytest.TempPathFactory, end: int) -> None:
    """A tar that ends in the middle of a member is refused; one that ends between two is not."""
    folder = tmp_path_factory.mktemp("cut")
    archive = gzip.compress(PLAIN[:end], mtime=0)
    if end % 1536 == 0:  # 512 of header, 700 of content in two blocks
        assert unpack(io.BytesIO(archive), folder / "ok") == min(end // 1536, 4)
    elif end < 4 * 1536:
        refused(archive, folder)


def test_damaged_header(tmp_path: Path) -> None:
    """A member with a damaged header is not taken for the end of the archive."""
    damaged = bytearray(PLAIN)
    damaged[1536:1540] = b"oops"
    assert refused(gzip.compress(bytes(damaged), mtime=0), tmp_path) == "damaged after 1 members"


@given(st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 255)), min_size=1))
@settings(max_examples=100)
def test_damaged_anywhere(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    """Whatever is wrong with an archive, there is an ArchiveError or files inside the folder, nothing else."""
    damaged = bytearray(PLAIN)
    for place, value in changes:
        damaged[place] = value
    folder = tmp_path_factory.mktemp("damaged")
    try:
        unpack(io.BytesIO(gzip.compress(bytes(damaged), 1, mtime=0)), folder / "model")
    except ArchiveError:
        assert tree(folder) == {"model": None}
    assert list(folder.iterdir()) == [folder / "model"]


@given(st.binary(max_size=3000))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Bytes that are no archive are refused and nothing else happens."""
    refused(
        gzip.compress(data, mtime=0) if data[:1] < b"\x80" else data, tmp_path_factory.mktemp("any")
    )


def test_folder_in_use(tmp_path: Path) -> None:
    """An archive is not unpacked over something else, which stays."""
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ArchiveError, match="not empty"):
        unpack(io.BytesIO(WHOLE), tmp_path)
    assert tree(tmp_path) == {"mine": b"x"}


def test_memory_of_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members that have been unpacked are not kept in memory."""
    opened: list[tarfile.TarFile] = []
    open_tar: Callable[..., tarfile.TarFile] = tarfile.open

    def remember(**arguments: object) -> tarfile.TarFile:
        opened.append(open_tar(**arguments))
        return opened[-1]

    archive = io.BytesIO(tar_gz(*(member(str(number)) for number in range(50))))
    monkeypatch.setattr(tarfile, "open", remember)
    unpack(archive, tmp_path)
    assert len(opened[0].members) <= 1  # type: ignore[attr-defined]
