"""When is everybody's hour not like other hours (异常阈值)? Pure.

An hour is unusual when it has more than `FACTOR` times the looks of the median of those before it. A city that has just
begun has no median worth the name, so nothing below `FLOOR` is unusual.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

FACTOR: Final = 5
FLOOR: Final = 2000
LEAST_HOURS: Final = 3  # of which one must know the counts before their median says anything


def threshold(past: Sequence[int]) -> int:
    """Return how many looks an hour may have, given the hours before it in which there were any."""
    if len(past) < LEAST_HOURS:
        return FLOOR * FACTOR
    return max(FLOOR, round(FACTOR * median(past)))
