"""The wallet (卡包): a holder's own licences, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from idservice import audit
from idservice.errors import Problem
from licences import acting, co_holders, read
from licences.deeds import Deed
from licences.identifier_column import pack
from licences.models import Licence

if TYPE_CHECKING:
    from idservice.call import Call


def own(
    call: Call, *, type_code: str | None = None, state: str | None = None, limit: int = 50, cursor: str | None = None
) -> list[Licence]:
    """Return one page (and one more) of the licences the caller stands on, in the order of issuer and identifier.

    An app that reads the list in its holder's name stands in his record.

    Raises:
        Problem: forbidden, where the caller is no holder.
    """
    caller = call.caller
    if caller.holder is None:
        raise Problem("forbidden", "Only a logged-in holder has licences of his own.")
    wanted = read.conditions(call, type_code=type_code, state=state)
    if (within := acting.reach(call)).types is not None:
        wanted.append(Licence.type_code.in_(sorted(within.types)))
    if cursor is not None:
        wanted.append(Licence.identifier > cursor)
    found: list[Licence] = []
    for held in (select(Licence).where(Licence.subject == caller.holder), co_holders.shared(caller.holder)):
        found += call.session.scalars(held.where(*wanted).order_by(Licence.identifier).limit(limit + 1))
    found = sorted(found, key=lambda licence: pack(licence.identifier))[: limit + 1]  # as the database has them
    if caller.channel != "page":
        facts: dict[str, audit.Fact] = {"who": caller.client_name, "basis": "consent", "fields": ["licence_list"]}
        audit.record_access(call, Deed.READ, subject=caller.holder, facts=facts)
    return found
