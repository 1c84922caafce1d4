"""Looks at this machine from outside: child processes, listening ports and files of a local place."""

import psutil

from harness.runs.inventory import Item
from harness.targets.place import Machine

SERVICE = "machine"


def look(machine: Machine) -> frozenset[Item]:
    """Processes under `machine.pid`, ports that it or they listen on, files in its folder."""
    files = (str(path.relative_to(machine.folder)) for path in machine.folder.rglob("*"))
    return look_at_process(machine.pid) | {Item(SERVICE, "file", name) for name in files}


def look_at_process(pid: int) -> frozenset[Item]:
    """The processes under this one, and the ports that it or they listen on."""
    found: set[Item] = set()
    own = psutil.Process(pid)
    for process in [own, *own.children(recursive=True)]:
        try:
            if process != own:
                words = " ".join(process.cmdline())[:80] or process.name()
                found.add(Item(SERVICE, "process", f"{process.pid} ({words})"))
            for connection in process.net_connections(kind="inet"):
                if connection.status == psutil.CONN_LISTEN:
                    where = f"{connection.laddr.ip}:{connection.laddr.port}"
                    found.add(Item(SERVICE, "port", where))
        except psutil.Error:
            continue  # it ended while we looked
    return frozenset(found)
