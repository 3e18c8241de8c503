"""Dynamic client registration (动态注册), RFC 7591, and its management, RFC 7592. The rules are those of `clients`.

What a client may ask for is what its initial access token allowed, and an update never widens it. Nor does it undo what
an administrator has set: that stands in the answer, in the place of what was stated (RFC 7592 section 2.2). Grants that
only he gives are stated back and never asked for.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from idservice import audit
from idservice.ids import secret_hash
from idservice.models import Client
from idservice.oauth import client_settings, clients, scopes
from idservice.oauth.grant_policy import CIBA_GRANT, EXCHANGE_GRANT
from idservice.oauth.registration_metadata import SIGNED_BY_US, MetadataRefused

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.initial_tokens import Permission
    from idservice.oauth.registration_metadata import Stated

NOT_FOR_STRANGERS = frozenset({CIBA_GRANT, EXCHANGE_GRANT})  # what they may reach is for an administrator to say
_KEPT_SECRET = "0" * 32  # stands for a secret that we know as a hash alone, while the rules look


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched for a registration, before its transaction."""

    jwks: Mapping[str, Any] | None
    sector: str | None


def register(call: Call, permission: Permission, stated: Stated, fetched: Fetched) -> dict[str, Any]:
    """Enter a client and return its information response (RFC 7591 section 3.2.1).

    Raises:
        MetadataRefused: see there.
    """
    _check_scope(stated, permission.scope)
    _check_grants(stated, ())
    client_id, token = f"dyn-{secrets.token_hex(12)}", secrets.token_urlsafe(32)
    entered = _values(stated, fetched)
    secret = _new_secret(entered)
    try:
        clients.register(call, client_id=client_id, registration_hash=secret_hash(token), secret=secret, **entered)
    except clients.RegistrationRefused as error:
        raise _translated(error) from None
    audit.record(call, audit.Deed.CLIENT_REGISTERED, client=client_id, by=permission.name)
    return _with_secrets(_row(call, client_id), call.settings.issuer, token=token, secret=secret)


def find(call: Call, client_id: str, token: str) -> Client | None:
    """Return the client that may be managed with this registration access token."""
    row = call.session.get(Client, client_id) if clients.is_identifier(client_id) else None
    known = row.registration_hash if row is not None and row.disabled_at is None else None
    is_right = hmac.compare_digest(known or bytes(32), secret_hash(token))
    return row if known is not None and is_right else None


def read(call: Call, row: Client, token: str) -> dict[str, Any]:
    """Return the information response of a client; its secret is not told again."""
    return _with_secrets(row, call.settings.issuer, token=token, secret=None)


def replace(call: Call, row: Client, stated: Stated, fetched: Fetched) -> dict[str, Any]:
    """Put new metadata in the place of the old (RFC 7592 section 2.2), under a new registration access token.

    Raises:
        MetadataRefused: see there.
    """
    call.session.refresh(row, with_for_update=True)  # an administrator may be changing it at this moment
    _check_scope(stated, row.scope)
    _check_grants(stated, row.grant_types)
    settled = client_settings.settled(call, row, given := _values(stated, fetched))
    entered = given | settled
    had_secret = row.secret_hash is not None
    secret = None if had_secret else _new_secret(entered)
    needs_secret = entered["auth_method"].startswith("client_secret")
    placed = secret or (_KEPT_SECRET if needs_secret else None)
    try:
        kept: dict[str, Any] = {"departments": row.departments, "resources": row.resources or ()}  # not for strangers
        values = clients.checked(call, **entered, secret=placed, **kept)
    except clients.RegistrationRefused as error:
        raise _translated(error) from None
    if placed is _KEPT_SECRET:
        del values["secret_hash"]
    if "jwks" in settled:
        values |= client_settings.found_there(row, row.jwks_uri)
    token, client_id = secrets.token_urlsafe(32), row.client_id
    call.session.execute(
        update(Client)
        .where(Client.client_id == client_id)
        .values(**values, registration_hash=secret_hash(token))
        .execution_options(synchronize_session=False)
    )
    audit.record(call, audit.Deed.CLIENT_CHANGED, client=client_id)
    return _with_secrets(_row(call, client_id), call.settings.issuer, token=token, secret=secret)


def remove(call: Call, row: Client) -> None:
    """End a client (RFC 7592 section 2.3): it is not found any more, and so nothing of it is good any more."""
    ended = {"disabled_at": call.now, "registration_hash": None, "secret_hash": None}
    call.session.execute(
        update(Client)
        .where(Client.client_id == row.client_id)
        .values(**ended)
        .execution_options(synchronize_session=False)
    )
    audit.record(call, audit.Deed.CLIENT_REMOVED, client=row.client_id)


def _check_scope(stated: Stated, allowed: str) -> None:
    wanted = scopes.split(stated.values["scope"])
    if wanted is None or not set(wanted) <= set(allowed.split()):
        raise MetadataRefused("invalid_client_metadata", f"scope is of: {allowed}.")


def _check_grants(stated: Stated, held: Collection[str]) -> None:
    if NOT_FOR_STRANGERS.intersection(stated.values["grant_types"]) - set(held):
        raise MetadataRefused("invalid_client_metadata", "These grant_types are registered by an administrator.")


def _new_secret(entered: Mapping[str, Any]) -> str | None:
    return secrets.token_urlsafe(32) if entered["auth_method"].startswith("client_secret") else None


def _values(stated: Stated, fetched: Fetched) -> dict[str, Any]:
    jwks = fetched.jwks if stated.jwks_uri else stated.jwks
    return {**stated.values, "jwks": jwks, "jwks_uri": stated.jwks_uri, "sector": fetched.sector}


def _translated(error: clients.RegistrationRefused) -> MetadataRefused:
    is_redirect = "redirect" in str(error)
    return MetadataRefused("invalid_redirect_uri" if is_redirect else "invalid_client_metadata", f"{error}.")


def _row(call: Call, client_id: str) -> Client:
    return call.session.get_one(Client, client_id, populate_existing=True)


def _with_secrets(row: Client, issuer: str, *, token: str, secret: str | None) -> dict[str, Any]:
    told = document(row) | {
        "registration_client_uri": f"{issuer}/oauth/register/{row.client_id}",
        "registration_access_token": token,
    }
    if secret is not None:
        told |= {"client_secret": secret, "client_secret_expires_at": 0}
    return told


def document(row: Client) -> dict[str, Any]:
    """Return what is registered of a client, by the names of RFC 7591 section 2."""
    keys = {"jwks_uri": row.jwks_uri} if row.jwks_uri else {"jwks": row.jwks} if row.jwks else {}
    return {
        "subject_type": "pairwise",
        "id_token_signed_response_alg": SIGNED_BY_US,
        **(row.about or {}),
        **(row.logout or {}),
        **{str(demand): True for demand in row.demands or []},
        **{name: value for name, value in (row.certificate or {}).items() if name.startswith("tls_client_auth_")},
        **keys,
        **({"authorization_details_types": types} if (types := row.authorization_details_types) else {}),
        "client_id": row.client_id,
        "client_id_issued_at": int(row.created_at.timestamp()),
        "client_name": row.name,
        "redirect_uris": row.redirect_uris,
        "post_logout_redirect_uris": row.post_logout_redirect_uris,
        "grant_types": row.grant_types,
        "response_types": ["code"] if "authorization_code" in row.grant_types else [],
        "scope": row.scope,
        "token_endpoint_auth_method": row.auth_method,
        "profile": row.profile,
    }
