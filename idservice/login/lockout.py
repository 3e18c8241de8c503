"""The lock (锁定) in front of everything that can be guessed: NIST SP 800-63B-4 section 3.2.2.

A try is counted before it is looked at, in the row of the person, so that parallel guesses take turns and gain nothing.
Five are free; each further one locks for longer, up to an hour. The password counts in its own row, see `attempt`: a
right password must not wipe out wrong second factors.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import or_, update

from idservice.db import add_if_new
from idservice.login.models import Lock

if TYPE_CHECKING:
    from idservice.call import Call

T = TypeVar("T")

FREE_TRIES = 5
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)


class Gate(StrEnum):
    """What is locked; the tries of each are counted apart."""

    SECOND = "second"
    RECOVERY = "recovery"


def lock_after(failures: int) -> timedelta | None:
    """Return how long a gate is shut after that many wrong answers in a row: 5, then growing up to an hour."""
    if failures < FREE_TRIES:
        return None
    doublings = min(failures - FREE_TRIES, 16)
    return min(LONGEST_LOCK, timedelta(seconds=FIRST_LOCK.total_seconds() * (1 << doublings)))


def through(call: Call, subject: str, gate: Gate, look: Callable[[], T | None], *, exempt: bool = False) -> T | None:
    """Return what `look` finds, or None: because it found nothing, or because the gate is shut and it was not asked.

    `exempt` is a visitor on a device on which the person has passed this gate before: others cannot shut him out.
    The caller must commit whatever comes back, or the try has not been counted.
    """
    mine = (Lock.subject == subject, Lock.gate == str(gate))
    is_open = () if exempt else (or_(Lock.locked_until.is_(None), Lock.locked_until <= call.now),)
    add_if_new(call.session, Lock, {"subject": subject, "gate": str(gate), "failures": 0, "locked_until": None})
    failures = call.session.scalar(
        update(Lock).where(*mine, *is_open).values(failures=Lock.failures + 1).returning(Lock.failures)
    )
    if failures is None:
        return None
    found = look()
    if found is not None:
        call.session.execute(update(Lock).where(*mine).values(failures=0, locked_until=None))
    elif (lock := lock_after(failures)) is not None:
        call.session.execute(update(Lock).where(*mine).values(locked_until=call.now + lock))
    return found
