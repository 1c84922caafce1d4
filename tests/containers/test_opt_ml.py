"""The tree under /opt/ml: what is written for a container, and what is collected of it."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from harness.containers import opt_ml
from harness.containers.archives import ArchiveError

TREE = "notes/containers.md#the-training-tree"
GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html"


def channel(name: str, **changes: object) -> dict[str, Any]:
    """A channel as CreateTrainingJob has it."""
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/p"}
    if "distribution" in changes:
        source["S3DataDistributionType"] = str(changes.pop("distribution"))
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **changes}


def configuration(root: Path, name: str) -> Any:
    """One of the JSON files."""
    return json.loads((root / "input" / "config" / f"{name}.json").read_text())


@pytest.mark.documented(GUIDE)
def test_training_tree(tmp_path: Path) -> None:
    """A training container finds its hyperparameters, channels, hosts, and empty folders for results."""
    opt_ml.write_training_tree(
        tmp_path,
        hyperparameters={"epochs": "2", "sagemaker_program": '"träin.py"'},
        input_data_config=[
            channel("train", ContentType="text/csv", distribution="ShardedByS3Key"),
            channel(
                "validation", InputMode="Pipe", RecordWrapperType="RecordIO", CompressionType="None"
            ),
        ],
        instance_type="ml.m5.xlarge",
    )
    assert configuration(tmp_path, "hyperparameters") == {
        "epochs": "2",
        "sagemaker_program": '"träin.py"',
    }
    assert configuration(tmp_path, "inputdataconfig") == {
        "train": {
            "ContentType": "text/csv",
            "TrainingInputMode": "File",
            "S3DistributionType": "ShardedByS3Key",
            "RecordWrapperType": "None",
        },
        "validation": {
            "TrainingInputMode": "Pipe",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "RecordIO",
        },
    }
    folders = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_dir()}
    assert folders == {
        "checkpoints", "input", "input/config", "input/data", "input/data/train", "input/data/validation",
        "model", "output", "output/data",
    }  # fmt: skip


@pytest.mark.documented(TREE)
def test_resource_configuration(tmp_path: Path) -> None:
    """resourceconfig.json has the hosts sorted as texts and the instance group that newer toolkits ask for."""
    hosts = [f"algo-{number}" for number in range(1, 11)]
    opt_ml.write_training_tree(
        tmp_path,
        hyperparameters={},
        instance_type="ml.m5.large",
        hosts=hosts,
        current_host="algo-2",
    )
    ordered = ["algo-1", "algo-10", *hosts[1:-1]]
    assert configuration(tmp_path, "resourceconfig") == {
        "current_host": "algo-2",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "hosts": ordered,
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.m5.large",
                "hosts": ordered,
            }
        ],
        "network_interface_name": "eth0",
    }


@pytest.mark.parametrize("name", [".", ".."])
def test_channel_names_that_are_no_names(tmp_path: Path, name: str) -> None:
    """Two names that the API's pattern lets through would put data elsewhere; they are refused."""
    with pytest.raises(ValueError, match="a channel cannot be called"):
        opt_ml.write_training_tree(
            tmp_path,
            hyperparameters={},
            input_data_config=[channel(name)],
            instance_type="ml.m5.large",
        )


def test_built_in_algorithms_read_it(tmp_path: Path) -> None:
    """What is written is what the built-in algorithms read."""
    from harness.algorithms.contract import read_job

    opt_ml.write_training_tree(
        tmp_path,
        hyperparameters={"a": "1"},
        input_data_config=[channel("train", ContentType="text/csv")],
        instance_type="ml.m5.large",
    )
    job = read_job({"SAGEMAKER_BASE_DIR": str(tmp_path)})
    assert job.hyperparameters == {"a": "1"}
    assert job.channels["train"].content_type == "text/csv"
    assert job.channels["train"].path == opt_ml.channel_folder(tmp_path, "train")
    assert job.resources.hosts == ("algo-1",)


@pytest.mark.assumed("notes/containers.md#region-and-credentials")
def test_training_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job knows its name, ARN and region; the caller's variables count most; the cloud's own are not there."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-cloud")
    monkeypatch.setenv("PATH", "/some/bin")
    environment = opt_ml.training_environment(
        tmp_path,
        job_name="job",
        job_arn="arn:aws:sagemaker:eu-west-1:123456789012:training-job/job",
        region="eu-west-1",
        environment={"MINE": "1", "AWS_REGION": "us-east-1"},
        platform={"AWS_ENDPOINT_URL": "http://127.0.0.1:4580", "MINE": "platform's"},
    )
    assert environment == {
        "PATH": "/some/bin",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path / "tmp"),
        "LANG": "C.UTF-8",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "TRAINING_JOB_NAME": "job",
        "TRAINING_JOB_ARN": "arn:aws:sagemaker:eu-west-1:123456789012:training-job/job",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4580",
        "MINE": "1",
    }
    assert (tmp_path / "tmp").is_dir()


def test_hosting_environment(tmp_path: Path) -> None:
    """A serving container has its region and the model's own variables."""
    environment = opt_ml.hosting_environment(
        tmp_path, region="eu-west-1", environment={"SAGEMAKER_PROGRAM": "inference.py"}
    )
    assert environment["AWS_REGION"] == "eu-west-1"
    assert environment["SAGEMAKER_PROGRAM"] == "inference.py"
    assert "TRAINING_JOB_NAME" not in environment


def model_archive(**files: bytes) -> io.BytesIO:
    """A model.tar.gz."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    archive.seek(0)
    return archive


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"
)
def test_hosting_tree(tmp_path: Path) -> None:
    """A serving container finds the model unpacked, and nobody but root can write to it."""
    opt_ml.write_hosting_tree(tmp_path, model_archive(weights=b"1"))
    assert (tmp_path / "model" / "weights").read_bytes() == b"1"
    for path in (tmp_path / "model", tmp_path / "model" / "weights"):
        assert not path.stat().st_mode & 0o222
    opt_ml.remove_tree(tmp_path)
    assert not tmp_path.exists()


def test_hosting_tree_without_model(tmp_path: Path) -> None:
    """A container without a model finds an empty folder."""
    opt_ml.write_hosting_tree(tmp_path, None)
    assert list((tmp_path / "model").iterdir()) == []


def test_hosting_tree_of_bad_archive(tmp_path: Path) -> None:
    """An archive that cannot be unpacked is an error, and nothing of it stays."""
    with pytest.raises(ArchiveError, match="gzip"):
        opt_ml.write_hosting_tree(tmp_path, io.BytesIO(b"no archive"))
    assert list((tmp_path / "model").iterdir()) == []


def test_deep_and_closed_trees_are_removed(tmp_path: Path) -> None:
    """A tree is removed that is deeper than Python's own functions go, and whose folders are closed."""
    code = (
        "import os\n"
        "os.mkdir('closed'); os.mkdir('closed/inner'); open('closed/inner/file', 'w').close()\n"
        "os.chmod('closed/inner', 0); os.chmod('closed', 0)\n"
        "for _ in range(1200): os.mkdir('d'); os.chdir('d')\n"
    )
    root = tmp_path / "root"
    root.mkdir()
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
    opt_ml.remove_tree(root)
    assert not root.exists()
    opt_ml.remove_tree(root)


def failure(root: Path) -> Path:
    """The place of the failure file."""
    (root / "output").mkdir()
    return root / "output" / "failure"


@pytest.mark.documented(GUIDE)
def test_failure(tmp_path: Path) -> None:
    """The first 1024 characters of the failure file are the reason."""
    failure(tmp_path).write_text("é" * 3000)
    assert opt_ml.read_failure(tmp_path) == "é" * 1024


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", None), (b"a\xffb", "a\ufffdb"), (b" x\n", " x\n")]
)
def test_content_of_failure(tmp_path: Path, content: bytes, reason: str | None) -> None:
    """An empty file gives no reason; what is not UTF-8 is replaced; nothing is trimmed."""
    failure(tmp_path).write_bytes(content)
    assert opt_ml.read_failure(tmp_path) == reason


@pytest.mark.assumed("notes/containers.md#failure-file")
def test_things_in_place_of_failure(tmp_path: Path) -> None:
    """A pipe, a folder, a link or a device in its place gives no reason and holds nobody up."""
    assert opt_ml.read_failure(tmp_path) is None
    path = failure(tmp_path)
    assert opt_ml.read_failure(tmp_path) is None
    os.mkfifo(path)
    assert opt_ml.read_failure(tmp_path) is None
    path.unlink()
    path.mkdir()
    assert opt_ml.read_failure(tmp_path) is None
    path.rmdir()
    (tmp_path / "secret").write_text("secret")
    path.symlink_to(tmp_path / "secret")
    assert opt_ml.read_failure(tmp_path) is None
    path.unlink()
    path.symlink_to("/dev/zero")
    assert opt_ml.read_failure(tmp_path) is None


@pytest.mark.documented("notes/containers.md#model-artifacts")
def test_collecting(tmp_path: Path) -> None:
    """model and output/data are packed, each with names relative to it; what is empty gives nothing."""
    opt_ml.write_training_tree(tmp_path, hyperparameters={}, instance_type="ml.m5.large")
    archive = io.BytesIO()
    assert not opt_ml.collect_model(tmp_path, archive)
    assert not opt_ml.collect_output(tmp_path, archive)
    assert archive.getvalue() == b""
    (tmp_path / "model" / "xgboost-model").write_bytes(b"trees")
    (tmp_path / "output" / "data" / "plots").mkdir()
    for collect, names in (
        (opt_ml.collect_model, ["xgboost-model"]),
        (opt_ml.collect_output, ["plots"]),
    ):
        archive = io.BytesIO()
        assert collect(tmp_path, archive)
        archive.seek(0)
        with tarfile.open(fileobj=archive, mode="r:gz") as tar:
            assert tar.getnames() == names


def test_collecting_what_is_gone(tmp_path: Path) -> None:
    """A program that removed its model folder has no model."""
    assert not opt_ml.collect_model(tmp_path, io.BytesIO())
