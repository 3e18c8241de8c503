"""From application to seal (刻制审批): apply, have it approved by a second person, have it made.

Who approves is a person and not the one who applied: a seal of a department its officers, a seal of an organisation or
of a person the officers of the office that files seals, any of them the operator at his console. A program acting for
a department may apply, never approve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from idservice import audit
from idservice.errors import Kind, Problem, register
from seals import custody, owners, standing
from seals.deeds import Deed
from seals.lifecycle import TABLE, Change, State
from seals.making import draw_svg, make_seal, new_number, term_of, waits
from seals.models import SealApplication
from seals.owner_kinds import OwnerKind
from seals.picture_kinds import Design
from seals.register import enter, find_application, note_change

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from seals.models import Seal
    from seals.owners import Owner

register(
    {
        "second_person_needed": Kind(403, "须由申请人以外的人审批", "Somebody other than the applicant decides"),
    }
)


def apply(
    call: Call,
    *,
    design: Design,
    reason: str,
    department: str | None = None,
    organisation: str | None = None,
    custodian: str | None = None,
    users: tuple[str, ...] = (),
    purposes: list[str] | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> SealApplication:
    """Apply for a seal; nothing is made yet, but what could not be made is refused now.

    Args:
        call: its caller acts for the owner, or is the owner.
        design: kind, line, number, code.
        reason: why the seal is needed.
        department: credit code of the owner; None: an organisation or the caller himself.
        organisation: credit code of the owner, where the caller's token does not say it.
        custodian: the keeper's citizen number; he names who may use the seal.
        users: citizen numbers of those who may use it; none: every officer of the department, or who leads the
            organisation.
        purposes: what it may be used for; None: anything.
        valid_from: default: the moment it is made.
        valid_until: default: five years later.

    Raises:
        Problem: forbidden, invalid, seal_impossible, unavailable, or what `step_up.demand` raises.
    """
    owner = owners.applying(call, kind=design.kind, department=department, organisation=organisation)
    if owner.kind is OwnerKind.ORGANISATION and (custodian or users):
        _refuse_agent(call, owner.organisation or "")
    draw_svg(owner.name, design)
    term_of(call, valid_from, valid_until)
    row = SealApplication(
        **owner.columns,
        seal_id=new_number(call, owners.region_of(call, owner)),
        name=owner.name_kept,
        design=design.as_json(),
        state=State.APPLIED,
        reason=reason,
        custodian=None,
        purposes=purposes or None,
        valid_from=valid_from,
        valid_until=valid_until,
        applicant=call.caller.name_for_log,
        applied_at=call.now,
        approver=None,
        changed_at=call.now,
    )
    call.session.add(row)
    row.custodian = custody.member(call, custodian, row, "/custodian") if custodian else None
    call.session.flush()
    for place, number in enumerate(users):
        person = custody.member(call, number, row, f"/users/{place}")
        custody.write_user(call, row.seal_id, f"person:{person}", until=None)
    note_change(call, row.seal_id, "apply", State.APPLIED, reason=reason)
    audit.record(call, Deed.APPLIED, seal=row.seal_id, **owner.columns, kind=str(design.kind))
    return row


def make_ahead(call: Call, seal_id: str, deed: Change) -> Seal | None:
    """Make an approved seal before the writing transaction, where a time-stamp authority has to be waited for.

    Nothing is written: `decide` enters it. None where nobody is waited for.

    Raises:
        Problem: what `decide` raises, and timestamp_unavailable.
    """
    found = find_application(call, seal_id) if deed is Change.MAKE and waits(call) else None
    return None if found is None else _make(call, found, _refuse(call, found, deed))


def decide(
    call: Call, found: SealApplication, deed: Change, *, reason: str, made: Seal | None = None
) -> dict[str, Any]:
    """Approve or refuse an application, or have an approved seal made; return the new line of its life.

    `made` is the seal where it was made ahead.

    Raises:
        Problem: forbidden, second_person_needed, seal_change_not_allowed, seal_name_changed, conflict, and what making
            raises.
    """
    owner = _refuse(call, found, deed)
    _move(call, found, State(found.state), deed)
    if deed is Change.MAKE:
        return _entered(call, made or _make(call, found, owner))
    change_id = note_change(call, found.seal_id, deed, TABLE[deed].target, reason=reason)
    audit.record(call, Deed.CHANGED, seal=found.seal_id, change=str(deed), state=str(TABLE[deed].target))
    return {"id": change_id, "seal": found.seal_id, "change": deed, "state": TABLE[deed].target, "at": call.now}


def may_decide(call: Call, found: SealApplication) -> bool:
    """Return whether this caller is the second person that the application needs."""
    return standing.is_second_person(call, found)


def _refuse(call: Call, found: SealApplication, deed: Change) -> Owner:
    """Refuse a decision that is not the caller's or not due; return the owner as he is now."""
    standing.refuse_change(call, found, deed)
    arrow = TABLE[deed]
    if State(found.state) not in arrow.origins:
        raise Problem("seal_change_not_allowed", f"The application is {found.state}.")
    if arrow.second_person:
        _refuse_same_person(call, found)
    owner = owners.of(call, found)
    if deed is not Change.REFUSE and (owners.outdated(call, found, owner.name) or owner.name_kept != found.name):
        raise Problem("seal_name_changed", "The owner has another name or standing since the application.")
    return owner


def _refuse_same_person(call: Call, found: SealApplication) -> None:
    if not may_decide(call, found):
        who = "of the department" if found.owner_kind is OwnerKind.DEPARTMENT else "who is no party to the matter,"
        raise Problem("second_person_needed", f"An officer {who} who did not apply decides.")


def _refuse_agent(call: Call, organisation: str) -> None:
    """Refuse an agent who would name himself, or anybody, to use the seal of whom he acts for."""
    if not standing.leads(call, organisation):
        raise Problem("forbidden", "The legal representative or an administrator names keeper and users.")


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


def _make(call: Call, found: SealApplication, owner: Owner) -> Seal:
    begin = max(found.valid_from, call.now) if found.valid_from else None
    term = term_of(call, begin, found.valid_until)
    seal = make_seal(call, owner, Design.of_json(found.design), term, seal_id=found.seal_id)
    seal.custodian, seal.purposes = found.custodian, found.purposes
    return seal


def _entered(call: Call, seal: Seal) -> dict[str, Any]:
    change_id = enter(call, seal)
    return {"id": change_id, "seal": seal.seal_id, "change": Change.MAKE, "state": State.IN_FORCE, "at": call.now}
