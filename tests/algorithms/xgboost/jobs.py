"""Jobs as the platform lays them out, and the real program run over them as a child process."""

import contextlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mlxtend.data import boston_housing_data

from harness.algorithms import contract, xgboost
from harness.formats import csv

Array = npt.NDArray[Any]

BOSTON_ROUNDS = {"num_round": "8", "max_depth": "4", "objective": "reg:squarederror", "seed": "1"}


@cache
def boston() -> tuple[Array, Array]:
    """Boston housing, shuffled: features (506, 13), prices (506,)."""
    features, prices = boston_housing_data()
    order = np.random.default_rng(7).permutation(len(prices))
    return features[order], prices[order]


def boston_csv(start: int, end: int) -> bytes:
    """Rows of Boston housing with their label first."""
    features, prices = boston()
    return csv.dumps(features[start:end], prices[start:end])


@dataclass
class Job:
    """A folder that stands for /opt/ml."""

    base: Path
    channels: dict[str, dict[str, str]] = field(default_factory=dict)

    def channel(self, name: str, files: Mapping[str, bytes], **configuration: str | None) -> "Job":
        """Put files into a channel and the channel into inputdataconfig.json."""
        folder = self.base / "input" / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        entry = {
            "ContentType": "text/csv",
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            **configuration,
        }
        self.channels[name] = {key: value for key, value in entry.items() if value is not None}
        return self

    def write(self, hyperparameters: Mapping[str, str], hosts: Sequence[str] = ("algo-1",)) -> None:
        """Write the configuration files."""
        config = self.base / "input" / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "hyperparameters.json").write_text(json.dumps(dict(hyperparameters)))
        (config / "inputdataconfig.json").write_text(json.dumps(self.channels))
        (config / "resourceconfig.json").write_text(
            json.dumps({"current_host": "algo-1", "hosts": list(hosts)})
        )
        for folder in ("model", "output"):
            (self.base / folder).mkdir(exist_ok=True)

    @property
    def model(self) -> Path:
        """The artifact."""
        return self.base / "model" / "xgboost-model"

    @property
    def failure(self) -> str:
        """The failure file."""
        return (self.base / "output" / "failure").read_text("utf-8")


@dataclass(frozen=True)
class Ended:
    """How the program ended, and what it printed."""

    code: int
    log: str

    @property
    def rounds(self) -> list[str]:
        """The lines of the rounds, as CloudWatch has them."""
        lines = self.log.replace("\t", "#011").splitlines()
        return [line for line in lines if re.match(r"\[\d+\]#011", line)]

    def last(self, metric: str) -> float:
        """The value of `train-rmse` and the like in the last round."""
        found = re.findall(rf"#011{re.escape(metric)}:(\S+?)(?:#011|$)", self.rounds[-1])
        return float(found[0])


def command(version: str, verb: str) -> list[str]:
    """The command line of the program."""
    return [sys.executable, "-m", "harness.algorithms", "xgboost", "--version", version, verb]


def environment(base: Path, **more: str) -> dict[str, str]:
    """What the engine gives a container, little as it is."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    coverage = {name: value for name, value in os.environ.items() if name.startswith("COV")}
    return {**kept, **coverage, "SAGEMAKER_BASE_DIR": str(base), "PYTHONUNBUFFERED": "1", **more}


def run(job: Job, version: str, hyperparameters: Mapping[str, str]) -> Ended:
    """Train, as the container would."""
    job.write(hyperparameters)
    done = subprocess.run(
        command(version, "train"),
        env=environment(job.base),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    return Ended(done.returncode, done.stdout)


def run_here(job: Job, version: str, hyperparameters: Mapping[str, str]) -> Ended:
    """Train in this process: the same path as the program's, without its start."""
    job.write(hyperparameters)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = contract.run(
            xgboost.train, version=version, environment={"SAGEMAKER_BASE_DIR": str(job.base)}
        )
    return Ended(code, printed.getvalue())


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    content_type: str | None
    body: bytes


class Served:
    """A served model."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> Reply:
        """GET."""
        return self._send(urllib.request.Request(self._url + path))

    def invoke(
        self, body: bytes, content_type: str | None = "text/csv", accept: str | None = None
    ) -> Reply:
        """POST /invocations."""
        request = urllib.request.Request(f"{self._url}/invocations", data=body, method="POST")
        # urllib would otherwise name a form as the content type.
        request.add_header("Content-Type", content_type or "")
        if accept is not None:
            request.add_header("Accept", accept)
        return self._send(request)

    def _send(self, request: urllib.request.Request) -> Reply:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Reply(answer.status, answer.headers["Content-Type"], answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.headers["Content-Type"], error.read())


@contextlib.contextmanager
def served(base: Path, version: str, **more: str) -> Iterator[Served]:
    """Serve the model of a job in a child process."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    process = subprocess.Popen(
        command(version, "serve"),
        env=environment(
            base, SAGEMAKER_BIND_TO_HOST="127.0.0.1", SAGEMAKER_BIND_TO_PORT=str(port), **more
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_it_listens(process, port)
        yield Served(port)
    finally:
        process.terminate()
        assert process.wait(30) == 0


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int) -> None:
    while process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    raise AssertionError(f"the program ended with {process.returncode} before it listened")
