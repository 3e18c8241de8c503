"""The lock (锁定) in front of everything that can be guessed: NIST SP 800-63B-4 section 3.2.2.

A try is counted before it is looked at, in the row of the person, so that parallel guesses take turns and gain nothing.
Five are free; each further one locks for longer, up to an hour. The password counts in its own row, see `attempt`: a
right password must not wipe out wrong second factors.

A device on which the owner has passed before is let through a gate that others have shut, and counts at one of its own.

Where the clock must not tell how a gate stands, `_settle` does the same work whether it is open, shut, or just shut.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Boolean, ColumnElement, Table, and_, bindparam, case, or_, update

from idservice.db import UTCDateTime, add_if_new, table_of
from idservice.login.models import Lock
from idservice.models import Password
from idservice.statement import Statement

if TYPE_CHECKING:
    from idservice.call import Call

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


def _settled(table: Table, *mine: ColumnElement[bool], right: ColumnElement[bool]) -> Statement:
    """Return the statement behind `_settle`, built once: building it costs more than carrying it out."""
    failures, locked_until = table.c.failures, table.c.locked_until
    is_open = or_(locked_until.is_(None), locked_until <= bindparam("now"))
    passes = and_(right, or_(bindparam("exempt", type_=Boolean()), is_open))
    locks = [(failures + 1 == number, bindparam(f"after_{number}", type_=UTCDateTime())) for number in _STEPS]
    longest = bindparam("longest", type_=UTCDateTime())
    until = case((failures + 1 < FREE_TRIES, locked_until), *locks, else_=longest)
    counted = update(table).where(*mine).values(
        failures=case((passes, 0), (is_open, failures + 1), else_=failures),
        locked_until=case((passes, None), (is_open, until), else_=locked_until),
    )  # fmt: skip
    if "tried_at" in table.c:
        counted = counted.values(tried_at=bindparam("now"))
    return Statement(counted.returning(failures, locked_until))


_password, _lock = table_of(Password), table_of(Lock)
_IS_RIGHT = bindparam("is_right", type_=Boolean())
_SETTLED_PASSWORD = _settled(
    _password, _password.c.subject == bindparam("whose"), right=and_(_IS_RIGHT, _password.c.hash == bindparam("tried"))
)
_SETTLED_GATE = _settled(
    _lock, _lock.c.subject == bindparam("whose"), _lock.c.gate == bindparam("which"), right=_IS_RIGHT
)
_ENDS = {f"after_{number}": lock_after(number) or LONGEST_LOCK for number in _STEPS} | {"longest": LONGEST_LOCK}


def _settle(call: Call, counted: Statement, **asked: Any) -> bool:
    """Count a try in one statement that writes one row in every case; return whether it was right and the gate open.

    A right try is not counted, and lifts the lock; while the gate is shut, nothing counts. Whoever is `exempt` passes
    all the same if he is right.
    """
    ends = {name: call.now + lock for name, lock in _ENDS.items()}
    left = counted.first(call.connection, {"now": call.now, **ends, **asked})
    return left is not None and left.failures == 0 and left.locked_until is None  # whatever is counted is above 0


def settle_password(call: Call, subject: str, tried: str, *, is_right: bool, exempt: bool) -> bool:
    """Count a try of a password whose hash is still `tried`; return whether it was right and the account open."""
    return _settle(call, _SETTLED_PASSWORD, whose=subject, tried=tried, is_right=is_right, exempt=exempt)


def pass_by(call: Call, subject: str, gate: Gate, *, is_right: bool, device: str | None = None) -> bool:
    """Return whether an answer that was looked at already is right and the gate open, at the same price in any case.

    `device` as in `through`: only the owner's costs more.
    """
    if device is not None:
        own = _own(gate, device)
        _add(call, subject, own)
        is_right = _settle(call, _SETTLED_GATE, whose=subject, which=own, is_right=is_right, exempt=False)
    _add(call, subject, gate)
    exempt = device is not None
    return _settle(call, _SETTLED_GATE, whose=subject, which=str(gate), is_right=is_right, exempt=exempt)


def through(
    call: Call, subject: str, gate: Gate, look: Callable[[], T | None], *, device: str | None = None
) -> T | None:
    """Return what `look` finds, or None: because it found nothing, or because the gate is shut and it was not asked.

    `device` names one on which the person has passed this gate before: others cannot shut him out there, and whoever
    has got hold of it stands before a gate of its own. The caller must commit whatever comes back, or the try has not
    been counted.
    """
    doors = {str(gate): False} if device is None else {_own(gate, device): False, str(gate): True}  # exempt or not
    counted: dict[str, int] = {}
    for door, is_exempt in doors.items():
        failures = _count(call, subject, door, exempt=is_exempt)
        if failures is None:
            return None
        counted[door] = failures
    found = look()
    for door, failures in counted.items():
        _enter(call, subject, door, 0 if found is not None else failures)
    return found


def _count(call: Call, subject: str, door: str, *, exempt: bool) -> int | None:
    """Count a try and return how many there were without a right one; None before a gate that is shut."""
    is_open = () if exempt else (or_(Lock.locked_until.is_(None), Lock.locked_until <= call.now),)
    _add(call, subject, door)
    counted = update(Lock).where(Lock.subject == subject, Lock.gate == door, *is_open)
    return call.session.scalar(counted.values(failures=Lock.failures + 1, tried_at=call.now).returning(Lock.failures))


def _enter(call: Call, subject: str, door: str, failures: int) -> None:
    """Enter what came of a try: none failed after a right one, and so many else."""
    lock = lock_after(failures)
    mine = update(Lock).where(Lock.subject == subject, Lock.gate == door)
    if failures == 0:
        call.session.execute(mine.values(failures=0, locked_until=None))
    elif lock is not None:
        call.session.execute(mine.values(locked_until=call.now + lock))


def _own(gate: Gate, device: str) -> str:
    """Return the name of the gate that a device has for itself."""
    return f"{gate[0]}-{device[:14]}"


def _add(call: Call, subject: str, door: str) -> None:
    row = {"subject": subject, "gate": str(door), "failures": 0, "locked_until": None, "tried_at": call.now}
    add_if_new(call.session, Lock, row)
