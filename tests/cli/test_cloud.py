"""`harness up`, `env` and `exec`."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import psutil
import pytest

from tests.cli.commands import environment, harness, started

COURSE = Path(__file__).with_name("course_program.py")


def test_a_course_program_runs_unchanged(tmp_path: Path) -> None:
    """Estimator.fit with logs, deploy, predict, delete_endpoint, get_execution_role, default_bucket, upload_data."""
    done = harness("exec", "--", sys.executable, COURSE, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "role arn:aws:iam::123456789012:role/service-role/",
        "bucket sagemaker-us-east-1-123456789012",
        "uploaded s3://sagemaker-us-east-1-123456789012/course/train.csv",
        "[29]",
        "train-rmse:",
        "Training seconds:",
        "error True",
        "endpoints []",
    ):
        assert words in done.stdout, words
    assert "sagemaker-us-east-1-123456789012/course" in done.stdout
    assert "path of deprecation" not in done.stdout + done.stderr


def test_an_exit_code_is_passed_on() -> None:
    """The program's own, 128 + n for a signal, 127 and 126 for one that cannot be run."""
    assert harness("exec", "--", sys.executable, "-c", "raise SystemExit(7)").returncode == 7
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert harness("exec", "--", sys.executable, "-c", kill).returncode == 137
    missing = harness("exec", "--", "no-such-program")
    assert (missing.returncode, len(missing.stderr.splitlines())) == (127, 2)
    assert "there is no program 'no-such-program'" in missing.stderr
    folder = harness("exec", "--", str(Path(__file__).parent))
    assert (folder.returncode, len(folder.stderr.splitlines())) == (126, 2)


def test_options_of_the_program_are_the_programs(tmp_path: Path) -> None:
    """What comes after the program's name is passed on as it is, also what looks like ours."""
    script = tmp_path / "args.py"
    script.write_text("import sys; print(sys.argv[1:])")
    done = harness(
        "exec", "--speed", "2", sys.executable, script, "--url", "x", "--help", "--", "-h"
    )
    assert done.stdout.strip() == "['--url', 'x', '--help', '--', '-h']"


def test_a_signal_reaches_the_program(tmp_path: Path) -> None:
    """SIGTERM to harness ends the program, and the cloud after it; nothing of either stays."""
    program = """
import os, signal, sys, threading
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
print("READY", os.environ["AWS_ENDPOINT_URL"], flush=True)
while True: signal.pause()
"""
    running = started(
        "exec", "--", sys.executable, "-c", program, changes={"TMPDIR": str(tmp_path)}
    )
    assert running.stdout is not None
    url = running.stdout.readline().split()[1]
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 5
    running.stdout.close()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) != 0
    assert list(tmp_path.iterdir()) == []


def test_up_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    """A seeded bucket is there; `harness env` points a program at it; Ctrl-C ends everything, code 0."""
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    (data / "deep" / "x.csv").write_text("1,2\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    running = started(
        "up", "--port", "0", "--seed-bucket", f"seeded={data}", changes={"TMPDIR": str(scratch)}
    )
    assert running.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+", running.stdout.readline())
    assert found is not None
    url = found[0]
    assert "harness env" in running.stdout.readline()
    # In a shell of the user's: eval "$(harness env)".
    exports = harness("env", "--url", url)
    program = "import boto3; s3 = boto3.client('s3')\n"
    program += "print(s3.get_object(Bucket='seeded', Key='deep/x.csv')['Body'].read())"
    shell = f"eval {shlex.quote(exports.stdout)}; {sys.executable} -c {shlex.quote(program)}"
    seen = subprocess.run(
        ["sh", "-c", shell], env=environment(), capture_output=True, text=True, check=False
    )
    assert (seen.stdout.strip(), seen.returncode) == ("b'1,2\\n'", 0), seen.stderr
    # And a program by exec --url, which leaves the cloud running.
    told = "import os; print(os.environ['AWS_ENDPOINT_URL'])"
    assert harness("exec", "--url", url, "--", sys.executable, "-c", told).stdout.strip() == url
    s3 = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test",
        region_name="us-east-1",
    )  # fmt: skip
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["seeded"]
    s3.close()
    family = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    rest = running.communicate(timeout=60)[0]
    assert (running.returncode, rest) == (0, "The local cloud is down.\n")
    assert [process for process in family if process.is_running()] == []
    assert list(scratch.iterdir()) == []


def test_a_port_in_use_is_two_lines() -> None:
    """One line says that it is in use, one how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = harness("up", "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"harness: port {port} of 127.0.0.1 is in use",
        "         choose another with --port, or --port 0 for any that is free",
    ]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("up", "--host", "203.0.113.1", "--port", "0"), "cannot listen on 203.0.113.1"),
        (("up", "--pace", "slow"), "there is no pace 'slow'"),
        (("up", "--seed-bucket", "name"), "--seed-bucket 'name' is not NAME=DIR"),
        (("up", "--seed-bucket", "name=/nowhere"), "there is no folder '/nowhere'"),
        (
            ("up", "--port", "0", "--seed-bucket", f"X={Path(__file__).parent}"),
            "could not be filled",
        ),
        (("env", "--url", "127.0.0.1:4580"), "is no URL of a local cloud"),
        (("exec", "--url", "nonsense", "--", "true"), "is no URL of a local cloud"),
        (
            ("exec", "--url", "http://x", "--seed-bucket", "a=b", "--", "true"),
            "--seed-bucket fills",
        ),
        (
            ("exec", "--url", "http://x", "--no-enforce-iam", "--", "true"),
            "--no-enforce-iam is for a cloud that this command starts",
        ),
    ],
)
def test_what_cannot_be_done_is_two_lines(arguments: tuple[str, ...], what: str) -> None:
    """What happened and what to do; exit code 2."""
    done = harness(*arguments)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 2, done.stderr
    assert what in lines[0]


def test_permissions_can_be_switched_off() -> None:
    """With --no-enforce-iam a role without policies, which might do nothing otherwise, may do everything."""
    program = """
import boto3, json
trust = json.dumps({"Statement": []})
role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="work")["Credentials"]
print(boto3.client(
    "sagemaker",
    aws_access_key_id=keys["AccessKeyId"],
    aws_secret_access_key=keys["SecretAccessKey"],
    aws_session_token=keys["SessionToken"],
).list_models()["Models"])
"""
    done = harness("exec", "--no-enforce-iam", "--", sys.executable, "-c", program)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_env_names_the_port() -> None:
    """Without options the default port's URL; the region is passed on."""
    done = harness("env", "--region", "eu-west-1")
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4580\n" in done.stdout
    assert "export AWS_REGION=eu-west-1\n" in done.stdout
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:99\n" in harness("env", "--port", "99").stdout


def test_up_does_not_load_what_it_does_not_need() -> None:
    """Starting the cloud imports neither the SDK nor what draws tables and pictures."""
    program = """
import os, signal, sys
from harness.cli import cloud
class Event(cloud.threading.Event):
    def wait(self, timeout=None):
        heavy = {"sagemaker", "rich", "pandas", "matplotlib", "sklearn", "jinja2"}
        print("LOADED", sorted(heavy & set(sys.modules)), flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        return super().wait(timeout)
cloud.threading = type("T", (), {"Event": Event})
cloud.up("127.0.0.1", 0, [], "fastest")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert "LOADED []" in done.stdout, done.stdout + done.stderr


def test_help_is_quick_to_load() -> None:
    """`harness --help` loads neither the cloud nor boto3."""
    program = """
import sys
from harness.cli import main
sys.argv = ["harness", "--help"]
try:
    main()
except SystemExit:
    print(sorted({"botocore", "moto", "uvicorn", "sagemaker", "numpy", "rich"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
    for verb in ("list", "run", "up", "env", "exec", "doctor"):
        assert re.search(rf"^  {verb} ", done.stdout, re.MULTILINE), verb


def test_doctor_tells_what_is_there(tmp_path: Path) -> None:
    """SDK and Python versions are shown; without the SDK it says how to install it, and fails."""
    done = harness("doctor")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^ok\s+SageMaker SDK\s+2\.", done.stdout, re.MULTILINE)
    program = """
import importlib.metadata as metadata, sys
real = metadata.version
def version(name):
    if name == "sagemaker":
        raise metadata.PackageNotFoundError(name)
    return real(name)
metadata.version = version
from harness.cli.doctor import examine
sys.exit(examine())
"""
    without = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert without.returncode == 1
    assert "pip install 'sagemaker-harness[sdk2]'" in without.stdout


def test_a_fault_of_our_own_is_two_lines_too() -> None:
    """An exception that nobody foresaw is no traceback, unless it is asked for."""
    program = """
import sys
import harness.cli.cloud as cloud
cloud.env = lambda *_: 1 / 0
sys.argv = ["harness", "env"]
from harness.cli import main
main()
"""
    command = [sys.executable, "-c", program]
    short = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert short.returncode == 2
    assert len(short.stderr.splitlines()) == 2
    assert "ZeroDivisionError" in short.stderr
    long = subprocess.run(
        command, capture_output=True, text=True, env=environment(HARNESS_DEBUG="1"), check=False
    )
    assert "Traceback" in long.stderr


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    """`harness env | head -0` ends without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", "env"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
