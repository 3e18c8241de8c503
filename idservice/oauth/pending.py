"""Requests that wait for a person on another device (待批准的请求): one life for RFC 8628 and OpenID CIBA Core 1.0.

Started by an app, answered once by a person on a page, redeemed once by the app that polls meanwhile. Only the hash of
the secret the app polls with is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidGrantError, OAuth2Error
from authlib.oauth2.rfc8628 import AuthorizationPendingError, ExpiredTokenError, SlowDownError
from sqlalchemy import insert, select, update

from idservice import audit
from idservice.errors import Kind, Problem, register
from idservice.ids import secret_hash
from idservice.oauth import authorization_details, clients, ping
from idservice.oauth import granted as grants
from idservice.oauth.authorization import Asker, AuthorizationRequest
from idservice.oauth.deeds import GrantDeed
from idservice.oauth.granted import Granted, NotGrantable
from idservice.oauth.models import PendingRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from idservice.call import Call
    from idservice.oauth.clients import App

DEVICE = "device"
CIBA = "ciba"
POLL_SECONDS = 5
SLOWER_BY = 5  # RFC 8628 section 3.5
CLOCKS = timedelta(seconds=1)  # what a request may gain on its way: a punctual client is not too early

TABLE = "pending_request"

register({"answered": Kind(409, "这个请求已经处理过或已过期", "This request was answered before, or has expired")})


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that still waits. `subject` is the person it waits for, None where anybody with the code may answer."""

    request_hash: bytes
    kind: str
    app: App
    scope: tuple[str, ...]
    subject: str | None
    acr_values: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    origin: str | None
    message: str | None
    choices: tuple[str, ...]
    notice: str | None = field(repr=False)
    granted: Granted = grants.NOTHING

    @property
    def name(self) -> str:
        """Return how pages name it; with this alone nothing can be redeemed."""
        return self.request_hash.hex()

    @property
    def asked(self) -> AuthorizationRequest:
        """Return the request as the one path through login, choice and consent knows it; consent is always asked."""
        return AuthorizationRequest(
            asker=Asker(self.app, "", None),
            scope=self.scope,
            code_challenge="",
            nonce=None,
            prompt=frozenset({"consent"}),
            max_age=None,
            id_token_hint=None,
            digest=self.name,
            acr_values=self.acr_values,
            granted=self.granted,
        )


def beyond_scope(
    call: Call, app: App, scope: Iterable[str], form: Mapping[str, str]
) -> tuple[tuple[str, ...], Granted]:
    """Return the scope to grant, and what is asked for beyond it: one person is asked for both.

    Raises:
        OAuth2Error: invalid_target or invalid_authorization_details.
    """
    try:
        more = grants.asked(call, app, form)
    except NotGrantable as error:
        raise OAuth2Error(error.description, error=error.error, status_code=400) from None
    return authorization_details.without_governed(scope, more.details), more


def add(
    call: Call,
    secret: str,
    *,
    kind: str,
    app: App,
    scope: Sequence[str],
    life: timedelta,
    subject: str | None = None,
    acr_values: str | None = None,
    origin: str | None = None,
    message: str | None = None,
    notice: str | None = None,
    choices: Sequence[str] = (),
    granted: Granted = grants.NOTHING,
) -> bytes:
    """Enter a request that `app` will poll for with `secret`; return the hash it is known by."""
    request_hash = secret_hash(secret)

    def sealed(column: str, value: str | None) -> bytes | None:
        if value is None:
            return None
        return call.cipher.seal(value.encode(), table=TABLE, column=column, row=request_hash.hex())

    call.session.execute(
        insert(PendingRequest),
        {
            "request_hash": request_hash,
            "kind": kind,
            "client_id": app.client_id,
            "scope": " ".join(scope),
            "granted_sealed": grants.seal(call, granted, table=TABLE, row=request_hash.hex()),
            "state": "waiting",
            "subject": subject,
            "family_id": None,
            "origin_sealed": sealed("origin_sealed", origin),
            "message_sealed": sealed("message_sealed", message),
            "notice_sealed": sealed("notice_sealed", notice),
            "choices_sealed": sealed("choices_sealed", " ".join(choices) or None),
            "acr_values": acr_values,
            "created_at": call.now,
            "expires_at": call.now + life,
            "poll_seconds": POLL_SECONDS,
            "polled_at": None,
            "wrong_codes": 0,
            "used_at": None,
        },
    )
    audit.record(
        call,
        GrantDeed.REQUEST_STARTED,
        client=app.client_id,
        kind=kind,
        request=trace(request_hash),
        scope=list(scope),
    )
    return request_hash


def find_waiting(call: Call, request_hash: bytes) -> Pending | None:
    """Return the request if it still waits for an answer."""
    row = call.session.get(PendingRequest, request_hash, populate_existing=True)
    if row is None or row.state != "waiting" or row.expires_at <= call.now:
        return None
    return _pending(call, row)


def of_person(call: Call, person: str) -> list[Pending]:
    """Return the requests that wait for this person, the newest first."""
    query = (
        select(PendingRequest)
        .where(
            PendingRequest.subject == person,
            PendingRequest.kind == CIBA,
            PendingRequest.state == "waiting",
            PendingRequest.expires_at > call.now,
        )
        .order_by(PendingRequest.created_at.desc())
        .limit(20)
    )
    found = (_pending(call, row) for row in call.session.scalars(query))
    return [pending for pending in found if pending is not None]


def answer(call: Call, pending: Pending, *, family_id: str | None) -> None:
    """Answer a request for the person who is logged in: with a token family, or with None for no.

    Raises:
        Problem: answered, if somebody was first.
    """
    is_yes = family_id is not None
    answered = call.session.execute(
        update(PendingRequest)
        .where(
            PendingRequest.request_hash == pending.request_hash,
            PendingRequest.state == "waiting",
            PendingRequest.expires_at > call.now,
        )
        .values(state="allowed" if is_yes else "denied", subject=call.caller.person, family_id=family_id)
        .returning(PendingRequest.client_id)
        .execution_options(synchronize_session=False)
    ).first()
    if answered is None:
        raise Problem("answered", "Start again on the device that asked.")
    deed = GrantDeed.REQUEST_ALLOWED if is_yes else GrantDeed.REQUEST_DENIED
    audit.record(
        call, deed, subject=call.caller.person, client=pending.app.client_id, request=trace(pending.request_hash)
    )
    ping.put(call, pending)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An answered request that has just been redeemed."""

    subject: str
    family_id: str
    scope: tuple[str, ...]


def claim(call: Call, secret: str, *, kind: str, client_id: str) -> Claimed:
    """Redeem a request, in one statement, so that of parallel uses exactly one gets it.

    A second use is refused and ends nothing: a client that polls may well have two polls under way.

    Raises:
        OAuth2Error: of RFC 8628 section 3.5, which CIBA Core 1.0 section 11 shares.
    """
    mine = (
        PendingRequest.request_hash == secret_hash(secret),
        PendingRequest.kind == kind,
        PendingRequest.client_id == client_id,
    )
    won = call.session.execute(
        update(PendingRequest)
        .where(
            *mine,
            PendingRequest.state == "allowed",
            PendingRequest.used_at.is_(None),
            PendingRequest.expires_at > call.now,
        )
        .values(used_at=call.now)
        .returning(PendingRequest.subject, PendingRequest.family_id, PendingRequest.scope)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if won is not None and won.subject is not None and won.family_id is not None:
        return Claimed(won.subject, won.family_id, tuple(won.scope.split()))
    row = call.session.scalars(select(PendingRequest).where(*mine)).one_or_none()
    if row is None or row.used_at is not None:
        raise InvalidGrantError("It is unknown, was used before, or is not for this client.")
    if row.state == "denied":
        raise AccessDeniedError
    if row.expires_at <= call.now:
        raise ExpiredTokenError
    if row.polled_at is not None and call.now < row.polled_at + timedelta(seconds=row.poll_seconds) - CLOCKS:
        raise SlowDownError
    raise AuthorizationPendingError


def note_poll(call: Call, secret: str, *, too_early: bool) -> None:
    """Remember that the client polled, and slow it down where it was too early."""
    slower = PendingRequest.poll_seconds + (SLOWER_BY if too_early else 0)
    call.session.execute(
        update(PendingRequest)
        .where(PendingRequest.request_hash == secret_hash(secret))
        .values(polled_at=call.now, poll_seconds=slower)
        .execution_options(synchronize_session=False)
    )


def trace(request_hash: bytes) -> str:
    """Return what audit rows keep of a request."""
    return request_hash.hex()[:16]


def _pending(call: Call, row: PendingRequest) -> Pending | None:
    app = clients.find(call, row.client_id)
    if app is None:
        return None

    def opened(column: str) -> str | None:
        blob = getattr(row, column)
        if blob is None:
            return None
        return call.cipher.open(blob, table=TABLE, column=column, row=row.request_hash.hex()).decode()

    return Pending(
        request_hash=row.request_hash,
        kind=row.kind,
        app=app,
        scope=tuple(row.scope.split()),
        subject=row.subject,
        acr_values=tuple((row.acr_values or "").split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        origin=opened("origin_sealed"),
        message=opened("message_sealed"),
        choices=tuple((opened("choices_sealed") or "").split()),
        notice=opened("notice_sealed"),
        granted=grants.unseal(call, row.granted_sealed, table=TABLE, row=row.request_hash.hex()),
    )
