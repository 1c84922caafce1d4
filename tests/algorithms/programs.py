"""The programs of built-in images as child processes, in a directory that stands for /opt/ml."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Files = bytes | Mapping[str, bytes]


@dataclass(frozen=True)
class Ended:
    """A training program that has ended."""

    base: Path
    code: int
    output: str
    errors: str

    @property
    def failure(self) -> str | None:
        """The failure file, None where there is none."""
        path = self.base / "output" / "failure"
        return path.read_text("utf-8") if path.exists() else None

    def values(self, metric: str) -> list[float]:
        """Every value that a regular expression with one group finds in the log."""
        return [float(value) for value in re.findall(metric, self.output)]


def prepare(
    base: Path,
    hyperparameters: Mapping[str, object],
    channels: Mapping[str, Files],
    content_type: str | None = None,
    **configuration: str,
) -> None:
    """Write what the platform writes before it starts a training container."""
    config = base / "input" / "config"
    config.mkdir(parents=True)
    (base / "model").mkdir()
    described = {}
    for name, files in channels.items():
        folder = base / "input" / "data" / name
        folder.mkdir(parents=True)
        for file, content in {"data": files}.items() if isinstance(files, bytes) else files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
        described[name] = {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            **configuration,
        }
        if content_type is not None:
            described[name]["ContentType"] = content_type
    strings = {name: str(value) for name, value in hyperparameters.items()}
    resources = {"current_host": "algo-1", "hosts": ["algo-1"]}
    (config / "hyperparameters.json").write_text(json.dumps(strings))
    (config / "inputdataconfig.json").write_text(json.dumps(described))
    (config / "resourceconfig.json").write_text(json.dumps(resources))


def environment(base: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a container whose /opt/ml is `base`."""
    return {**os.environ, "SAGEMAKER_BASE_DIR": str(base), **(extra or {})}


def command(*arguments: str) -> list[str]:
    """The command line of a built-in image's program."""
    return [sys.executable, "-m", "harness.algorithms", *arguments]


def run(base: Path, *arguments: str) -> Ended:
    """Run a program on a prepared directory to its end."""
    done = subprocess.run(
        command(*arguments), env=environment(base), capture_output=True, text=True, timeout=100
    )
    return Ended(base, done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Served:
    """A serving program that listens."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def connect(self) -> http.client.HTTPConnection:
        """A connection that stays open between requests."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Make one request; underscores in header names stand for dashes."""
        connection = self.connect()
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            return answer(connection)
        finally:
            connection.close()

    def invoke(self, body: bytes, content_type: str, accept: str | None = None) -> Reply:
        """Ask for predictions."""
        headers = {"Content_Type": content_type}
        if accept is not None:
            headers["Accept"] = accept
        return self.ask("POST", "/invocations", body, **headers)

    def end(self) -> tuple[int, str, str]:
        """SIGTERM; then exit code, stdout and stderr."""
        self.process.send_signal(signal.SIGTERM)
        output, errors = self.process.communicate(timeout=60)
        return self.process.returncode, output, errors


def answer(connection: http.client.HTTPConnection) -> Reply:
    """The answer to the request just made."""
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, response.read(), headers)


@contextmanager
def serving(
    base: Path, argv: list[str], extra: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """A serving program on a port that is held bound meanwhile, as an engine does; killed at the end."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        address = {"SAGEMAKER_BIND_TO_HOST": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": str(port)}
        process = subprocess.Popen(
            argv,
            env=environment(base, {**address, **(extra or {})}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _until_listening(process, port)
            yield Served(process, port)
        finally:
            process.kill()
            process.communicate()


def _until_listening(process: subprocess.Popen[str], port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=60).close()
        except ConnectionRefusedError:
            try:
                process.wait(timeout=0.01)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(
                f"it ended instead of listening: {process.communicate()}"
            ) from None
        else:
            return
