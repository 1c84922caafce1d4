"""Clients that send to an endpoint without pause, all in one thread."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.cloud.sagemaker.ground import REGION

CLIENTS = 16


class Crowd:
    """`expected` are the answers that are right at this moment; `refusals` whether anything but 200 is."""

    def __init__(self, url: str, endpoint: str, *, refusals: bool = False) -> None:
        self.expected: frozenset[str] = frozenset()
        self.refusals = refusals
        self._wrong: list[object] = []
        self._answered = 0
        self._over = False
        # Signed once: a signature holds for minutes.
        request = AWSRequest("POST", f"{url}/endpoints/{endpoint}/invocations", data=b"")
        SigV4Auth(Credentials("test", "test"), "sagemaker", REGION).add_auth(request)
        self._url, self._headers = (
            f"{url}/endpoints/{endpoint}/invocations",
            dict(request.headers.items()),
        )

    @contextmanager
    def sending(self) -> Iterator[None]:
        """While this lasts; afterwards each request was answered, and rightly."""
        thread = threading.Thread(target=lambda: asyncio.run(self._send()))
        thread.start()
        try:
            yield
        finally:
            self._over = True
            thread.join()
        assert self._wrong == []
        assert self._answered >= CLIENTS

    async def _send(self) -> None:
        connector = aiohttp.TCPConnector(limit=CLIENTS)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(self._client(session) for _ in range(CLIENTS)))

    async def _client(self, session: aiohttp.ClientSession) -> None:
        while not self._over:
            right = self.expected
            try:
                async with session.post(self._url, headers=self._headers, data=b"") as answer:
                    text = await answer.text()
            except aiohttp.ClientError as error:
                self._wrong.append(error)
                continue
            self._answered += 1
            if answer.status != 200:
                if not self.refusals:
                    self._wrong.append((answer.status, text))
                continue
            # What was right when it was sent, or is by now; and whoever answered says so.
            variant = answer.headers["x-Amzn-Invoked-Production-Variant"]
            if text not in right | self.expected or text.rpartition("/")[2] != variant:
                self._wrong.append((text, variant, right))
