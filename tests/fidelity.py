"""What each claim about AWS rests on, as a page.

`python -m tests.fidelity` writes docs/fidelity.md; `--check` says whether the page is current.
"""

import contextlib
import io
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.evidence import DOCS, Evidence, evidence_of

ROOT = DOCS.parent
PAGE = DOCS / "fidelity.md"

_HEAD = """\
# Fidelity

What the behaviour of the local cloud rests on. Made by `python -m tests.fidelity` from the tests'
evidence markers and from `differences.toml`; change those, not this page.
"""

# In the order in which a doubting reader wants them.
_SECTIONS = {
    "assumed": (
        "Assumed",
        "Nothing public says so for certain. Each is our best reading of what the reference tells.",
    ),
    "recorded": ("Recorded", "Seen in an answer that AWS itself gave."),
    "sdk_source": ("Relied on by an SDK", "An SDK's source, or botocore's model, depends on it."),
    "documented": ("Documented", "AWS's documentation, or the service's model, says so."),
}


@dataclass(frozen=True)
class Difference:
    """A known difference from AWS, as `differences.toml` has it."""

    id: str
    sentence: str
    why: str
    where: str


def differences(path: Path = ROOT / "differences.toml") -> tuple[Difference, ...]:
    """The known differences from AWS, by id.

    Raises:
        ValueError: an id stands twice, an entry is incomplete, or its place does not exist.
    """
    entries = tomllib.loads(path.read_text("utf-8")).get("difference", [])
    found: dict[str, Difference] = {}
    for entry in entries:
        try:
            difference = Difference(**entry)
        except TypeError as error:
            raise ValueError(f"{path.name}: {entry.get('id', entry)}: {error}") from None
        if difference.id in found:
            raise ValueError(f"{path.name}: {difference.id} stands twice")
        if not (path.parent / difference.where).exists():
            raise ValueError(f"{path.name}: {difference.id}: no {difference.where}")
        found[difference.id] = difference
    return tuple(found[key] for key in sorted(found))


def page(claims: Iterable[Evidence], known: Iterable[Difference]) -> str:
    """The Markdown of docs/fidelity.md."""
    by_kind: dict[str, list[Evidence]] = {kind: [] for kind in _SECTIONS}
    for claim in sorted(set(claims), key=lambda claim: (claim.test, claim.ref)):
        by_kind[claim.kind].append(claim)
    lines = [_HEAD, "| evidence | claims |", "|---|---|"]
    lines += [f"| {_SECTIONS[kind][0].lower()} | {len(by_kind[kind])} |" for kind in _SECTIONS]
    lines += ["", "## Known differences from AWS", ""]
    lines += [
        f"* **{known.id}**: {known.sentence} {known.why} (`{known.where}`)" for known in known
    ]
    for kind, (title, meaning) in _SECTIONS.items():
        lines += ["", f"## {title}", "", meaning, ""]
        test_file = ""
        for claim in by_kind[kind]:
            file = claim.test.partition("::")[0]
            if file != test_file:
                lines += [f"`{file}`", ""] if not test_file else ["", f"`{file}`", ""]
                test_file = file
            name = claim.test.rpartition("::")[2].removeprefix("test_").replace("_", " ")
            lines.append(f"* {name}: {claim.sentence} ({_source(claim.ref)})")
    return "\n".join(lines) + "\n"


def _source(ref: str) -> str:
    if ref.startswith("https:"):
        return f"[{ref.removeprefix('https://docs.aws.amazon.com/')}]({ref})"
    if ref.startswith("notes/"):
        return f"[{ref.removeprefix('notes/')}]({ref})"
    return f"`{ref}`"


class _Collected:
    """A pytest plugin that keeps the claims of whatever was collected."""

    def __init__(self) -> None:
        self.claims: list[Evidence] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read the markers."""
        for item in session.items:
            self.claims += evidence_of(item)


def collect() -> tuple[Evidence, ...]:
    """The claims of the whole test tree.

    Raises:
        RuntimeError: the tree can't be collected; the message is what pytest said.
    """
    collected = _Collected()
    arguments = ["--collect-only", "-qq", "--no-header", "-p", "no:cacheprovider"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = pytest.main([*arguments, str(ROOT / "tests")], plugins=[collected])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise RuntimeError(f"the tests can't be collected:\n{said.getvalue()}")
    return tuple(collected.claims)


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether the committed one is what would be written."""
    try:
        text = page(collect(), differences())
    except (RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    if arguments == ["--check"]:
        if PAGE.is_file() and PAGE.read_text("utf-8") == text:
            return 0
        print("docs/fidelity.md is stale: run `python -m tests.fidelity`", file=sys.stderr)
        return 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
