"""`harness list`: the scenarios and where they can be played."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.cli.loading import checked_folders, load_all, quietly
from harness.runs import scenarios
from harness.targets import catalogue


def show(own: Sequence[Path]) -> None:
    """Print the table."""
    where = checked_folders(own)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("scenario", no_wrap=True)
    for title in ("what it plays", "needs", "targets"):
        table.add_column(title, overflow="fold")
    targets = {
        name: catalogue.find(name, region="us-east-1", pace="fastest").offers
        for name in catalogue.NAMES
        if catalogue.is_there(name)
    }
    with quietly():
        lessons = load_all(scenarios.names(where), where)
    for scenario in lessons:
        able = [name for name, offers in targets.items() if scenario.needs <= offers]
        table.add_row(
            scenario.name, scenario.title, ", ".join(sorted(scenario.needs)), ", ".join(able) or "-"
        )
    Console().print(table)
