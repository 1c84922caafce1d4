"""The hook, in programs of their own: where connections go, what becomes of sleeps, what it leaves alone."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from harness.sdk import hook
from harness.sdk.environment import SITE
from tests.sdk.programs import run_program


def said(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.sdk_source("notes/sdk.md#where-the-sdk-goes-by-itself")
def test_an_explicit_regional_endpoint_is_replaced() -> None:
    """The STS client that the SDK builds with AWS's own URL goes to the local cloud."""
    program = """
        import boto3
        url = "https://sts.eu-west-1.amazonaws.com"
        print(boto3.client("sts", endpoint_url=url).meta.endpoint_url)
        print(boto3.Session()._session.create_client("sts", "eu-west-1", None, True, None, url).meta.endpoint_url)
    """
    result = run_program(textwrap.dedent(program), "http://127.0.0.1:4321")
    assert said(result).split() == ["http://127.0.0.1:4321", "http://127.0.0.1:4321"]


def test_an_endpoint_of_the_users_own_is_kept() -> None:
    """A client for another server of the user's is left as it is."""
    program = "import boto3; print(boto3.client('s3', endpoint_url='http://localhost:1').meta.endpoint_url)"
    assert said(run_program(program)) == "http://localhost:1"


def test_a_client_that_would_reach_aws_is_refused() -> None:
    """A client whose configuration ignores the endpoint variable gets a clear error, not AWS."""
    program = """
        import boto3
        from botocore.config import Config
        client = boto3.client("s3", config=Config(ignore_configured_endpoint_urls=True))
        try:
            client.list_buckets()
        except Exception as error:
            print(type(error).__name__, error)
    """
    answer = said(run_program(textwrap.dedent(program)))
    assert answer.startswith(
        "AwsRefused this program is pointed at the local cloud at http://127.0.0.1:9"
    )
    assert "s3.amazonaws.com was refused" in answer


def test_plain_http_to_aws_is_refused() -> None:
    """Whatever resolves a name of AWS's through Python's socket module is told why it may not."""
    program = """
        import urllib.request
        try:
            urllib.request.urlopen("https://sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com/telemetry")
        except OSError as error:
            print(error)
    """
    answer = said(run_program(textwrap.dedent(program)))
    assert "sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com was refused" in answer


@pytest.mark.parametrize(
    ("host", "aws"),
    [
        ("sts.us-east-1.amazonaws.com", True),
        ("S3.CN-NORTH-1.AMAZONAWS.COM.CN", True),
        ("s3.us-east-1.amazonaws.com.", True),
        ("sagemaker.us-east-1.api.aws", True),
        ("amazonaws.com", True),
        ("notamazonaws.com", False),
        ("amazonaws.com.example.org", False),
        ("localhost", False),
        (None, False),
    ],
)
def test_what_counts_as_aws(host: str | None, aws: bool) -> None:
    """Only AWS's own domains, whatever their case, are refused."""
    assert hook.is_aws(host) is aws


def test_the_switch_makes_it_inert() -> None:
    """Without the switch variable the same process reaches AWS as ever."""
    program = """
        import os
        os.environ["HARNESS_SDK"] = "off"
        import boto3
        print(boto3.client("sts", endpoint_url="https://sts.eu-west-1.amazonaws.com").meta.endpoint_url)
        from harness.sdk import hook
        print(hook.shortened(30))
    """
    assert said(run_program(textwrap.dedent(program))).split() == [
        "https://sts.eu-west-1.amazonaws.com",
        "30",
    ]


@pytest.mark.sdk_source("notes/sdk.md#where-the-sdk-sleeps")
def test_the_sdks_sleeps_are_short_and_yours_are_not() -> None:
    """`time.sleep` is replaced inside the SDK's modules alone."""
    program = """
        import time
        real = time.sleep
        import sagemaker.session, sagemaker.local.entities
        assert time.sleep is real
        assert sagemaker.session.time is not time
        for module in (sagemaker.session, sagemaker.local.entities):
            start = time.monotonic(); module.time.sleep(30); print(time.monotonic() - start < 5)
        print(sagemaker.session.time.strftime is time.strftime)
    """
    assert said(run_program(textwrap.dedent(program))).split()[-3:] == ["True"] * 3


@pytest.mark.sdk_source("notes/sdk.md#where-the-sdk-sleeps")
def test_the_clock_of_the_log_loop_runs_as_quick_as_its_sleeps() -> None:
    """The loop that describes a job only every 30 s of its clock does so after a tenth of a second."""
    program = """
        import time
        import sagemaker.session, sagemaker.utils
        quick = sagemaker.session.time
        start, real = quick.time(), time.time()
        while quick.time() - start < 30:
            quick.sleep(10)
        print(time.time() - real < 5)
        print(abs(sagemaker.utils.time.time() - time.time()) < 5)  # names of jobs are made from it
    """
    assert said(run_program(textwrap.dedent(program))).split()[-2:] == ["True", "True"]


def test_speed_one_leaves_the_sdk_as_it_is() -> None:
    """With speed 1 sleeps and waiters are the SDK's own."""
    program = """
        from harness.sdk import hook
        print(hook.shortened(30))
        import botocore.waiter
        seen = {}
        class Config: delay, max_attempts, acceptors = 30, 2, ()
        waiter = botocore.waiter.Waiter("w", Config, lambda **kwargs: {})
        type(waiter).wait.__harness_sdk__
        botocore.waiter.time = type("T", (), {"sleep": staticmethod(lambda s: seen.setdefault("s", s))})
        try:
            waiter.wait()
        except botocore.exceptions.WaiterError:
            print(seen["s"])
    """
    assert said(run_program(textwrap.dedent(program), speed=1)).split() == ["30", "30"]


@pytest.mark.documented("sagemaker:DescribeEndpoint")
def test_waiters_are_as_patient_in_shorter_steps() -> None:
    """A waiter looks often, and waits as long in all as before; the caller's own settings count too."""
    program = """
        import botocore.waiter
        pauses = []
        class Config: delay, max_attempts, acceptors = 30, 4, ()
        def run(**kwargs):
            pauses.clear()
            try:
                botocore.waiter.Waiter("w", Config, lambda **kwargs: {}).wait(**kwargs)
            except botocore.exceptions.WaiterError:
                print(max(pauses) <= 0.1, round(sum(pauses)))
        botocore.waiter.time = type("T", (), {"sleep": staticmethod(pauses.append)})
        run()
        run(WaiterConfig={"Delay": 10, "MaxAttempts": 3})
    """
    assert said(run_program(textwrap.dedent(program))).split() == ["True", "120", "True", "30"]


@pytest.mark.parametrize(
    ("seconds", "pause"), [(0.001, 0.001), (0.02, 0.02), (1, 0.02), (9, 0.03), (3600, 0.1)]
)
def test_a_pause_is_never_longer_and_never_a_busy_loop(
    seconds: float, pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pauses shrink by the speed, but not under 20 ms nor over 100 ms, and never grow."""
    monkeypatch.setenv("HARNESS_SDK", "on")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.delenv("HARNESS_SDK_SPEED", raising=False)
    assert hook.shortened(seconds) == pytest.approx(pause)


@pytest.mark.sdk_source("notes/sdk.md#what-else-makes-the-sdk-slow")
def test_the_sdks_configuration_is_validated_once() -> None:
    """The same configuration is not validated again, another one is, and a wrong one is still refused."""
    program = """
        import jsonschema
        seen = []
        real = jsonschema.validate
        jsonschema.validate = lambda config, schema: (seen.append(config), real(config, schema))
        from sagemaker.utils import get_sagemaker_config_value, validate_sagemaker_config
        good = {"SchemaVersion": "1.0"}
        for _ in range(3):
            validate_sagemaker_config(good)
        print(seen.count(good))
        for _ in range(2):
            try:
                validate_sagemaker_config({"SchemaVersion": 7})
            except jsonschema.ValidationError:
                print("refused")
    """
    assert said(run_program(textwrap.dedent(program))).split()[-3:] == ["1", "refused", "refused"]


@pytest.mark.parametrize("path", [Path(hook.__file__), SITE / "sitecustomize.py"])
def test_older_pythons_can_read_what_they_are_made_to_load(path: Path) -> None:
    """The files that go into other virtual environments have the grammar of Python 3.8."""
    ast.parse(path.read_text("utf-8"), feature_version=(3, 8))


def test_start_up_imports_nothing_heavy() -> None:
    """A program that never imports botocore or the SDK does not get them from us, nor socket."""
    program = """
        import sys
        print(sorted({"botocore", "boto3", "sagemaker", "socket", "ssl"} & set(sys.modules)))
    """
    # Where coverage is measured, each Python loads it, and with it more.
    unmeasured = {"COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""}
    assert said(run_program(textwrap.dedent(program), environment=unmeasured)) == "[]"


def test_the_users_sitecustomize_runs_too(tmp_path: Path) -> None:
    """A sitecustomize that was there before runs as if ours were not, and is what `import sitecustomize` gives."""
    (tmp_path / "sitecustomize.py").write_text("import builtins\nbuiltins.mine = __file__\n")
    program = "import sitecustomize; print(mine == sitecustomize.__file__); import boto3; import botocore.session;"
    program += "print(hasattr(botocore.session.Session.create_client, '__harness_sdk__'))"
    result = run_program(program, environment={"PYTHONPATH": str(tmp_path)})
    assert said(result).split() == ["True", "True"]


def test_a_fault_in_the_users_sitecustomize_is_reported_as_python_reports_it(
    tmp_path: Path,
) -> None:
    """The program still runs, and Python names the error."""
    (tmp_path / "sitecustomize.py").write_text("raise ValueError('theirs')\n")
    result = run_program("print('ran')", environment={"PYTHONPATH": str(tmp_path)})
    assert said(result) == "ran"
    assert "ValueError: theirs" in result.stderr


def test_it_works_in_a_python_that_has_no_harness(tmp_path: Path) -> None:
    """A bare interpreter without any of our packages loads the hook and patches what it imports later."""
    package = tmp_path / "botocore"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "session.py").write_text(
        "class Session:\n"
        "    def create_client(self, name, region_name=None, endpoint_url=None):\n"
        "        return endpoint_url\n"
    )
    program = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import importlib.util
        assert importlib.util.find_spec("harness") is None
        from botocore.session import Session
        print(Session().create_client("sts", endpoint_url="https://sts.amazonaws.com"))
        import botocore.session
        print(type(botocore.session.__loader__).__name__, type(botocore.session.__spec__.loader).__name__)
    """
    bare = getattr(sys, "_base_executable", sys.executable)
    result = run_program(textwrap.dedent(program), python=bare, folder=tmp_path)
    assert said(result).split() == ["None", "SourceFileLoader", "SourceFileLoader"]
