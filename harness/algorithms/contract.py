"""The container contract of a training job, seen from inside.

What a program finds under /opt/ml, how it says why it failed, and how it is asked to stop. See
docs/notes/first-party-algorithms.md#failures.
"""

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

BASE_DIR = "SAGEMAKER_BASE_DIR"
DEFAULT_BASE = "/opt/ml"


class JobFailure(Exception):
    """A training job fails: `text` goes to the failure file as it is, the program ends with `exit_code`."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.exit_code = exit_code


@dataclass(frozen=True)
class Channel:
    """An entry of inputdataconfig.json, and where its files lie."""

    name: str
    path: Path
    content_type: str | None = None
    input_mode: str = "File"
    s3_distribution_type: str = "FullyReplicated"
    record_wrapper_type: str = "None"
    configuration: Mapping[str, Any] = field(default_factory=dict)
    """The entry as it stands in the file."""

    def files(self) -> list[Path]:
        """Every file of a File mode channel, folders included, in the order of their paths."""
        return sorted(
            Path(folder) / name for folder, _, names in os.walk(self.path) for name in names
        )


@dataclass(frozen=True)
class Resources:
    """resourceconfig.json: the hosts of the job and which of them this is."""

    current_host: str
    hosts: tuple[str, ...]
    configuration: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A training job as its program sees it. `base` stands for /opt/ml."""

    base: Path
    hyperparameters: Mapping[str, str]
    channels: Mapping[str, Channel]
    resources: Resources
    environment: Mapping[str, str]
    version: str | None = None
    """The version of the image, where an algorithm has several."""
    stop_requested: threading.Event = field(default_factory=threading.Event)
    """Set by SIGTERM. A program that sees it saves what it has and returns."""

    @property
    def model_dir(self) -> Path:
        """What becomes model.tar.gz."""
        return self.base / "model"

    @property
    def output_data_dir(self) -> Path:
        """What becomes output.tar.gz."""
        return self.base / "output" / "data"

    @property
    def checkpoint_dir(self) -> Path:
        """What is kept in step with CheckpointConfig.S3Uri."""
        return self.base / "checkpoints"

    @property
    def failure_file(self) -> Path:
        """Its first 1024 characters become the FailureReason."""
        return self.base / "output" / "failure"


def base_dir(environment: Mapping[str, str]) -> Path:
    """The directory that stands for /opt/ml."""
    return Path(environment.get(BASE_DIR) or DEFAULT_BASE)


def read_job(environment: Mapping[str, str] | None = None, *, version: str | None = None) -> Job:
    """Read the job that lies under the base directory.

    JobFailure when a configuration file is missing or is not what the platform writes.
    """
    environment = dict(os.environ) if environment is None else environment
    base = base_dir(environment)
    config = base / "input" / "config"
    hyperparameters = _read_object(config / "hyperparameters.json", required=False)
    for name, value in hyperparameters.items():
        if not isinstance(value, str):
            raise _platform_error(f"hyperparameters.json: the value of {name!r} is no string")
    channels = _read_object(config / "inputdataconfig.json", required=False)
    resources = _read_object(config / "resourceconfig.json", required=True)
    hosts = resources.get("hosts")
    current = resources.get("current_host")
    if not isinstance(hosts, list) or not isinstance(current, str) or current not in hosts:
        raise _platform_error("resourceconfig.json: current_host and hosts do not fit together")
    return Job(
        base=base,
        hyperparameters=hyperparameters,
        channels={name: _channel(base, name, entry) for name, entry in channels.items()},
        resources=Resources(current, tuple(hosts), resources),
        environment=environment,
        version=version,
    )


def _channel(base: Path, name: str, entry: Any) -> Channel:
    if not isinstance(entry, dict):
        raise _platform_error(f"inputdataconfig.json: the channel {name!r} is no object")
    return Channel(
        name=name,
        path=base / "input" / "data" / name,
        content_type=entry.get("ContentType"),
        input_mode=entry.get("TrainingInputMode", "File"),
        s3_distribution_type=entry.get("S3DistributionType", "FullyReplicated"),
        record_wrapper_type=entry.get("RecordWrapperType", "None"),
        configuration=entry,
    )


def _read_object(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        if required:
            raise _platform_error(f"{path.name} is missing") from None
        return {}
    except ValueError as error:
        raise _platform_error(f"{path.name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise _platform_error(f"{path.name} is no JSON object")
    return value


def _platform_error(text: str) -> JobFailure:
    return JobFailure(f"Platform Error: {text}", 3)


def run(
    train: Callable[[Job], None],
    *,
    version: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run a training program over the job under the base directory; the exit code of the container.

    A JobFailure and any other exception are written to the failure file. While it runs, SIGTERM sets
    the job's `stop_requested`; a program that then returns has stopped in good order (exit code 0).
    """
    environment = dict(os.environ) if environment is None else environment
    # Line by line, so that a log shows each line when it is said, whatever stdout is connected to.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
    try:
        job = read_job(environment, version=version)
        with _stopped_by_sigterm(job):
            train(job)
    except JobFailure as failure:
        _write_failure(environment, failure.text)
        return failure.exit_code
    except MemoryError:
        _write_failure(environment, "Algorithm Error: Out of memory.")
        return 1
    except Exception as error:
        # Our own mistake: its place belongs into the log, and one line of it into the FailureReason.
        traceback.print_exc()
        _write_failure(
            environment, f"Algorithm Error: Internal Server Error ({type(error).__name__})"
        )
        return 1
    return 0


@contextmanager
def _stopped_by_sigterm(job: Job) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def request_stop(number: int, frame: FrameType | None) -> None:
        job.stop_requested.set()

    previous = signal.signal(signal.SIGTERM, request_stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _write_failure(environment: Mapping[str, str], text: str) -> None:
    path = base_dir(environment) / "output" / "failure"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        print(f"The failure file cannot be written: {error}", file=sys.stderr)
