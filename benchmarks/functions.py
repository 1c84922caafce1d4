"""Lambda functions by boto3: the first invocation of a function, and the next ones."""

import io
import itertools
import json
import time
import zipfile
from typing import Any

from benchmarks.servers import CLOUD, REGION, ministack, running
from benchmarks.table import Row, in_turn

CALLS = 300
_SOURCE = "def handler(event, context):\n    return event\n"
_numbers = itertools.count()


def _client(url: str, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


class _Functions:
    """The functions of one server."""

    def __init__(self, url: str) -> None:
        self._lambda = _client(url, "lambda")
        self._role = _client(url, "iam").create_role(
            RoleName="functions", AssumeRolePolicyDocument="{}"
        )["Role"]["Arn"]

    def create(self) -> str:
        """A function that answers its event, with code of its own."""
        name, package = f"f{next(_numbers)}", io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("handler.py", f"{_SOURCE}# {name}\n")
        self._lambda.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Handler="handler.handler",
            Role=self._role,
            Code={"ZipFile": package.getvalue()},
        )
        self._lambda.get_waiter("function_active_v2").wait(FunctionName=name)
        return name

    def milliseconds(self, name: str) -> float:
        """One invocation."""
        begin = time.perf_counter()
        answer = self._lambda.invoke(FunctionName=name, Payload=b'{"a": 1}')
        payload = json.load(answer["Payload"])
        seconds = time.perf_counter() - begin
        assert payload == {"a": 1}, payload
        return 1000 * seconds

    def cold(self) -> float:
        """The first invocation of a new function."""
        return self.milliseconds(self.create())

    def warm(self, name: str) -> float:
        """The median of many invocations of a function that has been invoked."""
        return sorted(self.milliseconds(name) for _ in range(CALLS))[CALLS // 2]


def measure(runs: int) -> list[Row]:
    """A function that does nothing, in turn with MiniStack's if that is installed."""
    cold, warm = "Lambda: first invocation of a no-op", f"Lambda: warm no-op, p50 of {CALLS}"
    peer = ministack()
    with running(CLOUD) as (url, _):
        ours = _Functions(url)
        if peer is None:
            name = ours.create()
            return [
                Row(cold, "ms", [ours.cold() for _ in range(runs)], goal="< 300"),
                Row(warm, "ms", [ours.warm(name) for _ in range(runs)]),
            ]
        with running(peer) as (peer_url, _):
            theirs = _Functions(peer_url)
            colds = in_turn(ours.cold, theirs.cold, runs)
            name, other = ours.create(), theirs.create()
            warms = in_turn(lambda: ours.warm(name), lambda: theirs.warm(other), runs)
    return [
        Row(cold, "ms", colds[0], peer.name, colds[1], "< 300"),
        Row(warm, "ms", warms[0], peer.name, warms[1], "ratio <= 0.1"),
    ]
