"""Lambda functions by boto3, and a bell by which a function tells a test that it runs."""

import base64
import io
import itertools
import json
import socket
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.cloud.identity.administrators import ACCOUNT, SESSION_ROLE_NAME
from tests.containers.processes import PATIENCE

Client = Callable[..., Any]
OBEDIENT = (Path(__file__).parent / "obedient_function.py").read_text()
RUNTIME = "python3.11"


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A deployment package."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


@dataclass(frozen=True)
class Result:
    """What a caller sees of an invocation."""

    payload: bytes
    status: int
    error: str | None
    version: str | None
    log: list[str]
    request_id: str

    @property
    def json(self) -> Any:
        """The payload, read."""
        return json.loads(self.payload)


class Lambdas:
    """The functions of a cloud, as a user has them."""

    def __init__(self, client: Client, role: str) -> None:
        self.role = role
        # No second try: a test sees what happened.
        config = Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE)
        self.client = client("lambda", config=config)
        self.logs = client("logs")
        self._numbers = itertools.count()
        self._threads = ThreadPoolExecutor(8, "callers")

    def create(self, source: str | Mapping[str, str | bytes] = OBEDIENT, **settings: Any) -> str:
        """Create a function of one module `handler` or of several files; its name."""
        name = settings.pop("FunctionName", None) or f"f{next(self._numbers)}"
        files = {"handler.py": source} if isinstance(source, str) else source
        defaults = {
            "Runtime": RUNTIME,
            "Handler": "handler.handler",
            "Role": self.role,
            "Code": {"ZipFile": zipped(files)},
            "Timeout": 30,
        }
        self.client.create_function(FunctionName=name, **{**defaults, **settings})
        return name

    def layer(self, name: str, files: Mapping[str, str | bytes]) -> str:
        """A new layer version; its ARN."""
        arn: str = self.client.publish_layer_version(
            LayerName=name, Content={"ZipFile": zipped(files)}
        )["LayerVersionArn"]
        return arn

    def update(self, name: str, source: str, **settings: Any) -> Any:
        """Give a function another module `handler`."""
        code = zipped({"handler.py": source})
        return self.client.update_function_code(FunctionName=name, ZipFile=code, **settings)

    def invoke(self, name: str, event: Any = None, **arguments: Any) -> Result:
        """Invoke a function with an event, or with the raw Payload among `arguments`."""
        if "Payload" not in arguments:
            arguments["Payload"] = json.dumps(event)
        answer = self.client.invoke(FunctionName=name, **arguments)
        tail = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
        return Result(
            payload=answer["Payload"].read(),
            status=answer["StatusCode"],
            error=answer.get("FunctionError"),
            version=answer.get("ExecutedVersion"),
            log=tail.splitlines(keepends=True),
            request_id=answer["ResponseMetadata"]["RequestId"],
        )

    def do(self, name: str, what: str, argument: Any = None, **arguments: Any) -> Result:
        """Have the obedient function do something."""
        return self.invoke(name, {"do": what, "with": argument}, **arguments)

    def begin(self, name: str, event: Any = None, **arguments: Any) -> "Future[Result]":
        """Invoke a function in a thread."""
        return self._threads.submit(self.invoke, name, event, **arguments)

    def refusal(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The error with which an invocation is refused."""
        with pytest.raises(ClientError) as caught:
            self.invoke(name, **arguments)
        answer: dict[str, Any] = caught.value.response  # type: ignore[assignment]
        return answer

    def messages(self, name: str) -> list[str]:
        """All of a function's log, stream after stream."""
        group = f"/aws/lambda/{name}"
        streams = self.logs.describe_log_streams(logGroupName=group)["logStreams"]
        return [
            event["message"]
            for stream in streams
            for event in self.logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]

    def close(self) -> None:
        """End the threads that invoke."""
        self._threads.shutdown()


class Call:
    """A function that rang and waits."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.heard = json.loads(line.makefile().read())

    def answer(self, order: Any = None) -> None:
        """Let it go on: with what it shall do, or answer."""
        self._line.sendall(json.dumps(order).encode())
        self._line.close()


class Bell:
    """Functions ring it (`do_ring`), tests wait for that."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)

    def order(self, say: Any = None) -> dict[str, Any]:
        """An event that makes the obedient function ring."""
        return {"do": "ring", "with": {"port": self._listener.getsockname()[1], "say": say}}

    def wait(self) -> Call:
        """The next function that rings."""
        line, _ = self._listener.accept()
        line.settimeout(PATIENCE)
        return Call(line)

    def close(self) -> None:
        """Nobody can ring any more."""
        self._listener.close()


@pytest.fixture(scope="module")
def role(client: Client) -> str:
    """The execution role of functions: the cloud's own, which is there once STS was asked for anything."""
    client("sts").get_caller_identity()
    return f"arn:aws:iam::{ACCOUNT}:role/service-role/{SESSION_ROLE_NAME}"


@pytest.fixture(scope="module")
def lambdas(client: Client, role: str) -> Iterator[Lambdas]:
    """Functions of the module's cloud."""
    lambdas = Lambdas(client, role)
    yield lambdas
    lambdas.close()


@pytest.fixture(scope="module")
def obedient(lambdas: Lambdas) -> str:
    """The obedient function's name."""
    return lambdas.create(FunctionName="obedient")


@pytest.fixture
def bell() -> Iterator[Bell]:
    """A bell."""
    bell = Bell()
    yield bell
    bell.close()
