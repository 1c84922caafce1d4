"""Which versions of the image there are, and what sets one apart from another."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from harness.algorithms.xgboost.versions import all_versions, by_tag, named


def sdk_configuration() -> Any:
    """What sagemaker.image_uris knows of XGBoost."""
    spec = importlib.util.find_spec("sagemaker")
    assert spec is not None
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "image_uri_config" / "xgboost.json"
    return json.loads(file.read_text("utf-8"))["training"]


@pytest.mark.sdk_source("notes/xgboost.md#versions")
def test_every_image_that_the_sdk_asks_for_is_a_version() -> None:
    """Repository and tag of each version in image_uri_config/xgboost.json belong to one version here."""
    configuration = sdk_configuration()
    tags = set()
    for asked, row in configuration["versions"].items():
        suffix = "-".join((row.get("processors") or []) + (row.get("py_versions") or []))
        tag = row.get("tag_prefix", asked) + (f"-{suffix}" if suffix else "")
        assert by_tag(tag).repository == row["repository"]
        tags.add(tag)
    for alias, asked in configuration["version_aliases"].items():
        assert by_tag(alias) == by_tag(asked)
    assert {version.tags[0] for version in all_versions()} == tags


@pytest.mark.parametrize("tag", ["", "2", "1.7", "1.7-1-gpu-py3", "1.4-1"])
def test_a_tag_that_does_not_exist_is_named_with_those_that_do(tag: str) -> None:
    """The error says which tag it was and lists the others."""
    with pytest.raises(KeyError) as caught:
        by_tag(tag)
    assert repr(tag) in caught.value.args[0]
    assert "'1.7-1'" in caught.value.args[0]


def test_versions_compare_by_age() -> None:
    """0.90-2 is older than 1.0-1, as text it would not be."""
    assert [version.name for version in sorted(all_versions(), reverse=True)][:2] == [
        "3.0-5",
        "1.7-1",
    ]
    assert named("0.72") < named("0.90-1") < named("1.0-1")


@pytest.mark.assumed("notes/xgboost.md#versions")
def test_latest_and_1_are_the_closed_source_image() -> None:
    """Both tags of the repository `xgboost` are 0.72."""
    assert by_tag("latest") == by_tag("1") == named("0.72")


def test_a_feature_ends_where_its_table_says() -> None:
    """Margins for custom metrics: from 1.2-1 to 1.7-1."""
    has = [version.name for version in all_versions() if version.has("margin_metrics")]
    assert has == ["1.2-1", "1.2-2", "1.3-1", "1.5-1", "1.7-1"]
