"""What moto's API Gateway gets wrong is right by the time it answers."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloud.apis.conftest import RestApi

MakeApi = Callable[..., RestApi]
Client = Callable[..., Any]

TYPES = st.sampled_from(["image/png", "image/*", "*/*", "application/octet-stream"])


def escaped(media_type: str) -> str:
    """A media type as a JSON pointer has it."""
    return media_type.replace("~", "~0").replace("/", "~1")


@pytest.mark.documented("apigateway:CreateRestApi")
def test_what_creates_answers_201(client: Client) -> None:
    """CreateRestApi and the creations of HTTP APIs; moto's own 201s stay."""
    rest, http = client("apigateway"), client("apigatewayv2")
    api = rest.create_rest_api(name="x")
    assert api["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert rest.get_rest_apis()["ResponseMetadata"]["HTTPStatusCode"] == 200
    made = http.create_api(Name="x", ProtocolType="HTTP")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    stage = http.create_stage(ApiId=made["ApiId"], StageName="a")
    assert stage["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert rest.delete_rest_api(restApiId=api["id"])["ResponseMetadata"]["HTTPStatusCode"] != 201


@pytest.mark.documented("apigateway:UpdateRestApi")
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.lists(TYPES, max_size=2, unique=True),
    operations=st.lists(st.tuples(st.sampled_from(["add", "remove"]), TYPES), max_size=4),
)
def test_binary_media_types_are_kept(
    client: Client, first: list[str], operations: list[tuple[str, str]]
) -> None:
    """As they were created, and as they are added and removed by JSON pointers."""
    gateway = client("apigateway")
    api = gateway.create_rest_api(name="x", binaryMediaTypes=first)
    assert (api.get("binaryMediaTypes") or []) == first
    expected = list(first)
    for operation, media_type in operations:
        if operation == "add" and media_type not in expected:
            expected.append(media_type)
        if operation == "remove" and media_type in expected:
            expected.remove(media_type)
    patch = [{"op": op, "path": f"/binaryMediaTypes/{escaped(t)}"} for op, t in operations]
    patch.append({"op": "replace", "path": "/name", "value": "y"})
    updated = gateway.update_rest_api(restApiId=api["id"], patchOperations=patch)
    kept = gateway.get_rest_api(restApiId=api["id"])
    for answer in (updated, kept):
        assert (answer.get("binaryMediaTypes") or []) == expected
        assert answer["name"] == "y"
    gateway.delete_rest_api(restApiId=api["id"])


@pytest.mark.documented("notes/apis.md#deployments")
def test_deploying_again_leaves_the_stage_alone(rest_api: MakeApi) -> None:
    """Variables and settings of a stage outlive a deployment to it; new variables are added."""
    api = rest_api()
    api.mock("GET", "/")
    first = api.deploy(variables={"a": "1", "b": "2"})
    where = {"restApiId": api.id, "stageName": "test"}
    api.gateway.update_stage(
        **where,
        patchOperations=[
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "7"},
            {"op": "replace", "path": "/description", "value": "kept"},
        ],
    )
    second = api.deploy(variables={"b": "3"})
    stage = api.gateway.get_stage(**where)
    assert first != second == stage["deploymentId"]
    assert stage["variables"] == {"a": "1", "b": "3"}
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 7
    assert stage["description"] == "kept"


def test_errors_of_moto_stay(client: Client) -> None:
    """A deployment without methods, and one of an API that is not there, are refused as before."""
    gateway = client("apigateway")
    api = gateway.create_rest_api(name="x")
    with pytest.raises(gateway.exceptions.BadRequestException, match="doesn't contain any methods"):
        gateway.create_deployment(restApiId=api["id"], stageName="a")
    with pytest.raises(gateway.exceptions.NotFoundException):
        gateway.create_deployment(restApiId="absent", stageName="a")
    with pytest.raises(gateway.exceptions.NotFoundException):
        gateway.update_rest_api(restApiId="absent", patchOperations=[])
