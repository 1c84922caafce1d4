"""Every check says where its sentence is from, and that place exists."""

import tomllib
from importlib import import_module, resources
from typing import Any

import pytest

from harness.checks.result import Invariant
from tests.evidence import resolve

MODULES = (
    "answers",
    "apis",
    "cleanup",
    "endpoints",
    "logs",
    "permissions",
    "regression",
    "requests",
    "serialization",
    "training_files",
)
INVARIANTS = [
    found
    for module in MODULES
    for found in vars(import_module(f"harness.checks.{module}")).values()
    if isinstance(found, Invariant)
]


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda invariant: invariant.name)
def test_the_source_of_a_check_exists(invariant: Invariant) -> None:
    """A page of AWS's, a shape of its model, or a section of our notes."""
    resolve(invariant.source)


def test_names_are_one_check_each() -> None:
    """No two invariants share a name."""
    names = [invariant.name for invariant in INVARIANTS]
    assert sorted(set(names)) == sorted(names)


def test_status_paths_name_only_statuses_of_the_model() -> None:
    """Each status of the tables is a value of the enum that is named as their source."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("sagemaker")
    text = resources.files("harness.checks").joinpath("status_paths.toml").read_text("utf-8")
    for table in tomllib.loads(text).values():
        resolve(table["source"])
        shape: Any = model.shape_for(table["source"].split(":")[1])
        enum = set(shape.enum)
        assert set(table["next"]) == enum
        assert {status for after in table["next"].values() for status in after} <= enum
