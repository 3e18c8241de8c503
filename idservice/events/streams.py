"""Streams of security events (安全事件流): SSF 1.0 section 8.1. A client has at most one, and manages it itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from idservice import audit
from idservice.db import add_if_new
from idservice.errors import Kind, Problem, register
from idservice.events import emit, outbox, security_events, stream_subjects
from idservice.events.models import EventStream, Notice
from idservice.events.stream_request import POLL, PUSH, Asked
from idservice.ids import random_id

if TYPE_CHECKING:
    from idservice.call import Call

ENABLED, PAUSED, DISABLED = "enabled", "paused", "disabled"
SECONDS_BETWEEN_VERIFICATIONS = 10

register({"stream_exists": Kind(409, "该应用已有事件流", "The client has a stream already")})


def create(call: Call, asked: Asked) -> dict[str, Any]:
    """Open the client's stream.

    Raises:
        Problem: stream_exists.
    """
    client_id = _client(call)
    row = {"client_id": client_id, "stream_id": random_id(), "verified_at": None, **_values(call, client_id, asked)}
    if not add_if_new(call.session, EventStream, row | {"status": ENABLED, "reason": None}):
        raise Problem("stream_exists", "Read it, change it, or delete it first.")
    audit.record(call, audit.Deed.STREAM_MADE, client=client_id, stream=row["stream_id"])
    return shown(call, find(call, None))


def find(call: Call, stream_id: str | None) -> EventStream:
    """Return the client's stream; None stands for "whichever it has".

    Raises:
        Problem: not_found.
    """
    query = select(EventStream).where(EventStream.client_id == _client(call)).execution_options(populate_existing=True)
    row = call.session.scalars(query).one_or_none()
    if row is None or stream_id not in {None, row.stream_id}:
        raise Problem("not_found", "The client has no such stream.")
    return row


def all_of_client(call: Call) -> list[dict[str, Any]]:
    """Return the client's streams: one or none."""
    query = select(EventStream).where(EventStream.client_id == _client(call))
    return [shown(call, row) for row in call.session.scalars(query)]


def change(call: Call, stream_id: str, asked: Asked) -> dict[str, Any]:
    """Put what was asked in the place of what the stream had."""
    row = find(call, stream_id)
    if asked.default_subjects != (row.default_subjects or stream_subjects.ALL):
        stream_subjects.forget_all(call, row.client_id)
    _set(call, row, _values(call, row.client_id, asked))
    if (asked.endpoint_url is None) is not (row.endpoint_url is None):  # from push to poll, or back
        waits_for = call.now if asked.endpoint_url is not None else None
        mine = update(Notice).where(Notice.kind == emit.KIND, Notice.target == row.client_id)
        call.session.execute(mine.values(due_at=waits_for).execution_options(synchronize_session=False))
    return shown(call, find(call, stream_id))


def set_status(call: Call, stream_id: str, status: str, reason: str | None) -> dict[str, Any]:
    """Enable, pause or disable a stream; what waits for a disabled one is thrown away (SSF 1.0 section 8.1.2)."""
    row = find(call, stream_id)
    _set(call, row, {"status": status, "reason": reason, "changed_at": call.now})
    if status == DISABLED:
        _empty(call, row.client_id)
    return status_of(find(call, stream_id))


def status_of(row: EventStream) -> dict[str, Any]:
    """Return whether a stream flows."""
    return {"stream_id": row.stream_id, "status": row.status} | ({"reason": row.reason} if row.reason else {})


def remove(call: Call, stream_id: str) -> None:
    """Close a stream, and throw away what waits for it."""
    row = find(call, stream_id)
    call.session.execute(delete(EventStream).where(EventStream.client_id == row.client_id))
    stream_subjects.forget_all(call, row.client_id)
    _empty(call, row.client_id)
    audit.record(call, audit.Deed.STREAM_REMOVED, client=row.client_id, stream=stream_id)


def verify(call: Call, stream_id: str, state: str | None) -> None:
    """Send a verification event, so that the receiver sees that the stream flows (SSF 1.0 section 8.1.4).

    Raises:
        Problem: too_many_requests.
    """
    row = find(call, stream_id)
    interval = timedelta(seconds=SECONDS_BETWEEN_VERIFICATIONS)
    is_due = EventStream.verified_at.is_(None) | (EventStream.verified_at <= call.now - interval)
    claim = update(EventStream).where(EventStream.client_id == row.client_id, is_due).values(verified_at=call.now)
    if call.session.execute(claim.returning(EventStream.client_id)).first() is None:
        wait = {"Retry-After": str(SECONDS_BETWEEN_VERIFICATIONS)}
        raise Problem("too_many_requests", "A stream is verified every few seconds at most.", headers=wait)
    event = {"state": state} if state is not None else {}
    emit.put(call, row, security_events.VERIFICATION, security_events.stream(row.stream_id), event)


def shown(call: Call, row: EventStream) -> dict[str, Any]:
    """Return the stream configuration (SSF 1.0 section 8.1.1); what we show at its endpoint is not told again."""
    issuer = call.settings.issuer
    is_polled = row.endpoint_url is None
    delivery = {"method": POLL if is_polled else PUSH, "endpoint_url": row.endpoint_url or f"{issuer}/v1/ssf/poll"}
    told = {
        "stream_id": row.stream_id,
        "iss": issuer,
        "aud": row.client_id,
        "events_supported": list(security_events.OFFERED),
        "events_requested": row.events,
        "events_delivered": [event for event in security_events.OFFERED if event in row.events],
        "delivery": delivery,
        "min_verification_interval": SECONDS_BETWEEN_VERIFICATIONS,
        "default_subjects": row.default_subjects or stream_subjects.ALL,
    }
    return told | ({"description": row.description} if row.description else {})


def asked_before(row: EventStream) -> Mapping[str, Any]:
    """Return what a change of some members leaves as it was."""
    delivery = {"method": PUSH, "endpoint_url": row.endpoint_url} if row.endpoint_url else {"method": POLL}
    return {
        "events_requested": row.events,
        "delivery": delivery,
        "description": row.description,
        "default_subjects": row.default_subjects or stream_subjects.ALL,
    }


def _values(call: Call, client_id: str, asked: Asked) -> dict[str, Any]:
    secret = asked.authorization
    sealed = None
    if secret is not None:
        data = secret.encode()
        sealed = call.cipher.seal(data, table="event_stream", column="authorization_sealed", row=client_id)
    values = {
        "events": list(asked.events),
        "endpoint_url": asked.endpoint_url,
        "description": asked.description,
        "default_subjects": asked.default_subjects,
        "changed_at": call.now,
    }
    is_kept = asked.endpoint_url is not None and secret is None and asked.keeps_authorization
    return values if is_kept else values | {"authorization_sealed": sealed}


def _set(call: Call, row: EventStream, values: Mapping[str, Any]) -> None:
    changing = update(EventStream).where(EventStream.client_id == row.client_id).values(**values)
    call.session.execute(changing.execution_options(synchronize_session=False))
    audit.record(call, audit.Deed.STREAM_CHANGED, client=row.client_id, stream=row.stream_id)


def _empty(call: Call, client_id: str) -> None:
    outbox.remove_all(call.session, emit.KIND, client_id)


def _client(call: Call) -> str:
    """Return the client that calls for itself; a person's token manages no stream."""
    caller = call.caller
    if caller.client_id is None or caller.person is not None:
        raise Problem("forbidden", "A client manages its stream with a token of its own.")
    return caller.client_id
