"""Escalation of late department checks (超期督办): runs in the background, a check at a time, each escalated once.

An escalated check stands first in the unit's inbox for every officer, and before the system administrator, who sees
which unit is late with what, and nothing of the person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, update

from idservice.admin import roles
from idservice.admin.roles import Role
from idservice.call import Call, Caller
from licences.counter import assists, case_parties, working_days
from licences.counter.assist_life import OPEN, Step
from licences.counter.models import DepartmentCheck

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from idservice.call import House

AFTER: Final = 2  # working days late
AT_ONCE: Final = 200
CLOCK: Final = Caller(channel="cli", client_id="clock")


def escalate(house: House, now: datetime) -> int:
    """Escalate what has been late for `AFTER` working days, at most `AT_ONCE` checks; return how many."""
    today = case_parties.day_of(now)

    def find(session: Session) -> list[tuple[str, str, date]]:
        late = (DepartmentCheck.state.in_(sorted(OPEN)), DepartmentCheck.due_on < today)
        query = select(DepartmentCheck.subject, DepartmentCheck.check_id, DepartmentCheck.due_on)
        query = query.where(*late, DepartmentCheck.escalated_at.is_(None)).order_by(DepartmentCheck.due_on)
        return [(row.subject, row.check_id, row.due_on) for row in session.execute(query.limit(AT_ONCE))]

    found = house.database.run(find, write=False)  # most of the time there is nothing, and no writer waits
    due = [(subject, check) for subject, check, day in found if working_days.between(day, today) >= AFTER]
    return sum(_one(house, now, *key) for key in due)


def escalated(call: Call) -> list[dict[str, Any]]:
    """Return the escalated checks that still have no answer, the oldest first, to a system administrator.

    Raises:
        Problem: forbidden; or what `roles.demand` asks for.
    """
    roles.demand(call, Role.SYSTEM)
    late = (DepartmentCheck.state.in_(sorted(OPEN)), DepartmentCheck.escalated_at.is_not(None))
    rows = call.session.scalars(select(DepartmentCheck).where(*late).order_by(DepartmentCheck.due_on).limit(AT_ONCE))
    today = case_parties.day_of(call.now)
    return [
        {
            "id": row.check_id,
            "matter": row.matter,
            "proof": row.proof,
            "department": row.department,
            "asking_department": row.asking_department,
            "due_on": row.due_on,
            "days_late": working_days.between(row.due_on, today),
            "reminders": row.reminders,
            "escalated_at": row.escalated_at,
        }
        for row in rows
    ]


def _one(house: House, now: datetime, subject: str, check_id: str) -> int:
    def mark(session: Session) -> int:
        call = Call(house, session, CLOCK, now)
        first = update(DepartmentCheck).where(
            DepartmentCheck.subject == subject,
            DepartmentCheck.check_id == check_id,
            DepartmentCheck.state.in_(sorted(OPEN)),
            DepartmentCheck.escalated_at.is_(None),
        )
        marked = first.values(escalated_at=now).returning(DepartmentCheck.check_id)
        if session.execute(marked.execution_options(synchronize_session=False)).one_or_none() is None:
            return 0
        assists.take(call, session.get_one(DepartmentCheck, (subject, check_id)), Step.ESCALATE)
        return 1

    return house.database.run(mark, write=True)
