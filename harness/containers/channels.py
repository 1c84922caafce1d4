"""Input data in File mode: the objects of a channel, from S3 into a folder.

LIMITATIONS: S3Prefix and ManifestFile, File mode, one instance; everything else raises UnsupportedInput.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from botocore.exceptions import (
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

_URI = re.compile(r"s3://(?P<bucket>[^/]+)/?(?P<key>.*)", re.DOTALL)
_THREADS = 4
_WAITING = 64
_PIECE = 1 << 18
_TRIES = 3
_LARGEST_MANIFEST = 64 * 1024**2
_INTERRUPTIONS = (
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)


class ChannelError(Exception):
    """A channel's data cannot be brought into a folder."""


class ChannelEmpty(ChannelError):
    """No object's key begins with the prefix."""


class UnsupportedInput(ChannelError):
    """A kind of input that is not implemented; the text names it."""


class DownloadStopped(ChannelError):
    """The download was told to stop."""


def never() -> bool:
    """For downloads that nobody stops."""
    return False


def has_objects(s3: Any, uri: str) -> bool:
    """Whether any key begins with the prefix that `uri` names. botocore's ClientError passes through."""
    bucket, prefix = _parse(uri)
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    return bool(listed.get("Contents"))


def download_channel(
    s3: Any,
    channel: Mapping[str, Any],
    folder: Path,
    *,
    input_mode: str = "File",
    instances: int = 1,
    stopped: Callable[[], bool] = never,
) -> list[Path]:
    """Bring the data of `channel`, a member of CreateTrainingJob's InputDataConfig, into `folder`.

    `input_mode` is that of the job, for a channel that does not say. The files, in the order of their keys.

    Raises:
        UnsupportedInput: Pipe or FastFile mode, an augmented manifest, a file system, compression, or
            record wrapping, or sharding over several instances.
        ChannelError, ClientError: as download_s3_prefix.
    """
    source = _supported(channel, input_mode, instances)
    if source["S3DataType"] == "ManifestFile":
        return download_manifest(s3, source["S3Uri"], folder, stopped=stopped)
    return download_s3_prefix(s3, source["S3Uri"], folder, stopped=stopped)


def _supported(channel: Mapping[str, Any], input_mode: str, instances: int) -> Mapping[str, Any]:
    """The S3DataSource of a channel that this module can serve."""
    sources = channel["DataSource"]
    source: Mapping[str, Any] | None = sources.get("S3DataSource")
    if source is None:
        raise UnsupportedInput(f"{next(iter(sources), 'no data source')} is not supported")
    sharded = source.get("S3DataDistributionType") == "ShardedByS3Key" and instances > 1
    choices = (
        ("InputMode", channel.get("InputMode") or input_mode, ("File",)),
        ("CompressionType", channel.get("CompressionType") or "None", ("None",)),
        ("RecordWrapperType", channel.get("RecordWrapperType") or "None", ("None",)),
        ("S3DataType", source["S3DataType"], ("S3Prefix", "ManifestFile")),
    )
    for member, value, supported in choices:
        if value not in supported:
            raise UnsupportedInput(f"{member} {value} is not supported")
    if sharded:
        raise UnsupportedInput("S3DataDistributionType ShardedByS3Key is not supported yet")
    return source


def download_s3_prefix(
    s3: Any, uri: str, folder: Path, *, stopped: Callable[[], bool] = never
) -> list[Path]:
    """Download every object whose key begins with the prefix that `uri` names; the files, by key.

    A prefix that is a whole folder name, with or without a slash at its end, is left out of the local
    paths; of any other only the part up to its last slash is, so that a single object keeps its name.
    Empty objects whose keys end in a slash, which stand for folders, are passed over.

    Raises:
        ChannelEmpty: there is no such object.
        ChannelError: a key has no safe place below `folder`, or two have the same.
        DownloadStopped: `stopped` said so.
        ClientError: S3 refuses (botocore's).
    """
    bucket, prefix = _parse(uri)
    listing = _Listing(s3, bucket, prefix)
    files = _download(s3, bucket, listing, folder, stopped)
    if not listing.seen:
        raise ChannelEmpty(f"no object in {uri}")
    return files


def download_manifest(
    s3: Any, uri: str, folder: Path, *, stopped: Callable[[], bool] = never
) -> list[Path]:
    """Download the objects that a manifest lists: [{"prefix": "s3://bucket/x/"}, "relative key", ...].

    A file's local path is its relative key. Raises as download_s3_prefix, and ChannelError for an object
    that is no manifest.
    """
    bucket, key = _parse(uri)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read(_LARGEST_MANIFEST + 1)
    try:
        entries = json.loads(body) if len(body) <= _LARGEST_MANIFEST else None
    except (ValueError, RecursionError):
        entries = None
    if (
        not isinstance(entries, list)
        or not entries
        or not isinstance(entries[0], dict)
        or not isinstance(entries[0].get("prefix"), str)
        or not all(isinstance(entry, str) for entry in entries[1:])
    ):
        raise ChannelError(f'{uri} is not a manifest: [{{"prefix": "s3://..."}}, "key", ...]')
    if len(entries) == 1:
        raise ChannelEmpty(f"the manifest {uri} lists no object")
    source, prefix = _parse(entries[0]["prefix"])
    keys = ((prefix + entry, entry) for entry in entries[1:])
    return _download(s3, source, keys, folder, stopped)


def local_path(key: str, prefix: str) -> str:
    """The path below the channel's folder of an object that a prefix matched (see download_s3_prefix)."""
    rest = key[len(prefix) :]
    if prefix.endswith("/") or rest.startswith("/"):
        return rest
    return key[prefix.rfind("/") + 1 :]


def _parse(uri: str) -> tuple[str, str]:
    parts = _URI.fullmatch(uri)
    if parts is None:
        raise UnsupportedInput(f"{uri!r} is not of the form s3://bucket/key")
    return parts["bucket"], parts["key"]


class _Listing:
    """The keys under a prefix with their local paths, page by page; `seen` once there was one."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        self._prefix = prefix
        self.seen = False

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for page in self._pages:
            for found in page.get("Contents", ()):
                self.seen = True
                key = found["Key"]
                if not key.endswith("/"):
                    yield key, local_path(key, self._prefix)
                elif found["Size"]:
                    raise ChannelError(
                        f"the object {key!r} is a folder by its name and has content"
                    )


def _download(
    s3: Any,
    bucket: str,
    keys: Iterable[tuple[str, str]],
    folder: Path,
    stopped: Callable[[], bool],
) -> list[Path]:
    """Download (key, local path) pairs with a few threads and a bounded number of objects in the queue."""
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    given_up = False

    def stop() -> bool:
        return given_up or stopped()

    with ThreadPoolExecutor(_THREADS, "download") as pool:
        waiting: set[Future[None]] = set()
        try:
            for key, relative in keys:
                if stop():
                    raise DownloadStopped("the download was stopped")
                files.append(_claim(folder, key, relative))
                waiting.add(pool.submit(_fetch, s3, bucket, key, files[-1], stop))
                if len(waiting) >= _WAITING:
                    done, waiting = wait(waiting, return_when="FIRST_COMPLETED")
                    _raise_first(done)
            done, _ = wait(waiting, return_when=FIRST_EXCEPTION)
            _raise_first(done)
        except BaseException:
            given_up = True
            pool.shutdown(cancel_futures=True)
            raise
    return files


def _raise_first(done: Iterable[Future[None]]) -> None:
    for future in done:
        future.result()


def _claim(folder: Path, key: str, relative: str) -> Path:
    """Make an empty file for an object; nothing else can take its place then."""
    parts = [part for part in relative.split("/") if part]
    if not parts or "." in parts or ".." in parts or "\0" in relative:
        raise ChannelError(f"the object {key!r} has no place in a folder")
    path = folder.joinpath(*parts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644))
    except (FileExistsError, NotADirectoryError) as error:
        raise ChannelError(f"the object {key!r} has the same path as another one") from error
    except OSError as error:
        raise ChannelError(f"the object {key!r}: {error.strerror}") from error
    return path


def _fetch(s3: Any, bucket: str, key: str, path: Path, stopped: Callable[[], bool]) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"]
            with path.open("wb") as file:
                for piece in body.iter_chunks(_PIECE):
                    if stopped():
                        body.close()
                        raise DownloadStopped("the download was stopped")
                    file.write(piece)
            return
        except (
            _INTERRUPTIONS
        ) as error:  # botocore repeats requests, not the reading of their answers
            if not tries_left:
                raise ChannelError(f"the object {key!r}: {error}") from error
        except OSError as error:
            raise ChannelError(f"the object {key!r}: {error.strerror or error}") from error
