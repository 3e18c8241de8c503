"""Read licences (查阅): one as a whole, or page by page those a department issued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, false, or_, select

from idservice import audit
from idservice.call import Post
from idservice.errors import Problem
from idservice.numbers import InvalidNumber
from licences import artefacts, asker, catalogue, change, co_holders, identifier
from licences.deeds import Deed
from licences.identifier_column import span
from licences.lifecycle import COMPUTED, State, local_day
from licences.models import Licence, LicenceRoute

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from idservice.call import Call


def read(call: Call, code: str, *, fields: Sequence[str], masked: bool = False) -> Licence:
    """Return a licence to a holder or to the department that issued it, and put the look on record.

    A holder's own look at his own page is no look of somebody else's; that of an app in his name is. `masked` says that
    the first holder alone is shown, and he masked.

    Raises:
        Problem: not_found, also for a licence the caller may not see.
    """
    licence = change.find_readable(call, code)
    if not (call.caller.channel == "page" and co_holders.holds(call, licence)):
        put_on_record(call, licence, fields=fields, masked=masked)
    return licence


def put_on_record(call: Call, licence: Licence, *, fields: Sequence[str], masked: bool = False) -> None:
    """Write a look at a licence on the record of everybody who stands on it; see `read`."""
    own = co_holders.holds(call, licence)
    facts: dict[str, audit.Fact] = {"who": call.caller.client_name, "fields": list(fields)}
    if not own:
        facts["unit"] = asker.unit_name(call, licence.issuer_code)
    beside = () if masked else co_holders.beside(call, artefacts.open_record(call, licence).metadata)
    for subject in (licence.subject, *beside):
        by = "issuer" if not own else "consent" if subject == call.caller.holder else "co_holder"
        audit.record_access(call, Deed.READ, subject=subject, facts=facts | {"basis": by}, licence=licence.identifier)


def issued(call: Call, query: dict[str, Any]) -> list[Licence]:
    """Return one page (and one more) of what the caller's departments issued, in the order of issuer and identifier.

    Raises:
        Problem: forbidden, where the caller acts for no department, or not for the one he names.
    """
    caller, department = call.caller, query["department"]
    named = sorted(caller.departments_as(Post.OFFICER)) if department is None else [department]
    wanted = [name for name in named if catalogue.is_issuer(call, name)]
    if not wanted and (named or not caller.all_departments):
        raise Problem("forbidden", "You do not issue licences for that department, or for any.")
    filters = conditions(call, type_code=query["type"], state=query["state"])
    # In the order of the routes: there, and nowhere else, those of one issuer lie together.
    leads = and_(Licence.subject == LicenceRoute.subject, Licence.identifier == LicenceRoute.identifier)
    rows = select(Licence).join(LicenceRoute, leads).where(*filters).order_by(LicenceRoute.identifier)
    if wanted:
        spans = [part for name in wanted if (part := span(name)) is not None]
        rows = rows.where(or_(false(), *(LicenceRoute.identifier.between(*part) for part in spans)))
    if query["cursor"] is not None:
        rows = rows.where(LicenceRoute.identifier > _identifier(query["cursor"]))
    found = list(call.session.scalars(rows.limit(query["limit"] + 1)))
    audit.record(call, Deed.READ, departments=wanted, licences=len(found))
    return found


def conditions(call: Call, *, type_code: str | None, state: str | None) -> list[ColumnElement[bool]]:
    """Return what a wanted type and a wanted state ask of a licence; None wants all."""
    found: list[ColumnElement[bool]] = []
    if type_code is not None:
        found.append(Licence.type_code == type_code)
    if state is not None:
        found.append(_is_in(State(state), local_day(call.now)))
    return found


def _is_in(state: State, today: date) -> ColumnElement[bool]:
    """Return whether a licence is in a state today: the dates decide for one that is stored as valid."""
    begun = Licence.valid_from <= today
    running = or_(Licence.valid_until.is_(None), Licence.valid_until >= today)
    by_calendar = {State.VALID: and_(begun, running), State.NOT_YET_VALID: ~begun & running, State.EXPIRED: ~running}
    stored = State.VALID if state in COMPUTED else state
    return and_(Licence.state == stored, *([by_calendar[state]] if state in by_calendar else []))


def _identifier(cursor: str) -> str:
    try:
        return identifier.parts(cursor).identifier
    except InvalidNumber:
        raise Problem("bad_request", "The cursor is not one of ours.") from None
