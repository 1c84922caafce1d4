"""What the decisions are told of IAM and S3, after it was made with boto3 through the port."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from harness.cloud.backing.moto_identities import MotoIdentities
from harness.cloud.backing.moto_services import MotoServices
from harness.cloud.identity.administrators import ACCOUNT, SESSION_KEY, SESSION_ROLE_NAME
from harness.cloud.identity.store import Bucket, Identity
from harness.cloud.local_cloud import LocalCloud

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
SESSION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/{SESSION_ROLE_NAME}"


def allowing(action: str) -> str:
    """A document that allows one action."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def store(cloud: LocalCloud) -> MotoIdentities:
    """A store over the module's cloud."""
    return MotoIdentities()


@pytest.fixture
def iam(client: Callable[..., Any]) -> Any:
    """A client of IAM."""
    return client("iam")


@pytest.fixture
def name() -> str:
    """A name that nothing else has."""
    return f"n{uuid.uuid4().hex[:12]}"


def found(store: MotoIdentities, arn: str) -> Identity:
    """What the store says of an ARN that it knows."""
    identity = store.identity(arn)
    assert identity is not None
    return identity


def test_nothing_is_known_without_moto() -> None:
    """Where nobody has asked for IAM, there are neither keys nor identities nor buckets."""
    store = MotoIdentities()
    assert store.find_key("AKIAIOSFODNN7EXAMPLE") is None
    assert store.identity(f"arn:aws:iam::{ACCOUNT}:role/nobody") is None
    assert store.bucket("no-such-bucket") is None


def test_a_role_has_its_policies(store: MotoIdentities, iam: Any, name: str) -> None:
    """Inline ones, the default version of managed ones, the boundary, trust policy and tags; each change shows."""
    role = iam.create_role(
        RoleName=name,
        Path="/team/",
        AssumeRolePolicyDocument=TRUST,
        Tags=[{"Key": "Team", "Value": "red"}],
    )["Role"]
    identity = found(store, role["Arn"])
    assert (identity.documents, identity.boundary, identity.name) == ((), None, None)
    assert (identity.unique_id, identity.tags) == (role["RoleId"], {"Team": "red"})
    assert json.loads(identity.trust or "") == json.loads(TRUST)

    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=allowing("a:Inline"))
    managed = iam.create_policy(PolicyName=name, PolicyDocument=allowing("a:One"))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=managed)
    assert found(store, role["Arn"]).documents == (allowing("a:Inline"), allowing("a:One"))

    version = iam.create_policy_version(PolicyArn=managed, PolicyDocument=allowing("a:Two"))
    assert found(store, role["Arn"]).documents[1] == allowing("a:One")
    iam.set_default_policy_version(
        PolicyArn=managed, VersionId=version["PolicyVersion"]["VersionId"]
    )
    assert found(store, role["Arn"]).documents[1] == allowing("a:Two")

    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=managed)
    assert found(store, role["Arn"]).boundary == allowing("a:Two")
    iam.delete_role_permissions_boundary(RoleName=name)
    iam.detach_role_policy(RoleName=name, PolicyArn=managed)
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    assert (found(store, role["Arn"]).documents, found(store, role["Arn"]).boundary) == ((), None)


def test_a_boundary_that_is_gone_lets_nothing_through(
    store: MotoIdentities, iam: Any, name: str
) -> None:
    """A boundary's ARN without a policy is a boundary all the same."""
    arn = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=TRUST,
        PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/none",
    )["Role"]["Arn"]
    assert found(store, arn).boundary == ""


def test_a_user_has_the_policies_of_its_groups(store: MotoIdentities, iam: Any, name: str) -> None:
    """Its own, inline and managed, and those of each group as long as it is in it."""
    user = iam.create_user(UserName=name, Tags=[{"Key": "Team", "Value": "red"}])["User"]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=allowing("a:User"))
    iam.create_group(GroupName=name)
    iam.put_group_policy(GroupName=name, PolicyName="p", PolicyDocument=allowing("a:Group"))
    managed = iam.create_policy(PolicyName=name, PolicyDocument=allowing("a:M"))["Policy"]["Arn"]
    iam.attach_group_policy(GroupName=name, PolicyArn=managed)
    assert found(store, user["Arn"]).documents == (allowing("a:User"),)
    iam.add_user_to_group(GroupName=name, UserName=name)
    identity = found(store, user["Arn"])
    assert identity.documents == (allowing("a:User"), allowing("a:Group"), allowing("a:M"))
    assert (identity.unique_id, identity.name) == (user["UserId"], name)
    assert identity.tags == {"Team": "red"}
    iam.remove_user_from_group(GroupName=name, UserName=name)
    assert found(store, user["Arn"]).documents == (allowing("a:User"),)


def test_a_role_that_is_deleted_is_not_one_that_never_was(
    store: MotoIdentities, iam: Any, name: str
) -> None:
    """Its sessions may do nothing, and nobody may assume it; until moto forgets everything."""
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    assert found(store, arn).trust
    iam.delete_role(RoleName=name)
    assert found(store, arn) == Identity(unique_id="", documents=(), trust="")
    store.forget()
    assert store.identity(arn) is None


def test_a_session_says_whose_it_is(
    store: MotoIdentities, client: Callable[..., Any], iam: Any, name: str
) -> None:
    """The key of an assumed role names the role with its path and brings the session's policy."""
    arn = iam.create_role(RoleName=name, Path="/team/", AssumeRolePolicyDocument=TRUST)["Role"][
        "Arn"
    ]
    sts = client("sts")
    for extra, policy in (({}, None), ({"Policy": allowing("a:Session")}, allowing("a:Session"))):
        session = sts.assume_role(RoleArn=arn, RoleSessionName="work", **extra)["Credentials"]
        key = store.find_key(session["AccessKeyId"])
        assert key is not None
        assert key.expires is not None
        assert (key.identity_arn, key.session_policy) == (arn, policy)
        assert key.principal_arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/work"
        assert key.session_token == session["SessionToken"]
        assert key.expires == session["Expiration"].replace(microsecond=key.expires.microsecond)
        assert not key.administrator


def test_a_bucket_has_an_owner_and_perhaps_a_policy(
    store: MotoIdentities, client: Callable[..., Any], name: str
) -> None:
    """The policy is the text that was put."""
    s3 = client("s3")
    s3.create_bucket(Bucket=name)
    assert store.bucket(name) == Bucket(ACCOUNT, None)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Statement": statement}))
    bucket = store.bucket(name)
    assert bucket is not None
    assert json.loads(bucket.policy or "") == {"Statement": statement}


def test_the_execution_role_has_its_policies_before_iam_is_asked(
    cloud: LocalCloud, client: Callable[..., Any]
) -> None:
    """The two AWS-managed policies of the role of `harness env` are the whole ones, with IAM loaded or not."""
    store = MotoIdentities()
    cloud.reset()
    assert store.find_key(SESSION_KEY) is None
    client("sts").get_caller_identity()
    early = found(store, SESSION_ROLE)
    assert len(early.documents) == 2
    client("iam").list_roles()
    assert found(store, SESSION_ROLE) == early
    attached = client("iam").list_attached_role_policies(RoleName=SESSION_ROLE_NAME)
    names = {policy["PolicyName"] for policy in attached["AttachedPolicies"]}
    assert names == {"AmazonSageMakerFullAccess", "AmazonS3FullAccess"}
    key = store.find_key(SESSION_KEY)
    assert key is not None
    assert key.identity_arn == SESSION_ROLE


def test_prepared_is_prepared(cloud: LocalCloud) -> None:
    """Asked for again, IAM does not become another one."""
    services: MotoServices = cloud.services
    services.prepare("iam")
    before = found(MotoIdentities(), SESSION_ROLE)
    services.prepare("sts")
    services.prepare("iam")
    assert found(MotoIdentities(), SESSION_ROLE) == before
