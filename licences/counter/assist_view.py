"""What is seen of department checks, by each side, by the person, and in lists.

Each look at whom a check is about stands on that person's record, written before the answer leaves.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, tuple_

from idservice import audit
from idservice.call import Post
from idservice.errors import Problem
from idservice.models import Department
from licences import acting
from licences.counter import assists, case_log, case_parties, working_days
from licences.counter.assist_life import OPEN, Side, State, is_late
from licences.counter.models import DepartmentCheck
from licences.deeds import Deed

if TYPE_CHECKING:
    from idservice.call import Call

MOST: Final = 200  # checks on one page
_ORDINAL: Final = 6  # digits of a day in a cursor


def listed(
    call: Call,
    side: Side,
    *,
    states: frozenset[State] = OPEN,
    matter: str | None = None,
    limit: int,
    cursor: str | None = None,
) -> list[DepartmentCheck]:
    """Return one page (and one more) of the checks of the caller's departments on one side, those due first in front.

    `cursor` is what `cursor_of` gave for the last one seen.
    """
    query = select(DepartmentCheck).where(DepartmentCheck.state.in_(sorted(states)))
    if not call.caller.all_departments:
        query = query.where(_ours(call, side))
    if matter is not None:
        query = query.where(DepartmentCheck.matter == matter)
    place = (DepartmentCheck.due_on, DepartmentCheck.check_id)
    if cursor is not None:
        query = query.where(tuple_(*place) > (date.fromordinal(int(cursor[:_ORDINAL])), cursor[_ORDINAL:]))
    return list(call.session.scalars(query.order_by(*place).limit(limit + 1)))


def cursor_of(check: DepartmentCheck) -> str:
    """Return the place of a check in a list by due day: six digits of the day, then its number."""
    return f"{check.due_on.toordinal():0{_ORDINAL}}{check.check_id}"


def of_holder(call: Call, *, limit: int, cursor: str | None = None) -> list[DepartmentCheck]:
    """Return one page (and one more) of checks about the caller or whom he acts for, as `case_log.own`."""
    return case_log.own(call, DepartmentCheck, DepartmentCheck.check_id, limit=limit, cursor=cursor)


def find_own(call: Call, check_id: str) -> DepartmentCheck:
    """Return a check about the caller or whom he acts for.

    Raises:
        Problem: not_found; forbidden for a matter that his mandate does not reach.
    """
    found = call.session.get(DepartmentCheck, (call.caller.holder, check_id)) if call.caller.holder else None
    if found is None:
        raise Problem("not_found", "There is no such check about you.")
    acting.demand_matter(call, found.matter)
    return found


def shown(call: Call, check: DepartmentCheck, side: Side = Side.ASKING) -> dict[str, Any]:
    """Return what one side sees of a check.

    Whom it is about is shown to the answering side alone, masked: a name would tell the asking side that he exists.
    """
    request = case_log.opened(call, *assists.REQUEST, check.check_id, check.request_sealed)
    today, state = case_parties.day_of(call.now), State(check.state)
    late = is_late(state, check.due_on, today)
    return {
        "id": check.check_id,
        "matter": check.matter,
        "proof": check.proof,
        "state": check.state,
        "department": check.department,
        "asking_department": check.asking_department,
        "asking_unit": request["unit"],
        "purpose": request["purpose"],
        "case_number": request["case_number"],
        "holder": case_parties.holder(call, check.subject, clear=False) if side is Side.ISSUING else None,
        "days": check.days,
        "due_on": check.due_on,
        "due_is_sure": check.due_on.year in working_days.published(),
        "is_overdue": late,
        "days_late": working_days.between(check.due_on, today) if late else 0,
        "reminders": check.reminders,
        "escalated_at": check.escalated_at,
        "is_mine": check.assigned_to is not None and check.assigned_to == call.caller.name_for_log,
        "is_assigned": check.assigned_to is not None,
        "answer": check.answer,
        "opened_at": check.opened_at,
        "answered_at": check.answered_at,
    }


def masked(call: Call, check_id: str, side: Side) -> dict[str, Any]:
    """Return a check as `shown`, with its steps.

    Raises:
        Problem: not_found.
    """
    check = assists.find(call, check_id, side=side)
    return shown(call, check, side) | {"steps": case_log.history(call, check.subject, check.check_id)}


def read(call: Call, check: DepartmentCheck) -> dict[str, Any]:
    """Return a check to the issuing side, with its steps; to whom it is assigned, the person in full, on his record."""
    found = shown(call, check, Side.ISSUING) | {"steps": case_log.history(call, check.subject, check.check_id)}
    if not found["is_mine"] or State(check.state) not in OPEN:
        return found
    facts = case_parties.unit_facts(
        call,
        check.department,
        purpose=found["purpose"],
        matter=check.matter,
        case_number=found["case_number"],
        fields=["holder_name", "holder_number"],
        basis="department_check",
    )
    audit.record_access(call, Deed.CHECK_READ, subject=check.subject, facts=facts, check=check.check_id)
    return found | {"holder": case_parties.holder(call, check.subject, clear=True)}


def unit_names(call: Call) -> dict[str, str]:
    """Return the names of all departments by credit code."""
    rows = call.session.execute(select(Department.credit_code, Department.name))
    return {row.credit_code: row.name for row in rows}


def _ours(call: Call, side: Side) -> Any:
    officer = call.caller.departments_as(Post.OFFICER)
    if side is Side.ISSUING:
        return DepartmentCheck.department.in_(officer)
    return DepartmentCheck.asking_department.in_(officer | call.caller.departments_as(Post.CLERK))
