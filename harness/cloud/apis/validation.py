"""A request held against what its method says of parameters and body."""

import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema
from jsonschema.exceptions import SchemaError, UnknownType, ValidationError
from referencing import Registry, Resource
from referencing.exceptions import NoSuchResource, Unresolvable
from referencing.jsonschema import DRAFT4

from harness.cloud.apis.definitions import Method
from harness.cloud.apis.gateway_responses import GatewayError
from harness.cloud.apis.rest_event import RestCall

_EMPTY = "{}"


def validate(call: RestCall) -> None:
    """Raise GatewayError for a request that the method's validator, if it has one, does not let pass."""
    method = call.match.method
    validator = call.stage.api.validators.get(method.validator_id or "")
    if validator is None:
        return
    if validator.parameters and (missing := _missing(call, method)):
        raise GatewayError(
            "BAD_REQUEST_PARAMETERS",
            message=f"Missing required request parameters: [{', '.join(missing)}]",
        )
    if validator.body and not _fits(call, method):
        raise GatewayError("BAD_REQUEST_BODY")


def _missing(call: RestCall, method: Method) -> list[str]:
    missing = []
    for parameter, required in sorted(method.request_parameters.items()):
        place, _, name = parameter.removeprefix("method.request.").partition(".")
        if not required:
            continue
        if place == "header":
            present = bool(call.request.header(name))
        elif place == "querystring":
            present = bool(call.request.parameter(name))
        else:
            present = name in call.match.parameters
        if not present:
            missing.append(name)
    return missing


def _fits(call: RestCall, method: Method) -> bool:
    models = method.request_models
    name = models.get(call.request.media_type or "application/json") or models.get("$default")
    if name is None:
        return True
    try:
        document = json.loads(call.request.body or _EMPTY)
    except (ValueError, RecursionError):
        return False
    return _conforms(document, name, call.stage.api.models)


def _conforms(document: Any, name: str, models: Mapping[str, str]) -> bool:
    """Whether a document is of a model; a model can refer to the API's others by their URLs."""

    def retrieve(uri: str) -> Resource[Any]:
        model = uri.rpartition("/models/")[2]
        if model not in models:
            raise NoSuchResource(uri)
        return Resource.from_contents(_schema(models[model]), default_specification=DRAFT4)

    schema = _schema(models.get(name, _EMPTY))
    registry: Registry[Any] = Registry(retrieve=retrieve)  # type: ignore[call-arg]
    try:
        jsonschema.Draft4Validator.check_schema(schema)
        jsonschema.Draft4Validator(schema, registry=registry).validate(document)
    except (ValidationError, RecursionError):
        return False
    except (SchemaError, UnknownType, Unresolvable, AttributeError, re.error) as error:
        raise GatewayError(
            "API_CONFIGURATION_ERROR", f"the model {name} is no schema: {error}"
        ) from None
    return True


def _schema(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise GatewayError("API_CONFIGURATION_ERROR", "a model is no JSON") from None
