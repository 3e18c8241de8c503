"""Authorization codes (授权码): one use, one minute, bound to client, redirect URI and PKCE challenge.

RFC 6749 sections 4.1.2 and 10.5, RFC 7636. Only the hash of a code is stored.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from idservice import audit
from idservice.ids import secret_hash
from idservice.models import AuthorizationCode

if TYPE_CHECKING:
    from idservice.call import Call

LIFE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it was issued. The methods are those Authlib asks of a code."""

    client_id: str
    subject: str
    family_id: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    bound_to: str | None
    expires_at: datetime

    def get_redirect_uri(self) -> str:
        """Return the redirect URI that the token request must repeat."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return the granted scope."""
        return self.scope


@dataclass(frozen=True, slots=True)
class Reused:
    """The code (or refresh token) was used before, by the client it belongs to: its family must die."""

    subject: str
    family_id: str


def issue(
    call: Call,
    *,
    client_id: str,
    subject: str,
    family_id: str,
    redirect_uri: str,
    scope: tuple[str, ...],
    nonce: str | None,
    code_challenge: str,
    bound_to: str | None = None,
) -> str:
    """Enter a code and return it; `bound_to` is the key that alone may redeem it (RFC 9449 section 10)."""
    code = secrets.token_urlsafe(32)
    call.session.execute(
        insert(AuthorizationCode),
        {
            "code_hash": secret_hash(code),
            "client_id": client_id,
            "subject": subject,
            "family_id": family_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scope),
            "nonce": nonce,
            "code_challenge": code_challenge,
            "bound_to": bound_to,
            "expires_at": call.now + LIFE,
            "used_at": None,
        },
    )
    audit.record(call, audit.Deed.CODE_ISSUED, client=client_id, family=family_id, scope=list(scope))
    return code


_COLUMNS = (
    AuthorizationCode.client_id,
    AuthorizationCode.subject,
    AuthorizationCode.family_id,
    AuthorizationCode.redirect_uri,
    AuthorizationCode.scope,
    AuthorizationCode.nonce,
    AuthorizationCode.code_challenge,
    AuthorizationCode.bound_to,
    AuthorizationCode.expires_at,
)


def claim(call: Call, code: str, client_id: str) -> Code | Reused | None:
    """Use a code up, in one statement, so that of parallel uses exactly one gets it.

    A transaction that then fails gives it back. Returns None for a code that does not exist, has expired or is another
    client's: what a stranger presents must not hurt the owner.
    """
    code_hash = secret_hash(code)
    mine = (AuthorizationCode.code_hash == code_hash, AuthorizationCode.client_id == client_id)
    used_up = (
        update(AuthorizationCode)
        .where(*mine, AuthorizationCode.used_at.is_(None))
        .values(used_at=call.now)
        .returning(*_COLUMNS)
    )
    row = call.session.execute(used_up).one_or_none()
    if row is not None:
        return Code(**row._asdict()) if call.now < row.expires_at else None
    spent = call.session.execute(
        select(AuthorizationCode.subject, AuthorizationCode.family_id).where(*mine)
    ).one_or_none()
    return None if spent is None else Reused(spent.subject, spent.family_id)
