"""What one call costs this thread, beside another one that is called in turn with it."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def pair(ours: Callable[[], object], theirs: Callable[[], object], *, calls: int) -> tuple[float, float]:
    """Return the median CPU milliseconds of both; call by call, so that what else runs here meets both alike."""
    costs: tuple[list[float], list[float]] = ([], [])
    for _ in range(calls):
        for place, call in enumerate((ours, theirs)):
            started = time.thread_time()
            call()
            costs[place].append(1000 * (time.thread_time() - started))
    return median(costs[0]), median(costs[1])
