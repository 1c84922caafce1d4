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

# It installs with the package; an editable checkout may be older than its entry point.
INSTALLED = any(point.value == "harness.pytest_plugin" for point in entry_points(group="pytest11"))
PLUGIN = [] if INSTALLED else ["-p", "harness.pytest_plugin"]


def test_a_users_tests_run_against_a_local_cloud(tmp_path: Path) -> None:
    """The fixtures reach one cloud; a test that asks for none is pointed nowhere."""
    (tmp_path / "test_users.py").write_text(textwrap.dedent(USERS))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PLUGIN, "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={**kept, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert not list(tmp_path.glob("harness-*"))
