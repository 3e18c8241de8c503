"""The lock (锁定) in front of everything that can be guessed: NIST SP 800-63B-4 section 3.2.2.

A try is counted before it is looked at, in the row of the person, so that parallel guesses take turns and gain nothing.
Five are free; each further one locks for longer, up to an hour. The password counts in its own row, see `attempt`: a
right password must not wipe out wrong second factors.

Where the clock must not tell how a gate stands, `settle` does the same work whether it is open, shut, or just shut.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import ColumnElement, and_, case, literal, or_, update

from idservice.db import add_if_new
from idservice.login.models import Lock

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.models import Password

T = TypeVar("T")

FREE_TRIES = 5
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)
_STEPS = range(FREE_TRIES, FREE_TRIES + 7)  # after the last of them the lock grows no more


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


def settle(
    call: Call, row: type[Password | Lock], mine: ColumnElement[bool], right: ColumnElement[bool], *, exempt: bool
) -> bool:
    """Count a try in one statement that writes one row in every case; return whether it was right and the gate open.

    A right try is not counted, and lifts the lock; while the gate is shut, nothing counts. `exempt` as in `through`.
    """
    is_open = or_(row.locked_until.is_(None), row.locked_until <= call.now)
    passes = and_(right, or_(literal(value=exempt), is_open))
    ends = {failures: call.now + (lock_after(failures) or LONGEST_LOCK) for failures in _STEPS}
    locks = [(row.failures + 1 == failures, until) for failures, until in ends.items()]
    until = case((row.failures + 1 < FREE_TRIES, row.locked_until), *locks, else_=call.now + LONGEST_LOCK)
    counted = update(row).where(mine).values(
        failures=case((passes, 0), (is_open, row.failures + 1), else_=row.failures),
        locked_until=case((passes, None), (is_open, until), else_=row.locked_until),
    )  # fmt: skip
    left = call.session.execute(
        counted.returning(row.failures, row.locked_until).execution_options(synchronize_session=False)
    ).one_or_none()
    return left is not None and left.failures == 0 and left.locked_until is None  # whatever is counted is above 0


def pass_by(call: Call, subject: str, gate: Gate, *, is_right: bool) -> bool:
    """Return whether an answer that was looked at already is right and the gate open, at the same price in any case."""
    _add(call, subject, gate)
    mine = and_(Lock.subject == subject, Lock.gate == str(gate))
    return settle(call, Lock, mine, literal(value=is_right), exempt=False)


def through(call: Call, subject: str, gate: Gate, look: Callable[[], T | None], *, exempt: bool = False) -> T | None:
    """Return what `look` finds, or None: because it found nothing, or because the gate is shut and it was not asked.

    `exempt` is a visitor on a device on which the person has passed this gate before: others cannot shut him out.
    The caller must commit whatever comes back, or the try has not been counted.
    """
    mine = (Lock.subject == subject, Lock.gate == str(gate))
    is_open = () if exempt else (or_(Lock.locked_until.is_(None), Lock.locked_until <= call.now),)
    _add(call, subject, gate)
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


def _add(call: Call, subject: str, gate: Gate) -> None:
    add_if_new(call.session, Lock, {"subject": subject, "gate": str(gate), "failures": 0, "locked_until": None})
