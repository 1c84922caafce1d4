"""Where the tests of the control plane stand: account, role, images; what they send and expect."""

import io
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from harness.containers.spec import Program

REGION = "us-east-1"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/SageMakerExecutionRole"
OWN_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/own:latest"
AMAZONS_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/amazons:1"
PROGRAM = Program(module="tests.cloud.sagemaker.container")


def archive(**members: str) -> bytes:
    """A tar.gz with a file for each name and text; `__` in a name stands for a dot."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for member, text in members.items():
            entry = tarfile.TarInfo(member.replace("__", "."))
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


def error_of(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """Code and message of the error that a call gets."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as refused:
        call(**request)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]
