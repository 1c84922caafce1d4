"""Looks at this machine from outside: child processes, listening ports and files of a local place."""

import psutil

from harness.runs.inventory import Item
from harness.targets.place import Machine

SERVICE = "machine"


def look(machine: Machine, *, closed: bool = False) -> frozenset[Item]:
    """Processes under `machine.pid`, ports that it or they listen on, files in its folder.

    While the place is open its own standing process is no find.
    """
    files = (str(path.relative_to(machine.folder)) for path in machine.folder.rglob("*"))
    processes = look_at_process(machine.pid, standing=None if closed else machine.standing)
    return processes | {Item(SERVICE, "file", name) for name in files}


def look_at_process(pid: int, *, standing: str | None = None) -> frozenset[Item]:
    """The processes under this one, and the ports that it or they listen on.

    A child with `standing` in its command line is passed over; its own children are not.
    """
    found: set[Item] = set()
    own = psutil.Process(pid)
    for process in [own, *own.children(recursive=True)]:
        try:
            words = " ".join(process.cmdline()) or process.name()
            stands = standing is not None and standing in words and process.ppid() == pid
            if process != own and not stands:
                found.add(Item(SERVICE, "process", f"{process.pid} ({words[:80]})"))
            for connection in process.net_connections(kind="inet"):
                if connection.status == psutil.CONN_LISTEN:
                    where = f"{connection.laddr.ip}:{connection.laddr.port}"
                    found.add(Item(SERVICE, "port", where))
        except psutil.Error:
            continue  # it ended while we looked
    return frozenset(found)
