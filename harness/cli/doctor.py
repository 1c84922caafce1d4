"""`harness doctor`: what this machine has, and what is missing for what."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_DOCKER_SECONDS = 10


@dataclass(frozen=True)
class Finding:
    """One line: `ok` is None for what is only told. `needed` means nothing works without it."""

    subject: str
    found: str
    ok: bool | None = None
    needed: bool = False
    advice: str = ""


def examine() -> int:
    """Print what is found; 0 if scenarios can be played here."""
    findings = list(_findings())
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark = {True: "ok     ", False: "missing", None: "       "}[finding.ok]
        line = f"{mark}  {finding.subject:<{width}}  {finding.found}"
        print(f"{line}  ({finding.advice})" if finding.advice and finding.ok is False else line)
    return 1 if any(finding.needed and finding.ok is False for finding in findings) else 0


def _findings() -> Iterator[Finding]:
    yield Finding("machine", f"{platform.platform()}, {os.cpu_count()} cores, {_memory()}")
    current = sys.version_info >= (3, 11)
    yield Finding(
        "Python", platform.python_version(), current, needed=True, advice="3.11 or later is needed"
    )
    yield _package("sagemaker", "SageMaker SDK", "pip install 'sagemaker-harness[sdk2]'", True)
    for package in ("boto3", "moto", "xgboost", "scikit-learn"):
        yield _package(package, package, f"pip install {package}", True)
    yield _docker()
    yield _credentials()
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    yield Finding(
        "browser",
        browser or "none",
        browser is not None,
        advice="only for scenarios with a web page",
    )
    free = shutil.disk_usage(os.environ.get("TMPDIR", "/tmp")).free / 2**30
    yield Finding(
        "disk", f"{free:.1f} GiB free for temporary files", free > 1, advice="1 GiB is little"
    )


_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def _package(name: str, subject: str, advice: str, needed: bool) -> Finding:
    try:
        return Finding(subject, metadata.version(name), True, needed)
    except metadata.PackageNotFoundError:
        return Finding(subject, "not installed", False, needed, advice)


def _docker() -> Finding:
    advice = "not needed: containers run as processes"
    if shutil.which("docker") is None:
        return Finding("Docker", "no docker command", None)
    try:
        answer = subprocess.run(
            ["docker", "info", "--format", "{{.ServerVersion}}"],
            capture_output=True,
            text=True,
            timeout=_DOCKER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Finding("Docker", "does not answer", None)
    if answer.returncode:
        return Finding("Docker", f"command there, engine not reachable; {advice}", None)
    return Finding("Docker", f"engine {answer.stdout.strip()}", True)


def _credentials() -> Finding:
    """Whether AWS credentials are lying around; they are never used by a local target."""
    if os.environ.get("HARNESS_SDK") == "on":
        return Finding("AWS", f"pointed at {os.environ.get('AWS_ENDPOINT_URL')}", None)
    places = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE") if os.environ.get(name)]
    places += [str(path) for path in (Path.home() / ".aws" / "credentials",) if path.exists()]
    told = f"credentials in {', '.join(places)}" if places else "no credentials"
    return Finding("AWS", f"{told}; local targets never use them", None)


def _memory() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{pages / 2**30:.1f} GiB of memory"
