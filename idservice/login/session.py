"""Login sessions (登录会话): rows in the database, found by the hash of a random cookie value.

The cookie is `__Host-`: Secure, no Domain, path `/`; nothing but the identifier is in it. A session ends when it is
idle too long, when it is too old, or when somebody ends it; each is judged when it is used.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeGuard

from flask import Response, g, has_request_context, request
from sqlalchemy import and_, bindparam, insert, select, update

from idservice.call import Caller
from idservice.db import table_of
from idservice.ids import secret_hash
from idservice.login import browser_state, whereabouts
from idservice.models import LoginSession, Person, Staff
from idservice.numbers.names import mask_name
from idservice.register import people
from idservice.statement import Statement

if TYPE_CHECKING:
    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from idservice.call import Call

COOKIE = "__Host-ona-session"
TOUCH_AFTER = timedelta(minutes=1)

_session, _person, _staff = table_of(LoginSession), table_of(Person).c, table_of(Staff).c
_INSERT = Statement(insert(_session))
# A session and whose it is; of a person with several posts several rows, of one who is not active none.
_VISITOR = Statement(
    select(
        _session.c.id_hash,
        _session.c.subject,
        _session.c.auth_time,
        _session.c.amr,
        _session.c.signals,
        _session.c.seen_at,
        _session.c.expires_at,
        _session.c.ended_at,
        _person.level,
        _person.name_sealed,
        _staff.role,
        _staff.department,
        _staff.counter,
    )
    .join_from(_session, table_of(Person), and_(_person.subject == _session.c.subject, _person.status == "active"))
    .join(table_of(Staff), _staff.subject == _person.subject, isouter=True)
    .where(_session.c.id_hash == bindparam("id_hash"))
)


def start(
    call: Call,
    subject: str,
    *,
    level: int,
    amr: list[str],
    first: bytes | None = None,
    signals: list[str] | None = None,
) -> str:
    """Open a session for a person of that real-name level and return the cookie value, always a new one.

    `first` names the session of the same person that this login carries on; see `oauth.signing_out`. `signals` say
    what was unusual about the login; see `login.risk`.
    """
    value = secrets.token_urlsafe(32)
    _INSERT.run(
        call.connection,
        {
            "id_hash": secret_hash(value),
            "subject": subject,
            "auth_time": call.now,
            "amr": amr,
            "signals": signals or None,
            "level": level,
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
    row = call.session.get(LoginSession, secret_hash(cookie)) if _is_value(cookie) else None
    return row if row is not None and _is_live(call, row) else None


def hold(call: Call) -> bool:
    """Let nobody take the visitor's factors away by office until this is committed; return whether his session is live.

    Whoever does takes the same lock first, see `factor_reset`: a factor is added before that and goes with the others,
    or after it, when the session has ended.
    """
    lock(call, call.caller.person or "")
    mine = LoginSession.id_hash == bytes.fromhex(call.caller.session_id or "")
    return call.session.scalar(select(LoginSession.subject).where(mine, LoginSession.ended_at.is_(None))) is not None


def lock(call: Call, subject: str) -> None:
    """Let those who change what a person logs in with take turns."""
    call.session.execute(select(Person.subject).where(Person.subject == subject).with_for_update(key_share=True))


def _is_value(cookie: str | None) -> TypeGuard[str]:
    return bool(cookie) and len(cookie or "") <= 128 and (cookie or "").isascii()


def _is_live(call: Call, row: LoginSession | Row[Any]) -> bool:
    idle = timedelta(minutes=call.settings.session_idle_minutes)
    if row.ended_at is not None or row.expires_at <= call.now or row.seen_at + idle <= call.now:
        return False
    g.session_stale = row.seen_at + TOUCH_AFTER <= call.now
    return True


def caller(call: Call, cookie: str | None) -> tuple[Caller, dict[str, str] | None]:
    """Return who visits, and what the page header shows of him: his masked name.

    That is the person of the session with his posts, or nobody. A person not active is nobody.
    """
    nobody = call.caller, None
    rows = _VISITOR.rows(call.connection, {"id_hash": secret_hash(cookie)}) if _is_value(cookie) else ()
    if not rows or not _is_live(call, rows[0]):
        return nobody
    row = rows[0]
    found = Caller(
        channel="page",
        person=row.subject,
        posts=frozenset((post.role, post.department) for post in rows if post.role is not None),
        counter=next((post.counter for post in rows if post.counter), None),
        session_id=row.id_hash.hex(),
        amr=tuple(row.amr),
        auth_time=row.auth_time,
        signals=tuple(row.signals or ()),
        level=row.level,
        address=call.caller.address,
    )
    name = call.cipher.open(row.name_sealed, table="person", column="name_sealed", row=row.subject).decode()
    return found, _shown(name)


def shown_user(call: Call) -> dict[str, str] | None:
    """Return what a page shows of its visitor: his masked name."""
    facts = people.facts(call, call.caller.person) if call.caller.person is not None else None
    return _shown(facts.name) if facts is not None else None


def _shown(name: str) -> dict[str, str]:
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
