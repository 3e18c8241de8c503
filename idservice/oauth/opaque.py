"""Opaque access tokens (不透明令牌): 256 random bits, stored as a hash. Whoever holds one learns nothing from it.

What it stands for are the claims its JWT would have had (RFC 9068 section 2.2), kept sealed. So it is read, judged,
revoked and killed with its family in the same places as a JWT.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select

from idservice.db import table_of
from idservice.ids import secret_hash
from idservice.oauth.models import OpaqueToken
from idservice.statement import Statement

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from idservice.call import Call, House

PREFIX: Final = "ona_at_"  # tells scanners of source code and logs what they have found
TABLE, COLUMN = "opaque_token", "claims_sealed"

_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}\Z")
_kept = table_of(OpaqueToken).c
_FIND = Statement(select(_kept.claims_sealed).where(_kept.token_hash == bindparam("token_hash")))


def looks_like_one(text: str) -> bool:
    """Return whether a text has the form of such a token."""
    return _TOKEN.match(text) is not None


def keep(call: Call, claims: Mapping[str, Any], *, expires_at: datetime) -> str:
    """Make a token that stands for these claims, and return it."""
    token = PREFIX + secrets.token_urlsafe(32)
    token_hash = secret_hash(token)
    sealed = call.cipher.seal(json.dumps(claims).encode(), table=TABLE, column=COLUMN, row=token_hash.hex())
    row = {"token_hash": token_hash, "claims_sealed": sealed, "expires_at": expires_at}
    call.session.execute(insert(OpaqueToken), row)
    return token


def find(house: House, session: Session, text: str) -> dict[str, Any] | None:
    """Return the claims that a token stands for; None where it was never made, or is swept."""
    token_hash = secret_hash(text)
    row = _FIND.first(session.connection(), {"token_hash": token_hash})
    if row is None:
        return None
    opened = house.cipher.open(row.claims_sealed, table=TABLE, column=COLUMN, row=token_hash.hex())
    claims: dict[str, Any] = json.loads(opened)
    return claims
