"""Documents that a client keeps at its own address: keys (`jwks_uri`) and sector (`sector_identifier_uri`).

OpenID Connect Core 1.0 sections 8.1 and 10.1.1. Fetched outside any transaction, from public addresses alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import or_, update

from idservice import outbound
from idservice.models import Client
from idservice.oauth import clients
from keys.base64url import unb64u
from keys.jwk import JWKError, parse_set

if TYPE_CHECKING:
    from idservice.call import House
    from idservice.oauth.clients import App

ONCE_IN = timedelta(minutes=1)  # an unknown `kid` is anybody's to send


class DocumentRefused(ValueError):
    """The document could not be fetched, or is not what it must be."""


def keys_at(uri: str) -> dict[str, Any]:
    """Return the JWK Set at `uri`.

    Raises:
        DocumentRefused: there is none with a key that we take.
    """
    try:
        found = outbound.get_json(uri)
        usable = parse_set(found)
    except outbound.OutboundRefused as error:
        raise DocumentRefused(f"jwks_uri could not be read ({error.code}).") from None
    except (JWKError, TypeError, AttributeError):
        raise DocumentRefused("jwks_uri holds no JWK Set of public keys.") from None
    if not usable:
        raise DocumentRefused("jwks_uri holds no key for ES256, EdDSA or PS256.")
    return dict(found)


def sector_at(uri: str, redirect_uris: Collection[str]) -> str:
    """Return the sector that the document at `uri` declares for these redirect URIs.

    Raises:
        DocumentRefused: it cannot be read, or does not name them all.
    """
    try:
        listed = outbound.get_json(uri)
    except outbound.OutboundRefused as error:
        raise DocumentRefused(f"sector_identifier_uri could not be read ({error.code}).") from None
    if not isinstance(listed, list) or not set(redirect_uris) <= {uri for uri in listed if isinstance(uri, str)}:
        raise DocumentRefused("sector_identifier_uri does not list every redirect URI.")
    return f"host:{urlsplit(uri).hostname}"  # apart from the names that an administrator gives


def with_key_of(house: House, app: App, token: str, now: datetime) -> App:
    """Return the client with the keys that it has published since, where `token` names one that we do not know.

    The document is asked for at most once a minute for a client, whatever is sent, by one request at a time.
    """
    if app.jwks_uri is None or _names_known(token, app.jwks or {}):
        return app
    stale = or_(Client.jwks_fetched_at.is_(None), Client.jwks_fetched_at <= now - ONCE_IN)
    claim = (
        update(Client)
        .where(Client.client_id == app.client_id, Client.jwks_uri == app.jwks_uri, stale)
        .values(jwks_fetched_at=now)
        .returning(Client.client_id)
    )
    if house.database.run(lambda session: session.execute(claim).first(), write=True) is None:
        return app
    try:
        found = keys_at(app.jwks_uri)
    except DocumentRefused:
        return app
    keep = update(Client).where(Client.client_id == app.client_id, Client.jwks_uri == app.jwks_uri)
    house.database.run(lambda session: session.execute(keep.values(jwks=found)) and None, write=True)
    clients.forget(house, app.client_id)
    return replace(app, jwks=found)


def _names_known(token: str, jwks: Mapping[str, Any]) -> bool:
    try:
        header = json.loads(unb64u(token.partition(".")[0]))
    except (ValueError, RecursionError):
        return True  # no token at all; whoever reads it next says so
    kid = header.get("kid") if isinstance(header, dict) else None
    return any(isinstance(key, dict) and key.get("kid") == kid for key in jwks.get("keys", []))
