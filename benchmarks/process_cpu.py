"""CPU time of a process and all its descendants, from Linux's /proc (proc(5), proc_pid_stat(5))."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")


def seconds(root: int) -> float:
    """Return the user and system time so far of the process `root`, its descendants and those it has outlived."""
    children: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (found := _read(entry)) is not None:
            pid = int(entry.name)
            parent, spent[pid] = found
            children.setdefault(parent, []).append(pid)
    total, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        total += spent.get(pid, 0.0)
        waiting += children.get(pid, [])
    return total


def _read(entry: Path) -> tuple[int, float] | None:
    """Return parent and seconds of one process, None if it has just ended."""
    try:
        stat = (entry / "stat").read_text()
    except OSError:
        return None
    # The name in brackets may hold anything, so fields are counted from its end: field 3 comes first.
    fields = stat[stat.rindex(")") + 2 :].split()
    return int(fields[1]), sum(map(int, fields[11:15])) / _TICKS  # ppid; utime stime cutime cstime
