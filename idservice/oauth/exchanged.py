"""Access tokens got for other ones (RFC 8693): to whom they were given, and that they end with what they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from idservice.models import RevokedToken
from idservice.oauth.models import ExchangedToken

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call


def remember(call: Call, *, jti_hash: bytes, client_id: str, parent_hash: bytes, expires_at: datetime) -> None:
    """Note that `client_id` got this token for the one of `parent_hash`."""
    row = {"jti_hash": jti_hash, "client_id": client_id, "parent_hash": parent_hash, "expires_at": expires_at}
    call.session.execute(insert(ExchangedToken), row)


def is_held_by(call: Call, jti_hash: bytes, client_id: str) -> bool:
    """Return whether the token was given to that client in an exchange, and none it came from has been revoked."""
    row = call.session.get(ExchangedToken, jti_hash)
    if row is None or row.client_id != client_id:
        return False
    while row is not None:  # each exchange needs a living token, so the chain is as short as tokens are
        ended = select(RevokedToken.jti_hash).where(RevokedToken.jti_hash == row.parent_hash)
        if call.session.execute(ended).first() is not None:
            return False
        row = call.session.get(ExchangedToken, row.parent_hash)
    return True
