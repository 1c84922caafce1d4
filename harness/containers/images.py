"""What runs here for an image URI: built-in algorithms, in every account and region, or what was registered.

LIMITATIONS: linear-learner and xgboost; other images of AWS's are known by name and refused by
name.
"""

import functools
import importlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

from harness.containers.spec import Program

_ENTRY = "harness.algorithms.entry"
_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<suffix>[a-z0-9.-]+)"
    r"/(?P<repository>[^:@]+)(:(?P<tag>[^@]+))?(@(?P<digest>.+))?"
)


class ImageNotFound(Exception):
    """There is no such image. The text names it and says what is wrong with it."""


class ImageNotSupported(ImageNotFound):
    """AWS has this image; here it is not implemented."""


class MetricDefinition(NamedTuple):
    """A metric that the platform reads off a log."""

    name: str
    regex: str


@dataclass(frozen=True)
class Implementation:
    """What stands for an image: `program` is `version` of the algorithm or framework `name`.

    `first_party` images bring their metric definitions and take none from the user.
    `default_content_type` is what a channel without a ContentType contains.
    """

    name: str
    version: str
    program: Program
    metric_definitions: tuple[MetricDefinition, ...] = ()
    first_party: bool = False
    default_content_type: str | None = None


class Images:
    """The images of a cloud: `extra` by exact URI, then the built-in ones."""

    def __init__(self, extra: Mapping[str, Implementation] | None = None) -> None:
        self._extra = {} if extra is None else extra

    def resolve(self, uri: str) -> Implementation:
        """What runs for `uri`.

        Raises:
            ImageNotFound: nobody has such an image, or not in this account and region.
            ImageNotSupported: AWS has it, this project does not.
        """
        return self._extra.get(uri) or resolve(uri)


def resolve(uri: str) -> Implementation:
    """The built-in implementation of `uri`; raises as Images.resolve."""
    parts = _URI.fullmatch(uri)
    if parts is None:
        raise ImageNotFound(
            f"{uri!r} is not an image in ECR and is not registered as an image here"
        )
    repository, region = parts["repository"], parts["region"]
    registry = _registries().get(repository)
    if registry is None:
        raise ImageNotFound(
            f"{uri!r}: no image {repository!r} is known; register it, or name a built-in one"
        )
    account = registry.get(region)
    if account is None:
        raise ImageNotFound(f"{uri!r}: AWS has no {repository!r} in the region {region!r}")
    if parts["account"] != account:
        raise ImageNotFound(f"{uri!r}: {repository!r} in {region} is in the account {account}")
    if parts["suffix"] != dns_suffix(region):
        raise ImageNotFound(f"{uri!r}: the registries of {region} end in {dns_suffix(region)!r}")
    built_in = _data()["built_in"].get(repository)
    if built_in is None:
        raise ImageNotSupported(f"{uri!r}: the image {repository!r} is not implemented here")
    version = None if parts["digest"] else built_in["tags"].get(parts["tag"] or "latest")
    if version is None:
        tags = ", ".join(built_in["tags"])
        raise ImageNotFound(f"{uri!r}: the tags of {repository!r} are {tags}")
    return _implementation(built_in["algorithm"], version)


def dns_suffix(region: str) -> str:
    """The end of the host names of a region's endpoints, `amazonaws.com.cn` for instance."""
    suffixes: dict[str, str] = _data()["dns_suffixes"]
    return suffixes[max((start for start in suffixes if region.startswith(start)), key=len)]


def account_of(repository: str, region: str) -> str | None:
    """The account in which AWS keeps `repository` in `region`, if it does."""
    return _registries().get(repository, {}).get(region)


@functools.cache
def _implementation(name: str, version: str) -> Implementation:
    algorithm = _data()["algorithms"][name]
    arguments = (name, "--version", version) if algorithm["versioned"] else (name,)
    # The tables of an algorithm are small; what it computes with is imported by its own process.
    module = importlib.import_module(algorithm["metrics"])
    return Implementation(
        name=name,
        version=version,
        program=Program(module=_ENTRY, arguments=arguments),
        metric_definitions=tuple(MetricDefinition(*pair) for pair in module.METRIC_DEFINITIONS),
        first_party=True,
        default_content_type=algorithm["default_content_type"],
    )


@functools.cache
def _registries() -> dict[str, dict[str, str]]:
    return {
        repository: registry["accounts"]
        for registry in _data()["registries"].values()
        for repository in registry["repositories"]
    }


@functools.cache
def _data() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("images.toml").read_text("utf-8"))
