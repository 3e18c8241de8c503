"""The stop switch (停止查询): nobody, one unit or one operator looks up any more, or nobody for one matter.

Verification stays up. Stopping takes one administrator and holds at the next look-up; lifting takes two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from idservice import audit
from idservice.errors import Problem
from idservice.ids import timed_id
from idservice.models import Department
from licences.counter import matters
from licences.deeds import Deed
from licences.guard import standing
from licences.guard.models import GuardStop

if TYPE_CHECKING:
    from idservice.call import Call

LISTED = 200


def put(call: Call, *, scope: str, target: str, reason: str) -> GuardStop:
    """Stop look-ups.

    Args:
        call: the call; whoever may ask for it has been checked by the edge.
        scope: one of `standing.SCOPES`.
        target: the unit's credit code, the operator's subject or the matter's code; nothing where all are stopped.
        reason: why, for the list and for whoever is refused.

    Raises:
        Problem: bad_request; not_found, since a stop of a unit or matter that is not there would stop nobody.
    """
    if scope not in standing.SCOPES or bool(target) is (scope == standing.ALL) or not reason.strip():
        raise Problem("bad_request", "Say what is to be stopped, and why.")
    if scope == standing.UNIT and call.session.get(Department, target) is None:
        raise Problem("not_found", "There is no such unit.")
    if scope == standing.MATTER:
        matters.find(call, target)
    made = GuardStop(
        stop_id=timed_id(call.now),
        scope=scope,
        target=target[:64],
        reason=reason.strip()[:200],
        stopped_by=call.caller.name_for_log,
        stopped_at=call.now,
    )
    call.session.add(made)
    call.session.flush()
    audit.record(call, Deed.LOOKUPS_STOPPED, stop=made.stop_id, scope=scope, target=target or None)
    return made


def is_stopped(call: Call, scope: str, target: str = "") -> bool:
    """Return whether such a stop is in force."""
    wanted = select(GuardStop.stop_id).where(
        GuardStop.scope == scope, GuardStop.target == target, GuardStop.lifted_at.is_(None)
    )
    return call.session.scalar(wanted.limit(1)) is not None


def resume(call: Call, stop_id: str) -> GuardStop:
    """Ask that a stop be lifted; lift it where somebody else has asked before.

    Raises:
        Problem: not_found; conflict, where it was lifted before; second_person, where the caller himself asked.
    """
    found = call.session.get(GuardStop, stop_id)
    if found is None:
        raise Problem("not_found", "There is no such stop.")
    who = call.caller.name_for_log
    if found.lift_asked_by == who:
        raise Problem("second_person", "You asked for it: somebody else lifts it.")
    open_ = update(GuardStop).where(GuardStop.stop_id == stop_id, GuardStop.lifted_at.is_(None))
    if found.lift_asked_by is None:
        step = open_.where(GuardStop.lift_asked_by.is_(None)).values(lift_asked_by=who, lift_asked_at=call.now)
        deed = Deed.LOOKUPS_RESUME_ASKED
    else:
        step = open_.values(lifted_by=who, lifted_at=call.now)
        deed = Deed.LOOKUPS_RESUMED
    done = step.returning(GuardStop.stop_id).execution_options(synchronize_session=False)
    if call.session.execute(done).one_or_none() is None:
        raise Problem("conflict", "Look at the list again.")
    call.session.refresh(found)
    audit.record(call, deed, stop=stop_id, scope=found.scope, target=found.target or None)
    return found


def listed(call: Call) -> list[GuardStop]:
    """Return the newest stops, those in force first."""
    order = (GuardStop.lifted_at.is_not(None), GuardStop.stop_id.desc())
    return list(call.session.scalars(select(GuardStop).order_by(*order).limit(LISTED)))
