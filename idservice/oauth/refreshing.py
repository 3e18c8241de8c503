"""Refresh tokens (刷新令牌): each is used once and replaced, RFC 9700 section 4.14.2. Only hashes are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from idservice.ids import secret_hash
from idservice.models import RefreshToken
from idservice.oauth import families
from idservice.oauth.codes import Reused

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.families import Family


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token that holds, with its family. The methods are those Authlib asks of a token."""

    family: Family
    expires_at: datetime

    def check_client(self, app: App) -> bool:
        """Return whether the token belongs to `app`."""
        return self.family.client_id == app.client_id

    def get_scope(self) -> str:
        """Return the scope of the login, which a refresh may narrow and never widen."""
        return " ".join(sorted(self.family.scope))


_COLUMNS = (RefreshToken.subject, RefreshToken.family_id, RefreshToken.client_id, RefreshToken.expires_at)


def claim(call: Call, token: str, client_id: str) -> Refresh | Reused | None:
    """Use a refresh token up, as `codes.claim` does a code; None where it does not hold or is another client's."""
    mine = (RefreshToken.token_hash == secret_hash(token), RefreshToken.client_id == client_id)
    used_up = (
        update(RefreshToken).where(*mine, RefreshToken.used_at.is_(None)).values(used_at=call.now).returning(*_COLUMNS)
    )
    row = call.session.execute(used_up).one_or_none()
    if row is None:
        spent = call.session.execute(select(RefreshToken.subject, RefreshToken.family_id).where(*mine)).one_or_none()
        return None if spent is None else Reused(spent.subject, spent.family_id)
    return _if_alive(call, row.subject, row.family_id, row.expires_at)


def look(call: Call, token: str, client_id: str) -> Refresh | None:
    """Return an unused refresh token of the client without using it, if it holds."""
    query = select(*_COLUMNS).where(
        RefreshToken.token_hash == secret_hash(token),
        RefreshToken.client_id == client_id,
        RefreshToken.used_at.is_(None),
    )
    row = call.session.execute(query).one_or_none()
    return _if_alive(call, row.subject, row.family_id, row.expires_at) if row is not None else None


def owner(call: Call, token: str) -> tuple[str, str, str] | None:
    """Return subject, family and client of a refresh token, used or not, or None where it was never issued."""
    query = select(RefreshToken.subject, RefreshToken.family_id, RefreshToken.client_id)
    row = call.session.execute(query.where(RefreshToken.token_hash == secret_hash(token))).one_or_none()
    return None if row is None else (row.subject, row.family_id, row.client_id)


def _if_alive(call: Call, subject: str, family_id: str, expires_at: datetime) -> Refresh | None:
    family = families.find_alive(call, subject, family_id) if call.now < expires_at else None
    return None if family is None else Refresh(family, expires_at)
