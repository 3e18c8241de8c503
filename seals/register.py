"""The register of electronic seals (印章登记): find one, list them, say what is known of one, note what happens to it.

How a seal comes into it is told in `approval` (application, approval, making); `make` is the founding of a city, by its
operator.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, false, insert, or_, select, true

from idservice import audit
from idservice.call import Post
from idservice.errors import Problem
from idservice.ids import timed_id
from idservice.register import organisations
from seals import contents, lifecycle, owners, standing
from seals.deeds import Deed
from seals.lifecycle import State
from seals.making import make_seal, new_number, term_of, try_out, waits
from seals.models import Seal, SealApplication, SealChange
from seals.picture_kinds import Design, Kind, full_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from idservice.call import Call

_MINE = 200
_NUMBER = re.compile(r"[0-9]{14}")


def make(
    call: Call,
    *,
    department: str,
    special: str | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    made: Seal | None = None,
) -> str:
    """Make a department's seal without an application, as the operator at the console may, and return its number.

    Args:
        call: the call of an operator.
        department: credit code.
        special: the line for a special purpose, such as 行政审批专用章; it ends with 专用章.
        valid_from: default now; not before.
        valid_until: default five years later; not after the end of the seal maker's own certificate.
        made: what `make_ahead` made of the same facts.

    Raises:
        Problem: forbidden, invalid, seal_impossible, seal_rehearsal_failed, or unavailable where no authority is set
            up or the font is not installed.
    """
    seal = made or _new(call, department, special, valid_from, valid_until)
    enter(call, seal)
    return seal.seal_id


def make_ahead(call: Call, *, department: str, special: str | None = None) -> Seal | None:
    """Make what `make` enters, where a time-stamp authority has to be waited for; nothing is written.

    Raises:
        Problem: what `make` raises, and timestamp_unavailable.
    """
    return _new(call, department, special, None, None) if waits(call) else None


def _new(
    call: Call, department: str, special: str | None, valid_from: datetime | None, valid_until: datetime | None
) -> Seal:
    if not standing.is_operator(call):
        raise Problem("forbidden", "A seal is applied for and approved; only the operator makes one without that.")
    owner = owners.of_department(call, department)
    design = Design(Kind.OFFICIAL) if special is None else Design(Kind.SPECIAL, special=special)
    term = term_of(call, valid_from, valid_until)
    return make_seal(call, owner, design, term, seal_id=new_number(call, owners.region_of(call, owner)))


def enter(call: Call, seal: Seal) -> str:
    """Try out a seal that was made, put it into the register, and return the line of its life that says so.

    Raises:
        Problem: seal_rehearsal_failed.
    """
    try_out(call, seal)
    call.session.add(seal)
    call.session.flush()
    change_id = note_change(call, seal.seal_id, "make", State.IN_FORCE, reason=None)
    owner: dict[str, Any] = {name: getattr(seal, name) for name in ("department", "organisation", "person")}
    audit.record(call, Deed.MADE, seal=seal.seal_id, **owner)
    return change_id


def find(call: Call, seal_id: str) -> Seal:
    """Return the seal with that number, if the caller is on its owner's side.

    Raises:
        Problem: not_found; forbidden for another's seal.
    """
    seal = _seal(call, seal_id)
    standing.refuse_stranger(call, seal)
    return seal


def look_up(call: Call, seal_id: str) -> Seal:
    """Return the seal with that number, if the caller is on its owner's side or in the office that filed it.

    Raises:
        Problem: not_found; forbidden for another's seal.
    """
    seal = _seal(call, seal_id)
    if not standing.sees(call, seal):
        standing.refuse_stranger(call, seal)
    return seal


def find_application(call: Call, seal_id: str) -> SealApplication | None:
    """Return the application of that number which has not led to a seal, or None.

    Raises:
        Problem: forbidden for another's, unless the caller's office decides on it.
    """
    found = call.session.get(SealApplication, seal_id) if _NUMBER.fullmatch(seal_id) else None
    if found is None or found.state not in lifecycle.OF_APPLICATIONS:
        return None
    if not standing.sees(call, found):
        standing.refuse_stranger(call, found)
    return found


def listed(call: Call, *, limit: int, cursor: str | None = None, state: str | None = None) -> dict[str, Any]:
    """Return a page of the seals on whose owner's side the caller is, by number, with the cursor of the next page.

    `state` is one of an application (applied, approved, refused), which are listed apart; None lists the seals made.
    The office that files seals is shown the applications that it decides on too.
    """
    kind: Any = Seal if state is None else SealApplication
    query = select(kind).order_by(kind.seal_id).limit(limit + 1)
    if state is not None:
        query = query.where(kind.state == state)
    query = query.where(or_(false(), *_owned(call, kind), *_filed(call, kind, state)))
    if cursor is not None:
        query = query.where(kind.seal_id > cursor)
    rows = call.session.scalars(query).all()
    items = [shown(call, row) for row in rows[:limit]]
    return {"items": items, "next_cursor": items[-1]["id"] if len(rows) > limit else None}


def mine(call: Call, kind: type[Seal | SealApplication], *, state: str | None = None) -> Sequence[Any]:
    """Return the seals, or applications, that are the caller's own or his organisations', newest first."""
    query = select(kind).where(kind.department.is_(None), or_(false(), *_own(call, kind)))
    if state is not None:
        query = query.where(kind.state == state)
    return call.session.scalars(query.order_by(kind.changed_at.desc(), kind.seal_id).limit(_MINE)).all()


def shown(call: Call, row: Seal | SealApplication) -> dict[str, Any]:
    """Return what answers say of a seal or an application; the state is that of this instant."""
    facts: dict[str, Any] = {"id": row.seal_id, "department": row.department, "purposes": row.purposes}
    facts |= {"owner_kind": row.owner_kind, "organisation": _credit_code(call, row)}
    is_own = row.person is not None and row.person == call.caller.person
    period = {"valid_from": row.valid_from, "valid_until": row.valid_until, "changed_at": row.changed_at}
    if isinstance(row, SealApplication):
        design = Design.of_json(row.design)
        name = owners.of(call, row).name if is_own else row.name
        told = {
            "name": full_name(name, design),
            "kind": design.kind,
            "state": State(row.state),
            "created_at": row.applied_at,
        }
        return facts | period | told
    state = lifecycle.state_at(row.state, row.valid_from, row.valid_until, call.now)
    kind = None if row.kind is None else Kind(row.kind)
    name = contents.title(call, row) if is_own else row.name
    return facts | period | {"name": name, "kind": kind, "state": state, "created_at": row.created_at}


def note_change(call: Call, seal_id: str, change: str, state: State, *, reason: str | None) -> str:
    """Add one line to the seal's life and return its identifier."""
    change_id = timed_id(call.now)
    row = {"change_id": change_id, "seal_id": seal_id, "change": change, "state": state, "reason": reason}
    call.session.execute(insert(SealChange), row | {"actor": call.caller.name_for_log, "at": call.now})
    return change_id


def _seal(call: Call, seal_id: str) -> Seal:
    seal = call.session.get(Seal, seal_id) if _NUMBER.fullmatch(seal_id) else None
    if seal is None:
        raise Problem("not_found", "The register holds no such seal.")
    return seal


def _owned(call: Call, kind: Any) -> list[ColumnElement[bool]]:
    """Return what singles out the rows on whose owner's side the caller is, one condition for each sort of owner."""
    caller = call.caller
    if standing.is_operator(call):
        return [true()]
    if caller.person is None:
        return [kind.department.is_not(None) if caller.all_departments else kind.department.in_(caller.departments)]
    return [kind.department.in_(caller.departments_as(Post.OFFICER)), *_own(call, kind)]


def _own(call: Call, kind: Any) -> list[ColumnElement[bool]]:
    """Return the same for the seals of the person who calls, and of the organisations he acts for."""
    caller, found = call.caller, list[ColumnElement[bool]]()
    organisations_led = standing.managed(call)
    if organisations_led:
        found.append(and_(kind.person.is_(None), kind.organisation.in_(organisations_led)))
    own = kind.person == caller.person
    found.append(own if caller.principal is None else and_(own, kind.organisation == caller.principal))
    if kind is Seal and (named := standing.named(call)):
        found.append(Seal.seal_id.in_(named))
    return found


def _filed(call: Call, kind: Any, state: str | None) -> list[ColumnElement[bool]]:
    return [kind.department.is_(None)] if state is not None and standing.in_office(call) else []


def _credit_code(call: Call, row: Seal | SealApplication) -> str | None:
    """Return the credit code of the organisation whose seal it is, or whose representative's."""
    found = None if row.organisation is None else organisations.facts(call, row.organisation)
    return None if found is None else found.credit_code
