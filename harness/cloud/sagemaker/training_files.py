"""What a training job brings into its container's /opt/ml, and what it stores of it afterwards."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.sagemaker.arns import split_s3_uri
from harness.cloud.sagemaker.records import TrainingJob
from harness.containers import archives, channels, opt_ml


class DownloadFailed(Exception):
    """A channel's data could not be fetched."""


class UploadFailed(Exception):
    """An artifact could not be stored."""


def write_tree(root: Path, job: TrainingJob) -> None:
    """Write what a container of `job` finds under /opt/ml, but for the data of its channels."""
    request = job.request
    opt_ml.write_training_tree(
        root,
        hyperparameters=request.get("HyperParameters", {}),
        input_data_config=request.get("InputDataConfig", ()),
        input_mode=request["AlgorithmSpecification"]["TrainingInputMode"],
        instance_type=request["ResourceConfig"]["InstanceType"],
    )


def download_channels(s3: Any, root: Path, job: TrainingJob, stopped: Callable[[], bool]) -> None:
    """Fetch the data of every channel with the client `s3`. Raises DownloadFailed, also when `stopped` says so."""
    for channel in job.request.get("InputDataConfig", ()):
        folder = opt_ml.channel_folder(root, channel["ChannelName"])
        try:
            channels.download_channel(
                s3,
                channel,
                folder,
                input_mode=job.request["AlgorithmSpecification"]["TrainingInputMode"],
                stopped=stopped,
            )
        except (channels.ChannelError, ClientError, BotoCoreError, OSError) as error:
            raise DownloadFailed(_why_not_downloaded(error)) from error


def upload_artifacts(s3: Any, root: Path, job: TrainingJob) -> None:
    """Store model.tar.gz and output.tar.gz, each if it has content. Raises UploadFailed.

    LIMITATIONS: one PutObject each, so an archive may have up to 5 GB.
    """
    output = job.artifact.removesuffix("model.tar.gz")
    key_id = job.request["OutputDataConfig"]["KmsKeyId"]
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
    _store(s3, root, opt_ml.collect_model, f"{output}model.tar.gz", encryption)
    _store(s3, root, opt_ml.collect_output, f"{output}output.tar.gz", encryption)


def _store(
    s3: Any,
    root: Path,
    collect: Callable[[Path, IO[bytes]], bool],
    uri: str,
    encryption: dict[str, str],
) -> None:
    bucket, key = split_s3_uri(uri)
    try:
        with tempfile.TemporaryFile(dir=root.parent) as archive:
            if collect(root, archive):
                archive.seek(0)
                s3.put_object(Bucket=bucket, Key=key, Body=archive, **encryption)
    except (archives.ArchiveError, ClientError, BotoCoreError, OSError) as error:
        raise UploadFailed(_why_not_uploaded(error, uri)) from error


def _why_not_downloaded(error: Exception) -> str:
    """In the service's words if the role may not read an object (docs/notes/permissions.md, "Execution roles")."""
    denial = _denial(error)
    if denial is None or "Key" not in denial:
        return str(error)
    uri = f"s3://{denial['BucketName']}/{denial['Key']}"
    return f"Unable to download object {uri} ({denial['Code']}: {denial['Message']})"


def _why_not_uploaded(error: Exception, uri: str) -> str:
    denial = _denial(error)
    if denial is None:
        return f"Unable to upload file to {uri} ({error})"
    return f"Error 7: {denial['Code']} (403): {denial['Message']}"


def _denial(error: Exception) -> Any:
    """S3's error, if it is that the role may not."""
    if isinstance(error, ClientError) and error.response["Error"].get("Code") == "AccessDenied":
        return error.response["Error"]
    return None
