"""A client's own keys (应用公钥): the one place that finds them, for assertions, signed requests, certificates.

They are registered by value or stand behind `jwks_uri` (OpenID Connect Core 1.0 section 10.1.1). What names a key that
we do not know makes us ask there again, and so does whatever was found there a while ago, for a client takes a stolen
key down there: outside any transaction, at most once a minute for a client, whatever is sent. While nobody answers
there, what was found last is good for a day and no longer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import or_, update

from idservice.models import Client
from idservice.oauth import clients, mtls, remote_documents
from keys.base64url import unb64u
from keys.jws import MAX_TOKEN, Decoded, decode_with_jwk

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.oauth.clients import App

ONCE_IN = timedelta(minutes=1)  # an unknown `kid` is anybody's to send
FRESH = timedelta(minutes=15)  # for which a key that was taken down there is still taken here
GRACE = timedelta(hours=24)

log = structlog.get_logger(__name__)


def verified(app: App, token: str, *, typ: frozenset[str | None], now: datetime, max_bytes: int = MAX_TOKEN) -> Decoded:
    """Return what a key of the client has signed.

    Raises:
        JWSError: none has, or it is not of that type.
    """
    known = app.jwks if app.jwks_uri is None or _age(app, now) < GRACE else None
    return decode_with_jwk(token, jwks=known or {}, typ=typ, max_bytes=max_bytes)


def learn(house: House, client_id: str, token: str, now: datetime) -> App | None:
    """Return the enabled client that claims to have signed `token`, its keys as they are of late.

    Call it outside any transaction, before the one in which the token is judged.
    """
    app = clients.find_outside(house, client_id, now)
    if app is None or app.jwks_uri is None:
        return app
    if _age(app, now) < FRESH and _names_known(token, app.jwks or {}):
        return app
    return _asked_again(house, app, app.jwks_uri, now)


def learn_certificate(house: House, app: App, shown: bytes, now: datetime) -> App | None:
    """Return a client that shows a certificate (DER), with those it signed itself as they are of late.

    Those that came with its keys are good for as long as the keys. Call it outside any transaction.
    """
    if app.jwks_uri is None or app.auth_method != mtls.SELF_SIGNED:
        return app
    found: App | None = app
    if _age(app, now) >= FRESH or not mtls.is_known(app.certificate, shown):
        found = _asked_again(house, app, app.jwks_uri, now)
    if found is None or _age(found, now) < GRACE:
        return found
    return replace(found, certificate={mtls.HASHES: mtls.stated(found.certificate, found.jwks)})


def _asked_again(house: House, app: App, jwks_uri: str, now: datetime) -> App | None:
    """Ask for the keys where they stand, unless somebody has within the minute; return the client as it is then."""
    is_due = or_(Client.jwks_fetched_at.is_(None), Client.jwks_fetched_at <= now - ONCE_IN)
    claim = (
        update(Client)
        .where(Client.client_id == app.client_id, Client.jwks_uri == jwks_uri, is_due)
        .values(jwks_fetched_at=now)
        .returning(Client.client_id)
    )
    if house.database.run(lambda session: session.execute(claim).first(), write=True) is None:
        clients.forget(house, app.client_id)  # another process may have the key by now
        return clients.find_outside(house, app.client_id, now)
    try:
        found = remote_documents.keys_at(jwks_uri)
        from_keys = mtls.chained(found) if app.auth_method == mtls.SELF_SIGNED else []
    except ValueError as error:
        age = _age(app, now) // timedelta(seconds=1)
        log.warning("client_keys.not_found", client=app.client_id, seconds_old=age, error=str(error))
        return app
    house.database.run(partial(_keep, app.client_id, jwks_uri, found, from_keys, now), write=True)
    clients.forget(house, app.client_id)
    return clients.find_outside(house, app.client_id, now)


def _keep(
    client_id: str, jwks_uri: str, found: dict[str, Any], from_keys: list[str], now: datetime, session: Session
) -> None:
    """Keep what was found, and the certificates in it, unless the client has another address by now."""
    row = session.get(Client, client_id, with_for_update=True)
    if row is None or row.jwks_uri != jwks_uri:
        return
    if row.auth_method == mtls.SELF_SIGNED:
        row.certificate = {mtls.HASHES: [*mtls.stated(row.certificate, row.jwks), *from_keys]}
    row.jwks, row.jwks_read_at = found, now
    session.flush()


def _age(app: App, now: datetime) -> timedelta:
    """Return how long ago its keys were found behind its `jwks_uri`."""
    return now - app.jwks_read_at if app.jwks_read_at is not None else timedelta.max


def _names_known(token: str, jwks: Mapping[str, Any]) -> bool:
    try:
        header = json.loads(unb64u(token.partition(".")[0]))
    except (ValueError, RecursionError):
        return True  # no token at all; whoever reads it next says so
    kid = header.get("kid") if isinstance(header, dict) else None
    return any(isinstance(key, dict) and key.get("kid") == kid for key in jwks.get("keys", []))
