"""Evidence markers: a test of AWS's behaviour names its source, and the source must exist."""

import contextlib
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.model import (
    ListShape,
    NoShapeFoundError,
    OperationNotFoundError,
    ServiceModel,
    Shape,
    StructureShape,
)

DOCS = Path(__file__).parent.parent / "docs"
KINDS = ("assumed", "documented", "recorded", "sdk_source")

_AWS_PAGE = re.compile(r"https://docs\.aws\.amazon\.com/\S+")
_MODEL = re.compile(r"(?P<service>[a-z0-9-]+):(?P<name>\w+)(?P<members>(\.\w+)*)")
_NOTE = re.compile(r"notes/(?P<file>[\w./-]+\.md)#(?P<slug>\S+)")


class UnresolvedError(Exception):
    """A reference that names nothing that exists."""


@dataclass(frozen=True)
class Evidence:
    """One claim: the kind of its source, the reference, the test and the test's sentence."""

    kind: str
    ref: str
    test: str
    sentence: str


def resolve(ref: str) -> None:
    """Look `ref` up.

    Raises:
        UnresolvedError: it has none of the known forms, or names what does not exist.
    """
    if _AWS_PAGE.fullmatch(ref):
        return
    if note := _NOTE.fullmatch(ref):
        _resolve_note(note["file"], note["slug"])
    elif model := _MODEL.fullmatch(ref):
        _resolve_model(model["service"], model["name"], model["members"].split(".")[1:])
    else:
        raise UnresolvedError(
            "not a reference: write service:Shape, service:Operation, service:Shape.member, "
            "notes/FILE.md#SECTION or https://docs.aws.amazon.com/..."
        )


def _resolve_note(file: str, slug: str) -> None:
    path = DOCS / "notes" / file
    if not path.is_file():
        raise UnresolvedError(f"docs/notes/{file} does not exist")
    if slug not in slugs(path.read_text("utf-8")):
        raise UnresolvedError(f"docs/notes/{file} has no section #{slug}")


def slugs(markdown: str) -> set[str]:
    """The anchors that GitHub gives the headings of `markdown`."""
    found: set[str] = set()
    fence = ""
    for line in markdown.splitlines():
        if fence:
            fence = "" if line.strip() == fence else fence
        elif opened := re.match(r"\s*(```+|~~~+)", line):
            fence = opened[1]
        elif heading := re.match(r"#{1,6}\s+(.+?)(\s+#+)?\s*$", line):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            numbered = (f"{slug}-{n}" for n in range(1, len(found) + 2))
            found.add(slug if slug not in found else next(s for s in numbered if s not in found))
    return found


@cache
def _service(name: str) -> ServiceModel:
    session = botocore.session.Session()
    return ServiceModel(session.get_component("data_loader").load_service_model(name, "service-2"))


def _resolve_model(service: str, name: str, members: list[str]) -> None:
    try:
        model = _service(service)
    except UnknownServiceError:
        raise UnresolvedError(f"botocore has no service {service!r}") from None
    roots = list(_shapes(model, name))
    if not roots:
        raise UnresolvedError(f"{service} has no operation or shape {name!r}")
    if members and not any(_has_members(root, members) for root in roots if root is not None):
        raise UnresolvedError(f"{service}:{name} has no member {'.'.join(members)!r}")


def _shapes(model: ServiceModel, name: str) -> Iterator[Shape | None]:
    """What `name` may be: a shape, or an operation with its input and output, None where absent."""
    with contextlib.suppress(NoShapeFoundError):
        yield model.shape_for(name)
    try:
        operation = model.operation_model(name)
    except OperationNotFoundError:
        return
    yield operation.input_shape
    yield operation.output_shape


def _has_members(shape: Shape, members: list[str]) -> bool:
    for name in members:
        while isinstance(shape, ListShape):
            shape = shape.member
        if not isinstance(shape, StructureShape) or name not in shape.members:
            return False
        shape = shape.members[name]
    return True


def evidence_of(item: pytest.Item) -> Iterator[Evidence]:
    """The claims of one collected test; the marker nearest to the test comes first.

    Raises:
        UnresolvedError: a marker does not have exactly one string.
    """
    doc = getattr(getattr(item, "obj", None), "__doc__", None) or ""
    for marker in item.iter_markers():
        if marker.name in KINDS:
            if len(marker.args) != 1 or marker.kwargs or not isinstance(marker.args[0], str):
                raise UnresolvedError(f"@pytest.mark.{marker.name} takes one reference, a string")
            yield Evidence(marker.name, marker.args[0], _test(item), " ".join(doc.split()))


def _test(item: pytest.Item) -> str:
    """The test without its parameters: one claim, however many examples."""
    return item.nodeid.partition("[")[0]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail the collection of a module with a reference that leads nowhere."""
    report = yield
    faults: dict[str, None] = {}
    for item in report.result or ():
        if isinstance(item, pytest.Item):
            ref = "evidence"
            try:
                for evidence in evidence_of(item):
                    ref = f"@pytest.mark.{evidence.kind}({evidence.ref!r})"
                    resolve(evidence.ref)
            except UnresolvedError as error:
                faults[f"{_test(item)}: {ref}: {error}"] = None
    if faults:
        report.outcome = "failed"
        report.longrepr = "\n".join(faults)
        report.result = []
    return report
