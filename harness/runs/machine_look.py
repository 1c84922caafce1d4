"""Looks at this machine from outside: child processes, listening ports and files of a local place."""

import psutil

from harness.runs.inventory import Item
from harness.targets.place import Machine

SERVICE = "machine"


def look(machine: Machine) -> frozenset[Item]:
    """Processes under `machine.pid`, ports that it or they listen on, files in its folder."""
    found: set[Item] = set()
    own = psutil.Process(machine.pid)
    for process in [own, *own.children(recursive=True)]:
        try:
            if process != own:
                words = " ".join(process.cmdline())[:80] or process.name()
                found.add(Item(SERVICE, "process", f"{process.pid} ({words})"))
            for connection in process.net_connections(kind="inet"):
                if connection.status == psutil.CONN_LISTEN:
                    found.add(
                        Item(SERVICE, "port", f"{connection.laddr.ip}:{connection.laddr.port}")
                    )
        except psutil.Error:
            continue  # it ended while we looked
    for path in machine.folder.rglob("*"):
        found.add(Item(SERVICE, "file", str(path.relative_to(machine.folder))))
    return frozenset(found)
