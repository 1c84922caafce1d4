"""Callers over the wire: who may not is refused, and a change of a policy holds at once."""

from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import checks
from harness.cloud.identity.administrators import SESSION_ROLE_NAME
from harness.cloud.local_cloud import LocalCloud
from tests.cloud.people import People, denied, document, session_arn, statement
from tests.cloud.sagemaker.ground import ACCOUNT, OWN_IMAGE, REGION

REFERENCE = (
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html"
)
BASE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/Other"


@pytest.mark.recorded("notes/permissions.md#refusals")
def test_a_role_may_do_what_its_policy_allows(people: People, name: str, sagemaker: Any) -> None:
    """One statement opens one operation on some resources; a change holds from the next request on."""
    role = people.role(statement("sagemaker:DescribeModel", f"{BASE}:model/test-*"))
    work = people.assumed("sagemaker", role)
    arn = f"{BASE}:model/{name.lower()}"
    with pytest.raises(ClientError, match="Could not find model"):
        work.describe_model(ModelName=name)
    refused = denied(work.delete_model, ModelName=name)
    assert refused == (
        f"User: {session_arn(role)} is not authorized to perform: sagemaker:DeleteModel on resource: "
        f"{arn} because no identity-based policy allows the sagemaker:DeleteModel action"
    )
    assert "DescribeModel" in denied(work.describe_model, ModelName="another")

    people.allow(role, statement("sagemaker:DeleteModel"), policy="more")
    with pytest.raises(ClientError, match="Could not find model"):
        work.delete_model(ModelName=name)
    people.allow(role, statement("*", Effect="Deny"), policy="less")
    assert denied(work.delete_model, ModelName=name) == (
        f"User: {session_arn(role)} is not authorized to perform: sagemaker:DeleteModel on resource: "
        f"{arn} with an explicit deny in an identity-based policy"
    )
    people.iam.delete_role_policy(RoleName=role.rpartition("/")[2], PolicyName="less")
    with pytest.raises(ClientError, match="Could not find model"):
        work.delete_model(ModelName=name)


@pytest.mark.recorded("notes/permissions.md#refusals")
def test_a_list_names_no_resource(people: People) -> None:
    """What is authorized on `*` is refused without a resource."""
    user = people.user(statement("sagemaker:ListModels", f"{BASE}:model/*"))
    assert denied(people.signed_in("sagemaker", user).list_models) == (
        f"User: {user} is not authorized to perform: sagemaker:ListModels because no identity-based "
        "policy allows the sagemaker:ListModels action"
    )


def test_a_refusal_of_the_control_plane_is_a_400(people: People) -> None:
    """JSON 1.1 has one status for everything that the client got wrong."""
    with pytest.raises(ClientError) as refused:
        people.assumed("sagemaker", people.role()).list_models()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.recorded("notes/permissions.md#context-keys")
def test_a_session_is_who_sts_says(people: People, client: Callable[..., Any]) -> None:
    """AssumeRole's answer names the session by the role's id and its own name, and so can a policy (2024-06-05)."""
    role = people.role()
    name = role.rpartition("/")[2]
    answer = client("sts").assume_role(RoleArn=role, RoleSessionName="work")["AssumedRoleUser"]
    role_id = people.iam.get_role(RoleName=name)["Role"]["RoleId"]
    assert answer == {"Arn": session_arn(role), "AssumedRoleId": f"{role_id}:work"}
    condition = {"StringEquals": {"aws:userid": answer["AssumedRoleId"]}}
    people.allow(role, statement("sagemaker:ListModels", Condition=condition))
    assert people.assumed("sagemaker", role).list_models()["Models"] is not None


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"
)
def test_boundary_and_session_policy_limit_a_role(people: People) -> None:
    """Each must allow as well, and says so if it does not."""
    boundary = people.iam.create_policy(
        PolicyName="boundary", PolicyDocument=document(statement("sagemaker:List*"))
    )["Policy"]["Arn"]
    role = people.role(statement("sagemaker:*"), PermissionsBoundary=boundary)
    work = people.assumed("sagemaker", role)
    assert work.list_models()["Models"] == []
    refused = denied(work.describe_model, ModelName="m")
    assert "no permissions boundary allows the sagemaker:DescribeModel action" in refused

    role = people.role(statement("sagemaker:*"))
    policy = document(statement("sagemaker:ListModels"))
    work = people.assumed("sagemaker", role, Policy=policy)
    assert work.list_models()["Models"] == []
    assert "no session policy allows the sagemaker:ListEndpoints action" in denied(
        work.list_endpoints
    )
    assert people.assumed("sagemaker", role).list_endpoints()["Endpoints"] == []


def test_a_user_has_what_its_groups_have(people: People) -> None:
    """From the moment it is in the group until it is taken out."""
    user = people.user()
    work, name = people.signed_in("sagemaker", user), user.rpartition("/")[2]
    people.iam.create_group(GroupName="readers")
    people.iam.attach_group_policy(
        GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerReadOnly"
    )
    denied(work.list_models)
    people.iam.add_user_to_group(GroupName="readers", UserName=name)
    assert work.list_models()["Models"] == []
    people.iam.remove_user_from_group(GroupName="readers", UserName=name)
    denied(work.list_models)


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam-awsmanpol.html"
)
def test_full_access_is_full_access(people: People, model: Callable[..., str], name: str) -> None:
    """A role with AmazonSageMakerFullAccess makes, tags, describes and deletes what a course does."""
    role = people.role()
    people.iam.attach_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess",
    )
    work = people.assumed("sagemaker", role)
    work.create_model(
        ModelName=name,
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": OWN_IMAGE},
        Tags=[{"Key": "a", "Value": "b"}],
    )
    assert work.describe_model(ModelName=name)["ModelName"] == name
    assert [found["ModelName"] for found in work.list_models(NameContains=name)["Models"]] == [name]
    work.delete_model(ModelName=name)
    denied(work.create_domain, DomainName="d", AuthMode="IAM", DefaultUserSettings={})


@pytest.mark.recorded("notes/permissions.md#resources-of-operations")
def test_to_pass_a_role_on_needs_leave(people: People, name: str) -> None:
    """CreateModel with a role that the caller may not pass is refused, and so is one for another service."""
    role = people.role(statement("sagemaker:*"))
    work = people.assumed("sagemaker", role)
    request = {
        "ModelName": name,
        "ExecutionRoleArn": OTHER_ROLE,
        "PrimaryContainer": {"Image": OWN_IMAGE},
    }
    assert denied(work.create_model, **request) == (
        f"User: {session_arn(role)} is not authorized to perform: iam:PassRole on resource: "
        f"{OTHER_ROLE} because no identity-based policy allows the iam:PassRole action"
    )
    for service, allowed in (("lambda.amazonaws.com", False), ("sagemaker.amazonaws.com", True)):
        condition = {"StringEquals": {"iam:PassedToService": service}}
        people.allow(
            role, statement("iam:PassRole", OTHER_ROLE, Condition=condition), policy="pass"
        )
        if not allowed:
            denied(work.create_model, **request)
    work.create_model(**request)


@pytest.mark.recorded("notes/permissions.md#resources-of-operations")
def test_tags_need_leave_and_can_be_asked_for(people: People, name: str) -> None:
    """To create with tags needs AddTags; a condition can demand a tag, of the request or of the resource."""
    red = {"StringEquals": {"aws:RequestTag/team": "red"}}
    role = people.role(
        statement("sagemaker:CreateModel", Condition=red),
        statement("iam:PassRole"),
        statement(
            ["sagemaker:DeleteModel", "sagemaker:ListTags"],
            Condition={"StringEquals": {"sagemaker:ResourceTag/team": "red"}},
        ),
    )
    work = people.assumed("sagemaker", role)
    request: dict[str, Any] = {
        "ModelName": name,
        "ExecutionRoleArn": OTHER_ROLE,
        "PrimaryContainer": {"Image": OWN_IMAGE},
    }
    team = [{"Key": "team", "Value": "red"}]
    assert "sagemaker:CreateModel" in denied(work.create_model, **request)
    blue = [{"Key": "team", "Value": "blue"}]
    assert "sagemaker:CreateModel" in denied(work.create_model, Tags=blue, **request)
    assert "sagemaker:AddTags" in denied(work.create_model, Tags=team, **request)
    people.allow(role, statement("sagemaker:AddTags", f"{BASE}:model/*"), policy="tags")
    arn = work.create_model(Tags=team, **request)["ModelArn"]
    assert work.list_tags(ResourceArn=arn)["Tags"] == team
    work.add_tags(ResourceArn=arn, Tags=blue)
    denied(work.list_tags, ResourceArn=arn)
    denied(work.delete_model, ModelName=name)


@pytest.mark.recorded("notes/permissions.md#resources-of-operations")
def test_an_endpoint_needs_leave_for_its_configuration(people: People, name: str) -> None:
    """CreateEndpoint and UpdateEndpoint are authorized on both."""
    actions = ["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"]
    role = people.role(statement(actions, f"{BASE}:endpoint/*"))
    work = people.assumed("sagemaker", role)
    request = {"EndpointName": name, "EndpointConfigName": "Missing"}
    for call in (work.create_endpoint, work.update_endpoint):
        assert f"on resource: {BASE}:endpoint-config/missing because" in denied(call, **request)
    people.allow(role, statement(actions))
    with pytest.raises(ClientError, match="Could not find"):
        work.create_endpoint(**request)


@pytest.mark.documented(REFERENCE)
def test_an_instance_type_can_be_demanded(people: People, job: Callable[..., Any]) -> None:
    """`sagemaker:InstanceTypes` holds for whatever the request names."""
    small = {"ForAllValues:StringLike": {"sagemaker:InstanceTypes": ["ml.t3.*"]}}
    role = people.role(statement("sagemaker:*", Condition=small), statement("iam:PassRole"))
    work = people.assumed("sagemaker", role)
    assert "sagemaker:CreateTrainingJob" in denied(work.create_training_job, **job())
    people.allow(role, statement("sagemaker:*"), statement("iam:PassRole"))
    assert work.create_training_job(**job())["TrainingJobArn"]


@pytest.mark.assumed("notes/permissions.md#what-is-decided")
def test_sessions_that_nobody_could_have_are_not_checked(people: People) -> None:
    """A session of a role that IAM has never had may do everything; one of a role that was deleted, nothing."""
    assert people.assumed("sagemaker", OTHER_ROLE).list_models()["Models"] is not None
    role = people.role(statement("sagemaker:*"))
    work = people.assumed("sagemaker", role)
    assert work.list_models()["Models"] is not None
    people.iam.delete_role_policy(RoleName=role.rpartition("/")[2], PolicyName="first")
    people.iam.delete_role(RoleName=role.rpartition("/")[2])
    denied(work.list_models)


def test_records_that_moto_keeps_are_guarded_too(people: People) -> None:
    """What is passed on to moto is authorized before."""
    role = people.role(statement("sagemaker:ListExperiments"))
    work = people.assumed("sagemaker", role)
    assert work.list_experiments()["ExperimentSummaries"] == []
    refused = denied(work.create_experiment, ExperimentName="E")
    assert f"on resource: {BASE}:experiment/e because" in refused
    assert work.list_experiments()["ExperimentSummaries"] == []


def test_the_execution_role_may_do_what_a_course_does(
    people: People, client: Callable[..., Any]
) -> None:
    """A session of the role of `harness env` other than the administrator's has its two policies."""
    role = f"arn:aws:iam::{ACCOUNT}:role/service-role/{SESSION_ROLE_NAME}"
    assert (
        people.assumed("sagemaker", role).list_training_jobs()["TrainingJobSummaries"] is not None
    )


# Endpoints.


@pytest.fixture
def endpoint(
    sagemaker: Any,
    name: str,
    model: Callable[..., str],
    config: Callable[..., str],
    settled: Callable[[str], Any],
) -> str:
    """The name of an endpoint in service."""
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config(name, model(name)))
    assert settled(name)["EndpointStatus"] == "InService"
    return name


@pytest.mark.recorded("notes/permissions.md#refusals")
def test_an_invocation_needs_leave(people: People, endpoint: str) -> None:
    """The name is in lower case; the status is 403; a change of the policy holds at once."""
    role = people.role()
    work = people.assumed("sagemaker-runtime", role)
    arn = f"{BASE}:endpoint/{endpoint.lower()}"
    request = {"EndpointName": endpoint, "Body": b"x"}
    with pytest.raises(ClientError) as refused:
        work.invoke_endpoint(**request)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert refused.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": (
            f"User: {session_arn(role)} is not authorized to perform: sagemaker:InvokeEndpoint on "
            f"resource: {arn} because no identity-based policy allows the sagemaker:InvokeEndpoint action"
        ),
    }
    people.allow(role, statement("sagemaker:InvokeEndpoint", f"{BASE}:endpoint/{endpoint}"))
    assert "identity-based" in denied(work.invoke_endpoint, **request)
    people.allow(role, statement("sagemaker:InvokeEndpoint", arn))
    assert work.invoke_endpoint(**request)["Body"].read() == b""
    people.allow(role, statement("sagemaker:InvokeEndpoint", arn), statement("*", Effect="Deny"))
    assert denied(work.invoke_endpoint, **request).endswith(
        "with an explicit deny in an identity-based policy"
    )


@pytest.mark.assumed("notes/permissions.md#resources-of-operations")
def test_whether_an_endpoint_exists_is_nobodys_business(people: People) -> None:
    """Without leave the answer is the same for an endpoint that is not there."""
    denied(
        people.assumed("sagemaker-runtime", people.role()).invoke_endpoint,
        EndpointName="none",
        Body=b"",
    )


@pytest.mark.documented(REFERENCE)
def test_an_invocation_brings_its_condition_keys(
    people: People, sagemaker: Any, endpoint: str
) -> None:
    """The target model and the endpoint's tags."""
    role = people.role(
        statement(
            "sagemaker:InvokeEndpoint",
            Condition={
                "StringLike": {"sagemaker:TargetModel": "house-*"},
                "StringEquals": {"aws:ResourceTag/team": "red"},
            },
        )
    )
    work = people.assumed("sagemaker-runtime", role)
    request = {"EndpointName": endpoint, "Body": b"x", "TargetModel": "house-1.tar.gz"}
    denied(work.invoke_endpoint, **request)
    sagemaker.add_tags(
        ResourceArn=f"{BASE}:endpoint/{endpoint.lower()}", Tags=[{"Key": "team", "Value": "red"}]
    )
    denied(work.invoke_endpoint, **{**request, "TargetModel": "car.tar.gz"})
    assert work.invoke_endpoint(**request)["Body"].read() == b""


def test_the_checks_hold_of_this_cloud(people: People, cloud: LocalCloud, endpoint: str) -> None:
    """What the checks of a lesson demand of an endpoint is what a client sees here."""
    connection = HTTPConnection("127.0.0.1", cloud.port)
    connection.request("POST", f"/endpoints/{endpoint}/invocations", b"x")
    answer = connection.getresponse()
    unsigned = checks.endpoint_refuses_unsigned(
        answer.status, dict(answer.getheaders()), answer.read()
    )
    connection.close()
    assert unsigned.passed, unsigned.detail

    outcomes: list[Any] = []
    for statements in ([statement("sagemaker:InvokeEndpoint")], []):
        work = people.assumed("sagemaker-runtime", people.role(*statements))
        try:
            outcomes.append(work.invoke_endpoint(EndpointName=endpoint, Body=b"x"))
        except ClientError as error:
            outcomes.append(error)
    least = checks.least_privilege_is_enough(
        "sagemaker:InvokeEndpoint", granted=outcomes[0], withheld=outcomes[1]
    )
    assert least.passed, least.detail
