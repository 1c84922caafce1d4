"""Targets by name, capabilities, and what a scenario is given."""

import re
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.targets import Capability, Lab, Place
from harness.targets.capabilities import UnknownCapability, capabilities
from harness.targets.catalogue import NAMES, TargetNotThere, find, is_there
from harness.targets.embedded import Embedded
from harness.targets.lab import FixtureNotFound

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


class Kept:
    """Keeps what a lab is told."""

    def __init__(self) -> None:
        self.verdicts: list[object] = []
        self.predictions: list[object] = []

    def check(self, verdict: object) -> None:
        """A check's result."""
        self.verdicts.append(verdict)

    def prediction(self, *what: object) -> None:
        """Rows to be drawn."""
        self.predictions.append(what)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One open embedded target."""
    tmp_path_factory.getbasetemp()  # made now, or it would be in the place's folder
    with Embedded().open() as place:
        yield place


def lab_at(place: Place, *fixtures: Path, run_id: str = "r") -> Lab:
    """A lab there."""
    return Lab(place, run_id=run_id, notebook=Kept(), fixtures=fixtures)


def test_there_is_embedded_and_the_others_say_so() -> None:
    """Each planned target that is not there yet is named in an error, as is one that nobody planned."""
    assert find("embedded", region="us-east-1", pace="fastest").name == "embedded"
    for name in set(NAMES) - {"embedded"}:
        assert not is_there(name)
        with pytest.raises(TargetNotThere, match=f"'{name}' is planned but not in this version"):
            find(name, region="us-east-1", pace="fastest")
    with pytest.raises(TargetNotThere, match="there is no target 'azure'; there is: embedded"):
        find("azure", region="us-east-1", pace="fastest")


def test_capabilities_are_a_closed_list() -> None:
    """Members and their names are taken, anything else is named in the error."""
    assert capabilities(["training", Capability.LOGS]) == {Capability.TRAINING, Capability.LOGS}
    with pytest.raises(UnknownCapability, match="'gpu' is no capability; there are: training"):
        capabilities(["gpu"])


def test_a_place_has_what_a_notebook_has(place: Place) -> None:
    """Role, bucket and region are those that the SDK itself would find."""
    import sagemaker

    assert place.role == sagemaker.get_execution_role()
    assert place.bucket == sagemaker.Session().default_bucket()
    assert (place.account, place.region) == ("123456789012", "us-east-1")
    assert boto3.client("s3").meta.endpoint_url == place.endpoint_url


@pytest.mark.documented("sagemaker:TrainingJobName")
@given(
    stem=st.text(min_size=1, max_size=80),
    run_id=st.text("abcdef0123456789", min_size=8, max_size=8),
)
def test_names_are_good_for_every_resource(place: Place, stem: str, run_id: str) -> None:
    """Whatever the stem, names match SageMaker's narrowest pattern, and no two are the same."""
    lab = lab_at(place, run_id=run_id)
    if not re.search("[a-zA-Z0-9]", stem):
        with pytest.raises(ValueError, match="no letter or digit"):
            lab.name(stem)
        return
    names = [lab.name(stem) for _ in range(12)]
    assert len(set(names)) == len(names)
    assert all(NAME.fullmatch(name) and len(name) <= 63 for name in names)


def test_images_and_instance_types_are_the_sdks(place: Place) -> None:
    """An image is what image_uris.retrieve gives for the region; a use maps to an instance type."""
    lab = lab_at(place)
    assert lab.image("xgboost", "1.7-1").endswith(
        ".us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    )
    assert lab.image("linear-learner").endswith("/linear-learner:1")
    assert {lab.instance_type("training"), lab.instance_type("hosting")} == {"ml.m5.large"}
    assert lab.session.default_bucket() == place.bucket == lab.bucket


def test_a_users_fixture_comes_before_the_projects(place: Place, tmp_path: Path) -> None:
    """The first folder that has the file wins; none at all is an error that names the folders."""
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        (folder / "rows.py").write_text(f"def load():\n    return {folder.name!r}\n")
    lab = lab_at(place, first, second)
    assert lab.fixture("rows") == "a"
    with pytest.raises(FixtureNotFound, match=r"no fixture 'columns' in .*a, .*b"):
        lab.fixture("columns")
