"""A login by number and password (登录), NIST SP 800-63B-4 section 3.2.2.

Three parts, so that no database transaction waits for the slow one: look up, derive the key, decide. Whether the number
is unknown, the password wrong or the account locked, the caller gets None after the same work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import or_, select, update

from idservice import audit
from idservice.call import Call, Caller, House
from idservice.login import change_password, device, levels, lockout, passkey, password, risk, session
from idservice.login.device import KNOWN
from idservice.models import Password, Person
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.oauth import signing_out
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
    device: str | None  # the name of a known one
    device_kind: str = KNOWN
    failures: int = 0


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


def log_in_with_passkey(call: Call, sent: Mapping[str, str], visitor: Visitor, *, browser: str) -> LoggedIn | None:
    """Return the cookies of a new session if a passkey of somebody's has signed our challenge, else None.

    No lock stands in the way: there is nothing to guess, and nobody can shut the owner out.
    """
    subject = passkey.check(call, sent, browser=browser)
    person = call.session.get(Person, subject) if subject is not None else None
    if person is None or person.status != "active":
        audit.record(call, audit.Deed.LOGIN, outcome="refused", subject=subject)
        return None
    changed_at = change_password.changed_at(call, person.subject) or device.NO_PASSWORD
    known = device.name_of(call.keys.secret(Purpose.SESSION), visitor.device_cookie, person.subject, changed_at)
    found = _Found(person.subject, None, known, device.PROVED)
    return _open(call, found, visitor, changed_at, amr=[levels.POP, levels.MFA])


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
        select(Password.hash, Password.changed_at, Password.failures).where(Password.subject == subject)
    ).one_or_none()
    if row is None:
        return _Found(subject, None, None)
    secret, cookie = call.keys.secret(Purpose.SESSION), visitor.device_cookie
    known = device.name_of(secret, cookie, subject, row.changed_at)
    kind = device.kind_of(secret, cookie, subject, row.changed_at) or device.KNOWN
    return _Found(subject, row.hash, known, kind, row.failures)


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
            return _open(call, found, visitor, changed_at)
    failures = call.session.scalar(
        update(Password).where(mine, unlocked).values(failures=Password.failures + 1).returning(Password.failures)
    )
    lock = lockout.lock_after(failures or 0)
    if lock is not None:
        call.session.execute(update(Password).where(mine).values(locked_until=call.now + lock))
    audit.record(call, audit.Deed.LOGIN, outcome="refused", subject=found.subject or None)
    return None


def _open(
    call: Call, found: _Found, visitor: Visitor, password_changed_at: datetime, *, amr: list[str] | None = None
) -> LoggedIn:
    subject = found.subject
    call.caller = replace(call.caller, person=subject)
    first = signing_out.give_way(call, visitor.session_cookie, subject)
    unusual = risk.signals(call, subject, is_known_device=found.device is not None, failures=found.failures)
    person = call.session.get_one(Person, subject)
    cookie = session.start(call, person, amr=amr or PASSWORD_ONLY, first=first, signals=unusual)
    audit.record(call, audit.Deed.LOGIN, subject=subject, signals=unusual or None)
    secret = call.keys.secret(Purpose.SESSION)
    return LoggedIn(cookie, device.new(secret, subject, password_changed_at, kind=found.device_kind))
