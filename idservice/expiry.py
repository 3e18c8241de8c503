"""Expiry: rows whose time is over are deleted, a bounded number at a time (到期清理).

What is deleted could not be used any more: a code or token past its end is refused by its date, not by its absence.
Codes and refresh tokens stay as long as what was got for them, so that a second use is still recognised as one and
ends the family; the family stays until none of its tokens can be left.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from idservice.call import House
from idservice.db import table_of
from idservice.events.models import Notice
from idservice.login.models import OF_A_DEVICE, ActivationCode, Lock, Proofing, Recovery, SentCode
from idservice.models import (
    AccessToken,
    AuthorizationCode,
    IdempotentRequest,
    LoginSession,
    RefreshToken,
    RevokedToken,
    TokenFamily,
    UsedIdentifier,
)
from idservice.oauth.models import ExchangedToken, Offer, OpaqueToken, PendingRequest, PushedRequest, UserCode
from idservice.oauth.tokens import REFRESH_LIFE

CLOCKS = timedelta(minutes=10)  # longer than clocks differ
A_DAY = timedelta(hours=24)
FAMILY = REFRESH_LIFE + 2 * A_DAY  # its last refresh token is recognised for a day past its end
BATCH, BATCHES = 1000, 20
PAUSE = 0.01  # seconds at least between two batches; otherwise as long as a batch took

# The key, the time that counts, and how long after it a row is kept.
KEPT: tuple[tuple[InstrumentedAttribute[Any], InstrumentedAttribute[datetime], timedelta], ...] = (
    (AccessToken.jti_hash, AccessToken.expires_at, CLOCKS),
    (RevokedToken.jti_hash, RevokedToken.expires_at, CLOCKS),
    (UsedIdentifier.value_hash, UsedIdentifier.expires_at, CLOCKS),
    (LoginSession.id_hash, LoginSession.expires_at, CLOCKS),
    (AuthorizationCode.code_hash, AuthorizationCode.kept_until, CLOCKS),
    (RefreshToken.token_hash, RefreshToken.expires_at, A_DAY),
    (PushedRequest.request_hash, PushedRequest.expires_at, A_DAY),
    (PendingRequest.request_hash, PendingRequest.expires_at, A_DAY),
    (Offer.secret_hash, Offer.expires_at, A_DAY),
    (UserCode.code_hash, UserCode.expires_at, CLOCKS),
    (OpaqueToken.token_hash, OpaqueToken.expires_at, CLOCKS),
    (ExchangedToken.jti_hash, ExchangedToken.expires_at, CLOCKS),
    (Notice.notice_id, Notice.expires_at, CLOCKS),
    (SentCode.form_hash, SentCode.expires_at, A_DAY),
    (Recovery.form_hash, Recovery.expires_at, CLOCKS),
    (ActivationCode.code_hash, ActivationCode.expires_at, CLOCKS),
    (Proofing.nonce_hash, Proofing.expires_at, CLOCKS),
    (IdempotentRequest.key_hash, IdempotentRequest.created_at, A_DAY),
)


_work: list[Callable[[House, datetime], int]] = []
_also: dict[str, tuple[InstrumentedAttribute[Any], InstrumentedAttribute[datetime], timedelta]] = {}


def sweep_also(
    key: InstrumentedAttribute[Any], end: InstrumentedAttribute[datetime], kept: timedelta = timedelta(0)
) -> None:
    """Sweep a table of another room too."""
    _also[str(key)] = (key, end, kept)


def run_also(work: Callable[[House, datetime], int]) -> None:
    """Have other work of the same kind done at every sweep: bounded, and in transactions of its own."""
    if work not in _work:
        _work.append(work)


def sweep(house: House, now: datetime) -> int:
    """Delete expired rows, a thousand in a transaction and at most `BATCHES` of these for a kind; return how many."""
    swept = sum(_sweep_all(house, key, end, now - kept) for key, end, kept in (*KEPT, *_also.values()))
    swept += _in_portions(lambda: _sweep_families(house, now - FAMILY))
    swept += _in_portions(lambda: _sweep_gates(house, now - A_DAY))
    return swept + sum(work(house, now) for work in _work)


def _sweep_all(
    house: House, key: InstrumentedAttribute[Any], end: InstrumentedAttribute[datetime], before: datetime
) -> int:
    return _in_portions(lambda: _sweep(house, key, end, before))


def _in_portions(portion: Callable[[], int]) -> int:
    swept = 0
    for _ in range(BATCHES):
        begun = time.monotonic()
        swept += (found := portion())
        if found < BATCH:
            break
        # SQLite's writers do not queue, they look again from time to time: who comes back at once shuts them out.
        time.sleep(max(PAUSE, time.monotonic() - begun))
    return swept


def _sweep(
    house: House, key: InstrumentedAttribute[Any], end: InstrumentedAttribute[datetime], before: datetime
) -> int:
    def find(session: Session) -> list[Any]:
        return list(session.scalars(select(key).where(end < before).limit(BATCH)))

    def remove(session: Session) -> None:
        session.execute(delete(key.class_).where(key.in_(found)).execution_options(synchronize_session=False))

    found = house.database.run(find, write=False)  # most of the time there is nothing, and no writer waits
    if found:
        house.database.run(remove, write=True)
    return len(found)


def _sweep_gates(house: House, before: datetime) -> int:
    """Sweep the gates that devices have for themselves, a day after the last try.

    A lock is over by then, and who waits that long for five free tries has lost more of them: one an hour. What was
    tried meanwhile stays. The two gates that each person has stay, too: they do not grow in number.
    """
    gate = table_of(Lock)
    is_over = (gate.c.tried_at < before, or_(gate.c.locked_until.is_(None), gate.c.locked_until < before))
    old = select(gate.c.subject, gate.c.gate).where(OF_A_DEVICE, *is_over).limit(BATCH)
    found = house.database.run(lambda session: session.execute(old).all(), write=False)
    named = [{"person": row.subject, "name": row.gate} for row in found]
    if named:
        gone = delete(gate).where(gate.c.subject == bindparam("person"), gate.c.gate == bindparam("name"), *is_over)
        house.database.run(lambda session: session.connection().execute(gone, named), write=True)
    return len(named)


def _sweep_families(house: House, before: datetime) -> int:
    """Sweep families, which are found by their person: a row at a time, for no index has their names alone."""
    family = table_of(TokenFamily)
    old = select(family.c.subject, family.c.family_id).where(family.c.created_at < before).limit(BATCH)
    name = family.c.subject == bindparam("person"), family.c.family_id == bindparam("name")
    found = house.database.run(lambda session: session.execute(old).all(), write=False)
    named = [{"person": row.subject, "name": row.family_id} for row in found]
    if named:
        house.database.run(lambda session: session.connection().execute(delete(family).where(*name), named), write=True)
    return len(named)
