"""Two people for collected licences of sensitive types (归集复核): a source sends them, an officer approves many.

What a source states of a sensitive type, for the first time or otherwise than before, is not sealed until an officer of
the issuing department has approved it as it stands. The source is the first of the two, so that of such types no person
sends rows himself: he asks with `licences.life.change_requests`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, update

from idservice import audit
from idservice.call import Post
from idservice.db import table_of
from idservice.errors import Problem
from licences import catalogue, co_holders
from licences.collection.models import CollectedLicence
from licences.deeds import Deed

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from idservice.call import Call

PARKED: Final = "second_person_required"
APPROVED: Final = "approved"
_table = table_of(CollectedLicence).c


def sensitive_types(call: Call) -> frozenset[str]:
    """Return the codes of the types that take two people."""
    return frozenset(code for code, entry in catalogue.entries(call).items() if entry.type.sensitive)


def waiting(call: Call, department: str) -> list[dict[str, Any]]:
    """Return how many rows of each sensitive type wait for an officer, and up to when they came in.

    Raises:
        Problem: forbidden.
    """
    if not catalogue.is_issuer(call, department):
        raise Problem("forbidden", "You may not act for that department.")
    if not (types := sensitive_types(call)):
        return []
    asked = (
        select(_table.type_code, func.count().label("rows"), func.max(_table.collected_at).label("until"))
        .where(_table.department == department, _table.type_code.in_(sorted(types)), *_parked(call))
        .group_by(_table.type_code)
        .order_by(_table.type_code)
    )
    return [{"type": row.type_code, "rows": row.rows, "until": row.until} for row in call.session.execute(asked)]


def approve(call: Call, department: str, type_code: str, until: datetime) -> int:
    """Let the rows of a type that came in up to `until` be sealed, and return how many those are.

    Raises:
        Problem: forbidden; or second_person_other, where no officer in person approves.
    """
    if not catalogue.is_issuer(call, department):
        raise Problem("forbidden", "You may not act for that department.")
    if not call.caller.holds(Post.OFFICER):
        raise Problem("second_person_other", "An officer in person approves what a system collected.")
    released = (
        update(CollectedLicence)
        .where(_table.department == department, _table.type_code == type_code, _table.collected_at <= until)
        .where(*_parked(call))
        .values(state="waiting", reason=APPROVED)
        .execution_options(synchronize_session=False)
    )
    count: int = call.session.execute(released).rowcount  # type: ignore[attr-defined]  # of an update there is one
    audit.record(
        call, Deed.COLLECTED_APPROVED, department=department, type=type_code, until=until.isoformat(), rows=count
    )
    return count


def _parked(call: Call) -> list[ColumnElement[bool]]:
    """Return what is true of rows that the caller may approve: nobody approves a licence of his own."""
    parked = [_table.state == "failed", _table.reason == PARKED]
    return [*parked, _table.subject.not_in(sorted(co_holders.own(call)))]
