"""From application to seal (刻制审批): apply, have it approved by a second person, have it made.

Who approves is a person, an officer of the department or the operator at his console, and not the one who applied: a
program acting for the department may apply, never approve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from idservice import audit
from idservice.errors import Kind, Problem, register
from seals import custody
from seals.deeds import Deed
from seals.lifecycle import TABLE, Change, State
from seals.making import draw_svg, make_seal, new_number, term_of
from seals.models import SealApplication
from seals.picture_kinds import Design
from seals.register import enter, note_change, refuse_stranger, unit_of

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call

register(
    {
        "second_person_needed": Kind(403, "须由申请人以外的人审批", "Somebody other than the applicant decides"),
        "seal_change_not_allowed": Kind(409, "印章当前状态不允许此变更", "The seal's state does not allow this change"),
    }
)


def apply(
    call: Call,
    *,
    department: str,
    design: Design,
    reason: str,
    custodian: str | None = None,
    users: tuple[str, ...] = (),
    purposes: list[str] | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> SealApplication:
    """Apply for a seal of a department; nothing is made yet, but what could not be made is refused now.

    Args:
        call: its caller acts for the department.
        department: credit code.
        design: kind, line, number, code.
        reason: why the seal is needed.
        custodian: the keeper's citizen number; he names who may use the seal.
        users: citizen numbers of those who may use it; none: every officer of the department.
        purposes: what it may be used for; None: anything.
        valid_from: default: the moment it is made.
        valid_until: default: five years later.

    Raises:
        Problem: forbidden, invalid, seal_impossible, or unavailable.
    """
    refuse_stranger(call, department)
    unit = unit_of(call, department)
    draw_svg(unit.name, design)
    term_of(call, valid_from, valid_until)
    row = SealApplication(
        seal_id=new_number(call, unit.region),
        department=department,
        name=unit.name,
        design=design.as_json(),
        state=State.APPLIED,
        reason=reason,
        custodian=custody.officer(call, custodian, department, "/custodian") if custodian else None,
        purposes=purposes or None,
        valid_from=valid_from,
        valid_until=valid_until,
        applicant=call.caller.name_for_log,
        applied_at=call.now,
        approver=None,
        changed_at=call.now,
    )
    call.session.add(row)
    call.session.flush()
    for place, number in enumerate(users):
        person = custody.officer(call, number, department, f"/users/{place}")
        custody.write_user(call, row.seal_id, f"person:{person}", until=None)
    note_change(call, row.seal_id, "apply", State.APPLIED, reason=reason)
    audit.record(call, Deed.APPLIED, seal=row.seal_id, department=department, kind=str(design.kind))
    return row


def decide(call: Call, found: SealApplication, deed: Change, *, reason: str) -> dict[str, Any]:
    """Approve or refuse an application, or have an approved seal made; return the new line of its life.

    Raises:
        Problem: second_person_needed, seal_change_not_allowed, seal_name_changed, conflict, and what making raises.
    """
    arrow = TABLE[deed]
    before = State(found.state)
    if before not in arrow.origins:
        raise Problem("seal_change_not_allowed", f"The application is {found.state}.")
    if arrow.second_person:
        _refuse_same_person(call, found)
    unit = unit_of(call, found.department)
    if deed is not Change.REFUSE and unit.name != found.name:
        raise Problem("seal_name_changed", "The department has another name since the application.")
    _move(call, found, before, deed)
    if deed is Change.MAKE:
        return _made(call, found)
    change_id = note_change(call, found.seal_id, deed, arrow.target, reason=reason)
    audit.record(call, Deed.CHANGED, seal=found.seal_id, change=str(deed), state=str(arrow.target))
    return {"id": change_id, "seal": found.seal_id, "change": deed, "state": arrow.target, "at": call.now}


def may_decide(call: Call, found: SealApplication) -> bool:
    """Return whether this caller is a second person: a person, or the operator, and not the applicant."""
    caller = call.caller
    person = caller.person is not None or (caller.channel == "cli" and caller.all_departments)
    return person and caller.name_for_log != found.applicant


def _refuse_same_person(call: Call, found: SealApplication) -> None:
    if not may_decide(call, found):
        raise Problem("second_person_needed", "An officer of the department who did not apply decides.")


def _move(call: Call, found: SealApplication, before: State, deed: Change) -> None:
    values: dict[str, Any] = {"state": "made" if deed is Change.MAKE else TABLE[deed].target, "changed_at": call.now}
    if TABLE[deed].second_person:
        values["approver"] = call.caller.name_for_log
    moved = call.session.execute(
        update(SealApplication)
        .where(SealApplication.seal_id == found.seal_id, SealApplication.state == before)
        .values(values)
        .returning(SealApplication.seal_id)
    ).one_or_none()
    if moved is None:
        raise Problem("conflict", "The application changed while the request ran; repeat it.")


def _made(call: Call, found: SealApplication) -> dict[str, Any]:
    unit = unit_of(call, found.department)
    begin = max(found.valid_from, call.now) if found.valid_from else None
    term = term_of(call, begin, found.valid_until)
    seal = make_seal(call, unit, Design.of_json(found.design), term, seal_id=found.seal_id)
    seal.custodian, seal.purposes = found.custodian, found.purposes
    change_id = enter(call, seal)
    return {"id": change_id, "seal": seal.seal_id, "change": Change.MAKE, "state": State.IN_FORCE, "at": call.now}
