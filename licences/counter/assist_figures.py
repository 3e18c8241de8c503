"""Figures of the no-certificate counter (无证明城市统计): proofs met without paper, checks answered too late.

By asking unit and matter, for one month of the city's calendar. Nothing in them says anything of a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from idservice.call import Post
from licences.counter.assist_life import State, is_late
from licences.counter.case_parties import CITY, day_of
from licences.counter.models import DepartmentCheck
from licences.models import Lookup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Select

    from idservice.call import Call

MOST: Final = 50_000  # rows counted for one answer
WITH_PAPER: Final = frozenset({"not_held", "data_no", "data_partly"})  # outcomes for which somebody has to bring paper


@dataclass(slots=True)
class Figure:
    """What was counted for one unit and matter."""

    unit: str
    matter: str
    proofs: int = 0
    without_paper: int = 0
    checks: int = 0
    overdue: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the counts and their shares in percent, None where there is nothing to divide by."""
        counts = {name: getattr(self, name) for name in ("unit", "matter", "proofs", "without_paper")}
        return counts | {
            "without_paper_share": share(self.without_paper, self.proofs),
            "checks": self.checks,
            "overdue": self.overdue,
            "overdue_share": share(self.overdue, self.checks),
        }


@dataclass(slots=True)
class Table:
    """The figures of a month by unit and matter."""

    rows: dict[tuple[str, str], Figure] = field(default_factory=dict)

    def at(self, unit: str, matter: str) -> Figure:
        """Return the figure of a unit and matter, entered at its first mention."""
        return self.rows.setdefault((unit, matter), Figure(unit, matter))

    def add_lookup(self, unit: str, matter: str, outcomes: Iterable[str]) -> None:
        """Count the proofs of one look-up."""
        figure = self.at(unit, matter)
        for outcome in outcomes:
            figure.proofs += 1
            figure.without_paper += outcome not in WITH_PAPER

    def add_check(self, unit: str, matter: str, *, is_overdue: bool) -> None:
        """Count one department check."""
        figure = self.at(unit, matter)
        figure.checks += 1
        figure.overdue += is_overdue

    def total(self) -> Figure:
        """Return the sums."""
        found = Figure("", "")
        for row in self.rows.values():
            for name in ("proofs", "without_paper", "checks", "overdue"):
                setattr(found, name, getattr(found, name) + getattr(row, name))
        return found


def share(part: int, whole: int) -> float | None:
    """Return a part in percent to one decimal place; None of nothing."""
    return round(100 * part / whole, 1) if whole else None


def month_of(call: Call, month: str | None) -> str:
    """Return the month asked for, by default the present one in the city, as YYYY-MM."""
    return month or f"{day_of(call.now):%Y-%m}"


def figures(call: Call, month: str | None) -> dict[str, Any]:
    """Return the figures of one month for the departments the caller serves."""
    named = month_of(call, month)
    start = datetime.strptime(named, "%Y-%m").replace(tzinfo=CITY)
    end = (start + timedelta(days=32)).replace(day=1)
    table, is_whole = Table(), True
    lookups = select(Lookup.department, Lookup.matter, Lookup.outcomes).where(Lookup.at >= start, Lookup.at < end)
    for number, row in enumerate(call.session.execute(_ours(call, lookups, Lookup.department).limit(MOST + 1))):
        is_whole = is_whole and number < MOST
        table.add_lookup(row.department, row.matter, row.outcomes.values())
    checks = select(DepartmentCheck).where(  # its number is ordered by time, and the index with it
        DepartmentCheck.check_id >= _id_from(start), DepartmentCheck.check_id < _id_from(end)
    )
    asked = _ours(call, checks, DepartmentCheck.asking_department).limit(MOST + 1)
    for number, check in enumerate(call.session.scalars(asked)):
        is_whole = is_whole and number < MOST
        table.add_check(check.asking_department, check.matter, is_overdue=was_late(check, day_of(call.now)))
    rows = sorted(table.rows.values(), key=lambda row: (row.unit, row.matter))
    items = [row.as_json() for row in rows]
    return {"month": named, "total": table.total().as_json(), "items": items, "is_whole": is_whole}


def was_late(check: DepartmentCheck, today: Any) -> bool:
    """Return whether a check was answered after its day, or is still open after it."""
    if check.answered_at is not None:
        return day_of(check.answered_at) > check.due_on
    return is_late(State(check.state), check.due_on, today)


def _id_from(moment: datetime) -> str:
    """Return what the numbers of cases opened from then on begin with (`idservice.ids.timed_id`)."""
    return f"{int(moment.timestamp() * 1000):012x}"


def _ours(call: Call, query: Select[Any], department: Any) -> Select[Any]:
    if call.caller.all_departments:
        return query
    served = call.caller.departments_as(Post.OFFICER) | call.caller.departments_as(Post.CLERK)
    return query.where(department.in_(served))
