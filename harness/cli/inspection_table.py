"""What `harness check` prints: what was read, what was found and what each algorithm makes of it."""

from typing import IO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.checks.inspection import Finding, Inspection, Verdict, advice
from harness.checks.inspection.statistics import MOST_DISTINCT, Column, Labels
from harness.cli.progress import PLAIN_WIDTH

_INDENT = 2
_BELOW = 4
_COMMA = "Determined delimiter of CSV input is ','"
"""What XGBoost says of every CSV file that is as it should be."""


def show(inspection: Inspection, stream: IO[str]) -> None:
    """Print all of it."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(
        Text.assemble(
            (inspection.path, "bold"),
            f"  {inspection.content_type} for {inspection.use.value}, {inspection.size:,} bytes",
        ),
        soft_wrap=True,
    )
    _show_contents(inspection, console)
    _show_findings(inspection, console)
    console.print()
    for verdict in inspection.verdicts:
        _show_verdict(verdict, inspection, console)
    _show_advice(inspection, console)


def _show_contents(inspection: Inspection, console: Console) -> None:
    contents = inspection.contents
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if contents.width is not None:
        labels = f" and {_count(contents.label_size, 'label')}" if contents.label_size else ""
        beginning = "" if contents.complete else "at least "
        records = _count(contents.records, "record")
        table.add_row(
            "read", f"{beginning}{records} of {_count(contents.width, 'feature')}{labels}"
        )
    if contents.labels.count:
        column = "column 1: " if inspection.content_type.startswith(("text/csv", "csv")) else ""
        table.add_row("label", Text(f"{column}{_labels(contents.labels)}"))
    if contents.features.count:
        table.add_row("features", Text(_numbers(contents.features)))
    for note in contents.notes:
        table.add_row("note", Text(note))
    if not contents.complete:
        table.add_row("note", "the rest of the file was not looked at")
    if table.row_count:
        _print(console, table, _INDENT)


def _count(number: int | None, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _labels(labels: Labels) -> str:
    first = ", ".join(f"{value:g}" for value in labels.first)
    more = ", ..." if labels.count > len(labels.first) else ""
    different = f"more than {MOST_DISTINCT:,}" if labels.uncounted else f"{len(labels.distinct):,}"
    kind = "" if labels.whole else ", not all whole"
    return f"{first}{more}; {_numbers(labels)}, {different} different{kind}"


def _numbers(column: Column) -> str:
    parts = []
    if column.lowest is not None:
        parts.append(f"from {column.lowest:g} to {column.highest:g}")
    if column.missing:
        parts.append(f"{column.missing:,} missing")
    if column.infinite:
        parts.append(f"{column.infinite:,} infinite")
    return ", ".join(parts)


def _show_findings(inspection: Inspection, console: Console) -> None:
    if not inspection.findings:
        return
    table = Table.grid(padding=(0, 2))
    for _ in range(4):
        table.add_column(overflow="fold")
    for finding in inspection.findings:
        stops = f"stops {', '.join(finding.refused_by)}" if finding.refused_by else "a hint"
        table.add_row(
            Text(str(finding.place) or "the file", "bold"),
            Text(_sentence(finding)),
            Text(_printable(finding.shown.replace("\n", "\\n")), "cyan"),
            Text(stops, "red" if finding.refused_by else "dim"),
        )
    console.print()
    _print(console, table, _INDENT)
    if inspection.left_out:
        kinds = ", ".join(
            f"{times:,} {kind.replace('_', ' ')}" for kind, times in inspection.left_out.items()
        )
        _print(console, Text(f"and so on: {kinds} more", "dim"), _INDENT)
    elif not inspection.contents.complete and len(inspection.findings) > 1:
        _print(console, Text("and so on", "dim"), _INDENT)


def _sentence(finding: Finding) -> str:
    return finding.sentence + (f" ({finding.times:,} times)" if finding.times > 1 else "")


def _printable(text: str) -> str:
    """Text of whatever file without what would move the cursor, but for newlines."""
    return "".join(
        mark if mark.isprintable() or mark == "\n" else mark.encode("unicode_escape").decode()
        for mark in text
    )


def _show_verdict(verdict: Verdict, inspection: Inspection, console: Console) -> None:
    if verdict.usable:
        mark = ("✓ can use it", "green")
    elif verdict.takes:
        mark = ("✗ cannot use it", "red")
    else:
        media = inspection.content_type.split(";")[0]
        mark = (f"- takes no {media} for {inspection.use.value}", "yellow")
    console.print(Text.assemble((f"{verdict.algorithm:<15} ", "bold"), mark))
    if verdict.text:
        _print(console, Text(_printable(f"{verdict.said_as}{verdict.text}")), _BELOW)
    for line in (verdict.log, *verdict.notes):
        if line and line != _COMMA:
            _print(console, Text(_printable(f"log: {line}"), "dim"), _BELOW)


def _print(console: Console, what: RenderableType, indent: int) -> None:
    console.print(Padding(what, (0, 0, 0, indent), expand=False))


def _show_advice(inspection: Inspection, console: Console) -> None:
    lines = dict.fromkeys(
        found
        for finding in inspection.findings
        if (found := advice(finding.kind, finding.sentence)) is not None
    )
    if lines:
        console.print()
    for line in lines:
        console.print(Text.assemble(("to do  ", "bold"), line), soft_wrap=True)
