"""The versions of the XGBoost image: which exist, under which tags, and what each of them does."""

import functools
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import Any


def table(name: str) -> dict[str, Any]:
    """A data file of this package."""
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))


@dataclass(frozen=True, order=True)
class Version:
    """One version of the image. Versions compare by age; `library` is the xgboost inside the real one."""

    age: int
    name: str = field(compare=False)
    library: str = field(compare=False)
    repository: str = field(compare=False)
    tags: tuple[str, ...] = field(compare=False)

    def within(self, since: str | None, until: str | None) -> bool:
        """Whether this version lies between two named ones, both included; None leaves an end open."""
        return (since is None or self >= named(since)) and (until is None or self <= named(until))

    def has(self, feature: str) -> bool:
        """Whether this version has a feature of versions.toml."""
        span = _table()["features"][feature]
        return self.within(span.get("since"), span.get("until"))


@functools.cache
def _table() -> dict[str, Any]:
    return table("versions.toml")


@functools.cache
def all_versions() -> tuple[Version, ...]:
    """Every version, oldest first."""
    return tuple(
        Version(age, row["name"], row["library"], row["repository"], tuple(row["tags"]))
        for age, row in enumerate(_table()["version"])
    )


@functools.cache
def named(name: str) -> Version:
    """The version of a name (`0.72`, `1.7-1`); KeyError names the versions there are."""
    for version in all_versions():
        if version.name == name:
            return version
    raise KeyError(f"{name!r} is none of the XGBoost versions {[v.name for v in all_versions()]}")


def by_tag(tag: str) -> Version:
    """The version behind an image tag (`1`, `latest`, `0.90-1-cpu-py3`, `1.7-1`) or of a version's name.

    KeyError names the tags there are.
    """
    for version in all_versions():
        if tag in version.tags or tag == version.name:
            return version
    tags = [tag for version in all_versions() for tag in version.tags]
    raise KeyError(f"{tag!r} is none of the XGBoost image tags {tags}")
