"""The outbox (发件箱): what apps must be told is written in the deed's own transaction and sent after its commit.

A notice is sent at least once. Whoever takes it counts the try first, in one statement, so that of several couriers one
sends it, and one that dies in the middle delays it and loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from idservice.events.models import Notice
from idservice.ids import timed_id

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import Call

LEASE = timedelta(minutes=1)  # longer than a try may take
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
BATCH = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that was taken in order to be sent."""

    notice_id: str
    kind: str
    target: str
    facts: Mapping[str, Any]
    attempts: int
    expires_at: datetime


def put(call: Call, kind: str, target: str, facts: Mapping[str, Any], *, keep: timedelta, fetched: bool = False) -> str:
    """Leave a notice for the client `target`, of use for as long as `keep`; `fetched` ones wait to be asked for."""
    notice_id = timed_id(call.now)
    row = {
        "notice_id": notice_id,
        "kind": kind,
        "target": target,
        "facts": dict(facts),
        "created_at": call.now,
        "due_at": None if fetched else call.now,
        "attempts": 0,
        "expires_at": call.now + keep,
    }
    call.session.execute(insert(Notice), row)
    return notice_id


def due(session: Session, now: datetime) -> list[tuple[str, int]]:
    """Return name and tries of notices whose time has come, the longest waiting first."""
    query = select(Notice.notice_id, Notice.attempts).where(Notice.due_at <= now).order_by(Notice.due_at).limit(BATCH)
    return [(row.notice_id, row.attempts) for row in session.execute(query)]


def take(session: Session, notice_id: str, attempts: int, now: datetime) -> Waiting | None:
    """Count a try and return the notice; None if another courier was faster."""
    row = session.execute(
        update(Notice)
        .where(Notice.notice_id == notice_id, Notice.attempts == attempts, Notice.due_at <= now)
        .values(attempts=attempts + 1, due_at=now + LEASE)
        .returning(Notice.kind, Notice.target, Notice.facts, Notice.expires_at)
    ).one_or_none()
    if row is None:
        return None
    return Waiting(notice_id, row.kind, row.target, row.facts, attempts + 1, row.expires_at)


def put_off(session: Session, notice: Waiting, now: datetime) -> bool:
    """Try again later, each time twice as much later; False if the notice would be of no use by then."""
    wait = min(FIRST_WAIT * 2 ** min(notice.attempts - 1, 20), LONGEST_WAIT)
    if now + wait >= notice.expires_at:
        return False
    session.execute(update(Notice).where(Notice.notice_id == notice.notice_id).values(due_at=now + wait))
    return True


def remove(session: Session, notice_id: str) -> None:
    """Forget a notice: it was taken, or nobody will take it."""
    session.execute(delete(Notice).where(Notice.notice_id == notice_id))


def remove_all(session: Session, kind: str, target: str) -> None:
    """Forget all that waits for a client."""
    session.execute(delete(Notice).where(Notice.kind == kind, Notice.target == target))
