"""A scenario's hands: everything in a lesson that depends on where it is played."""

import importlib.util
import itertools
import re
import tomllib
from collections.abc import Sequence
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Protocol

from harness.targets.place import Place

# SageMaker's shortest name limit for jobs, models and endpoints (sagemaker:TrainingJobName).
LONGEST_NAME = 63


class Verdict(Protocol):
    """What a check returns (`harness.checks.CheckResult`)."""

    @property
    def name(self) -> str:
        """The check's name."""

    @property
    def passed(self) -> bool:
        """Whether it held."""

    @property
    def sentence(self) -> str:
        """What must hold."""

    @property
    def detail(self) -> str:
        """What was seen."""

    @property
    def source(self) -> str:
        """Where the sentence is from."""


class Notebook(Protocol):
    """What keeps the checks and pictures of a scenario."""

    def check(self, verdict: Verdict) -> None:
        """Keep the result of a check."""

    def prediction(self, title: str, actual: Sequence[float], predicted: Sequence[float]) -> None:
        """Keep predicted and actual values of the same rows, to be drawn."""


class FixtureNotFound(LookupError):
    """There is no fixture of this name; the message says where it was looked for."""


class Lab:
    """What a scenario is given.

    On a real account a learner has the same things under these names: `session = sagemaker.Session()`,
    `boto = boto3.Session()`, `role = get_execution_role()`, `bucket = session.default_bucket()`.
    """

    def __init__(
        self, place: Place, *, run_id: str, notebook: Notebook, fixtures: Sequence[Path]
    ) -> None:
        self._place = place
        self._run_id = run_id
        self._notebook = notebook
        self._fixtures = fixtures
        self._names = itertools.count(1)

    @property
    def boto(self) -> Any:
        """The boto3 session; clients made by it (or by plain `boto3.client`) reach the target."""
        return self._place.boto

    @property
    def region(self) -> str:
        """The region's name."""
        return self._place.region

    @property
    def role(self) -> str:
        """ARN of the execution role."""
        return self._place.role

    @property
    def bucket(self) -> str:
        """Name of an existing bucket in the region."""
        return self._place.bucket

    @cached_property
    def session(self) -> Any:
        """The `sagemaker.Session`, with `bucket` as its default bucket."""
        from sagemaker.session import Session

        return Session(boto_session=self.boto, default_bucket=self.bucket)

    def name(self, stem: str) -> str:
        """A name for a resource that nobody else uses: the stem, the run, a number; at most 63 characters."""
        suffix = f"-{self._run_id}-{next(self._names)}"
        plain = re.sub(r"[^a-zA-Z0-9]+", "-", stem).strip("-")
        if not plain:
            raise ValueError(f"no letter or digit in {stem!r}")
        return plain[: LONGEST_NAME - len(suffix)].strip("-") + suffix

    def image(self, framework: str, version: str | None = None) -> str:
        """The URI of a built-in algorithm's or framework's image in this region."""
        from sagemaker import image_uris

        return str(image_uris.retrieve(framework, self.region, version=version))

    def instance_type(self, use: Literal["training", "hosting"]) -> str:
        """The instance type for a use; the mapping is targets/instance_types.toml."""
        return _instance_types()[use]

    def fixture(self, name: str) -> Any:
        """What `load()` of `fixtures/<name>.py` returns: first the user's folder, then the project's."""
        for folder in self._fixtures:
            path = folder / f"{name}.py"
            if path.is_file():
                return _module(path).load()
        raise FixtureNotFound(
            f"no fixture {name!r} in {', '.join(str(folder) for folder in self._fixtures)}"
        )

    def check(self, verdict: Verdict) -> bool:
        """State the result of a check; the lesson goes on, the run fails in the end if it did not hold."""
        self._notebook.check(verdict)
        return verdict.passed

    def plot_predictions(self, title: str, actual: Any, predicted: Any) -> None:
        """Have predicted against actual values (rows,) drawn in the report."""
        self._notebook.prediction(
            title, [float(value) for value in actual], [float(value) for value in predicted]
        )


@cache
def _instance_types() -> dict[str, str]:
    text = resources.files(__package__).joinpath("instance_types.toml").read_text("utf-8")
    return tomllib.loads(text)


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"harness_fixture_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise FixtureNotFound(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
