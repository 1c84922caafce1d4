"""The report: one page that works offline, says everything, escapes everything; JSON and JUnit beside it."""

import base64
import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import CheckResult, Status
from harness.runs.explanations import telling_line
from harness.runs.figures import draw
from harness.runs.junit import to_junit
from harness.runs.report import to_html, write_report
from harness.runs.results import (
    Explanation,
    Outcome,
    Prediction,
    RunResult,
    ScenarioResult,
)
from harness.runs.steps import Step

NASTY = '<script>alert(1)</script> & "quotes" \x1b[31mred\x1b[0m \x00 é'

GOOD = CheckResult(
    "rows", Status.PASSED, "Rows stay.", "3 rows", "https://docs.aws.amazon.com/x.html"
)
BAD = CheckResult("label", Status.FAILED, "Label first.", NASTY, "sagemaker:CreateModel")


def result_of(text: str = NASTY, *, picture: bool = True) -> RunResult:
    """A run with a bit of everything."""
    passed = ScenarioResult(
        "good",
        "A lesson.",
        Outcome.PASSED,
        65.0,
        checks=(GOOD,),
        steps=(Step("training", "job-1", 0.0, 2.0, status="Completed", ended=True),),
        predictions=(Prediction("Rain", (1.0, 2.0, 4.0), (1.5, 2.0, 3.0)),) if picture else (),
        output=text,
    )
    failed = ScenarioResult(
        "bad",
        text,
        Outcome.FAILED,
        1.0,
        checks=(BAD,),
        leftovers=(text,),
        steps=(Step("deploying", text, 0.0, 0.0, status="Failed", ended=True),),
        error=text,
        traceback=text,
        explanations=(Explanation("/aws/sagemaker/TrainingJobs", "job/algo-1", text),),
    )
    missing = ScenarioResult("other", "t", Outcome.NOT_OFFERED, 0.0, missing=("logs",))
    return RunResult(
        "id", "embedded", "us-east-1", "2026-11-21T00:00:00+00:00", 66.0, (passed, failed, missing),
        versions={"python": "3"}, leftovers=("machine port",),
    )  # fmt: skip


class Page(HTMLParser):
    """The page's tags with their attributes, and its text."""

    VOID = frozenset({"meta", "img", "source", "br", "wbr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """A tag closes, the one that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text."""
        self.text += data


def test_the_page_says_what_happened() -> None:
    """Scenarios, checks with sentence and source, steps, reasons, the log line, leftovers, RMSE and R2."""
    page = Page(to_html(result_of("plain text")))
    assert page.open == []
    for words in (
        "good", "not offered", "Rows stay.", "3 rows", "docs.aws.amazon.com/x",
        "CreateModel, in the service model of sagemaker", "job-1", "2.00 s", "1 min 5 s", "✗ no",
        "the target does not offer logs", "job/algo-1", "machine port", "RMSE 0.645", "R² 0.732",
    ):  # fmt: skip
        assert words in page.text, words
    assert ("html", {"lang": "en"}) in page.tags


def test_the_page_works_offline() -> None:
    """Nothing is loaded from elsewhere: pictures are data URIs, links are only links, no script."""
    page = Page(to_html(result_of()))
    loaded = [a.get("src") or a.get("srcset") for tag, a in page.tags if tag in ("img", "source")]
    assert len(loaded) == 2
    assert all(str(uri).startswith("data:image/svg+xml;base64,") for uri in loaded)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    (image,) = [attributes for tag, attributes in page.tags if tag == "img"]
    assert image["alt"] == "Rain: predicted against actual values of 3 rows; RMSE 0.645, R2 0.732."


@given(st.text(max_size=40))
def test_whatever_a_lesson_says_is_text(text: str) -> None:
    """No title, detail, leftover or output becomes markup; the structure stays the same."""
    plain = Page(to_html(result_of("x", picture=False)))
    page = Page(to_html(result_of(f"x{text}", picture=False)))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert page.open == []


@given(st.text(max_size=40))
def test_junit_is_xml_whatever_a_lesson_says(text: str) -> None:
    """Control characters and markup do not break the document, and the counts are right."""
    root = ElementTree.fromstring(to_junit(result_of(text or "e")))
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "1", "errors": "1", "skipped": "1"}
    (case,) = root.findall("testsuite[@name='bad']/testcase[@name='label']")
    assert case.find("failure") is not None


def test_three_files_are_written(tmp_path: Path) -> None:
    """The folder is made; the page, the JSON and the XML are in it."""
    page = write_report(result_of(), tmp_path / "new")
    assert sorted(path.name for path in page.parent.iterdir()) == [
        "junit.xml", "report.html", "report.json",
    ]  # fmt: skip
    assert json.loads((page.parent / "report.json").read_text())["run_id"] == "id"


def test_a_picture_is_the_same_each_time() -> None:
    """An SVG for either theme, with a point per row, the same bytes for the same rows."""
    prediction = Prediction("t", (1.0, 2.0, 3.0), (1.0, 2.5, 2.0))
    first, second = draw(prediction), draw(prediction)
    assert (first.light, first.dark) == (second.light, second.dark)
    assert first.light != first.dark
    svg = base64.b64decode(first.light.split(",", 1)[1]).decode()
    assert svg.count("<use ") >= 3
    assert (first.rows, round(first.rmse, 3), round(first.r2, 3)) == (3, 0.645, 0.375)


@pytest.mark.parametrize(
    ("lines", "telling"),
    [
        (["epoch 1", "[05/16/2021 ERROR 1] Customer Error: no label (caused by X)", "end"], "[05"),
        (["a", "ValueError: bad", "Traceback ends"], "ValueError: bad"),
        (
            ["UserError: why:", "because", "of", "this", "and that"],
            "UserError: why:\nbecause\nof\nthis",
        ),
        (["fine", "Killed", ""], "Killed"),
        (["fine", "last words", " "], "last words"),
        (["", " "], None),
        ([], None),
    ],
)
def test_the_telling_line_is_found(lines: list[str], telling: str | None) -> None:
    """What a container says when it gives up comes first; failing that its last words."""
    found = telling_line(lines)
    assert found is telling or str(found).startswith(str(telling))
