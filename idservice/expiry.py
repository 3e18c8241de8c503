"""Expiry: rows whose time is over are deleted, a bounded number at a time (到期清理).

What is deleted could not be used any more: a code or token past its end is refused by its date, not by its absence.
Codes and refresh tokens stay a while longer, so that a second use is still recognised as one and ends the family.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from idservice.call import House
from idservice.models import (
    AccessToken,
    AuthorizationCode,
    IdempotentRequest,
    LoginSession,
    RefreshToken,
    RevokedToken,
    UsedIdentifier,
)

CLOCKS = timedelta(minutes=10)  # longer than clocks differ
A_DAY = timedelta(hours=24)
BATCH = 1000

# The key, the time that counts, and how long after it a row is kept.
KEPT: tuple[tuple[InstrumentedAttribute[bytes], InstrumentedAttribute[datetime], timedelta], ...] = (
    (AccessToken.jti_hash, AccessToken.expires_at, CLOCKS),
    (RevokedToken.jti_hash, RevokedToken.expires_at, CLOCKS),
    (UsedIdentifier.value_hash, UsedIdentifier.expires_at, CLOCKS),
    (LoginSession.id_hash, LoginSession.expires_at, CLOCKS),
    (AuthorizationCode.code_hash, AuthorizationCode.expires_at, A_DAY),
    (RefreshToken.token_hash, RefreshToken.expires_at, A_DAY),
    (IdempotentRequest.key_hash, IdempotentRequest.created_at, A_DAY),
)


def sweep(house: House, now: datetime) -> int:
    """Delete expired rows, at most a thousand of each kind, each kind in its own transaction; return how many."""
    return sum(_sweep(house, key, end, now - kept) for key, end, kept in KEPT)


def _sweep(
    house: House, key: InstrumentedAttribute[bytes], end: InstrumentedAttribute[datetime], before: datetime
) -> int:
    def find(session: Session) -> list[Any]:
        return list(session.scalars(select(key).where(end < before).limit(BATCH)))

    def remove(session: Session) -> None:
        session.execute(delete(key.class_).where(key.in_(found)).execution_options(synchronize_session=False))

    found = house.database.run(find, write=False)  # most of the time there is nothing, and no writer waits
    if found:
        house.database.run(remove, write=True)
    return len(found)
