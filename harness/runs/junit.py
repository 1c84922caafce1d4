"""The run as JUnit XML: a suite per scenario, a case per check and one for playing to the end."""

import re
from xml.etree import ElementTree

from harness.runs.results import Outcome, RunResult, ScenarioResult

# What XML 1.0 cannot hold.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(result: RunResult) -> bytes:
    """The XML document."""
    suites = [_suite(scenario) for scenario in result.scenarios]
    root = ElementTree.Element("testsuites", name="harness", time=f"{result.seconds:.3f}")
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.extend(suites)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _suite(scenario: ScenarioResult) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=scenario.name, time=f"{scenario.seconds:.3f}")
    played = ElementTree.SubElement(
        suite,
        "testcase",
        classname=scenario.name,
        name="plays to the end",
        time=f"{scenario.seconds:.3f}",
    )
    if scenario.status is Outcome.NOT_OFFERED:
        ElementTree.SubElement(played, "skipped", message=_text("; ".join(scenario.reasons)))
    if scenario.error:
        error = ElementTree.SubElement(played, "error", message=_text(scenario.error))
        found = [f"{one.group} {one.stream}: {one.line}" for one in scenario.explanations]
        error.text = _text("\n".join([*found, scenario.traceback or ""]))
    for check in scenario.checks:
        case = ElementTree.SubElement(suite, "testcase", classname=scenario.name, name=check.name)
        if not check.passed:
            failure = ElementTree.SubElement(case, "failure", message=_text(check.detail))
            failure.text = _text(f"{check.sentence}\nSource: {check.source}")
    if scenario.output:
        ElementTree.SubElement(suite, "system-out").text = _text(scenario.output)
    for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    return suite


def _text(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
