"""Figures of the no-certificate counter (无证明城市统计): proofs met without paper, checks answered too late.

By asking unit and matter, for one month of the city's calendar. The database adds up: however much was asked, all of it
is counted. Nothing in the figures says anything of a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, case, exists, func, or_, select, true

from idservice.call import Post
from licences.counter.assist_life import OPEN, Answer
from licences.counter.case_parties import CITY, day_of
from licences.counter.models import DepartmentCheck
from licences.models import Lookup

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from idservice.call import Call

#: Outcomes for which somebody has to bring paper, unless a department that was asked says yes.
WITH_PAPER: Final = ("not_held", "data_no", "data_partly", "department")
_NAMES: Final = ("proofs", "without_paper", "checks", "overdue")


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

    def add(self, unit: str, matter: str, **counted: int) -> None:
        """Add what was counted for a unit and matter."""
        figure = self.rows.setdefault((unit, matter), Figure(unit, matter))
        for name, number in counted.items():
            setattr(figure, name, getattr(figure, name) + number)

    def total(self) -> Figure:
        """Return the sums."""
        found = Figure("", "")
        for row in self.rows.values():
            for name in _NAMES:
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
    table = Table()
    for row in call.session.execute(_ours(call, _proofs(call, start, end), Lookup.department)):
        table.add(row.department, row.matter, proofs=row.proofs, without_paper=int(row.without_paper))
    for row in call.session.execute(_ours(call, _checks(call, start, end), DepartmentCheck.asking_department)):
        table.add(row.asking_department, row.matter, checks=row.checks, overdue=int(row.overdue))
    items = [table.rows[key].as_json() for key in sorted(table.rows)]
    return {"month": named, "total": table.total().as_json(), "items": items}


def _proofs(call: Call, start: datetime, end: datetime) -> Select[*tuple[Any, ...]]:
    """Return how many proofs were looked up, and how many of them nobody has to bring: each outcome is a row.

    A department that was only asked has met nothing yet; one that was asked after the look-up may have.
    """
    is_sqlite = call.session.get_bind().dialect.name == "sqlite"
    each = func.json_each if is_sqlite else func.json_each_text
    outcome = each(Lookup.outcomes).table_valued("key", "value", name="outcome")
    answered_yes = exists().where(
        DepartmentCheck.subject == Lookup.subject,
        DepartmentCheck.lookup_id == Lookup.lookup_id,
        DepartmentCheck.proof == outcome.c.key,
        DepartmentCheck.answer == str(Answer.YES),
    )
    met = case((outcome.c.value.not_in(WITH_PAPER), 1), (answered_yes, 1), else_=0)
    counted = select(
        Lookup.department, Lookup.matter, func.count().label("proofs"), func.sum(met).label("without_paper")
    )
    asked = counted.select_from(Lookup).join(outcome, true()).where(Lookup.at >= start, Lookup.at < end)
    return asked.group_by(Lookup.department, Lookup.matter)


def _checks(call: Call, start: datetime, end: datetime) -> Select[*tuple[Any, ...]]:
    """Return how many checks were opened, and how many of them were answered after their day or are open after it."""
    check = DepartmentCheck
    is_open = and_(check.answered_at.is_(None), check.state.in_(sorted(OPEN)))
    late = or_(_day_in_city(call, check.answered_at) > check.due_on, and_(is_open, check.due_on < day_of(call.now)))
    counted = select(
        check.asking_department,
        check.matter,
        func.count().label("checks"),
        func.sum(case((late, 1), else_=0)).label("overdue"),
    )  # its number is ordered by time, and the index with it
    asked = counted.where(check.check_id >= _id_from(start), check.check_id < _id_from(end))
    return asked.group_by(check.asking_department, check.matter)


def _day_in_city(call: Call, moment: Any) -> ColumnElement[Any]:
    """Return the day of an instant in the city, by which offices count; None of none."""
    if call.session.get_bind().dialect.name == "sqlite":
        return func.date(moment, "+8 hours")  # SQLite knows no zones; the city's has not changed since 1991
    return func.date(func.timezone(str(CITY), moment))


def _id_from(moment: datetime) -> str:
    """Return what the numbers of cases opened from then on begin with (`idservice.ids.timed_id`)."""
    return f"{int(moment.timestamp() * 1000):012x}"


def _ours(call: Call, query: Select[Any], department: Any) -> Select[Any]:
    if call.caller.all_departments:
        return query
    served = call.caller.departments_as(Post.OFFICER) | call.caller.departments_as(Post.CLERK)
    return query.where(department.in_(served))
