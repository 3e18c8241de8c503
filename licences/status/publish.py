"""Publish the lists (状态发布): sign what stands in the register, seconds after it changed, as files to be cached.

One publisher is enough and a second does no harm: each list is made in one transaction, which first marks the changes
that wait and then reads what stands there, so that no change is marked that the list does not show. A list without
changes is signed anew every hour: its `iat` is what an offline verifier sees of our being alive. A list that cannot be
made holds up no other one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, literal_column, select, update

from idservice.background import reason_of
from idservice.call import Call, Caller
from idservice.db import table_of
from idservice.errors import Problem
from keys.ring import Purpose
from licences.status import files
from licences.status.edition import Edition, name_of
from licences.status.models import PublishedFile, StatusChange, StatusEntry, StatusList
from licences.status.token_list import SIZE
from seals import house_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from idservice.call import House
    from keys.signer import PublicKey

RENEW: Final = timedelta(hours=1)
_PUBLISHER: Final = Caller(channel="cli", client_id="publisher")
LOCK: Final = 0x6F6E6103  # arbitrary, apart from the locks of the migrations and of the sequencer

_entries, _changes, _files = (table_of(model) for model in (StatusEntry, StatusChange, PublishedFile))
_MARK = (
    update(_changes)
    .where(
        _changes.c.published_at.is_(None),
        _changes.c.place >= bindparam("first"),
        _changes.c.place < bindparam("end"),
    )
    .values(published_at=bindparam("now"))
)
_NOT_VALID = select(_entries.c.place, _entries.c.value).where(
    _entries.c.value != literal_column("0"),  # in these words, for the index of such rows to be used
    _entries.c.place >= bindparam("first"),
    _entries.c.place < bindparam("end"),
)
_HISTORY = (
    select(_changes.c.place, _changes.c.value)
    .where(
        _changes.c.place >= bindparam("first"), _changes.c.place < bindparam("end"), _changes.c.at <= bindparam("by")
    )
    .order_by(_changes.c.place, _changes.c.change_id)
)


class NotPublishedError(Exception):
    """Some of what was due could not be signed, and all else was; `faults` says why, by what it was."""

    def __init__(self, faults: Mapping[str, Exception]) -> None:
        super().__init__("; ".join(f"{name}: {reason_of(fault)}" for name, fault in faults.items()))
        self.faults = faults


def each(parts: Mapping[str, Callable[[], int]]) -> int:
    """Do all parts, whatever becomes of one of them, and return their sum.

    Raises:
        NotPublishedError: naming those that failed.
    """
    done, faults = 0, dict[str, Exception]()
    for name, part in parts.items():
        try:
            done += part()
        except NotPublishedError as several:
            faults |= several.faults
        except Exception as fault:  # noqa: BLE001 - whatever is wrong with one list, verifiers wait for the others
            faults[name] = fault
    if faults:
        raise NotPublishedError(faults)
    return done


def publish(house: House, now: datetime) -> int:
    """Sign every list that changed or is due, and return how many they were; 0 if another publisher is at work.

    Raises:
        RingError: there is no active key of the purpose `licence`.
        NotPublishedError: for lists that cannot be made or signed; all others were.
    """
    kid = house.keys.signer(Purpose.LICENCE).kid
    due = house.database.run(lambda session: _due(session, kid, now), write=False)
    return each({f"list {number}": partial(_publish, house, number, now) for number in due})


def numbers(session: Session) -> list[int]:
    """Return the numbers of all lists; list 0 is always there."""
    return sorted({0, *session.scalars(select(StatusList.list_number))})


def as_of(house: House, session: Session, number: int, moment: datetime) -> dict[str, bytes]:
    """Return the tokens of a list as it stood at `moment`, signed for that moment (section 8.4, historical resolution).

    They are made from the record of changes, so `iat` is the moment that was asked for.

    Raises:
        Problem: not_acceptable, for a time before this service signed anything.
    """
    signed = [info.created_at for info in house.keys.list() if info.purpose is Purpose.LICENCE]
    if moment < min(signed).replace(microsecond=0):
        raise Problem("not_acceptable", "There were no lists at that time.")
    rows = session.connection().execute(_HISTORY, {**_reach(number), "by": moment})
    stood = {row.place - number * SIZE: row.value for row in rows}
    signer = house.keys.signer(Purpose.LICENCE)
    certificate = house_certificate.known(session, signer.public)
    chain = () if certificate is None else (certificate.der,)
    return Edition(house.settings.signs_as, number, list(stood.items()), int(moment.timestamp()), chain).tokens(signer)


def _due(session: Session, kid: str, now: datetime) -> list[int]:
    """Return the lists that changed, and those whose last edition is missing, an hour old, or signed by another key."""
    waiting = select(_changes.c.place // SIZE).where(_changes.c.published_at.is_(None)).distinct()
    changed = {int(number) for number in session.scalars(waiting)}
    current = select(_files.c.name).where(_files.c.published_at > now - RENEW, _files.c.kid == kid)
    signed = set(session.scalars(current))
    return [number for number in numbers(session) if number in changed or name_of(number, "jwt") not in signed]


def _publish(house: House, number: int, now: datetime) -> bool:
    return house.database.run(partial(_sign, house, number, now), write=True)


def _sign(house: House, number: int, now: datetime, session: Session) -> bool:
    if not house.database.try_lock(session, LOCK):
        return False
    session.connection().execute(_MARK, {**_reach(number), "now": now})
    found = session.connection().execute(_NOT_VALID, _reach(number))
    entries = [(row.place - number * SIZE, row.value) for row in found]
    signer = house.keys.signer(Purpose.LICENCE)
    chain = _chain(house, session, signer.public, now)
    edition = Edition(house.settings.signs_as, number, entries, int(now.timestamp()), chain)
    for name, content in edition.files(signer).items():
        files.store(session, name, content, kid=signer.kid, now=now)
    return True


def _chain(house: House, session: Session, key: PublicKey, now: datetime) -> tuple[bytes, ...]:
    """Return the certificate of the key that signs, as wallets' copies bring it; none without a root for documents."""
    try:
        return (house_certificate.certificate_of(Call(house, session, _PUBLISHER, now, "publisher"), key).der,)
    except Problem as problem:
        if problem.code != "unavailable":
            raise
        return ()


def _reach(number: int) -> dict[str, object]:
    return {"first": number * SIZE, "end": (number + 1) * SIZE}
