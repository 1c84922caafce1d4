"""The container contract from inside: configuration read, failures written, SIGTERM heeded."""

import io
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from harness.algorithms import contract
from harness.algorithms.contract import Job, JobFailure
from tests.algorithms import programs

PAGE = (
    "https://docs.aws.amazon.com/sagemaker/latest/dg/"
    "your-algorithms-training-algo-running-container.html"
)


def environment(base: Path) -> dict[str, str]:
    """What a program under `base` gets."""
    return {"SAGEMAKER_BASE_DIR": str(base)}


@pytest.mark.documented(PAGE)
def test_a_job_is_read_as_the_platform_writes_it(tmp_path: Path) -> None:
    """Hyperparameters, channels with their configuration, hosts and directories."""
    programs.prepare(
        tmp_path, {"a": 1}, {"train": {"x/2": b"", "1": b""}}, "text/csv", S3DistributionType="Y"
    )
    job = contract.read_job(environment(tmp_path), version="1.7-1")
    assert job.hyperparameters == {"a": "1"}
    channel = job.channels["train"]
    assert (channel.content_type, channel.input_mode) == ("text/csv", "File")
    assert (channel.s3_distribution_type, channel.record_wrapper_type) == ("Y", "None")
    assert [str(file.relative_to(channel.path)) for file in channel.files()] == ["1", "x/2"]
    assert (job.resources.current_host, job.resources.hosts) == ("algo-1", ("algo-1",))
    assert job.version == "1.7-1"
    assert job.model_dir == tmp_path / "model"
    assert job.output_data_dir == tmp_path / "output" / "data"
    assert job.checkpoint_dir == tmp_path / "checkpoints"
    assert job.failure_file == tmp_path / "output" / "failure"


def test_without_a_base_directory_it_is_opt_ml() -> None:
    """The contract's own directory is the default, also for an empty variable."""
    assert contract.base_dir({}) == Path("/opt/ml")
    assert contract.base_dir({"SAGEMAKER_BASE_DIR": ""}) == Path("/opt/ml")


def test_a_job_may_have_no_channels_and_no_hyperparameters(tmp_path: Path) -> None:
    """Both files may be missing; the hosts may not."""
    programs.prepare(tmp_path, {}, {})
    (tmp_path / "input/config/hyperparameters.json").unlink()
    (tmp_path / "input/config/inputdataconfig.json").unlink()
    job = contract.read_job(environment(tmp_path))
    assert (job.hyperparameters, job.channels) == ({}, {})
    (tmp_path / "input/config/resourceconfig.json").unlink()
    with pytest.raises(JobFailure, match=r"resourceconfig\.json is missing"):
        contract.read_job(environment(tmp_path))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("hyperparameters.json", "{"),
        ("hyperparameters.json", "[]"),
        ("hyperparameters.json", '{"a": 1}'),
        ("inputdataconfig.json", '{"train": "x"}'),
        ("resourceconfig.json", "{}"),
        ("resourceconfig.json", '{"hosts": ["a"], "current_host": "b"}'),
    ],
)
def test_a_broken_configuration_is_a_platform_error(
    tmp_path: Path, file: str, content: str
) -> None:
    """What the platform would never write fails the job with exit code 3 and names the file."""
    programs.prepare(tmp_path, {}, {})
    (tmp_path / "input" / "config" / file).write_text(content)
    assert contract.run(lambda job: None, environment=environment(tmp_path)) == 3
    failure = (tmp_path / "output" / "failure").read_text()
    assert failure.startswith(f"Platform Error: {file}")


@pytest.mark.documented(PAGE)
def test_success_is_exit_code_0_and_no_failure_file(tmp_path: Path) -> None:
    """A program that returns has succeeded."""
    programs.prepare(tmp_path, {}, {})
    seen: list[Job] = []
    assert contract.run(seen.append, environment=environment(tmp_path), version="2") == 0
    assert seen[0].version == "2"
    assert not seen[0].failure_file.exists()


@pytest.mark.documented(PAGE)
def test_a_failure_is_written_and_decides_the_exit_code(tmp_path: Path) -> None:
    """The text of a JobFailure is the failure file, whole and unchanged."""
    programs.prepare(tmp_path, {}, {})

    def fail(job: Job) -> None:
        raise JobFailure("Customer Error: größer\n\nCaused by: x", 2)

    assert contract.run(fail, environment=environment(tmp_path)) == 2
    text = (tmp_path / "output" / "failure").read_text("utf-8")
    assert text == "Customer Error: größer\n\nCaused by: x"


def test_a_mistake_of_ours_is_one_line_for_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unexpected exception is exit code 1; its traceback is in the log only."""
    programs.prepare(tmp_path, {}, {})

    def fail(job: Job) -> None:
        raise ZeroDivisionError("secret")

    assert contract.run(fail, environment=environment(tmp_path)) == 1
    text = (tmp_path / "output" / "failure").read_text()
    assert text == "Algorithm Error: Internal Server Error (ZeroDivisionError)"
    assert "secret" in capsys.readouterr().err


def test_running_out_of_memory_says_so(tmp_path: Path) -> None:
    """A MemoryError is told as one."""
    programs.prepare(tmp_path, {}, {})

    def fail(job: Job) -> None:
        raise MemoryError

    assert contract.run(fail, environment=environment(tmp_path)) == 1
    assert "Out of memory" in (tmp_path / "output" / "failure").read_text()


def test_a_failure_that_cannot_be_written_still_has_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the failure file cannot be made, the log says so."""
    programs.prepare(tmp_path, {}, {})
    (tmp_path / "output").write_text("in the way")

    def fail(job: Job) -> None:
        raise JobFailure("x", 2)

    assert contract.run(fail, environment=environment(tmp_path)) == 2
    assert "The failure file cannot be written" in capsys.readouterr().err


@pytest.mark.documented(PAGE)
def test_sigterm_asks_the_program_to_stop(tmp_path: Path) -> None:
    """SIGTERM sets `stop_requested`; afterwards the signal has its old meaning again."""
    programs.prepare(tmp_path, {}, {})
    before = signal.getsignal(signal.SIGTERM)

    def train(job: Job) -> None:
        assert not job.stop_requested.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert job.stop_requested.wait(60)

    assert contract.run(train, environment=environment(tmp_path)) == 0
    assert signal.getsignal(signal.SIGTERM) == before


def test_lines_are_flushed_as_they_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line is on its way before the next begins, whatever stdout is connected to."""
    programs.prepare(tmp_path, {}, {})
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw))
    seen: list[bytes] = []

    def train(job: Job) -> None:
        print("one")
        seen.append(raw.getvalue())

    contract.run(train, environment=environment(tmp_path))
    assert seen == [b"one\n"]


def test_the_whole_entry_of_a_channel_is_kept(tmp_path: Path) -> None:
    """What the contract has no name for can still be read."""
    programs.prepare(tmp_path, {}, {"train": b""})
    path = tmp_path / "input/config/inputdataconfig.json"
    entry = {**json.loads(path.read_text())["train"], "Extra": 1}
    path.write_text(json.dumps({"train": entry}))
    assert contract.read_job(environment(tmp_path)).channels["train"].configuration == entry
