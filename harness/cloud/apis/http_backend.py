"""HTTP integrations: the request to a server of this machine.

LIMITATIONS: only addresses of this machine are reached; any other is refused by name, as the local cloud
has no network.
"""

import io
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from harness.cloud.apis.headers import Header, wire_header

if TYPE_CHECKING:
    import aiohttp

# Requests at once, so that an API which calls itself ends in time-outs and not in sockets.
CONNECTIONS = 256
CONNECT_SECONDS = 5.0
STREAMED_BYTES = 512 * 1024
_SAFE = "/:@!$&'()*+,;=-._~%"


class Elsewhere(Exception):
    """The address is not one of this machine."""


class Unreachable(Exception):
    """The server does not take the request, or does not answer it as HTTP. The text says why."""


class AnswerTooLarge(Exception):
    """The answer is longer than an integration's may be."""


@dataclass(frozen=True)
class HttpRequest:
    """A request to a server."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Sequence[tuple[str, str]] = ()
    body: bytes | None = None


@dataclass(frozen=True)
class HttpAnswer:
    """What the server answered."""

    status: int
    headers: Sequence[Header]
    body: bytes


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine, told without asking for any name."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class HttpBackend:
    """Sends the requests of HTTP integrations."""

    def __init__(self, answer_bytes: int) -> None:
        self._answer_bytes = answer_bytes
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: HttpRequest, seconds: float) -> HttpAnswer:
        """The server's answer. Raises Elsewhere, Unreachable, AnswerTooLarge, TimeoutError."""
        import aiohttp
        from yarl import URL

        if not is_local(request.url):
            raise Elsewhere(request.url)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=1.5),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        body = request.body
        headers = {
            name: wire_header(name, value)[1].decode("utf-8")
            for name, value in request.headers.items()
        }
        try:
            async with self._session.request(
                request.method,
                URL(_with_query(request), encoded=True),
                data=io.BytesIO(body) if body and len(body) >= STREAMED_BYTES else body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS),
            ) as answer:
                if not 200 <= answer.status <= 599:
                    raise Unreachable(f"its status is {answer.status}")
                content = await self._read(answer)
                return HttpAnswer(
                    answer.status,
                    [
                        (name.decode("latin-1"), value.decode("utf-8", "replace"))
                        for name, value in answer.raw_headers
                    ],
                    content,
                )
        except (aiohttp.ClientError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise Unreachable(f"{type(error).__name__}: {error}") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _read(self, answer: "aiohttp.ClientResponse") -> bytes:
        content = bytearray()
        async for chunk in answer.content.iter_any():
            content += chunk
            if len(content) > self._answer_bytes:
                raise AnswerTooLarge
        return bytes(content)


def _with_query(request: HttpRequest) -> str:
    """The URL with the query's parameters after its own."""
    url, _, _ = request.url.partition("#")
    url = quote(url, safe=_SAFE + "?[]")
    query = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in request.query
    )
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"
