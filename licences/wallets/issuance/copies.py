"""The copies in wallets as they are on record (钱包副本登记): entered, found, told of, and ended by their holder.

What a copy says is not kept; that there is one, in which wallet, and its place in the status lists is. A licence that
changes takes all its copies with it (`licences.status.entries.follow`); a copy that its holder ends stays ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, tuple_, update

from idservice import audit, expiry
from idservice.db import table_of
from idservice.ids import secret_hash, timed_id
from licences.deeds import Deed
from licences.status import entries
from licences.wallets.issuance.models import WalletCopy
from licences.wallets.issuance.requests import Event

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from idservice.call import Call, House
    from licences.models import Licence
    from licences.wallets.issuance.making import WalletCopy as Made

MOST_SHOWN = 200
KEPT = timedelta(days=30)  # after a copy has ended by itself
MOST_SWEPT = 1000
_table = table_of(WalletCopy)


@dataclass(frozen=True, slots=True)
class Group:
    """What one wallet holds of one licence in one form."""

    client_id: str
    identifier: str
    configuration: str
    copies: int
    made_at: datetime  # of the newest
    expires_at: datetime


def enter(
    call: Call, holder: str, licence: Licence, configuration: str, made: Sequence[Made], *, notification: str
) -> None:
    """Record copies that were just made, on the holder's record too.

    `notification` is the name by which the wallet will say what became of them.
    """
    client_id = call.caller.client_id or ""
    common = {
        "subject": holder,
        "identifier": licence.identifier,
        "client_id": client_id,
        "configuration": configuration,
        "delivery_hash": secret_hash(notification),
        "made_at": call.now,
    }
    rows = [
        common | {"copy_id": timed_id(call.now), "place": copy.place, "expires_at": copy.expires_at} for copy in made
    ]
    call.connection.execute(insert(_table), rows)
    facts: dict[str, audit.Fact] = {"who": call.caller.client_name, "basis": "consent", "fields": ["wallet_copy"]}
    public: dict[str, Any] = {"licence": licence.identifier, "configuration": configuration, "copies": len(rows)}
    for subject, basis in {holder: "consent", licence.subject: "co_holder"}.items():
        stated = facts | {"basis": "consent" if subject == holder else basis}
        audit.record_access(call, Deed.WALLET_COPIES_MADE, subject=subject, facts=stated, **public)


def note(call: Call, holder: str, notification: str, event: Event) -> bool:
    """Record what a wallet says of a delivery of its own; return whether there is one. What it deleted is ended."""
    mine = (
        _table.c.subject == holder,
        _table.c.client_id == call.caller.client_id,
        _table.c.delivery_hash == secret_hash(notification),
    )
    known = call.connection.execute(
        update(_table).where(*mine).values(event=str(event)).returning(_table.c.copy_id)
    ).scalars()
    copies = list(known)
    if not copies:
        return False
    audit.record(call, Deed.WALLET_COPIES_NOTED, subject=holder, wallet=call.caller.client_id, event=str(event))
    if event is Event.DELETED:
        end(call, holder, copies=copies, reason="deleted")
    return True


def end(
    call: Call,
    holder: str,
    *,
    reason: str,
    copies: Collection[str] | None = None,
    client_id: str | None = None,
    identifier: str | None = None,
    configuration: str | None = None,
) -> int:
    """End the holder's copies for good and return how many: all, or those to which all that is named applies."""
    mine = [_table.c.subject == holder, _table.c.ended_at.is_(None)]
    if copies is not None:
        mine.append(_table.c.copy_id.in_(list(copies)))
    if client_id is not None:
        mine.append(_table.c.client_id == client_id)
    if identifier is not None:
        mine.append(_table.c.identifier == identifier)
    if configuration is not None:
        mine.append(_table.c.configuration == configuration)
    ended = call.connection.execute(
        update(_table).where(*mine).values(ended_at=call.now, ended_for=reason).returning(_table.c.place)
    )
    places = list(ended.scalars())
    if places:
        entries.end(call, places)
        facts: dict[str, Any] = {"wallet": client_id, "licence": identifier, "copies": len(places), "reason": reason}
        audit.record(call, Deed.WALLET_COPIES_ENDED, subject=holder, **facts)
    return len(places)


def of_holder(call: Call, holder: str) -> list[Group]:
    """Return what wallets hold of the holder's licences now, the newest first."""
    alive = (_table.c.subject == holder, _table.c.ended_at.is_(None), _table.c.expires_at > call.now)
    rows = call.connection.execute(select(_table).where(*alive).order_by(_table.c.copy_id.desc()).limit(MOST_SHOWN))
    groups: dict[tuple[str, str, str], Group] = {}
    for row in rows:
        key = (row.client_id, row.identifier, row.configuration)
        before = groups.get(key)
        if before is None:
            groups[key] = Group(*key, 1, row.made_at, row.expires_at)
        else:
            ends = max(before.expires_at, row.expires_at)
            groups[key] = Group(*key, before.copies + 1, before.made_at, ends)
    return list(groups.values())


def sweep(house: House, now: datetime) -> int:
    """Delete the record of copies that ended by themselves a while ago, a bounded number; return how many."""

    def find(session: Session) -> list[tuple[str, str]]:
        ended = select(_table.c.subject, _table.c.copy_id).where(_table.c.expires_at < now - KEPT).limit(MOST_SWEPT)
        return [(row.subject, row.copy_id) for row in session.execute(ended)]

    found = house.database.run(find, write=False)
    if found:
        over = delete(_table).where(tuple_(_table.c.subject, _table.c.copy_id).in_(found))
        house.database.run(lambda session: session.execute(over), write=True)
    return len(found)


expiry.run_also(sweep)


def licence_at(call: Call, place: int) -> tuple[str, str] | None:
    """Return holder and licence of the copy that has that place in the status lists, None where no wallet's has it.

    Of a copy that says nothing of its licence, this is how its issuer knows which it is.
    """
    found = call.connection.execute(
        select(_table.c.subject, _table.c.identifier).where(_table.c.place == place)
    ).one_or_none()
    return None if found is None else (found.subject, found.identifier)
