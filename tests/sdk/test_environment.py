"""The variables: what is set, what goes, what a job gets."""

import configparser
import os
import shlex
import subprocess
import sys

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.identity import administrators
from harness.sdk.environment import SITE, applied, local_environment, without_hook

URL = "http://127.0.0.1:4321"


def test_what_would_lead_elsewhere_goes() -> None:
    """A profile, another role's token or one service's endpoint in the user's shell does not survive."""
    users = {
        "AWS_PROFILE": "work",
        "AWS_ENDPOINT_URL_STS": "https://sts.example",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
        "HOME": "/home/me",
    }
    result = local_environment(URL).applied_to(users)
    assert set(users) & set(result) == {"HOME"}
    assert result["AWS_ENDPOINT_URL"] == URL


def test_the_users_proxy_is_not_asked_for_the_loopback() -> None:
    """The cloud's host joins NO_PROXY; what was in it stays."""
    result = local_environment(URL).applied_to({"NO_PROXY": "example.org"})
    assert result["NO_PROXY"] == "127.0.0.1,localhost,example.org"


def test_a_job_gets_neither_the_hook_nor_its_switch() -> None:
    """`without_hook` undoes what would load the hook and keeps the rest of PYTHONPATH."""
    users = {"PYTHONPATH": "/mine:/other", "HOME": "/home/me"}
    result = without_hook(local_environment(URL, speed=5).applied_to(users))
    assert result["PYTHONPATH"] == "/mine:/other"
    assert not [name for name in result if name.startswith("HARNESS_SDK")]
    assert "PYTHONPATH" not in without_hook(local_environment(URL).applied_to({}))


@given(
    st.dictionaries(
        st.sampled_from(["AWS_PROFILE", "NO_PROXY", "PYTHONPATH", "AWS_REGION", "UNRELATED"]),
        st.text(st.characters(codec="ascii", exclude_characters="\0\n\r"), max_size=12),
    )
)
def test_the_exports_make_a_shell_the_same(users: dict[str, str]) -> None:
    """Each line of `harness env` is one `unset` or one quoted `export`; together they make the environment."""
    environment = local_environment(URL)
    result = dict(users)
    for line in environment.exports(users).rstrip("\n").split("\n"):
        verb, *words = shlex.split(line)
        assert verb in ("unset", "export")
        for word in words:
            name, _, value = word.partition("=")
            if verb == "unset":
                del result[name]
            else:
                result[name] = value
    assert result == environment.applied_to(users)


def test_a_shell_takes_the_exports() -> None:
    """`eval` of the exports in a POSIX shell leaves the endpoint and no profile."""
    users = {"AWS_PROFILE": "it's", "PATH": os.environ["PATH"]}
    script = f"eval {shlex.quote(local_environment(URL).exports(users))}; echo $AWS_ENDPOINT_URL ${{AWS_PROFILE-none}}"
    out = subprocess.run(
        ["sh", "-c", script], env=users, capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == [URL, "none"]


def test_the_credentials_file_holds_the_same_keys() -> None:
    """Code that names the profile `default` skips the variables and finds the same session in the file."""
    settings = local_environment(URL).settings
    parser = configparser.ConfigParser()
    parser.read(settings["AWS_SHARED_CREDENTIALS_FILE"])
    assert dict(parser["default"]) == {
        "aws_access_key_id": administrators.SESSION_KEY,
        "aws_secret_access_key": administrators.SESSION_SECRET,
        "aws_session_token": administrators.SESSION_TOKEN,
    }
    assert settings["AWS_ACCESS_KEY_ID"] == administrators.SESSION_KEY


@pytest.mark.sdk_source("notes/sdk.md#usage-reports")
def test_the_sdk_accepts_its_settings_and_sends_no_usage_reports() -> None:
    """Both YAML files pass the SDK's own validation, and the merged result opts out."""
    program = """
from sagemaker.config import load_sagemaker_config
print(load_sagemaker_config()["SageMaker"]["PythonSDK"]["Modules"])
"""
    variables = local_environment(URL).applied_to(os.environ)
    out = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", program],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.splitlines()[-1] == "{'TelemetryOptOut': True}"
    assert out.stdout.count("Fetched defaults config from location") == 2


def test_the_folder_on_the_path_adds_one_name() -> None:
    """Nothing but `sitecustomize` becomes importable in the user's program."""
    assert [path.name for path in SITE.iterdir() if path.name != "__pycache__"] == [
        "sitecustomize.py"
    ]


def test_applied_puts_everything_back() -> None:
    """In this process the variables and boto3's default session are as before, also after an error."""
    boto3.setup_default_session(region_name="eu-west-3")
    before, session = dict(os.environ), boto3.DEFAULT_SESSION

    def fail() -> None:
        with applied(local_environment(URL)):
            assert boto3.client("s3").meta.endpoint_url == URL
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert dict(os.environ) == before
    assert boto3.DEFAULT_SESSION is session
    boto3.DEFAULT_SESSION = None
