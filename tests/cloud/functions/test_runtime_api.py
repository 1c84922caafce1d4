"""The Runtime API, spoken by a process that does not keep to the rules."""

import asyncio
import http.client
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cloud.functions.runtime_api import Event, RuntimeApi

ROOT = "/2018-06-01/runtime/"
PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"
LARGEST = 1000


class Heard:
    """A runtime that remembers what it was told; it has asked for the request `known`."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.asked = asyncio.Event()

    def waits(self) -> None:
        """It asks."""
        self.asked.set()

    def answered(self, request_id: str, payload: bytes | None) -> bool:
        """It answers."""
        self.told.append(("answered", request_id, payload))
        return request_id == "known"

    def failed(self, request_id: str, payload: bytes) -> bool:
        """It fails."""
        self.told.append(("failed", request_id, payload))
        return request_id == "known"

    def not_initialized(self, payload: bytes) -> None:
        """It cannot be loaded."""
        self.told.append(("not initialized", payload))


Ask = Callable[..., Awaitable[tuple[int, dict[str, str], bytes]]]


def with_api(play: Callable[[RuntimeApi, Heard, Ask], Awaitable[None]]) -> None:
    """Run a play against a Runtime API."""

    async def run() -> None:
        heard = Heard()
        api = RuntimeApi(heard, LARGEST)
        await api.open()

        def ask(method: str, path: str, body: bytes | None = None) -> Any:
            connection = http.client.HTTPConnection(api.address, timeout=30)
            try:
                connection.request(method, path, body)
                answer = connection.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            finally:
                connection.close()

        try:
            await play(api, heard, lambda *arguments: asyncio.to_thread(ask, *arguments))
        finally:
            api.close()

    asyncio.run(run())


@pytest.mark.documented(PAGE)
def test_next_before_and_after_the_event() -> None:
    """`next` waits for the event, or the event for `next`; each event is delivered once."""

    async def play(api: RuntimeApi, heard: Heard, ask: Ask) -> None:
        taken: list[str] = []
        asking = asyncio.ensure_future(ask("GET", f"{ROOT}invocation/next"))
        await heard.asked.wait()
        api.offer(
            Event("1", {"Lambda-Runtime-Aws-Request-Id": "1"}, b"{}", lambda: taken.append("1"))
        )
        status, headers, body = await asking
        assert (status, headers["Lambda-Runtime-Aws-Request-Id"], body) == (200, "1", b"{}")
        api.offer(Event("2", {}, b"[]", lambda: taken.append("2")))
        assert taken == ["1"]
        assert (await ask("GET", f"{ROOT}invocation/next"))[2] == b"[]"
        assert taken == ["1", "2"]

    with_api(play)


@pytest.mark.documented(PAGE)
@pytest.mark.parametrize("what", ["response", "error"])
def test_answers(what: str) -> None:
    """An answer is accepted for the request that is asked for, and for no other."""

    async def play(api: RuntimeApi, heard: Heard, ask: Ask) -> None:
        status, _, body = await ask("POST", f"{ROOT}invocation/known/{what}", b"1")
        assert (status, json.loads(body)) == (202, {"status": "OK"})
        status, _, body = await ask("POST", f"{ROOT}invocation/unknown/{what}", b"1")
        assert (status, json.loads(body)["errorType"]) == (400, "InvalidRequestID")
        status, _, body = await ask("POST", f"{ROOT}invocation/known/{what}", b"x" * (LARGEST + 1))
        assert (status, json.loads(body)["errorType"]) == (413, "RequestEntityTooLarge")
        assert heard.told[-1] == ("answered", "known", None)
        assert (await ask("POST", f"{ROOT}invocation/known/{what}", b"x" * LARGEST))[0] == 202

    with_api(play)


@pytest.mark.documented(PAGE)
def test_init_error() -> None:
    """A process may say that it cannot be loaded."""

    async def play(api: RuntimeApi, heard: Heard, ask: Ask) -> None:
        assert (await ask("POST", f"{ROOT}init/error", b"{}"))[0] == 202
        assert heard.told == [("not initialized", b"{}")]

    with_api(play)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", f"{ROOT}invocation/next"),
        ("GET", f"{ROOT}invocation/known/response"),
        ("POST", f"{ROOT}invocation/known/other"),
        ("POST", f"{ROOT}invocation"),
        ("GET", f"{ROOT}restore/next"),
    ],
)
def test_other_paths(method: str, path: str) -> None:
    """What is no operation is not found."""

    async def play(api: RuntimeApi, heard: Heard, ask: Ask) -> None:
        assert (await ask(method, path, b"" if method == "POST" else None))[0] == 404
        assert heard.told == []

    with_api(play)


@settings(max_examples=30)
@given(data=st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Bytes that are no HTTP end their connection; the next one is served."""

    async def play(api: RuntimeApi, heard: Heard, ask: Ask) -> None:
        host, _, port = api.address.partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(data)
        writer.close()
        assert (await ask("POST", f"{ROOT}init/error", b"{}"))[0] == 202

    with_api(play)


def test_an_asker_that_goes_away() -> None:
    """An event is not lost to a connection that has ended: it waits for the next one that asks."""

    async def play(api: RuntimeApi, heard: Heard, ask: Ask) -> None:
        host, _, port = api.address.partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {ROOT}invocation/next HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await heard.asked.wait()
        writer.close()
        while api.connections:  # until the server has seen it, too
            await asyncio.sleep(0)
        api.offer(Event("1", {}, b"{}", lambda: None))
        assert (await ask("GET", f"{ROOT}invocation/next"))[2] == b"{}"

    with_api(play)
