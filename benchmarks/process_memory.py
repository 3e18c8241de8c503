"""Memory of a process tree, from Linux's /proc: the proportional set size (PSS, proc_pid_smaps_rollup(5)).

A page that several processes share counts for each with its part, so that sums over processes mean something.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


def children(pid: int) -> list[int]:
    """Return the processes that `pid` started and that still run."""
    threads = (_PROC / str(pid) / "task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


def descendants(pid: int) -> list[int]:
    """Return all processes below `pid`."""
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def mebibytes(*pids: int) -> float:
    """Return the memory of these processes together, in MiB."""
    rollups = ((_PROC / str(pid) / "smaps_rollup").read_text() for pid in pids)
    lines = (line for rollup in rollups for line in rollup.splitlines() if line.startswith("Pss:"))
    return sum(int(line.split()[1]) for line in lines) / 1024
