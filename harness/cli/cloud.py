"""`harness up`, `env` and `exec`: a local cloud for programs of your own."""

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.cli.pace import checked_pace
from harness.cli.problem import Problem, say
from harness.runs.interruption import SignalReader
from harness.sdk.environment import Environment, local_environment

if TYPE_CHECKING:
    from harness.cloud.local_cloud import LocalCloud

# Exit codes as a shell has them.
NOT_FOUND, NOT_EXECUTABLE, _SIGNALLED = 127, 126, 128


def up(host: str, port: int, seeds: Sequence[str], pace: str, enforce_iam: bool = True) -> None:
    """Run a cloud until SIGINT or SIGTERM."""
    over = threading.Event()
    with (
        SignalReader((signal.SIGINT, signal.SIGTERM), lambda _number: over.set()),
        _cloud(host, port, seeds, pace, enforce_iam) as cloud,
    ):
        print(f"The local cloud is up at {cloud.url} (Ctrl-C ends it).", flush=True)
        print(f'Point a shell at it: eval "$(harness env --url {cloud.url})"', flush=True)
        over.wait()
    print("The local cloud is down.", flush=True)


def env(url: str, region: str) -> None:
    """Print the exports."""
    sys.stdout.write(local_environment(_checked(url), region=region).exports(os.environ))


def execute(
    command: Sequence[str],
    *,
    url: str | None,
    region: str,
    seeds: Sequence[str],
    pace: str,
    speed: float | None,
    enforce_iam: bool = True,
) -> int:
    """Run `command` against the cloud at `url`, or one of its own; the command's exit code as a shell has it."""
    if url is not None and seeds:
        raise Problem(
            "--seed-bucket fills a cloud that this command starts",
            "leave --url or --seed-bucket out",
        )
    if url is not None and not enforce_iam:
        raise Problem(
            "--no-enforce-iam is for a cloud that this command starts",
            "leave it out here, and start the other cloud with it: harness up --no-enforce-iam",
        )
    program = _Program(command)
    with SignalReader((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), program.receive):
        if url is not None:
            environment = local_environment(_checked(url), region=region, speed=speed)
            return program.run(environment)
        if speed is None and pace == "realistic":
            speed = 1
        with _cloud("127.0.0.1", 0, seeds, pace, enforce_iam) as cloud:
            return program.run(local_environment(cloud.url, region=region, speed=speed))


class _Program:
    """The program of `exec`. What is sent to us alone goes to it; before it runs, it ends us."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._received: int | None = None

    def receive(self, number: int) -> None:
        """A signal came. Ctrl-C in a terminal reaches the program without us."""
        with self._lock:
            self._received = number
            if self._child is not None and (number != signal.SIGINT or not _in_foreground()):
                self._child.send_signal(number)

    def run(self, environment: Environment) -> int:
        """Start it and wait for its end; its exit code as a shell has it."""
        try:
            with self._lock:
                if self._received is not None:
                    return _SIGNALLED + self._received
                variables = environment.applied_to(os.environ)
                self._child = subprocess.Popen(self._command, env=variables)
        except FileNotFoundError:
            say(Problem(f"there is no program {self._command[0]!r}", "check its name or its path"))
            return NOT_FOUND
        except OSError as error:
            what = f"{self._command[0]!r} cannot be run: {error.strerror}"
            say(Problem(what, "check the file and its permissions"))
            return NOT_EXECUTABLE
        code = self._child.wait()
        return code if code >= 0 else _SIGNALLED - code


def _in_foreground() -> bool:
    """Whether a terminal sends its signals to our process group, so to the program too."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False


@contextmanager
def _cloud(
    host: str, port: int, seeds: Sequence[str], pace: str, enforce_iam: bool
) -> "Iterator[LocalCloud]":
    folders = [_seed(seed) for seed in seeds]
    chosen = checked_pace(pace)
    from harness.cloud.local_cloud import LocalCloud

    try:
        cloud = LocalCloud(host, port, pace=chosen, enforce_iam=enforce_iam).start()
    except OSError as error:
        raise _not_listening(host, port, error) from None
    try:
        for bucket, folder in folders:
            _fill(cloud, bucket, folder)
        yield cloud
    finally:
        cloud.close()


def _not_listening(host: str, port: int, error: OSError) -> Problem:
    if error.errno == errno.EADDRINUSE:
        return Problem(
            f"port {port} of {host} is in use",
            "choose another with --port, or --port 0 for any that is free",
        )
    return Problem(
        f"cannot listen on {host}, port {port}: {error.strerror or error}",
        "choose an address of this machine with --host and a port above 1023 with --port",
    )


def _seed(seed: str) -> tuple[str, Path]:
    bucket, separator, folder = seed.partition("=")
    if not (separator and bucket and folder):
        raise Problem(
            f"--seed-bucket {seed!r} is not NAME=DIR", "for example: --seed-bucket my-data=./data"
        )
    if not Path(folder).is_dir():
        raise Problem(
            f"there is no folder {folder!r}", "give an existing folder: --seed-bucket NAME=DIR"
        )
    return bucket, Path(folder)


def _fill(cloud: "LocalCloud", bucket: str, folder: Path) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    s3: Any = cloud.client("s3")
    try:
        s3.create_bucket(Bucket=bucket)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            with path.open("rb") as file:
                s3.put_object(Bucket=bucket, Key=path.relative_to(folder).as_posix(), Body=file)
    except (ClientError, BotoCoreError, OSError) as error:
        raise Problem(
            f"bucket {bucket!r} could not be filled from {folder}: {error}",
            "check the bucket's name (3 to 63 of a-z 0-9 . -) and that the files can be read",
        ) from None


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Problem(
            f"{url!r} is no URL of a local cloud", "for example: --url http://127.0.0.1:4580"
        )
    return url.rstrip("/")
