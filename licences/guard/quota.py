"""How often (查询配额): counters of looks, and how many are allowed.

Counted are an operator's day and minute, one subject's day, and everybody's hour. Everybody's hour lies in `SHARDS`
rows, so that no two looks need wait for the same one. A day is the city's, not UTC's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

CITY: Final = ZoneInfo("Asia/Shanghai")
SHARDS: Final = 16
HOURS_KEPT: Final = timedelta(days=8)
_DAY_KEPT: Final = timedelta(days=2)
_HOUR: Final = "%Y%m%d%H"
PLACE_OF_HOUR: Final = (5, 10)  # in the key of a part of everybody's counter, as SQL's substr counts


@dataclass(frozen=True, slots=True)
class Quota:
    """How many looks: of one operator a day and a minute, and about one subject a day."""

    per_day: int
    per_minute: int
    per_subject: int


LOOK_UPS: Final = Quota(per_day=1000, per_minute=120, per_subject=60)
VERIFICATIONS: Final = Quota(per_day=10_000, per_minute=600, per_subject=0)  # who shows his own code is not counted


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter by its key, and when nobody needs it any more."""

    key: str
    expires_at: datetime


def of_operator(what: str, operator: str, now: datetime) -> Counter:
    """Return the counter of what an operator does on this day, for whichever unit: a second post is no second quota."""
    return Counter(f"operator:{what}:{operator}:{_day(now)}", now + _DAY_KEPT)


def of_subject(whom: str, now: datetime) -> Counter:
    """Return the counter of a subject's day; `whom` is a keyed hash of the number, so that nobody need bear it."""
    return Counter(f"subject:{whom}:{_day(now)}", now + _DAY_KEPT)


def of_everybody(shard: int, now: datetime) -> Counter:
    """Return one part of the counter of everybody's hour."""
    return Counter(f"all:{now.astimezone(UTC).strftime(_HOUR)}:{shard:02d}", now + HOURS_KEPT)


def hours(now: datetime, back: timedelta) -> tuple[str, str, str]:
    """Return the keys between which everybody's counters of the last hours lie, and the hour that runs now."""
    first, this = ((now.astimezone(UTC) - span).strftime(_HOUR) for span in (back, timedelta()))
    return f"all:{first}:00", f"all:{this}:{SHARDS:02d}", this


def minute(now: datetime) -> int:
    """Return the minutes since 1970."""
    return int(now.timestamp()) // 60


def until_tomorrow(now: datetime) -> int:
    """Return the seconds until the next day begins in the city."""
    local = now.astimezone(CITY)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight - local).total_seconds()) + 1


def until_next_minute(now: datetime) -> int:
    """Return the seconds until the next minute begins."""
    return 60 - int(now.timestamp()) % 60


def _day(now: datetime) -> str:
    return now.astimezone(CITY).strftime("%Y%m%d")
