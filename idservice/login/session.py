"""Login sessions (登录会话): rows in the database, found by the hash of a random cookie value.

The cookie is `__Host-`: Secure, no Domain, path `/`; nothing but the identifier is in it. A session ends when it is
idle too long, when it is too old, or when somebody ends it; each is judged when it is used.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask import Response, g, has_request_context, request
from sqlalchemy import bindparam, insert, select, update

from idservice.call import Caller
from idservice.db import table_of
from idservice.ids import secret_hash
from idservice.login import browser_state, whereabouts
from idservice.models import LoginSession, Person, Staff
from idservice.numbers.names import mask_name

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import Call

COOKIE = "__Host-ona-session"
TOUCH_AFTER = timedelta(minutes=1)

_staff = table_of(Staff).c
_POSTS = select(_staff.role, _staff.department, _staff.counter).where(_staff.subject == bindparam("subject"))


def start(
    call: Call, person: Person, *, amr: list[str], first: bytes | None = None, signals: list[str] | None = None
) -> str:
    """Open a session for `person` and return the cookie value, always a new one.

    `first` names the session of the same person that this login carries on; see `oauth.signing_out`. `signals` say
    what was unusual about the login; see `login.risk`.
    """
    value = secrets.token_urlsafe(32)
    call.session.execute(
        insert(LoginSession),
        {
            "id_hash": secret_hash(value),
            "subject": person.subject,
            "auth_time": call.now,
            "amr": amr,
            "signals": signals or None,
            "level": person.level,
            "seen_at": call.now,
            "expires_at": call.now + timedelta(hours=call.settings.session_hours),
            "ended_at": None,
            "first_hash": first,
            "device": whereabouts.device(request.headers.get("User-Agent")) if has_request_context() else None,
            "place": whereabouts.network(call.caller.address),
        },
    )
    return value


def strengthen(call: Call, old: LoginSession, *, amr: list[str]) -> str:
    """Carry a session on with one more factor in it, under a new cookie value: the old one gains nothing.

    It began when it began: a second factor makes a login stronger, not younger.
    """
    value = secrets.token_urlsafe(32)
    columns = {column.name: getattr(old, column.name) for column in LoginSession.__table__.columns}
    new = {"id_hash": secret_hash(value), "amr": amr, "first_hash": old.chain, "seen_at": call.now}
    call.session.execute(insert(LoginSession), {**columns, **new})
    call.session.execute(update(LoginSession).where(LoginSession.id_hash == old.id_hash).values(ended_at=call.now))
    return value


def find(call: Call, cookie: str | None) -> LoginSession | None:
    """Return the live session of a cookie value, or None for anything else, malformed values included."""
    if not cookie or len(cookie) > 128 or not cookie.isascii():
        return None
    row = call.session.get(LoginSession, secret_hash(cookie))
    if row is None or row.ended_at is not None or row.expires_at <= call.now:
        return None
    if row.seen_at + timedelta(minutes=call.settings.session_idle_minutes) <= call.now:
        return None
    g.session_stale = row.seen_at + TOUCH_AFTER <= call.now
    return row


def caller(call: Call, cookie: str | None) -> Caller:
    """Return who visits: the person of the session with his posts, or nobody. A person not active is nobody."""
    nobody = call.caller
    row = find(call, cookie)
    if row is None:
        return nobody
    person = call.session.get(Person, row.subject)
    if person is None or person.status != "active":
        return nobody
    call.session.info["visitor"] = row, person  # held, so that whoever asks for them again finds them read
    posts = call.session.connection().execute(_POSTS, {"subject": row.subject}).all()
    return Caller(
        channel="page",
        person=row.subject,
        posts=frozenset((post.role, post.department) for post in posts),
        counter=next((post.counter for post in posts if post.counter), None),
        session_id=row.id_hash.hex(),
        amr=tuple(row.amr),
        auth_time=row.auth_time,
        signals=tuple(row.signals or ()),
        level=person.level,
        address=nobody.address,
    )


def shown_user(call: Call) -> dict[str, str] | None:
    """Return what the page header shows of the visitor: his masked name."""
    if call.caller.person is None:
        return None
    person = call.session.get_one(Person, call.caller.person)
    name = call.cipher.open(person.name_sealed, table="person", column="name_sealed", row=person.subject).decode()
    return {"name_masked": mask_name(name)}


def touch(session: Session, cookie: str | None, now: datetime) -> None:
    """Note that the session is in use."""
    session.execute(update(LoginSession).where(LoginSession.id_hash == secret_hash(cookie or "")).values(seen_at=now))


def end(call: Call, cookie: str | None) -> None:
    """End the session of a cookie value."""
    call.session.execute(
        update(LoginSession)
        .where(LoginSession.id_hash == secret_hash(cookie or ""), LoginSession.ended_at.is_(None))
        .values(ended_at=call.now)
    )


def give_cookie(response: Response, value: str) -> Response:
    """Set the session cookie on a response."""
    response.set_cookie(COOKIE, value, secure=True, httponly=True, samesite="Lax", path="/")
    browser_state.give_cookie(response, secret_hash(value))
    return response


def take_cookie(response: Response) -> Response:
    """Remove the session cookie."""
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Lax", path="/")
    browser_state.take_cookie(response)
    return response
