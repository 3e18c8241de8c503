"""The register of electronic seals (印章登记): find one, list them, say what is known of one, note what happens to it.

How a seal comes into it is told in `approval` (application, approval, making); `make` is the founding of a city, by its
operator.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from idservice import audit
from idservice.call import Post
from idservice.errors import FieldProblem, Problem
from idservice.ids import timed_id
from idservice.models import Department
from seals import lifecycle
from seals.deeds import Deed
from seals.lifecycle import State
from seals.making import make_seal, new_number, term_of
from seals.models import Seal, SealApplication, SealChange
from seals.picture_kinds import Design, Kind, full_name

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call

_NUMBER = re.compile(r"[0-9]{14}")


def make(
    call: Call,
    *,
    department: str,
    special: str | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> str:
    """Make a department's seal without an application, as the operator at the console may, and return its number.

    Args:
        call: the call of an operator.
        department: credit code.
        special: the line for a special purpose, such as 行政审批专用章; it ends with 专用章.
        valid_from: default now; not before.
        valid_until: default five years later; not after the end of the seal maker's own certificate.

    Raises:
        Problem: forbidden, invalid, seal_impossible, seal_rehearsal_failed, or unavailable where no authority is set
            up or the font is not installed.
    """
    if call.caller.channel != "cli" or not call.caller.all_departments:
        raise Problem("forbidden", "A seal is applied for and approved; only the operator makes one without that.")
    unit = unit_of(call, department)
    design = Design(Kind.OFFICIAL) if special is None else Design(Kind.SPECIAL, special=special)
    term = term_of(call, valid_from, valid_until)
    seal = make_seal(call, unit, design, term, seal_id=new_number(call, unit.region))
    enter(call, seal)
    return seal.seal_id


def enter(call: Call, seal: Seal) -> str:
    """Put a seal that was made into the register, and return the line of its life that says so."""
    call.session.add(seal)
    call.session.flush()
    change_id = note_change(call, seal.seal_id, "make", State.IN_FORCE, reason=None)
    audit.record(call, Deed.MADE, seal=seal.seal_id, department=seal.department)
    return change_id


def unit_of(call: Call, department: str) -> Department:
    """Return the department with that credit code.

    Raises:
        Problem: invalid.
    """
    unit = call.session.get(Department, department)
    if unit is None:
        raise Problem("invalid", "", errors=[FieldProblem("/department", "unknown", "There is no such department.")])
    return unit


def find(call: Call, seal_id: str) -> Seal:
    """Return the seal with that number, if the caller acts for its department.

    Raises:
        Problem: not_found; forbidden for a seal of another department.
    """
    seal = call.session.get(Seal, seal_id) if _NUMBER.fullmatch(seal_id) else None
    if seal is None:
        raise Problem("not_found", "The register holds no such seal.")
    refuse_stranger(call, seal.department)
    return seal


def find_application(call: Call, seal_id: str) -> SealApplication | None:
    """Return the application of that number which has not led to a seal, or None.

    Raises:
        Problem: forbidden for one of another department.
    """
    found = call.session.get(SealApplication, seal_id) if _NUMBER.fullmatch(seal_id) else None
    if found is None or found.state not in lifecycle.OF_APPLICATIONS:
        return None
    refuse_stranger(call, found.department)
    return found


def listed(call: Call, *, limit: int, cursor: str | None = None, state: str | None = None) -> dict[str, Any]:
    """Return a page of the seals of the caller's departments, by number, with the cursor of the next page.

    `state` is one of an application (applied, approved, refused), which are listed apart; None lists the seals made.
    """
    kind: Any = Seal if state is None else SealApplication
    query = select(kind).order_by(kind.seal_id).limit(limit + 1)
    if state is not None:
        query = query.where(kind.state == state)
    if not call.caller.all_departments:
        query = query.where(kind.department.in_(call.caller.departments_as(Post.OFFICER)))
    if cursor is not None:
        query = query.where(kind.seal_id > cursor)
    rows = call.session.scalars(query).all()
    items = [shown(call, row) for row in rows[:limit]]
    return {"items": items, "next_cursor": items[-1]["id"] if len(rows) > limit else None}


def shown(call: Call, row: Seal | SealApplication) -> dict[str, Any]:
    """Return what answers say of a seal or an application; the state is that of this instant."""
    facts: dict[str, Any] = {"id": row.seal_id, "department": row.department, "purposes": row.purposes}
    period = {"valid_from": row.valid_from, "valid_until": row.valid_until, "changed_at": row.changed_at}
    if isinstance(row, SealApplication):
        design = Design.of_json(row.design)
        name = full_name(row.name, design)
        told = {"name": name, "kind": design.kind, "state": State(row.state), "created_at": row.applied_at}
        return facts | period | told
    state = lifecycle.state_at(row.state, row.valid_from, row.valid_until, call.now)
    kind = None if row.kind is None else Kind(row.kind)
    return facts | period | {"name": row.name, "kind": kind, "state": state, "created_at": row.created_at}


def refuse_stranger(call: Call, department: str) -> None:
    """Refuse a caller who does not act for the department; of its people only officers (经办人) hold its seals.

    Raises:
        Problem: forbidden.
    """
    if not call.caller.may_act_for(department, Post.OFFICER):
        raise Problem("forbidden", "Only who acts for the department may make or use its seals.")


def note_change(call: Call, seal_id: str, change: str, state: State, *, reason: str | None) -> str:
    """Add one line to the seal's life and return its identifier."""
    change_id = timed_id(call.now)
    row = {"change_id": change_id, "seal_id": seal_id, "change": change, "state": state, "reason": reason}
    call.session.execute(insert(SealChange), row | {"actor": call.caller.name_for_log, "at": call.now})
    return change_id
