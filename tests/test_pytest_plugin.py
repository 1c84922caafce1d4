"""The plugin, as a user's own test file sees it."""

import os
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path

USERS = """
    import os
    import boto3

    def test_one(sagemaker_session):
        assert sagemaker_session.default_bucket() == "sagemaker-us-east-1-123456789012"
        boto3.client("s3").put_object(Bucket=sagemaker_session.default_bucket(), Key="k", Body=b"")

    def test_two(local_cloud, sagemaker_session, local_aws):
        assert local_aws == local_cloud.url == os.environ["AWS_ENDPOINT_URL"]
        assert sagemaker_session.list_s3_files(sagemaker_session.default_bucket(), "") == ["k"]

    def test_three():
        assert "AWS_ENDPOINT_URL" not in os.environ
"""

FREE = """
    import json
    import boto3

    def test_a_role_without_policies(local_aws):
        trust = json.dumps({"Statement": []})
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)
        keys = boto3.client("sts").assume_role(
            RoleArn=role["Role"]["Arn"], RoleSessionName="work"
        )["Credentials"]
        work = boto3.client(
            "sagemaker",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        assert work.list_models()["Models"] == []
"""

# It installs with the package; an editable checkout may be older than its entry point.
INSTALLED = any(point.value == "harness.pytest_plugin" for point in entry_points(group="pytest11"))
PLUGIN = [] if INSTALLED else ["-p", "harness.pytest_plugin"]


def run_tests(source: str, folder: Path, *options: str) -> str:
    """What pytest prints for a user's test file."""
    (folder / "test_users.py").write_text(textwrap.dedent(source))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PLUGIN, "-p", "no:cacheprovider", *options, "."],
        cwd=folder,
        env={**kept, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_users_tests_run_against_a_local_cloud(tmp_path: Path) -> None:
    """The fixtures reach one cloud; a test that asks for none is pointed nowhere."""
    printed = run_tests(USERS, tmp_path)
    assert "3 passed" in printed, printed
    assert not list(tmp_path.glob("harness-*"))


def test_a_users_tests_can_do_without_permissions(tmp_path: Path) -> None:
    """Where the configuration says so, a role without policies may do everything."""
    printed = run_tests(FREE, tmp_path, "-o", "harness_enforce_iam=false")
    assert "1 passed" in printed, printed
