"""A login by number, or by the name of a staff account, and password (登录), NIST SP 800-63B-4 section 3.2.2.

Three parts, so that no database transaction waits for the slow one: look up, derive the key, decide. Whether the number
is unknown, the password wrong or the account locked, the caller gets None after the same work: where there is no
person or no password, the rows of a stand-in are read and written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import bindparam, case, func, select

from idservice import audit
from idservice.call import Call, Caller, House
from idservice.db import table_of
from idservice.login import (
    change_password,
    device,
    levels,
    lockout,
    passkey,
    password,
    risk,
    session,
    staff_names,
    stand_in,
)
from idservice.login.device import Device
from idservice.models import Password, Person
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.oauth import signing_out
from idservice.register import people
from idservice.statement import Statement
from keys.ring import Purpose

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

T = TypeVar("T")

ADDRESS_LIMIT = "300/minute"  # a whole office may stand behind one address
NUMBER_LIMIT = "30/minute"
DEVICE_LIMIT = "20/hour"
CITY_LIMIT = "1200/minute"  # one password against ten thousand numbers comes from everywhere at once
PASSWORD_ONLY = ["pwd"]  # RFC 8176

_password, _person = table_of(Password).c, table_of(Person).c
_HIS_OR_ANOTHERS = Statement(
    select(_password.subject, _password.hash, _password.changed_at, _password.failures)
    .where(_password.subject.in_((bindparam("subject"), bindparam("other"))))
    .order_by(case((_password.subject == bindparam("subject"), 0), else_=1))
    .limit(1)
)
_IS_ACTIVE = (_person.subject == bindparam("subject"), _person.status == "active")
_LEVEL = Statement(select(func.max(_person.level).label("level")).where(*_IS_ACTIVE))


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a login comes from: address, request, and the two cookies the browser sent."""

    address: str | None
    request_id: str
    session_cookie: str | None
    device_cookie: str | None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What the browser gets by a successful login: a cookie value, and an entry for that of the device."""

    session_cookie: str
    device_entry: str


@dataclass(frozen=True, slots=True)
class _Found:
    """Who logs in, and whose password is tried: his own, or that of a stand-in."""

    subject: str
    password_of: str
    hash: str
    changed_at: datetime
    device: Device | None  # a known one
    failures: int = 0


def log_in(house: House, number: str, secret: str, visitor: Visitor) -> LoggedIn | None:
    """Return the cookies of a new session if number, or name of a staff account, and password belong together.

    None for whatever else it is.

    Raises:
        Problem: too_many_requests or unavailable.
    """
    _limit(house, visitor, ADDRESS_LIMIT, "login.address", visitor.address or "-")
    folded = _fold(number)
    stand_in.make_ready(house)
    found = _run(house, visitor, lambda call: _look_up(call, folded, visitor), write=False)
    if found.device is not None:
        _limit(house, visitor, DEVICE_LIMIT, "login.device", found.device.name)
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
    level = _level_of_active(call, subject) if subject is not None else None
    if subject is None or level is None:
        audit.record(call, audit.Deed.LOGIN, outcome="refused", subject=subject)
        return None
    changed_at = change_password.changed_at(call, subject) or device.NO_PASSWORD
    live = call.keys.secrets(Purpose.SESSION).values()
    found = _Found(
        subject=subject,
        password_of=subject,
        hash=password.NOBODY,
        changed_at=changed_at,
        device=device.find(live, visitor.device_cookie, subject, changed_at),
    )
    return _open(call, found, visitor, level=level, amr=[levels.POP, levels.MFA], kind=device.PROVED)


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
    """Return who it is, by his number or the name of his account; both are looked for, whichever was given."""
    found, of_name = people.find_kind(call, number), staff_names.find(call, staff_names.fold(number))
    first, second = stand_in.pair(call, number)
    of_number = found[0] if found is not None and found[1] == "person" else None
    bearer = of_number or of_name
    subject, other = (bearer, first) if bearer is not None else (first, second)
    row = _HIS_OR_ANOTHERS.first(call.connection, {"subject": subject, "other": other})
    live, cookie = call.keys.secrets(Purpose.SESSION).values(), visitor.device_cookie
    known = device.find(live, cookie, row.subject, row.changed_at)
    return _Found(subject, row.subject, row.hash, row.changed_at, known, row.failures)


def _decide(call: Call, found: _Found, visitor: Visitor, *, is_right: bool) -> LoggedIn | None:
    """Open a session, or count the failure; the lock is looked at in the same statement that lifts it."""
    level = _level_of_active(call, found.subject)
    is_right = is_right and level is not None
    if lockout.settle_password(call, found.password_of, found.hash, is_right=is_right, exempt=found.device is not None):
        return _open(call, found, visitor, level=level or 0)
    audit.record(call, audit.Deed.LOGIN, outcome="refused", subject=found.subject)
    return None


def _level_of_active(call: Call, subject: str) -> int | None:
    """Return the real-name level of a person who may log in; else None, at the same price."""
    level: int | None = _LEVEL.first(call.connection, {"subject": subject}).level
    return level


def _open(
    call: Call, found: _Found, visitor: Visitor, *, level: int, amr: list[str] | None = None, kind: str = device.KNOWN
) -> LoggedIn:
    subject, known = found.subject, found.device
    call.caller = replace(call.caller, person=subject)
    first = signing_out.give_way(call, visitor.session_cookie, subject)
    unusual = risk.signals(call, subject, is_known_device=known is not None, failures=found.failures)
    cookie = session.start(call, subject, level=level, amr=amr or PASSWORD_ONLY, first=first, signals=unusual)
    audit.record(call, audit.Deed.LOGIN, subject=subject, signals=unusual or None)
    name, kind = (known.name, max(kind, known.kind, key=device.KINDS.index)) if known is not None else (None, kind)
    secret = call.keys.secret(Purpose.SESSION)
    return LoggedIn(cookie, device.new(secret, subject, found.changed_at, kind=kind, name=name))
