"""Authorization codes (授权码): one use, one minute, bound to client, redirect URI and PKCE challenge.

RFC 6749 sections 4.1.2 and 10.5, RFC 7636. Only the hash of a code is stored.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from idservice import audit
from idservice.db import table_of
from idservice.ids import secret_hash
from idservice.models import AuthorizationCode
from idservice.oauth.tokens import REFRESH_LIFE
from idservice.statement import Statement

if TYPE_CHECKING:
    from idservice.call import Call

LIFE = timedelta(seconds=60)
A_DAY = timedelta(hours=24)

_code = table_of(AuthorizationCode)
_INSERT = Statement(insert(_code))
_MINE = (_code.c.code_hash == bindparam("of_hash"), _code.c.client_id == bindparam("of_client"))
_USE_UP = Statement(
    update(_code)
    .where(*_MINE, _code.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
    .returning(
        _code.c.client_id,
        _code.c.subject,
        _code.c.family_id,
        _code.c.redirect_uri,
        _code.c.scope,
        _code.c.nonce,
        _code.c.code_challenge,
        _code.c.bound_to,
        _code.c.expires_at,
    )
)
_SPENT = Statement(select(_code.c.subject, _code.c.family_id).where(*_MINE))


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
    _INSERT.run(
        call.connection,
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
            "kept_until": call.now + (REFRESH_LIFE if "offline_access" in scope else A_DAY),
        },
    )
    audit.record(call, audit.Deed.CODE_ISSUED, client=client_id, family=family_id, scope=list(scope))
    return code


def claim(call: Call, code: str, client_id: str) -> Code | Reused | None:
    """Use a code up, in one statement, so that of parallel uses exactly one gets it.

    A transaction that then fails gives it back. Returns None for a code that does not exist, has expired or is another
    client's: what a stranger presents must not hurt the owner.
    """
    mine = {"of_hash": secret_hash(code), "of_client": client_id}
    row = _USE_UP.first(call.connection, {**mine, "now": call.now})
    if row is not None:
        return Code(*row) if call.now < row.expires_at else None
    spent = _SPENT.first(call.connection, mine)
    return None if spent is None else Reused(spent.subject, spent.family_id)
