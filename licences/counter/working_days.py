"""Working days of government offices (工作日): weekends, public holidays and the days worked in their place.

Regulation on Public Holidays for National Annual Festivals and Memorial Days (全国年节及纪念日放假办法, State Council
decree 795); the days of each year by the yearly notice of the State Council's General Office, one file a year in
`holidays/`. A year without a file is counted by weekends alone, and the answer says so. Periods are counted from the
day after the event: Administrative Licensing Law (行政许可法) section 82, working days without public holidays.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST: Final = 400  # working days: no period of an office is longer
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Year:
    """The days of one year that differ from its weeks: `off` are holidays, `worked` are weekend days worked."""

    source: str
    off: frozenset[date]
    worked: frozenset[date]


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a period; not `is_sure` where a year on the way has no notice yet."""

    day: date
    is_sure: bool


@cache
def published() -> Mapping[int, Year]:
    """Return the years whose holidays are known; raises ValueError where a file is wrong."""
    folder = files("licences.counter") / "holidays"
    texts = [entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".json")]
    return {found["year"]: _parse(found) for found in map(json.loads, texts)}


def is_working(day: date, *, years: Mapping[int, Year] | None = None) -> bool:
    """Return whether offices work on that day."""
    year = (published() if years is None else years).get(day.year)
    if year is not None and (day in year.off or day in year.worked):
        return day in year.worked
    return day.weekday() < _SATURDAY


def after(start: date, days: int, *, years: Mapping[int, Year] | None = None) -> Due:
    """Return the day that is `days` working days after `start`; ValueError outside 1..LONGEST."""
    if not 1 <= days <= LONGEST:
        raise ValueError(f"a period has 1 to {LONGEST} working days")
    known = published() if years is None else years
    day, left = start, days
    while left:
        day += timedelta(days=1)
        left -= is_working(day, years=known)
    return Due(day, all(year in known for year in range(start.year, day.year + 1)))


def between(start: date, end: date, *, years: Mapping[int, Year] | None = None) -> int:
    """Return how many working days lie after `start`, up to and with `end`; 0 where `end` is not later."""
    span = min((end - start).days, 2 * LONGEST)  # nobody asks how late something is after years
    return sum(is_working(start + timedelta(days=step), years=years) for step in range(1, span + 1))


def _parse(found: dict[str, object]) -> Year:
    year, off, worked = found["year"], _days(found["off"]), _days(found["worked"])
    if {day.year for day in off | worked} != {year} or off & worked or any(day.weekday() < _SATURDAY for day in worked):
        raise ValueError(f"the holidays of {year} do not fit together")
    return Year(str(found["source"]), off, worked)


def _days(texts: object) -> frozenset[date]:
    listed: Iterable[str] = texts if isinstance(texts, list) else ()
    return frozenset(map(date.fromisoformat, listed))
