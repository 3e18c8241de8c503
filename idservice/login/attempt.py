"""A login by number and password (登录), NIST SP 800-63B-4 section 3.2.2.

Three parts, so that no database transaction waits for the slow one: look up, derive the key, decide. Whether the number
is unknown, the password wrong or the account locked, the caller gets None after the same work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import or_, select, update

from idservice import audit
from idservice.call import Call, Caller, House
from idservice.login import device, password, session
from idservice.models import Password, Person
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.register import people
from keys.ring import Purpose

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

T = TypeVar("T")

ADDRESS_LIMIT = "300/minute"  # a whole office may stand behind one address
NUMBER_LIMIT = "30/minute"
DEVICE_LIMIT = "20/hour"
CITY_LIMIT = "1200/minute"  # one password against ten thousand numbers comes from everywhere at once
PASSWORD_ONLY = ["pwd"]  # RFC 8176


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a login comes from: address, request, and the two cookies the browser sent."""

    address: str | None
    request_id: str
    session_cookie: str | None
    device_cookie: str | None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The cookies of a successful login."""

    session_cookie: str
    device_cookie: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What the register holds for a number; an unknown one has an empty subject and no hash."""

    subject: str
    hash: str | None
    device: str | None


def log_in(house: House, number: str, secret: str, visitor: Visitor) -> LoggedIn | None:
    """Return the cookies of a new session if number and password belong together, else None.

    Raises:
        Problem: too_many_requests or unavailable.
    """
    _limit(house, visitor, ADDRESS_LIMIT, "login.address", visitor.address or "-")
    folded = _fold(number)
    found = _run(house, visitor, lambda call: _look_up(call, folded, visitor), write=False)
    if found.device is not None:
        _limit(house, visitor, DEVICE_LIMIT, "login.device", found.device)
    else:
        _limit(house, visitor, NUMBER_LIMIT, "login.number", hashlib.sha256(folded.encode()).hexdigest())
        _limit(house, visitor, CITY_LIMIT, "login.city", "-")
    is_right = password.matches(house, found.hash, secret)
    return _run(house, visitor, lambda call: _decide(call, found, visitor, is_right=is_right), write=True)


def _limit(house: House, visitor: Visitor, limit: str, what: str, who: str) -> None:
    house.limiter.check(limit, what=what, who=who, address=visitor.address)


def _run(house: House, visitor: Visitor, deed: Callable[[Call], T], *, write: bool) -> T:
    caller = Caller(channel="page", address=visitor.address)

    def run(opened: Session) -> T:
        return deed(Call(house, opened, caller, datetime.now(UTC), visitor.request_id))

    return house.database.run(run, write=write)


def _fold(number: str) -> str:
    try:
        return citizen.normalise(number)
    except InvalidNumber:
        return ""


def _look_up(call: Call, number: str, visitor: Visitor) -> _Found:
    found = people.find_kind(call, number)
    subject = found[0] if found is not None and found[1] == "person" else ""
    row = call.session.execute(
        select(Password.hash, Password.changed_at).where(Password.subject == subject)
    ).one_or_none()
    if row is None:
        return _Found(subject, None, None)
    known = device.name_of(call.keys.secret(Purpose.SESSION), visitor.device_cookie, subject, row.changed_at)
    return _Found(subject, row.hash, known)


def _decide(call: Call, found: _Found, visitor: Visitor, *, is_right: bool) -> LoggedIn | None:
    """Open a session, or count the failure; the lock is looked at in the same statement that lifts it."""
    is_active = call.session.scalar(select(Person.status).where(Person.subject == found.subject)) == "active"
    mine = Password.subject == found.subject
    unlocked = or_(Password.locked_until.is_(None), Password.locked_until <= call.now)
    if is_right and is_active:
        conditions = [mine, Password.hash == found.hash, *([] if found.device else [unlocked])]
        changed_at = call.session.scalar(
            update(Password).where(*conditions).values(failures=0, locked_until=None).returning(Password.changed_at)
        )
        if changed_at is not None:
            return _open(call, found.subject, visitor, changed_at)
    failures = call.session.scalar(
        update(Password).where(mine, unlocked).values(failures=Password.failures + 1).returning(Password.failures)
    )
    lock = password.lock_after(failures or 0)
    if lock is not None:
        call.session.execute(update(Password).where(mine).values(locked_until=call.now + lock))
    audit.record(call, audit.Deed.LOGIN, outcome="refused", subject=found.subject or None)
    return None


def _open(call: Call, subject: str, visitor: Visitor, password_changed_at: datetime) -> LoggedIn:
    call.caller = replace(call.caller, person=subject)
    if visitor.session_cookie:
        session.end(call, visitor.session_cookie)
    cookie = session.start(call, call.session.get_one(Person, subject), amr=PASSWORD_ONLY)
    audit.record(call, audit.Deed.LOGIN, subject=subject)
    return LoggedIn(cookie, device.new(call.keys.secret(Purpose.SESSION), subject, password_changed_at))
