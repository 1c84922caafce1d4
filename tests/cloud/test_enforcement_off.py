"""A cloud that lets everybody do everything who signs."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud.local_cloud import LocalCloud
from tests.cloud.people import People, statement, trust


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """A cloud without decisions."""
    with LocalCloud(enforce_iam=False) as cloud:
        yield cloud
        assert cloud.app.faults == []


def test_policies_are_not_asked(people: People) -> None:
    """Neither those of a role nor those of a user, not even a Deny."""
    denying = statement("*", Effect="Deny")
    role, user = people.role(denying), people.user(denying)
    for sagemaker in (people.assumed("sagemaker", role), people.signed_in("sagemaker", user)):
        assert sagemaker.list_models()["Models"] == []
    runtime = people.assumed("sagemaker-runtime", role)
    with pytest.raises(ClientError, match="Endpoint none of account 123456789012 not found"):
        runtime.invoke_endpoint(EndpointName="none", Body=b"")


def test_execution_roles_are_not_asked(people: People, client: Callable[..., Any]) -> None:
    """A model whose role trusts another service and may read nothing is taken."""
    s3 = client("s3")
    s3.create_bucket(Bucket="free")
    s3.put_object(Bucket="free", Key="m.tar.gz", Body=b"")
    role = people.role(statement("*", Effect="Deny"), trust=trust("lambda.amazonaws.com"))
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    client("sagemaker").create_model(
        ModelName="m",
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": image, "ModelDataUrl": "s3://free/m.tar.gz"},
    )


def test_a_signature_is_still_demanded(client: Callable[..., Any]) -> None:
    """Without one, or with another secret, nobody gets in."""
    from botocore import UNSIGNED
    from botocore.config import Config

    for options, code in (
        ({"config": Config(signature_version=UNSIGNED)}, "MissingAuthenticationTokenException"),
        ({"aws_access_key_id": "test", "aws_secret_access_key": "x"}, "InvalidSignatureException"),
    ):
        with pytest.raises(ClientError) as refused:
            client("sagemaker", **options).list_models()
        assert refused.value.response["Error"]["Code"] == code
