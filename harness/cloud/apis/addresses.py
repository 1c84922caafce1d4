"""The URLs of APIs: which API a request calls, and the path that it would have on AWS.

AWS gives each API a host, `<id>.execute-api.<region>.amazonaws.com`. Here the host may end in anything; since
few machines resolve such names, the API can also stand in the path, in either form that LocalStack has.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from harness.cloud.http import header

_HOST = re.compile(r"(?P<id>[a-z0-9]+)\.execute-api\.", re.IGNORECASE)
_STAGE_FIRST = re.compile(r"/_aws/execute-api/(?P<id>[^/]+)(?P<path>/.*|)", re.DOTALL)
_USER_REQUEST = re.compile(
    r"/restapis/(?P<id>[^/]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*|)", re.DOTALL
)


@dataclass(frozen=True)
class Address:
    """An API and the path of a request to it, as it was sent: percent-encoded, with the stage in front."""

    api_id: str
    path: str

    @property
    def first_segment(self) -> str:
        """The path's first part, decoded: a stage, unless an HTTP API serves its `$default` one."""
        return unquote(self.path.lstrip("/").partition("/")[0])

    @property
    def after_first_segment(self) -> str:
        """What follows it, beginning with a slash or empty."""
        _, slash, rest = self.path.lstrip("/").partition("/")
        return slash + rest

    @property
    def resource_path(self) -> str:
        """What follows the stage, as a REST API looks it up: with one slash in front."""
        return "/" + self.after_first_segment.lstrip("/")


def find(scope: Mapping[str, Any]) -> Address | None:
    """The API that a request's host or path names; None if it names none. Any such API need not exist."""
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else scope["path"]
    host = _HOST.match(header(scope["headers"], b"host") or "")
    if host:
        return Address(host["id"].lower(), path)
    if match := _STAGE_FIRST.fullmatch(path):
        return Address(match["id"], match["path"])
    if match := _USER_REQUEST.fullmatch(path):
        return Address(match["id"], f"/{match['stage']}{match['path']}")
    return None
