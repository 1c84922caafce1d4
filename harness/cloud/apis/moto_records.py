"""moto's records of APIs, read into ours. moto's lock is held by whoever calls."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness.cloud.apis.definitions import (
    ApiKey,
    Authorizer,
    Cors,
    GatewayResponse,
    HttpApi,
    HttpStage,
    Integration,
    IntegrationResponse,
    Method,
    Quota,
    Resource,
    RestApi,
    RestStage,
    Route,
    Throttle,
    UsagePlan,
    Validator,
)

# Where a deployment of moto's carries what it serves: the answer to CreateDeployment puts it there.
SNAPSHOT = "harness_snapshot"
DEFAULT_AUTHORIZER_SECONDS = 300


def rest_stage(api: Any, stage: Any) -> RestStage:
    """A stage and the snapshot of its deployment; one made behind our back serves the API as it is now."""
    deployment = api.deployments.get(stage.deployment_id)
    snapshot = getattr(deployment, SNAPSHOT, None)
    return RestStage(
        name=stage.name,
        deployment_id=stage.deployment_id or "",
        api=snapshot or rest_api(api),
        variables=dict(stage.variables or {}),
        throttles={
            path: Throttle(
                settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit")
            )
            for path, settings in stage.method_settings.items()
        },
    )


def rest_api(api: Any) -> RestApi:
    """A REST API as it is at this moment."""
    return RestApi(
        resources=tuple(
            Resource(
                resource.id,
                resource.get_path(),
                {verb: _method(method) for verb, method in resource.resource_methods.items()},
            )
            for resource in api.resources.values()
        ),
        authorizers={a.id: _rest_authorizer(a) for a in api.authorizers.values()},
        validators={
            v.id: Validator(bool(v.validate_request_body), bool(v.validate_request_parameters))
            for v in api.request_validators.values()
        },
        models={model.name: model.schema or "{}" for model in api.models.values()},
        gateway_responses={
            kind: GatewayResponse(
                str(r.status_code) if r.status_code else None,
                dict(r.response_parameters or {}),
                dict(r.response_templates or {}),
            )
            for kind, r in api.gateway_responses.items()
        },
        binary_media_types=tuple(api.binaryMediaTypes or ()),
        api_key_source=api.api_key_source or "HEADER",
        policy=_policy(api.policy),
    )


def _policy(policy: Any) -> str | None:
    return json.dumps(policy) if isinstance(policy, Mapping) else policy or None


def _method(method: Any) -> Method:
    return Method(
        verb=method.http_method,
        authorization=method.authorization_type or "NONE",
        authorizer_id=method.authorizer_id,
        api_key_required=bool(method.api_key_required),
        operation_name=method.operation_name,
        validator_id=method.request_validator_id or None,
        request_parameters={
            name: _is_true(required) for name, required in (method.request_parameters or {}).items()
        },
        request_models=dict(method.request_models or {}),
        integration=method.method_integration and _rest_integration(method.method_integration),
    )


def _is_true(value: object) -> bool:
    return value is True or str(value).lower() == "true"


def _rest_integration(integration: Any) -> Integration:
    millis = integration.timeout_in_millis
    return Integration(
        type=integration.integration_type,
        uri=integration.uri,
        http_method=integration.http_method,
        request_parameters=_texts(integration.request_parameters),
        request_templates=_texts(integration.request_templates),
        passthrough=integration.passthrough_behaviour or "WHEN_NO_MATCH",
        content_handling=integration.content_handling,
        credentials=integration.credentials,
        timeout_millis=int(millis) if millis else None,
        connection_type=integration.connection_type,
        responses=tuple(
            IntegrationResponse(
                str(response.status_code),
                response.selection_pattern or None,
                _texts(response.response_parameters),
                _texts(response.response_templates),
                response.content_handling,
            )
            for response in (integration.integration_responses or {}).values()
        ),
    )


def _texts(mapping: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: value for name, value in (mapping or {}).items() if value is not None}


def _rest_authorizer(authorizer: Any) -> Authorizer:
    ttl = authorizer.authorizer_result_ttl
    return Authorizer(
        id=authorizer.id,
        type=authorizer.type,
        uri=authorizer.authorizer_uri,
        identity_source=tuple(
            source.strip()
            for source in (authorizer.identity_source or "").split(",")
            if source.strip()
        ),
        identity_expression=authorizer.identity_validation_expression,
        ttl_seconds=DEFAULT_AUTHORIZER_SECONDS if ttl is None else int(ttl),
        credentials=authorizer.authorizer_credentials,
    )


def api_key(backend: Any, key: Any, api_id: str, stage: str) -> ApiKey:
    """A key, and the usage plan through which it opens a stage."""
    for plan in backend.usage_plans.values():
        for entry in plan.api_stages:
            serves = entry.get("apiId") == api_id and entry.get("stage") == stage
            if serves and key.id in backend.usage_plan_keys.get(plan.id, {}):
                return ApiKey(key.id, bool(key.enabled), _plan(plan, entry.get("throttle") or {}))
    return ApiKey(key.id, bool(key.enabled), None)


def _plan(plan: Any, of_methods: Mapping[str, Mapping[str, Any]]) -> UsagePlan:
    quota = plan.quota or {}
    return UsagePlan(
        plan.id,
        _throttle(plan.throttle or {}, "rateLimit", "burstLimit"),
        Quota(int(quota["limit"]), str(quota["period"]), int(quota.get("offset") or 0))
        if quota.get("limit") and quota.get("period")
        else None,
        {
            method: _throttle(settings, "rateLimit", "burstLimit")
            for method, settings in of_methods.items()
        },
    )


def _throttle(settings: Mapping[str, Any], rate: str, burst: str) -> Throttle:
    return Throttle(
        float(settings[rate]) if settings.get(rate) is not None else None,
        int(settings[burst]) if settings.get(burst) is not None else None,
    )


def http_api(api: Any) -> HttpApi:
    """An HTTP API as it is at this moment."""
    integrations = {f"integrations/{i.id}": i for i in api.integrations.values()}
    return HttpApi(
        routes=tuple(
            Route(
                route.route_key,
                route.authorization_type or "NONE",
                route.authorizer_id,
                route.operation_name,
                _http_integration(integrations[route.target])
                if route.target in integrations
                else None,
            )
            for route in api.routes.values()
        ),
        authorizers={a.id: _http_authorizer(a) for a in api.authorizers.values()},
        cors=_cors(api.cors_configuration) if api.cors_configuration else None,
    )


def _http_integration(integration: Any) -> Integration:
    return Integration(
        type=integration.integration_type,
        uri=integration.integration_uri,
        http_method=integration.integration_method,
        request_parameters=_texts(integration.request_parameters),
        credentials=integration.credentials_arn,
        timeout_millis=integration.timeout_in_millis,
        connection_type=integration.connection_type,
        subtype=integration.integration_subtype,
        payload_version=integration.payload_format_version or "1.0",
        responses=tuple(
            IntegrationResponse(str(status), None, _texts(parameters))
            for status, parameters in (integration.response_parameters or {}).items()
        ),
    )


def _http_authorizer(authorizer: Any) -> Authorizer:
    source = authorizer.identity_source or ()
    return Authorizer(
        id=authorizer.id,
        type=authorizer.authorizer_type,
        uri=authorizer.authorizer_uri,
        identity_source=(source,) if isinstance(source, str) else tuple(source),
        ttl_seconds=int(authorizer.auth_result_ttl or 0),
        credentials=authorizer.auth_creds_arn,
        version=authorizer.auth_payload_format_version or "2.0",
        simple=bool(authorizer.enable_simple_response),
    )


def _cors(configuration: Mapping[str, Any]) -> Cors:
    def texts(name: str) -> tuple[str, ...]:
        return tuple(configuration.get(name) or ())

    max_age = configuration.get("maxAge")
    return Cors(
        allow_origins=texts("allowOrigins"),
        allow_methods=texts("allowMethods"),
        allow_headers=texts("allowHeaders"),
        expose_headers=texts("exposeHeaders"),
        max_age=None if max_age is None else int(max_age),
        allow_credentials=bool(configuration.get("allowCredentials")),
    )


def http_stage(stage: Any) -> HttpStage:
    """A stage of an HTTP API."""
    throttles: dict[str, Throttle] = {}
    settings: Iterable[tuple[str, Mapping[str, Any]]] = [
        *(stage.route_settings or {}).items(),
        ("*", stage.default_route_settings or {}),
    ]
    for key, values in settings:
        throttle = _throttle(values, "throttlingRateLimit", "throttlingBurstLimit")
        if throttle != Throttle():
            throttles[key] = throttle
    return HttpStage(stage.name, dict(stage.stage_variables or {}), throttles)
