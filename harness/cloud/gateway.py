"""Which service a request is for, told from its signature's scope, its target header and its path."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from harness.cloud.apis import addresses
from harness.cloud.http import Scope, header

_SCOPE = re.compile(r"Credential=[^/,\s]*/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")
_QUERY_SCOPE = re.compile(
    r"X-Amz-Credential=[^/&]*?(?:%2F|/)\d{8}(?:%2F|/)(.+?)(?:%2F|/)(.+?)(?:%2F|/)"
)
_INVOCATIONS = re.compile(
    r"/endpoints/[^/]+/(?:invocations|async-invocations|invocations-response-stream)/?"
)
_LAMBDA_INVOKE = re.compile(
    r"/2015-03-31/functions/[^/]+/invocations"
    r"|/2014-11-13/functions/[^/]+/invoke-async/?"
    r"|/2021-11-15/functions/[^/]+/response-streaming-invocations"
)


class Service(Enum):
    """Who answers."""

    SAGEMAKER = auto()
    SAGEMAKER_RUNTIME = auto()
    LAMBDA_INVOKE = auto()
    EXECUTE_API = auto()
    MOTO = auto()
    MOTO_RESET = auto()
    HEALTH = auto()


@dataclass(frozen=True)
class Destination:
    """A service, and the region and signing name of the request's credential scope if it has one."""

    service: Service
    region: str | None = None
    signing_name: str | None = None


def identify(scope: Scope) -> Destination:
    """Tell who answers a request.

    `sagemaker` and `sagemaker-runtime` both sign as `sagemaker`: path and target tell them apart.
    """
    path, headers = scope["path"], scope["headers"]
    if path == "/_harness/health":
        return Destination(Service.HEALTH)
    if path == "/moto-api/reset" and scope["method"] == "POST":
        return Destination(Service.MOTO_RESET)
    if path.startswith("/moto-api"):
        return Destination(Service.MOTO)
    region, signing_name = _credential_scope(scope)
    # An object of S3 and an operation of API Gateway can have a path like an API's.
    if signing_name not in ("s3", "apigateway") and addresses.find(scope) is not None:
        return Destination(Service.EXECUTE_API, region, signing_name)
    target = header(headers, b"x-amz-target") or ""
    if signing_name == "sagemaker" or (signing_name is None and target.startswith("SageMaker.")):
        service = Service.SAGEMAKER
        if _INVOCATIONS.fullmatch(path):
            service = Service.SAGEMAKER_RUNTIME
        elif path.endswith("/BatchPutMetrics"):
            service = Service.MOTO
        return Destination(service, region, signing_name)
    if signing_name is None and scope["method"] == "POST" and _INVOCATIONS.fullmatch(path):
        return Destination(Service.SAGEMAKER_RUNTIME)
    if signing_name in (None, "lambda") and _LAMBDA_INVOKE.fullmatch(path):
        return Destination(Service.LAMBDA_INVOKE, region, signing_name)
    return Destination(Service.MOTO, region, signing_name)


def _credential_scope(scope: Scope) -> tuple[str | None, str | None]:
    authorization = header(scope["headers"], b"authorization")
    if authorization is not None:
        match = _SCOPE.search(authorization)
    else:
        match = _QUERY_SCOPE.search(scope["query_string"].decode("latin-1"))
    return (match[1], match[2]) if match else (None, None)
