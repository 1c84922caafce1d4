"""Model data on its way from S3 into the folder that a fleet serves from."""

import tarfile
import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from harness.cloud.sagemaker.arns import split_s3_uri


class ModelMissing(Exception):
    """There is no object at the URI, or the role cannot read it."""


class ExtractionFailed(Exception):
    """The object is not an archive that can be extracted into its folder."""


def fetch_model(s3: Any, uri: str, folder: Path) -> None:
    """Download the archive at `uri` with the client `s3` and extract it into `folder`."""
    bucket, key = split_s3_uri(uri)
    with tempfile.TemporaryFile(dir=folder.parent) as archive:
        try:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            raise ModelMissing(str(error)) from error
        with body:
            for chunk in body.iter_chunks(1 << 20):
                archive.write(chunk)
        archive.seek(0)
        try:
            with tarfile.open(fileobj=archive, mode="r:gz") as tar:
                tar.extractall(folder, filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise ExtractionFailed(str(error)) from error
