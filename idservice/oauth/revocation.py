"""Revocation (RFC 7009): an access token ends alone, a refresh token ends its family with everything issued from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from idservice import audit
from idservice.ids import secret_hash
from idservice.models import RevokedToken
from idservice.oauth import bearer, families, refreshing

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.bearer import Token
    from idservice.oauth.clients import App


def revoke(call: Call, app: App, form: Mapping[str, str]) -> None:
    """End the parameter `token` if it is the client's own.

    A token that is unknown, expired or another client's is left as it is, and the answer does not tell which it was.
    """
    text = form["token"]
    token = bearer.verify_for(call, app, text)
    if token is not None:
        if token.client_id == app.client_id:
            _end(call, app, token)
        return
    owner = refreshing.owner(call, text)
    if owner is not None and owner[2] == app.client_id:
        families.kill(call, owner[0], owner[1], reason="revoked")


def _end(call: Call, app: App, token: Token) -> None:
    jti_hash = secret_hash(token.jti)
    if call.session.execute(select(RevokedToken.jti_hash).where(RevokedToken.jti_hash == jti_hash)).first() is not None:
        return
    until = datetime.fromtimestamp(token.claims["exp"], UTC)
    call.session.execute(insert(RevokedToken), {"jti_hash": jti_hash, "expires_at": until})
    audit.record(call, audit.Deed.TOKEN_REVOKED, client=app.client_id, token=jti_hash.hex()[:16])
