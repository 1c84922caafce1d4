"""Writes what came of a run: report.html (one file, works offline), report.json and junit.xml."""

import json
import re
from pathlib import Path
from typing import Any

from harness.runs.figures import draw
from harness.runs.junit import to_junit
from harness.runs.results import Outcome, RunResult, ScenarioResult, slowest

# Colour codes of a terminal, and the carriage returns of progress lines.
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]")
_STATUS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.NOT_OFFERED: "not offered",
}


def write_report(result: RunResult, folder: Path) -> Path:
    """Write the three files into `folder`; the path of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(result.to_json(), indent=2) + "\n", "utf-8")
    (folder / "junit.xml").write_bytes(to_junit(result))
    page = folder / "report.html"
    page.write_text(to_html(result), "utf-8")
    return page


def to_html(result: RunResult) -> str:
    """The page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("harness.runs"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["source"] = _source
    environment.filters["seconds"] = _seconds
    return environment.get_template("report.html.j2").render(
        run=result, scenarios=[_scenario(scenario) for scenario in result.scenarios]
    )


def _scenario(scenario: ScenarioResult) -> dict[str, Any]:
    longest = slowest(scenario.steps)
    return {
        "result": scenario,
        "status": _STATUS[scenario.status],
        "held": sum(check.passed for check in scenario.checks),
        "figures": [draw(prediction) for prediction in scenario.predictions],
        "steps": [
            (step, round(100 * step.seconds / longest) if longest else 0) for step in scenario.steps
        ],
        "output": _TERMINAL.sub("", scenario.output.replace("\r\n", "\n")).strip(),
    }


def _source(source: str) -> dict[str, str]:
    """How a check's source is shown: a link, or words."""
    if source.startswith("https://"):
        return {"url": source, "text": source.split("//", 1)[1].removesuffix(".html")}
    service, separator, shape = source.partition(":")
    if separator and "/" not in service:
        return {"url": "", "text": f"{shape}, in the service model of {service}"}
    page, section, slug = source.partition("#")
    if section:
        return {"url": "", "text": f"docs/{page}: {slug.replace('-', ' ')}"}
    return {"url": "", "text": source}


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"
