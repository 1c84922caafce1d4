"""Image URIs, as the SDK makes them and as they should not be."""

import functools
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import sagemaker.utils
from sagemaker import image_uris

from harness.algorithms.xgboost.versions import all_versions
from harness.containers import images
from harness.containers.images import (
    ImageNotFound,
    ImageNotSupported,
    Images,
    Implementation,
    MetricDefinition,
)
from harness.containers.spec import Program

SDK_CONFIG = Path(sagemaker.__file__).parent / "image_uri_config"
NOTES = "notes/images.md#accounts"


def sdk_configurations() -> Iterator[tuple[str, dict[str, object], str]]:
    """Each scope and version in the SDK's tables: framework, its entry, the repository."""
    for path in sorted(SDK_CONFIG.glob("*.json")):
        table = json.loads(path.read_text())
        for scope in [table] if "versions" in table else table.values():
            for entry in scope["versions"].values() if "versions" in scope else ():
                repository = entry.get("repository")
                if isinstance(repository, str) and entry.get("registries"):
                    yield path.stem, entry, repository


def regions_of(framework: str, version: str) -> list[str]:
    """The regions for which the SDK knows a registry."""
    table = json.loads((SDK_CONFIG / f"{framework}.json").read_text())
    scopes = [table] if "versions" in table else [table["training"]]
    return sorted(scopes[0]["versions"][version]["registries"])


@pytest.fixture(scope="module", autouse=True)
def tables_read_once() -> Iterator[None]:
    """The SDK reads botocore's table of endpoints anew for each URI; once is enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sagemaker.utils,
            "_botocore_resolver",
            functools.cache(sagemaker.utils._botocore_resolver),
        )
        yield


def retrieve(framework: str, region: str, version: str, **arguments: str) -> str:
    """image_uris.retrieve, without its remarks."""
    logging.disable(logging.WARNING)
    try:
        uri: str = image_uris.retrieve(framework, region, version, **arguments)
    finally:
        logging.disable(logging.NOTSET)
    return uri


VERSIONS = ["0.90-1", "0.90-2", "1.0-1", "1.2-1", "1.2-2", "1.3-1", "1.5-1", "1.7-1", "3.0-5"]


@pytest.mark.sdk_source(NOTES)
@pytest.mark.parametrize(
    ("framework", "tag", "version"),
    [("linear-learner", "1", "1"), ("xgboost", "1", "0.72"), ("xgboost", "1.7-1", "1.7-1")],
)
def test_regions_of_sdk(framework: str, tag: str, version: str) -> None:
    """What image_uris.retrieve gives is implemented in every region that it knows, whatever the host's name."""
    regions = regions_of(framework, tag)
    assert len(regions) > 30
    for region in regions:
        found = Images().resolve(retrieve(framework, region, tag))
        assert (found.name, found.version) == (framework, version)


@pytest.mark.sdk_source(NOTES)
@pytest.mark.parametrize(
    ("tag", "version"), [("latest", "0.72"), *((version, version) for version in VERSIONS)]
)
def test_versions_of_sdk(tag: str, version: str) -> None:
    """Every version of XGBoost that image_uris.retrieve gives is implemented."""
    found = Images().resolve(retrieve("xgboost", "eu-central-1", tag))
    assert (found.name, found.version) == ("xgboost", version)


@pytest.mark.sdk_source(NOTES)
@pytest.mark.parametrize("version", ["1.3-1", "1.5-1"])
def test_images_for_graviton(version: str) -> None:
    """The images for Arm instances are the same algorithm."""
    uri = retrieve("xgboost", "eu-west-1", version, instance_type="ml.c6g.xlarge")
    assert uri.endswith("-arm64")
    assert Images().resolve(uri).version == version


@pytest.mark.sdk_source(NOTES)
def test_accounts_are_those_of_sdk() -> None:
    """For every repository in our table, the SDK names the same account in every region, and no other region."""
    ours: dict[tuple[str, str], str] = {}
    for registry in images._data()["registries"].values():
        for repository in registry["repositories"]:
            for region, account in registry["accounts"].items():
                ours[repository, region] = account
    theirs = {
        (repository, region): account
        for _, entry, repository in sdk_configurations()
        for region, account in entry["registries"].items()  # type: ignore[attr-defined]
        if images.account_of(repository, "us-east-1") is not None
    }
    deep_learning = set(images._data()["registries"]["deep-learning"]["repositories"])
    assert {key: ours.get(key) for key in theirs} == theirs
    # The SDK lists fewer regions for some deep learning repositories, of which AWS has one account per region.
    assert {repository for repository, _ in ours.keys() - theirs.keys()} <= deep_learning


@pytest.mark.documented("notes/images.md#accounts")
@pytest.mark.parametrize(
    "uri",
    [
        "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
        "390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/linear-learner:1",
        "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:latest",
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:0.90-2-cpu-py3",
        "490574956308.dkr.ecr.us-iso-east-1.c2s.ic.gov/linear-learner:1",
        "237065988967.dkr.ecr-fips.us-gov-east-1.amazonaws.com/linear-learner:1",
    ],
)
def test_known_uris(uri: str) -> None:
    """URIs as they stand in courses and guides."""
    assert Images().resolve(uri).first_party


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        (
            "382416733822.dkr.ecr.eu-west-1.amazonaws.com/linear-learner:1",
            "is in the account 438346466558",
        ),
        (
            "382416733822.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
            "is in the account 811284229777",
        ),
        (
            "382416733822.dkr.ecr.mars-east-1.amazonaws.com/linear-learner:1",
            "the region 'mars-east-1'",
        ),
        ("390948362332.dkr.ecr.cn-north-1.amazonaws.com/linear-learner:1", "'amazonaws.com.cn'"),
        (
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.6-1",
            "the tags of 'sagemaker-xgboost' are",
        ),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost", "the tags of"),
        (
            "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1@sha256:" + "0" * 64,
            "the tags of",
        ),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1", "no image 'mine' is known"),
        ("python:3.12", "is not an image in ECR"),
        ("", "is not an image in ECR"),
    ],
)
def test_unknown_images(uri: str, text: str) -> None:
    """An image that does not exist is refused with its URI and with what is wrong."""
    with pytest.raises(ImageNotFound) as refused:
        Images().resolve(uri)
    assert repr(uri) in str(refused.value)
    assert text in str(refused.value)
    assert not isinstance(refused.value, ImageNotSupported)


@pytest.mark.parametrize(
    ("framework", "version", "name"),
    [
        ("pca", "1", "pca"),
        ("kmeans", "1", "kmeans"),
        ("forecasting-deepar", "1", "forecasting-deepar"),
        ("lda", "1", "lda"),
        ("blazingtext", "1", "blazingtext"),
        ("sklearn", "1.2-1", "sagemaker-scikit-learn"),
        ("pytorch", "2.1", "pytorch-training"),
        ("tensorflow", "2.12", "tensorflow-training"),
    ],
)
def test_images_to_come(framework: str, version: str, name: str) -> None:
    """An image of AWS's that is not implemented is refused by name."""
    arguments = {"py_version": "py310"} if framework in ("pytorch", "tensorflow") else {}
    uri = retrieve(
        framework,
        "us-west-2",
        version,
        instance_type="ml.m5.xlarge",
        image_scope="training",
        **arguments,
    )
    with pytest.raises(ImageNotSupported, match=f"the image '{name}' is not implemented"):
        Images().resolve(uri)


def test_own_images() -> None:
    """A registered image is found by its URI, before any built-in one, as soon as it is registered."""
    mine = Implementation("mine", "7", Program(arguments=("true",)))
    built_in = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
    extra = {"mine:7": mine}
    known = Images(extra)
    assert known.resolve("mine:7") is mine
    assert known.resolve(built_in).name == "linear-learner"
    extra[built_in] = mine
    assert known.resolve(built_in) is mine


def test_programs() -> None:
    """The program of a built-in image is the algorithms' entry with the algorithm and its version."""
    resolve = Images().resolve
    xgboost = resolve("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1")
    linear = resolve("382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1")
    assert xgboost.program == Program("harness.algorithms.entry", ("xgboost", "--version", "1.7-1"))
    assert linear.program == Program("harness.algorithms.entry", ("linear-learner",))
    assert xgboost.default_content_type == "text/libsvm"
    assert linear.default_content_type == "application/x-recordio-protobuf"


def test_metrics() -> None:
    """A built-in image brings the metric definitions of its algorithm."""
    from harness.algorithms.linear_learner import metric_definitions as linear
    from harness.algorithms.xgboost import metrics as xgboost

    resolve = Images().resolve
    for uri, definitions in (
        (
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            xgboost.METRIC_DEFINITIONS,
        ),
        (
            "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
            linear.METRIC_DEFINITIONS,
        ),
    ):
        assert resolve(uri).metric_definitions == tuple(definitions)
        assert resolve(uri).metric_definitions[0] == MetricDefinition(*definitions[0])


def test_tags_of_algorithm() -> None:
    """Every tag that the XGBoost algorithm knows leads to the version of that tag."""
    accounts = {"xgboost": "811284229777", "sagemaker-xgboost": "683313688378"}
    for version in all_versions():
        for tag in version.tags:
            registry = f"{accounts[version.repository]}.dkr.ecr.us-east-1.amazonaws.com"
            assert images.resolve(f"{registry}/{version.repository}:{tag}").version == version.name
