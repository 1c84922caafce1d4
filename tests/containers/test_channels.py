"""Channels in File mode, downloaded from a real S3 server."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from hypothesis import example, given
from hypothesis import strategies as st

from harness.containers import channels
from harness.containers.channels import (
    ChannelEmpty,
    ChannelError,
    DownloadStopped,
    UnsupportedInput,
    download_channel,
    download_manifest,
    download_s3_prefix,
    has_objects,
    local_path,
)

NewBucket = Callable[[dict[str, bytes]], str]
PATHS = "notes/containers.md#local-paths-of-objects"


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def bucket(new_bucket: NewBucket) -> str:
    """A bucket with some training data."""
    keys = [
        "data/train/a.csv",
        "data/train/deep/b.csv",
        "data/train-2/c.csv",
        "data/trainer.csv",
        "other/d.csv",
    ]
    return new_bucket({key: key.encode() for key in keys})


@pytest.mark.assumed(PATHS)
@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("data/train/", {"a.csv": "data/train/a.csv", "deep/b.csv": "data/train/deep/b.csv"}),
        ("data/train/a.csv", {"a.csv": "data/train/a.csv"}),
        ("data/train/a", {"a.csv": "data/train/a.csv"}),
        ("data/trainer.csv", {"trainer.csv": "data/trainer.csv"}),
        ("data/train-2", {"c.csv": "data/train-2/c.csv"}),
        ("other", {"d.csv": "other/d.csv"}),
        ("oth", {"other/d.csv": "other/d.csv"}),
        (
            "data/train",
            {
                "a.csv": "data/train/a.csv",
                "deep/b.csv": "data/train/deep/b.csv",
                "train-2/c.csv": "data/train-2/c.csv",
                "trainer.csv": "data/trainer.csv",
            },
        ),
    ],
)
def test_local_paths(
    s3: Any, bucket: str, tmp_path: Path, prefix: str, expected: dict[str, str]
) -> None:
    """A folder's name is left out of the paths, of any other prefix the part up to its last slash."""
    files = download_s3_prefix(s3, f"s3://{bucket}/{prefix}", tmp_path)
    assert contents(tmp_path) == {path: key.encode() for path, key in expected.items()}
    assert sorted(files) == sorted(tmp_path / path for path in expected)


@pytest.mark.documented("sagemaker:S3DataSource.S3DataType")
def test_prefix_is_a_text(s3: Any, bucket: str, tmp_path: Path) -> None:
    """A prefix matches every key that begins with it, folders or not."""
    assert len(download_s3_prefix(s3, f"s3://{bucket}/data/tr", tmp_path)) == 4


@pytest.mark.parametrize("uri", ["s3://{}", "s3://{}/"])
def test_whole_bucket(s3: Any, bucket: str, tmp_path: Path, uri: str) -> None:
    """A URI without a key is the whole bucket."""
    download_s3_prefix(s3, uri.format(bucket), tmp_path)
    assert len(contents(tmp_path)) == 5
    assert (tmp_path / "data" / "train" / "a.csv").exists()


KEYS = st.text(st.sampled_from("ab/.é "), min_size=1, max_size=12)


@given(KEYS, st.integers(0, 12))
@example("data/x", 5)
def test_every_path_ends_as_its_key(key: str, length: int) -> None:
    """Whatever part of a key is the prefix, the local path is an end of the key that holds its file name."""
    path = local_path(key, key[:length])
    assert key.endswith(path)
    assert path.rpartition("/")[2] == key.rpartition("/")[2]


def test_many_objects(s3: Any, new_bucket: NewBucket, tmp_path: Path) -> None:
    """More objects than one page of a listing holds arrive whole, in the order of their keys."""
    objects = {f"many/{number:05}": str(number).encode() for number in range(205)}
    uri = f"s3://{new_bucket(objects)}/many/"
    pages: list[str | None] = []

    def smaller_page(params: dict[str, Any], **_: object) -> None:
        params["MaxKeys"] = 100  # instead of 1000, S3's own limit
        pages.append(params.get("ContinuationToken"))

    s3.meta.events.register("provide-client-params.s3.ListObjectsV2", smaller_page)
    try:
        files = download_s3_prefix(s3, uri, tmp_path)
    finally:
        s3.meta.events.unregister("provide-client-params.s3.ListObjectsV2", smaller_page)
    assert len(set(pages)) == 3
    assert [path.name for path in files] == [f"{number:05}" for number in range(205)]
    assert contents(tmp_path) == {key.removeprefix("many/"): body for key, body in objects.items()}


def test_large_object(s3: Any, new_bucket: NewBucket, tmp_path: Path) -> None:
    """A large object arrives in pieces, and whole."""
    body = bytes(range(256)) * 40_000
    download_s3_prefix(s3, f"s3://{new_bucket({'big': body})}/big", tmp_path)
    assert (tmp_path / "big").read_bytes() == body


def test_folder_objects(s3: Any, new_bucket: NewBucket, tmp_path: Path) -> None:
    """Empty objects that stand for folders are passed over; a channel of nothing else has no file."""
    bucket = new_bucket({"p/": b"", "p/q/": b"", "p/q/a": b"1", "only/": b""})
    download_s3_prefix(s3, f"s3://{bucket}/p", tmp_path / "p")
    assert contents(tmp_path / "p") == {"q/a": b"1"}
    assert download_s3_prefix(s3, f"s3://{bucket}/only/", tmp_path / "only") == []


def test_empty_parts_of_keys(s3: Any, new_bucket: NewBucket, tmp_path: Path) -> None:
    """Several slashes in a row are one, as in any path."""
    bucket = new_bucket({"p//a": b"1", "p/q///b": b"2"})
    download_s3_prefix(s3, f"s3://{bucket}/p/", tmp_path)
    assert contents(tmp_path) == {"a": b"1", "q/b": b"2"}


@pytest.mark.assumed(PATHS)
@pytest.mark.parametrize(
    ("keys", "named"),
    [
        (["p/../../evil"], "p/../../evil"),
        (["p/.."], "p/.."),
        (["p/./a"], "p/./a"),
        (["p/a", "p//a"], "p/a"),
        (["p/a", "p/a/b"], "p/a/b"),
        (["p/" + "n" * 300], "n" * 300),
        (["p/folder/"], "p/folder/"),
    ],
)
def test_keys_without_a_place(
    s3: Any, new_bucket: NewBucket, tmp_path: Path, keys: list[str], named: str
) -> None:
    """A key that no file can have, or that is another's path, fails the download by name; nothing is outside."""
    bucket = new_bucket(dict.fromkeys(keys, b"x"))
    with pytest.raises(ChannelError) as failed:
        download_s3_prefix(s3, f"s3://{bucket}/p/", tmp_path / "one" / "two")
    assert named in str(failed.value)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["two"]


def test_link_in_folder_is_not_followed(s3: Any, bucket: str, tmp_path: Path) -> None:
    """What lies in the folder already is not written through."""
    (tmp_path / "channel").mkdir()
    (tmp_path / "channel" / "a.csv").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ChannelError, match="same path"):
        download_s3_prefix(s3, f"s3://{bucket}/data/train/a.csv", tmp_path / "channel")
    assert not (tmp_path / "elsewhere").exists()


def test_no_object(s3: Any, bucket: str, tmp_path: Path) -> None:
    """A prefix that no key begins with is an empty channel."""
    assert not has_objects(s3, f"s3://{bucket}/nothing")
    with pytest.raises(ChannelEmpty, match=f"s3://{bucket}/nothing"):
        download_s3_prefix(s3, f"s3://{bucket}/nothing", tmp_path)


@pytest.mark.parametrize("prefix", ["", "data/tr", "data/train/a.csv", "data/train/"])
def test_has_objects(s3: Any, bucket: str, prefix: str) -> None:
    """One key that begins with the prefix is enough."""
    assert has_objects(s3, f"s3://{bucket}/{prefix}")


def test_missing_bucket(s3: Any, tmp_path: Path) -> None:
    """S3's own error says that there is no such bucket."""
    with pytest.raises(ClientError, match="NoSuchBucket"):
        has_objects(s3, "s3://no-such-bucket/x")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        download_s3_prefix(s3, "s3://no-such-bucket/x", tmp_path)


@pytest.mark.parametrize("uri", ["https://bucket/key", "s3:/bucket", "bucket/key", "s3://"])
def test_other_uris(s3: Any, tmp_path: Path, uri: str) -> None:
    """A URI of another form is refused by name."""
    with pytest.raises(UnsupportedInput, match="s3://bucket/key"):
        download_s3_prefix(s3, uri, tmp_path)


def test_stopped_before_and_between(s3: Any, bucket: str, tmp_path: Path) -> None:
    """A download that is told to stop ends with an error of its own."""
    with pytest.raises(DownloadStopped):
        download_s3_prefix(s3, f"s3://{bucket}/data/", tmp_path / "a", stopped=lambda: True)
    answers = iter([False, False, True])
    with pytest.raises(DownloadStopped):
        download_s3_prefix(
            s3, f"s3://{bucket}/data/", tmp_path / "b", stopped=lambda: next(answers, True)
        )


def test_failing_object_ends_the_rest(s3: Any, new_bucket: NewBucket, tmp_path: Path) -> None:
    """When one object cannot be read, the others are given up and the first error is told."""
    bucket = new_bucket({f"p/{number:03}": b"x" for number in range(300)})
    asked: list[str] = []

    class Refusing:
        """The client, which is not allowed to read one object."""

        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

        def get_object(self, **arguments: str) -> Any:
            asked.append(arguments["Key"])
            if arguments["Key"] == "p/005":
                arguments["Key"] = "p/no-such-key"
            return s3.get_object(**arguments)

    with pytest.raises(ClientError, match="NoSuchKey"):
        download_s3_prefix(Refusing(), f"s3://{bucket}/p/", tmp_path)
    assert len(asked) < 300


def test_broken_answers_are_asked_for_again(s3: Any, bucket: str, tmp_path: Path) -> None:
    """An answer that ends early is asked for again; one that always does is an error that names the object."""

    class Breaking:
        """The client, whose first `count` answers break off."""

        def __init__(self, count: int) -> None:
            self.left = count
            self.lock = threading.Lock()

        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

        def get_object(self, **arguments: str) -> Any:
            answer = s3.get_object(**arguments)
            with self.lock:
                self.left -= 1
                broken = self.left >= 0
            if broken:
                whole = answer["Body"].iter_chunks

                def iter_chunks(size: int) -> Any:
                    yield from list(whole(size))[:1]
                    raise IncompleteReadError(actual_bytes=1, expected_bytes=2)

                answer["Body"].iter_chunks = iter_chunks
            return answer

    uri = f"s3://{bucket}/data/train/a.csv"
    download_s3_prefix(Breaking(2), uri, tmp_path / "a")
    assert contents(tmp_path / "a") == {"a.csv": b"data/train/a.csv"}
    with pytest.raises(ChannelError, match=r"data/train/a\.csv"):
        download_s3_prefix(Breaking(3), uri, tmp_path / "b")


def test_threads_end(s3: Any, bucket: str, tmp_path: Path) -> None:
    """A download leaves no thread behind."""
    download_s3_prefix(s3, f"s3://{bucket}/data/", tmp_path)
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("download")]


# Manifests.


def manifest(*entries: object) -> bytes:
    """The object that a ManifestFile channel names."""
    return json.dumps(entries).encode()


@pytest.mark.documented("sagemaker:S3DataSource.S3Uri")
def test_manifest(s3: Any, new_bucket: NewBucket, tmp_path: Path) -> None:
    """A manifest names objects by a common prefix and the rest of each key."""
    bucket = new_bucket(
        {"sets/a/0": b"zero", "sets/a/1": b"one", "sets/a/2": b"two", "sets/deep/3": b"three"}
    )
    s3.put_object(
        Bucket=bucket,
        Key="m",
        Body=manifest({"prefix": f"s3://{bucket}/sets/"}, "a/0", "a/2", "deep/3"),
    )
    files = download_manifest(s3, f"s3://{bucket}/m", tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in files] == ["a/0", "a/2", "deep/3"]
    assert contents(tmp_path) == {"a/0": b"zero", "a/2": b"two", "deep/3": b"three"}


@pytest.mark.sdk_source("notes/containers.md#manifests")
def test_manifest_of_record_set(s3: Any, new_bucket: NewBucket, tmp_path: Path) -> None:
    """The manifest that the SDK's record_set uploads is read."""
    import boto3
    import numpy as np
    from sagemaker.amazon.amazon_estimator import upload_numpy_to_s3_shards

    bucket = new_bucket({})
    resource = boto3.resource(
        "s3",
        endpoint_url=s3.meta.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    features = np.arange(12, dtype="float32").reshape(4, 3)
    uri = upload_numpy_to_s3_shards(3, resource, bucket, "some/prefix/", features)
    channel = {
        "ChannelName": "train",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "ManifestFile",
                "S3Uri": uri,
                "S3DataDistributionType": "ShardedByS3Key",
            }
        },
    }
    files = download_channel(s3, channel, tmp_path)
    assert [path.name for path in files] == ["matrix_0.pbr", "matrix_1.pbr", "matrix_2.pbr"]
    assert all(path.stat().st_size for path in files)
    resource.meta.client.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"{}",
        b"[]",
        manifest("a"),
        manifest({"prefix": 1}, "a"),
        manifest({"prefix": "s3://b/"}, 1),
        manifest({"prefix": "s3://b/"}, {"prefix": "s3://c/"}),
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_object_that_is_no_manifest(
    s3: Any, new_bucket: NewBucket, tmp_path: Path, body: bytes
) -> None:
    """An object that is no manifest is refused with its URI and what one looks like."""
    bucket = new_bucket({"m": body})
    with pytest.raises(ChannelError, match="is not a manifest"):
        download_manifest(s3, f"s3://{bucket}/m", tmp_path)


def test_manifest_out_of_bounds(
    s3: Any, new_bucket: NewBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest over the limit is not read; one that lists nothing is an empty channel; paths stay inside."""
    bucket = new_bucket(
        {
            "large": manifest({"prefix": "s3://b/"}, "a" * 100),
            "empty": manifest({"prefix": "s3://b/"}),
            "evil": manifest({"prefix": "s3://b/"}, "../../evil"),
        }
    )
    with pytest.raises(ChannelEmpty):
        download_manifest(s3, f"s3://{bucket}/empty", tmp_path)
    with pytest.raises(ChannelError, match="no place in a folder"):
        download_manifest(s3, f"s3://{bucket}/evil", tmp_path)
    monkeypatch.setattr(channels, "_LARGEST_MANIFEST", 100)
    with pytest.raises(ChannelError, match="is not a manifest"):
        download_manifest(s3, f"s3://{bucket}/large", tmp_path)


# Whole channels.


def channel(uri: str, **changes: Any) -> dict[str, Any]:
    """A channel as CreateTrainingJob has it."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    source |= {name: value for name, value in changes.items() if name.startswith("S3")}
    rest = {name: value for name, value in changes.items() if not name.startswith("S3")}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": source}, **rest}


@pytest.mark.documented("sagemaker:Channel")
@pytest.mark.parametrize(
    "changes",
    [{}, {"InputMode": "File", "CompressionType": "None", "RecordWrapperType": "None"}],
)
def test_channel(s3: Any, bucket: str, tmp_path: Path, changes: dict[str, object]) -> None:
    """A File mode channel, stated or by default, is downloaded."""
    download_channel(s3, channel(f"s3://{bucket}/other", **changes), tmp_path)
    assert contents(tmp_path) == {"d.csv": b"other/d.csv"}


def test_mode_of_channel_wins(s3: Any, bucket: str, tmp_path: Path) -> None:
    """A channel's own input mode counts more than the job's."""
    mine = channel(f"s3://{bucket}/other", InputMode="File")
    assert download_channel(s3, mine, tmp_path, input_mode="Pipe")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"InputMode": "Pipe"}, "InputMode Pipe"),
        ({"InputMode": "FastFile"}, "InputMode FastFile"),
        ({"CompressionType": "Gzip"}, "CompressionType Gzip"),
        ({"RecordWrapperType": "RecordIO"}, "RecordWrapperType RecordIO"),
        ({"S3DataType": "AugmentedManifestFile"}, "S3DataType AugmentedManifestFile"),
        ({"DataSource": {"FileSystemDataSource": {}}}, "FileSystemDataSource"),
        ({"DataSource": {}}, "no data source"),
    ],
)
def test_input_to_come(s3: Any, tmp_path: Path, changes: dict[str, object], text: str) -> None:
    """Input that is not implemented is refused by the name of the member and its value."""
    with pytest.raises(UnsupportedInput, match=f"{text} is not supported"):
        download_channel(s3, channel("s3://b/x", **changes), tmp_path)


def test_modes_of_job(s3: Any, tmp_path: Path) -> None:
    """The job's input mode counts for a channel that does not say."""
    with pytest.raises(UnsupportedInput, match="InputMode Pipe is not supported"):
        download_channel(s3, channel("s3://b/x"), tmp_path, input_mode="Pipe")


def test_sharding(s3: Any, bucket: str, tmp_path: Path) -> None:
    """Sharding among one instance is no sharding; among several it is refused."""
    sharded = channel(f"s3://{bucket}/other", S3DataDistributionType="ShardedByS3Key")
    assert len(download_channel(s3, sharded, tmp_path)) == 1
    with pytest.raises(UnsupportedInput, match="ShardedByS3Key is not supported"):
        download_channel(s3, sharded, tmp_path, instances=2)
