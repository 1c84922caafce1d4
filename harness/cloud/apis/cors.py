"""CORS of an HTTP API, which the gateway itself answers. Pure functions."""

from collections.abc import Iterable

from harness.cloud.apis.definitions import Cors
from harness.cloud.apis.headers import Header
from harness.cloud.apis.requests import ApiRequest

_PREFIX = "access-control-"


def is_preflight(request: ApiRequest) -> bool:
    """Whether a browser asks what it may ask."""
    return (
        request.method == "OPTIONS"
        and request.header("Origin") is not None
        and request.header("Access-Control-Request-Method") is not None
    )


def preflight_headers(cors: Cors, request: ApiRequest) -> list[Header]:
    """The headers of the answer to a preflight; none for an origin that is not allowed."""
    headers = _origin_headers(cors, request)
    if not headers:
        return []
    if cors.allow_methods:
        headers.append(("access-control-allow-methods", ",".join(cors.allow_methods)))
    if cors.allow_headers:
        headers.append(("access-control-allow-headers", ",".join(cors.allow_headers)))
    if cors.max_age is not None:
        headers.append(("access-control-max-age", str(cors.max_age)))
    return headers


def answer_headers(cors: Cors, request: ApiRequest, headers: Iterable[Header]) -> list[Header]:
    """An answer's headers with the gateway's for CORS in place of the integration's."""
    kept = [(name, value) for name, value in headers if not name.lower().startswith(_PREFIX)]
    own = _origin_headers(cors, request)
    if own and cors.expose_headers:
        own.append(("access-control-expose-headers", ",".join(cors.expose_headers)))
    return kept + own


def _origin_headers(cors: Cors, request: ApiRequest) -> list[Header]:
    origin = request.header("Origin")
    if origin is None or not any(_allows(allowed, origin) for allowed in cors.allow_origins):
        return []
    anyone = "*" in cors.allow_origins
    headers = [("access-control-allow-origin", "*" if anyone else origin)]
    if cors.allow_credentials:
        headers.append(("access-control-allow-credentials", "true"))
    return headers


def _allows(allowed: str, origin: str) -> bool:
    if allowed == "*":
        return True
    if allowed.endswith("://*"):
        return origin.lower().startswith(allowed[:-1].lower())
    return allowed.lower() == origin.lower()
