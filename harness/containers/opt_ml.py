"""The tree under /opt/ml from outside: written before a container starts, collected when it has ended."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from harness.containers import archives

FAILURE_LENGTH = 1024
"""Characters of the failure file that the platform reads."""
_GROUP = "homogeneousCluster"


def write_training_tree(
    root: Path,
    *,
    hyperparameters: Mapping[str, str],
    input_data_config: Iterable[Mapping[str, Any]] = (),
    input_mode: str = "File",
    instance_type: str,
    hosts: Sequence[str] = ("algo-1",),
    current_host: str = "algo-1",
) -> None:
    """Make what a training container finds at its start, except for the data of the channels.

    `input_data_config` is CreateTrainingJob's; `input_mode` that of its AlgorithmSpecification.
    """
    config = root / "input" / "config"
    for folder in (config, root / "model", root / "output" / "data", root / "checkpoints"):
        folder.mkdir(parents=True, exist_ok=True)
    channels = {channel["ChannelName"]: channel for channel in input_data_config}
    for name in channels:
        channel_folder(root, name).mkdir(parents=True, exist_ok=True)
    _write(config / "hyperparameters.json", dict(hyperparameters))
    _write(
        config / "inputdataconfig.json",
        {name: _channel(channel, input_mode) for name, channel in channels.items()},
    )
    _write(config / "resourceconfig.json", _resources(instance_type, hosts, current_host))


def channel_folder(root: Path, name: str) -> Path:
    """Where a File mode channel's data goes.

    Raises:
        ValueError: the API's pattern lets through two names, `.` and `..`, that no folder can have.
    """
    if name in (".", ".."):
        raise ValueError(f"a channel cannot be called {name!r}")
    return root / "input" / "data" / name


def _channel(channel: Mapping[str, Any], input_mode: str) -> dict[str, str]:
    source = channel["DataSource"].get("S3DataSource", {})
    entry = {
        "ContentType": channel.get("ContentType"),
        "TrainingInputMode": channel.get("InputMode") or input_mode,
        # Its name in the API is S3DataDistributionType.
        "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated",
        "RecordWrapperType": channel.get("RecordWrapperType") or "None",
    }
    return {name: value for name, value in entry.items() if value}


def _resources(instance_type: str, hosts: Sequence[str], current_host: str) -> dict[str, Any]:
    ordered = sorted(hosts)  # as texts: algo-10 comes before algo-2
    group = {
        "instance_group_name": _GROUP,
        "instance_type": instance_type,
        "hosts": ordered,
    }
    return {
        "current_host": current_host,
        "current_instance_type": instance_type,
        "current_group_name": _GROUP,
        "hosts": ordered,
        "instance_groups": [group],
        "network_interface_name": "eth0",
    }


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def training_environment(
    root: Path,
    *,
    job_name: str,
    job_arn: str,
    region: str,
    environment: Mapping[str, str] | None = None,
    platform: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The environment of a training container.

    `environment` is the caller's (CreateTrainingJob.Environment), `platform` what else the platform sets:
    credentials and endpoints. The engine adds SAGEMAKER_BASE_DIR.
    """
    return {
        **_machine(root),
        **_region(region),
        "TRAINING_JOB_NAME": job_name,
        "TRAINING_JOB_ARN": job_arn,
        **(platform or {}),
        **(environment or {}),
    }


def hosting_environment(
    root: Path,
    *,
    region: str,
    environment: Mapping[str, str] | None = None,
    platform: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The environment of a serving container; `environment` is ContainerDefinition.Environment."""
    return {**_machine(root), **_region(region), **(platform or {}), **(environment or {})}


def _region(region: str) -> dict[str, str]:
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def _machine(root: Path) -> dict[str, str]:
    """What an image sets: where programs are, and a home in which nobody's credentials lie."""
    temporary = root / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(root),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
    }


def write_hosting_tree(
    root: Path, model: IO[bytes] | None, limits: archives.Limits | None = None
) -> None:
    """Make what a serving container finds: `model`, a tar.gz, unpacked and read-only.

    Raises:
        ArchiveError: as archives.unpack.
    """
    folder = root / "model"
    folder.mkdir(parents=True, exist_ok=True)
    if model is not None:
        archives.unpack(model, folder, limits or archives.Limits())
    make_read_only(folder)


def make_read_only(folder: Path) -> None:
    """Take the permission to write from everything in `folder` (root may write all the same)."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o555)
    folder.chmod(0o555)


def remove_tree(root: Path) -> None:
    """Remove a container's tree: whatever the program put there, under whatever permissions, however deep."""
    if not root.is_dir():
        return
    root.chmod(0o700)
    try:
        for place, folders, _ in os.walk(root):
            for name in folders:
                path = Path(place, name)
                if not path.is_symlink():
                    path.chmod(0o700)
        shutil.rmtree(root, ignore_errors=True)
    except RecursionError:
        subprocess.run(["rm", "-rf", "--", str(root)], stderr=subprocess.DEVNULL, check=False)


def read_failure(root: Path) -> str | None:
    """The first 1024 characters of output/failure; None if the program left none there."""
    try:
        # It may be anything: a pipe must not hold us up, a link not show us another file.
        descriptor = os.open(
            root / "output" / "failure", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        )
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        text = os.read(descriptor, 4 * FAILURE_LENGTH).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    return text[:FAILURE_LENGTH] or None


def collect_model(root: Path, archive: IO[bytes]) -> bool:
    """Write the model folder as model.tar.gz; False, and nothing written, if it is empty.

    Raises:
        ArchiveError: as archives.pack.
    """
    return _collect(root / "model", archive)


def collect_output(root: Path, archive: IO[bytes]) -> bool:
    """Write output/data as output.tar.gz; False, and nothing written, if it is empty."""
    return _collect(root / "output" / "data", archive)


def _collect(folder: Path, archive: IO[bytes]) -> bool:
    if archives.is_empty(folder):
        return False
    archives.pack(folder, archive)
    return True
