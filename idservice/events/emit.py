"""What is told to receivers (事件发布): for each stream whose app knows the person, a notice of the same deed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from idservice.events import outbox, security_events, stream_subjects
from idservice.events.models import EventStream
from idservice.models import Consent, TokenFamily
from idservice.oauth import clients
from idservice.oauth.logout_tokens import session_name
from idservice.oauth.subjects import pairwise
from keys.ring import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idservice.call import Call
    from idservice.oauth.clients import App

KIND = "event"
KEPT = timedelta(days=7)


def session_revoked(call: Call, person: str, chain: bytes, *, by: str = "user") -> None:
    """Tell that a session of `person` has ended (CAEP 1.0 section 3.1)."""
    secret = call.keys.secret(Purpose.SUBJECT)
    for stream, app, known_as in _concerned(call, person, security_events.SESSION_REVOKED):
        user = security_events.person(call.settings.issuer, known_as)
        subject = security_events.session_of(user, session_name(secret, app.client_id, chain))
        put(call, stream, security_events.SESSION_REVOKED, subject, _told(call, by))


def credential_changed(call: Call, person: str, *, credential: str, change: str, by: str = "user") -> None:
    """Tell that a credential of `person` was made, changed or taken away (CAEP 1.0 section 3.3)."""
    if credential not in security_events.CREDENTIALS or change not in security_events.CHANGES:
        raise ValueError("not a credential or change of CAEP")
    for stream, _app, known_as in _concerned(call, person, security_events.CREDENTIAL_CHANGE):
        subject = security_events.person(call.settings.issuer, known_as)
        event = {"credential_type": credential, "change_type": change, **_told(call, by)}
        put(call, stream, security_events.CREDENTIAL_CHANGE, subject, event)


def is_wanted(call: Call, event: str) -> bool:
    """Return whether any stream wants an event: to be asked once where many persons are concerned."""
    return bool(_wanting(call, event))


def put(call: Call, stream: EventStream, kind: str, subject: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    """Leave one event for one stream; it is signed when it leaves."""
    facts = {"type": kind, "iat": int(call.now.timestamp()), "sub_id": dict(subject), "event": dict(event)}
    outbox.put(call, KIND, stream.client_id, facts, keep=KEPT, fetched=stream.endpoint_url is None)


def _concerned(call: Call, person: str, event: str) -> Iterator[tuple[EventStream, App, str]]:
    """Return the streams that want the event and whose app knows this person, with the subject it knows him by.

    That is an app he has used, or lets know him, while the consent to it holds: his own, or that of whom he acted for.
    Others do not know his subject, and nobody hears of him who asked not to.
    """
    wanted = _wanting(call, event)
    if not wanted:
        return
    known = _known_to(call, person)
    for row in wanted:
        app = clients.find(call, row.client_id) if row.client_id in known else None
        if app is None:
            continue
        known_as = pairwise(call.keys.secret(Purpose.SUBJECT), app.sector, person)
        if stream_subjects.hears_of(call, row, known_as):
            yield row, app, known_as


def _wanting(call: Call, event: str) -> list[EventStream]:
    return [
        row for row in call.session.scalars(select(EventStream)) if row.status != "disabled" and event in row.events
    ]


def _known_to(call: Call, person: str) -> set[str]:
    holder = func.coalesce(TokenFamily.principal, TokenFamily.subject)
    consents = and_(Consent.subject == holder, Consent.client_id == TokenFamily.client_id)
    used = (
        select(TokenFamily.client_id)
        .join_from(TokenFamily, Consent, consents)
        .where(TokenFamily.subject == person, Consent.withdrawn_at.is_(None))
    )
    own = select(Consent.client_id).where(Consent.subject == person, Consent.withdrawn_at.is_(None))
    return {row.client_id for row in call.session.execute(used.union(own))}


def _told(call: Call, by: str) -> dict[str, Any]:
    return {"event_timestamp": int(call.now.timestamp()), "initiating_entity": by}
