"""Stop issuing (停止签发): a department issues nothing, or nothing of one type, until it says so again.

What was issued before stays as it is, and is verified, shown and changed as ever; only what makes a new licence or a
new version of one is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, or_, select, update

from idservice import audit
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import timed_id
from licences import catalogue
from licences.deeds import Deed
from licences.life.models import IssuingStop

if TYPE_CHECKING:
    from idservice.call import Call

register({"issuing_stopped": Kind(503, "该部门已暂停签发此类证照", "The department has stopped issuing this type")})

_HOLDS = and_(
    IssuingStop.lifted_at.is_(None),
    or_(IssuingStop.until.is_(None), IssuingStop.until > bindparam("now", type_=IssuingStop.until.type)),
)
_STOPPED = (
    select(IssuingStop.reason, IssuingStop.until)
    .where(
        IssuingStop.department == bindparam("department"),
        or_(IssuingStop.type_code.is_(None), IssuingStop.type_code == bindparam("type")),
        _HOLDS,
    )
    .limit(1)
)


def stop(call: Call, body: dict[str, Any]) -> IssuingStop:
    """Stop a department's issuing, of one type or of all, until an instant or until it is lifted.

    Raises:
        Problem: forbidden, not_found (the type) or invalid (`until` has passed).
    """
    department: str = body["department"]
    _demand(call, department)
    if body.get("type") is not None:
        catalogue.find(call, body["type"])
    if body.get("until") is not None and body["until"] <= call.now:
        raise Problem("invalid", "", errors=[FieldProblem("/until", "order", "has passed")])
    made = IssuingStop(
        stop_id=timed_id(call.now),
        type_code=body.get("type"),
        department=department,
        reason=body["reason"],
        stopped_by=call.caller.name_for_log,
        stopped_at=call.now,
        until=body.get("until"),
        lifted_by=None,
        lifted_at=None,
    )
    call.session.add(made)
    audit.record(call, Deed.ISSUING_STOPPED, stop=made.stop_id, department=department, type=made.type_code)
    return made


def lift(call: Call, stop_id: str) -> IssuingStop:
    """Let a department issue again.

    Raises:
        Problem: not_found, also for a stop of another department; conflict, if it was lifted before.
    """
    found = call.session.get(IssuingStop, stop_id)
    if found is None or not catalogue.is_issuer(call, found.department):
        raise Problem("not_found", "Your department has no such stop.")
    lifted = call.session.execute(
        update(IssuingStop)
        .where(IssuingStop.stop_id == stop_id, IssuingStop.lifted_at.is_(None))
        .values(lifted_by=call.caller.name_for_log, lifted_at=call.now)
        .returning(IssuingStop.stop_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if lifted is None:
        raise Problem("conflict", "This stop was lifted before.")
    call.session.refresh(found)
    audit.record(call, Deed.ISSUING_RESUMED, stop=stop_id, department=found.department, type=found.type_code)
    return found


def in_force(call: Call, department: str) -> list[IssuingStop]:
    """Return the stops of a department that hold now, oldest first.

    Raises:
        Problem: forbidden.
    """
    _demand(call, department)
    rows = select(IssuingStop).where(IssuingStop.department == department, _HOLDS).order_by(IssuingStop.stop_id)
    return list(call.session.scalars(rows, {"now": call.now}))


def refuse(call: Call, *, type_code: str, department: str) -> None:
    """Refuse to issue what is stopped.

    Raises:
        Problem: issuing_stopped, with the reason that was given.
    """
    asked = {"type": type_code, "department": department, "now": call.now}
    found = call.connection.execute(_STOPPED, asked).one_or_none()
    if found is not None:
        wait = {} if found.until is None else {"Retry-After": str(int((found.until - call.now).total_seconds()) + 1)}
        raise Problem("issuing_stopped", f"Reason: {found.reason}", headers=wait)


def _demand(call: Call, department: str) -> None:
    if not catalogue.is_issuer(call, department):
        raise Problem("forbidden", "You may not act for that department.")
