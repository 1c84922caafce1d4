"""Request validators: parameters and bodies, by models that refer to one another."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud.apis.conftest import Answer, RestApi

MakeApi = Callable[..., RestApi]
INVALID = {"message": "Invalid request body"}


def model(api: RestApi, name: str, schema: Any) -> None:
    """A model of an API."""
    api.gateway.create_model(
        restApiId=api.id,
        name=name,
        contentType="application/json",
        schema=schema if isinstance(schema, str) else json.dumps(schema),
    )


def validated(api: RestApi, body: bool = True, parameters: bool = True) -> str:
    """A validator of an API."""
    validator: str = api.gateway.create_request_validator(
        restApiId=api.id,
        name="test-validator",
        validateRequestBody=body,
        validateRequestParameters=parameters,
    )["id"]
    return validator


def post(api: RestApi, body: Any, **headers: str) -> Answer:
    """A POST of JSON, or of raw bytes."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api.call("POST", "/", body=sent, headers=headers)


@pytest.mark.recorded("notes/apis.md#validation")
def test_recorded_parameters(rest_api: MakeApi) -> None:
    """Recorded 10 January 2024: which are missing, in which order; a path parameter that no path has."""
    api = rest_api()
    validator = validated(api)
    for verb, path_parameter in (("POST", "issuer"), ("GET", "test")):
        api.mock(
            verb,
            "/nested/{test}",
            '"passed"',
            requestValidatorId=validator,
            requestParameters={
                f"method.request.path.{path_parameter}": True,
                "method.request.querystring.qs1": True,
                "method.request.header.x-header-param": True,
                "method.request.header.x-optional": False,
            },
        )
    api.deploy()
    answer = api.call("POST", "/nested/value", body=b'{"test": "test"}')
    assert (answer.status, answer.json) == (
        400,
        {"message": "Missing required request parameters: [x-header-param, issuer, qs1]"},
    )
    assert answer.header("x-amzn-errortype") == "BadRequestException"
    answer = api.call("GET", "/nested/value?qs1=test")
    assert answer.json == {"message": "Missing required request parameters: [x-header-param]"}
    answer = api.call("GET", "/nested/value", headers={"X-Header-Param": "test"})
    assert answer.json == {"message": "Missing required request parameters: [qs1]"}
    answer = api.call("GET", "/nested/value?qs1=test", headers={"x-header-param": "test"})
    assert (answer.status, answer.json) == (200, "passed")


NUMBERS = {
    "title": "testSchema",
    "type": "object",
    "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
    "required": ["a", "b"],
}


@pytest.mark.recorded("notes/apis.md#validation")
def test_recorded_bodies(rest_api: MakeApi) -> None:
    """Recorded 10 January 2024: a body that does not fit, none at all, and one that does."""
    api = rest_api()
    model(api, "testSchema", NUMBERS)
    for verb in ("GET", "POST"):
        api.mock(
            verb,
            "/",
            '"passed"',
            requestValidatorId=validated(api, parameters=False),
            requestModels={"application/json": "testSchema"},
        )
    api.deploy()
    for answer in (
        post(api, {"test": "test"}),
        post(api, b"{no json"),
        post(api, b"[" * 100_000),
        api.call("GET"),
        api.call("GET", headers={"Content-Type": "application/json"}),
    ):
        assert (answer.status, answer.json) == (400, INVALID)
    assert post(api, {"a": 1, "b": 2}).json == "passed"
    assert post(api, {"a": 1, "b": 2}, **{"Content-Type": "application/json"}).status == 200
    # No model is for another type.
    assert post(api, b"statusCode: 200", **{"Content-Type": "text/csv"}).status == 200


@pytest.mark.recorded("notes/apis.md#validation")
def test_recorded_models_that_refer_to_another(rest_api: MakeApi) -> None:
    """Recorded 28 October 2024: a list of another model, and null or another model."""
    api = rest_api()
    base = f"https://apigateway.amazonaws.com/restapis/{api.id}/models"
    model(api, "testSchema", NUMBERS)
    model(api, "testSchemaList", {"type": "array", "items": {"$ref": f"{base}/testSchema"}})
    model(
        api,
        "StatusModel",
        {
            "type": "object",
            "properties": {"Status": {"type": "string"}, "Order": {"type": "integer"}},
            "required": ["Status", "Order"],
        },
    )
    either = {"oneOf": [{"type": "null"}, {"$ref": f"{base}/StatusModel"}]}
    model(
        api,
        "TestModel",
        {"type": "object", "properties": {"status": either}, "required": ["status"]},
    )
    validator = validated(api, parameters=False)
    for path, name in (("/list", "testSchemaList"), ("/one", "TestModel")):
        api.mock(
            "POST",
            path,
            '{"data": "ok"}',
            requestValidatorId=validator,
            requestModels={"application/json": name},
        )
    api.deploy()

    def send(path: str, body: Any) -> Answer:
        return api.call("POST", path, body=json.dumps(body).encode())

    assert send("/list", [{"a": 1, "b": 2}]).json == {"data": "ok"}
    assert send("/list", {"a": 1, "b": 2}).json == INVALID
    assert send("/one", {"status": None}).json == {"data": "ok"}
    assert send("/one", {"status": {"Status": "test", "Order": 1}}).json == {"data": "ok"}
    assert send("/one", {}).json == INVALID
    assert send("/one", {"status": {"Status": "test"}}).json == INVALID


@pytest.mark.parametrize(
    "schema",
    [
        "no json",
        '{"type": "nothing"}',
        '{"$ref": "https://apigateway.amazonaws.com/restapis/x/models/Absent"}',
        '{"$ref": "https://elsewhere.example/schema"}',
        '{"properties": 7}',
        "[]",
        '{"$ref": "#/definitions/none"}',
        '{"pattern": "("}',
    ],
)
def test_a_model_that_is_no_schema_is_the_apis_fault(rest_api: MakeApi, schema: str) -> None:
    """500, and nothing is fetched from anywhere."""
    api = rest_api()
    model(api, "wrong", schema)
    api.mock(
        "POST",
        "/",
        requestValidatorId=validated(api),
        requestModels={"application/json": "wrong"},
    )
    api.deploy()
    assert post(api, b'"text"').status == 500


def test_no_validator_no_validation(rest_api: MakeApi) -> None:
    """Required parameters and models without a validator say nothing."""
    api = rest_api()
    model(api, "testSchema", NUMBERS)
    api.mock(
        "POST",
        "/",
        requestParameters={"method.request.querystring.qs1": True},
        requestModels={"application/json": "testSchema"},
    )
    api.deploy()
    assert post(api, {}).status == 200
