"""A client's own keys (应用公钥): the one place that finds them, for assertions and for signed requests alike.

They are registered by value or stand behind `jwks_uri` (OpenID Connect Core 1.0 section 10.1.1). What names a key that
we do not know makes us ask there again: outside any transaction, at most once a minute for a client, whatever is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, update

from idservice.models import Client
from idservice.oauth import clients, remote_documents
from idservice.oauth.remote_documents import DocumentRefused
from keys.base64url import unb64u
from keys.jws import MAX_TOKEN, Decoded, decode_with_jwk

if TYPE_CHECKING:
    from idservice.call import House
    from idservice.oauth.clients import App

ONCE_IN = timedelta(minutes=1)  # an unknown `kid` is anybody's to send


def verified(app: App, token: str, *, typ: frozenset[str | None], max_bytes: int = MAX_TOKEN) -> Decoded:
    """Return what a key of the client has signed.

    Raises:
        JWSError: none has, or it is not of that type.
    """
    return decode_with_jwk(token, jwks=app.jwks or {}, typ=typ, max_bytes=max_bytes)


def learn(house: House, client_id: str, token: str, now: datetime) -> App | None:
    """Return the enabled client that claims to have signed `token`, with the key it names if that can be had.

    Call it outside any transaction, before the one in which the token is judged.
    """
    app = clients.find_outside(house, client_id, now)
    if app is None or app.jwks_uri is None or _names_known(token, app.jwks or {}):
        return app
    stale = or_(Client.jwks_fetched_at.is_(None), Client.jwks_fetched_at <= now - ONCE_IN)
    claim = (
        update(Client)
        .where(Client.client_id == app.client_id, Client.jwks_uri == app.jwks_uri, stale)
        .values(jwks_fetched_at=now)
        .returning(Client.client_id)
    )
    if house.database.run(lambda session: session.execute(claim).first(), write=True) is None:
        clients.forget(house, client_id)  # another process may have the key by now
        return clients.find_outside(house, client_id, now)
    try:
        found = remote_documents.keys_at(app.jwks_uri)
    except DocumentRefused:
        return app
    keep = update(Client).where(Client.client_id == app.client_id, Client.jwks_uri == app.jwks_uri)
    house.database.run(lambda session: session.execute(keep.values(jwks=found)) and None, write=True)
    clients.forget(house, client_id)
    return replace(app, jwks=found)


def _names_known(token: str, jwks: Mapping[str, Any]) -> bool:
    try:
        header = json.loads(unb64u(token.partition(".")[0]))
    except (ValueError, RecursionError):
        return True  # no token at all; whoever reads it next says so
    kid = header.get("kid") if isinstance(header, dict) else None
    return any(isinstance(key, dict) and key.get("kid") == kid for key in jwks.get("keys", []))
