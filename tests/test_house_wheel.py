"""The wheel, installed in an environment of its own."""

import importlib.metadata
import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(600)]


def test_the_wheel_installs_one_package() -> None:
    """Beside its metadata and the command it puts nothing but `harness` into the environment."""
    distribution = importlib.metadata.distribution("sagemaker-harness")
    tops = {PurePosixPath(file).parts[0] for file in distribution.files or ()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"..", "harness"}
    outside = [str(file) for file in distribution.files or () if file.parts[0] == ".."]
    assert [PurePosixPath(file).name for file in outside] == ["harness"]


def test_the_source_distribution_makes_the_same_wheel(tmp_path: Path) -> None:
    """A wheel built from the source distribution has the files of the one that is installed."""
    command = [sys.executable, "-m", "build", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob("*.tar.gz"))) == 1
    (wheel,) = tmp_path.glob("*.whl")
    built = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("harness/")}
    files = importlib.metadata.files("sagemaker-harness") or ()
    installed = {str(file) for file in files if file.parts[0] == "harness"}
    assert built == {name for name in installed if "__pycache__" not in name}


@pytest.mark.parametrize("folder", ["fixtures", "scenarios"])
def test_the_wheel_brings_what_the_scenarios_need(folder: str) -> None:
    """Each file of `scenarios` and `fixtures` is in the package."""
    bundled = Path(sysconfig.get_path("purelib")) / "harness" / "_bundle" / folder
    here = ROOT / folder
    wanted = {
        path.relative_to(here)
        for path in here.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted
    assert {path.relative_to(bundled) for path in bundled.rglob("*") if path.is_file()} >= wanted


def test_the_scenarios_pass_from_an_empty_directory(tmp_path: Path) -> None:
    """`harness run --all` exits 0 and writes nothing but the file that was asked for."""
    program = Path(sysconfig.get_path("scripts")) / "harness"
    done = subprocess.run(
        [program, "run", "--all", "--json", "out.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    report = json.loads((tmp_path / "out.json").read_text())
    assert {scenario["status"] for scenario in report["scenarios"]} == {"passed"}
    assert [
        scenario["leftovers"] for scenario in report["scenarios"] if scenario["leftovers"]
    ] == []
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
