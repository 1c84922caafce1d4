"""What an API is when it is called: frozen records, so that a deployment keeps what it was made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Texts: TypeAlias = Mapping[str, str]


@dataclass(frozen=True)
class IntegrationResponse:
    """What becomes of an integration's answer that `selection_pattern` matches; None: of any other."""

    status_code: str
    selection_pattern: str | None = None
    parameters: Texts = field(default_factory=dict)
    templates: Texts = field(default_factory=dict)
    content_handling: str | None = None


@dataclass(frozen=True)
class Integration:
    """What stands behind a method or a route. `payload_version` is that of an HTTP API's Lambda event."""

    type: str
    uri: str | None = None
    http_method: str | None = None
    request_parameters: Texts = field(default_factory=dict)
    request_templates: Texts = field(default_factory=dict)
    passthrough: str = "WHEN_NO_MATCH"
    content_handling: str | None = None
    credentials: str | None = None
    timeout_millis: int | None = None
    connection_type: str | None = None
    subtype: str | None = None
    payload_version: str = "1.0"
    responses: tuple[IntegrationResponse, ...] = ()


@dataclass(frozen=True)
class Authorizer:
    """Who says whether a request may pass. `version` and `simple` are an HTTP API's."""

    id: str
    type: str
    uri: str | None = None
    identity_source: tuple[str, ...] = ()
    identity_expression: str | None = None
    ttl_seconds: int = 300
    credentials: str | None = None
    version: str = "1.0"
    simple: bool = False


@dataclass(frozen=True)
class Validator:
    """What of a request is held against the method's description."""

    body: bool
    parameters: bool


@dataclass(frozen=True)
class Method:
    """One verb of a resource. `request_parameters` maps `method.request.<where>.<name>` to `required`."""

    verb: str
    authorization: str = "NONE"
    authorizer_id: str | None = None
    api_key_required: bool = False
    operation_name: str | None = None
    validator_id: str | None = None
    request_parameters: Mapping[str, bool] = field(default_factory=dict)
    request_models: Texts = field(default_factory=dict)
    integration: Integration | None = None


@dataclass(frozen=True)
class Resource:
    """A path of a REST API with its methods by verb (ANY is one)."""

    id: str
    path: str
    methods: Mapping[str, Method] = field(default_factory=dict)


@dataclass(frozen=True)
class GatewayResponse:
    """What the API's owner made of one kind of error; `status_code` None leaves it as it is."""

    status_code: str | None
    parameters: Texts = field(default_factory=dict)
    templates: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class RestApi:
    """A REST API as a deployment serves it; models by name, the rest by id or kind."""

    resources: tuple[Resource, ...]
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)
    validators: Mapping[str, Validator] = field(default_factory=dict)
    models: Texts = field(default_factory=dict)
    gateway_responses: Mapping[str, GatewayResponse] = field(default_factory=dict)
    binary_media_types: tuple[str, ...] = ()
    api_key_source: str = "HEADER"
    policy: str | None = None


@dataclass(frozen=True)
class Throttle:
    """How fast (requests a second) and in what burst; None is no limit of its own."""

    rate: float | None = None
    burst: int | None = None


@dataclass(frozen=True)
class Quota:
    """How many requests in a DAY, WEEK or MONTH; `offset` of them are gone in the first period."""

    limit: int
    period: str
    offset: int = 0


@dataclass(frozen=True)
class UsagePlan:
    """What the holders of a plan's keys may use; `throttles` by `<path>/<verb>` are those of single methods."""

    id: str
    throttle: Throttle = Throttle()
    quota: Quota | None = None
    throttles: Mapping[str, Throttle] = field(default_factory=dict)


@dataclass(frozen=True)
class ApiKey:
    """A key, and the usage plan that opens this stage to it (None if no plan does)."""

    id: str
    enabled: bool
    plan: UsagePlan | None


@dataclass(frozen=True)
class RestStage:
    """A stage and what it serves. `throttles` by `<path>/<verb>` as UpdateStage writes it, `*/*` for all."""

    name: str
    deployment_id: str
    api: RestApi
    variables: Texts = field(default_factory=dict)
    throttles: Mapping[str, Throttle] = field(default_factory=dict)


@dataclass(frozen=True)
class Cors:
    """An HTTP API's CORS configuration."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: int | None = None
    allow_credentials: bool = False


@dataclass(frozen=True)
class Route:
    """A route of an HTTP API: `GET /pets/{id}`, `ANY /{proxy+}` or `$default`."""

    key: str
    authorization: str = "NONE"
    authorizer_id: str | None = None
    operation_name: str | None = None
    integration: Integration | None = None


@dataclass(frozen=True)
class HttpApi:
    """An HTTP API as its stages serve it."""

    routes: tuple[Route, ...]
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)
    cors: Cors | None = None


@dataclass(frozen=True)
class HttpStage:
    """A stage of an HTTP API; `throttles` by route key, `*` for those without one."""

    name: str
    variables: Texts = field(default_factory=dict)
    throttles: Mapping[str, Throttle] = field(default_factory=dict)


@dataclass(frozen=True)
class Owner:
    """Whose API it is, and where."""

    account: str
    region: str
    api_id: str


@dataclass(frozen=True)
class FoundRest:
    """A REST API that exists: the stage that was asked for, None if there is no such stage."""

    owner: Owner
    stage: RestStage | None
    disabled: bool = False


@dataclass(frozen=True)
class FoundHttp:
    """An HTTP API that exists, and its stages by name."""

    owner: Owner
    api: HttpApi
    stages: Mapping[str, HttpStage]
    disabled: bool = False


Found: TypeAlias = FoundRest | FoundHttp
