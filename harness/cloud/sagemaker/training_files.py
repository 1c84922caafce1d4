"""The /opt/ml tree of a training job: written before the container runs, collected afterwards."""

import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.interruption import Interruption
from harness.cloud.sagemaker.arns import split_s3_uri
from harness.cloud.sagemaker.records import TrainingJob


class DownloadFailed(Exception):
    """A channel's data could not be fetched."""


class UploadFailed(Exception):
    """An artifact could not be stored."""


def write_tree(root: Path, job: TrainingJob) -> None:
    """Write what a container of `job` finds under /opt/ml."""
    request = job.request
    config = root / "input" / "config"
    config.mkdir(parents=True)
    for folder in ("input/data", "model", "output/data", "checkpoints"):
        (root / folder).mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(request.get("HyperParameters", {})))
    channels = {}
    for channel in request.get("InputDataConfig", ()):
        entry = {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
        if "ContentType" in channel:
            entry["ContentType"] = channel["ContentType"]
        channels[channel["ChannelName"]] = entry
    (config / "inputdataconfig.json").write_text(json.dumps(channels))
    kind = request["ResourceConfig"]["InstanceType"]
    (config / "resourceconfig.json").write_text(
        json.dumps({"current_host": "algo-1", "hosts": ["algo-1"], "current_instance_type": kind})
    )


def download_channels(s3: Any, root: Path, job: TrainingJob, interruption: Interruption) -> None:
    """Fetch every channel's objects into input/data. Raises DownloadFailed."""
    try:
        for channel in job.request.get("InputDataConfig", ()):
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            bucket, prefix = split_s3_uri(uri)
            base = root / "input" / "data" / channel["ChannelName"]
            cut = prefix.rfind("/") + 1
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    if interruption.is_set():
                        return
                    target = base / entry["Key"][cut:]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"]
                    with target.open("wb") as file:
                        for chunk in body.iter_chunks(1 << 20):
                            file.write(chunk)
    except (ClientError, BotoCoreError, OSError) as error:
        raise DownloadFailed(str(error)) from error


def read_failure(root: Path) -> str | None:
    """The beginning of the failure file."""
    path = root / "output" / "failure"
    try:
        with path.open("rb") as file:
            return file.read(8192).decode("utf-8", "replace")
    except OSError:
        return None


def upload_artifacts(s3: Any, root: Path, job: TrainingJob) -> None:
    """Store model.tar.gz and output.tar.gz, each if it has content. Raises UploadFailed."""
    output = job.artifact.removesuffix("model.tar.gz")
    for folder, name in ((root / "model", "model.tar.gz"), (root / "output/data", "output.tar.gz")):
        if not any(folder.iterdir()):
            continue
        bucket, key = split_s3_uri(output + name)
        try:
            with tempfile.TemporaryFile(dir=root) as archive:
                with tarfile.open(fileobj=archive, mode="w:gz") as tar:
                    for member in sorted(folder.iterdir()):
                        tar.add(member, member.name)
                archive.seek(0)
                s3.put_object(Bucket=bucket, Key=key, Body=archive)
        except (ClientError, BotoCoreError, OSError) as error:
            raise UploadFailed(str(error)) from error
