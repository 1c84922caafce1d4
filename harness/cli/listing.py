"""`harness list`: the scenarios and where they can be played."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.cli.loading import checked_folders, load_all
from harness.runs import scenarios
from harness.targets import catalogue


def show(own: Sequence[Path]) -> None:
    """Print the table."""
    where = checked_folders(own)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("scenario", "what it plays", "needs", "targets"):
        table.add_column(title, overflow="fold")
    targets = {
        name: catalogue.find(name, region="us-east-1", pace="fastest").offers
        for name in catalogue.NAMES
        if catalogue.is_there(name)
    }
    for scenario in load_all(scenarios.names(where), where):
        able = [name for name, offers in targets.items() if scenario.needs <= offers]
        table.add_row(
            scenario.name, scenario.title, ", ".join(sorted(scenario.needs)), ", ".join(able) or "-"
        )
    Console().print(table)
