"""Model data on its way from S3 into the folder that a fleet serves from."""

import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.sagemaker.arns import split_s3_uri
from harness.containers import archives, opt_ml

_PIECE = 1 << 20


class ModelMissing(Exception):
    """There is no object at the URI, or the role cannot read it."""


class ExtractionFailed(Exception):
    """The object is not an archive that can be extracted into its folder."""


def fetch_model(s3: Any, uri: str, folder: Path) -> None:
    """Download the archive at `uri` with the client `s3` and extract it into the empty `folder`, read-only."""
    bucket, key = split_s3_uri(uri)
    with tempfile.TemporaryFile(dir=folder.parent) as archive:
        try:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"]
            with body:
                for piece in body.iter_chunks(_PIECE):
                    archive.write(piece)
        except (ClientError, BotoCoreError) as error:
            raise ModelMissing(str(error)) from error
        archive.seek(0)
        try:
            archives.unpack(archive, folder)
        except archives.ArchiveError as error:
            raise ExtractionFailed(str(error)) from error
    opt_ml.make_read_only(folder)
