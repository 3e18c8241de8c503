"""Signing out (退出登录): the one way in which a session ends, with everything that was to last as long as it.

The tokens without `offline_access` die at once, where all sessions end those with it too, and every app that took part
hears of it (OpenID Connect RP-Initiated Logout 1.0 section 2, Back-Channel Logout 1.0 section 2.7).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from idservice import audit
from idservice.events import emit
from idservice.login import session
from idservice.models import LoginSession, TokenFamily
from idservice.oauth import backchannel_logout, clients, families

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import Call
    from idservice.oauth.clients import App

_also: list[Callable[[Call, str], None]] = []


def of_person(call: Call, person: str) -> list[LoginSession]:
    """Return the live sessions of a person, the one used last first."""
    idle = call.now - timedelta(minutes=call.settings.session_idle_minutes)
    query = select(LoginSession).where(
        LoginSession.subject == person,
        LoginSession.ended_at.is_(None),
        LoginSession.expires_at > call.now,
        LoginSession.seen_at > idle,
    )
    return list(call.session.scalars(query.order_by(LoginSession.seen_at.desc(), LoginSession.id_hash)))


def apps_of(call: Call, row: LoginSession) -> list[App]:
    """Return the apps that the session has logged its person in to."""
    return [app for app, _holders in _logins_of(call, row)]


def _logins_of(call: Call, row: LoginSession) -> list[tuple[App, list[str]]]:
    """Return the apps of a session, each with those its logins were about: the person, and whoever he acted for."""
    holder = func.coalesce(TokenFamily.principal, TokenFamily.subject)
    query = (
        select(TokenFamily.client_id, holder)
        .where(TokenFamily.subject == row.subject, TokenFamily.session_hash == row.chain)
        .distinct()
    )
    holders: dict[str, list[str]] = {}
    for client_id, known in sorted(tuple(found) for found in call.session.execute(query)):
        holders.setdefault(client_id, []).append(known)
    apps = ((clients.find(call, client_id), known) for client_id, known in holders.items())
    return [(app, known) for app, known in apps if app is not None]


def end(call: Call, row: LoginSession, *, by: str = "user") -> list[App]:
    """End a live session; return the apps that took part in it, none if it had ended already.

    `by` says who ended it, in the words of CAEP 1.0 section 2: user, admin, policy or system.
    """
    ended = call.session.execute(
        update(LoginSession)
        .where(LoginSession.id_hash == row.id_hash, LoginSession.ended_at.is_(None))
        .values(ended_at=call.now)
        .returning(LoginSession.subject)
        .execution_options(synchronize_session=False)
    ).first()
    if ended is None:
        return []
    logins = _logins_of(call, row)
    families.kill_of_session(call, row.subject, row.chain)
    for app, holders in logins:
        for holder in holders:
            backchannel_logout.put(call, app, holder, row.chain)
    emit.session_revoked(call, row.subject, row.chain, by=by)
    audit.record(call, audit.Deed.LOGOUT, subject=row.subject)
    return [app for app, _holders in logins]


def listed(call: Call) -> list[dict[str, Any]]:
    """Return what the caller may know of his live sessions, the one he uses first."""
    shown = [
        {
            "id": name_of(row),
            "device": row.device,
            "place": row.place,
            "logged_in_at": row.auth_time,
            "seen_at": row.seen_at,
            "is_this": is_this(row, call.caller.session_id),
            "apps": [app.name for app in apps_of(call, row)],
        }
        for row in of_person(call, call.caller.person or "")
    ]
    return sorted(shown, key=lambda session: not session["is_this"])


def end_one(call: Call, person: str, name: str) -> bool:
    """End the live session of that name; False if the person has none."""
    row = next((row for row in of_person(call, person) if name_of(row) == name), None)
    if row is None:
        return False
    end(call, row)
    return True


def end_others(
    call: Call, person: str, *, but: str | None, by: str = "user", reason: str = "signed_out_everywhere"
) -> int:
    """End every session of a person but the one he uses, and whatever else was left with him; return how many.

    Who signs out everywhere may have been robbed: tokens that were to outlast their sessions end as well.
    """
    live = of_person(call, person)
    others = [row for row in live if not is_this(row, but)]
    kept = next((row.chain for row in live if is_this(row, but)), bytes.fromhex(but) if but is not None else None)
    for row in others:
        end(call, row, by=by)
    families.kill_all(call, person, reason=reason, but=kept)
    for work in _also:
        work(call, person)
    return len(others)


def end_also(work: Callable[[Call, str], None]) -> None:
    """Have something else of a person (a subject) end where he signs out everywhere."""
    if work not in _also:
        _also.append(work)


def name_of(row: LoginSession) -> str:
    """Return the name under which a person's sessions are listed; nothing can be done with it alone."""
    return row.id_hash.hex()[:32]


def is_this(row: LoginSession, session_id: str | None) -> bool:
    """Return whether `session_id`, of a caller, names this session."""
    return session_id is not None and session_id in {row.id_hash.hex(), row.chain.hex()}


def give_way(call: Call, cookie: str | None, person: str) -> bytes | None:
    """End the session in whose browser `person` has just logged in, and return what his new session carries on.

    His own apps stay logged in under the same `sid`; another person's session ends as if he had signed out.
    """
    row = session.find(call, cookie)
    if row is None:
        return None
    if row.subject != person:
        end(call, row)
        return None
    session.end(call, cookie)
    return row.chain
