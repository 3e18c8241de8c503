"""Initial access tokens (初始访问令牌): RFC 7591 section 3. Who has one may register some clients, until a day.

Its owner's name is shown at consent as the organisation answerable, its scope is all that its clients may ask for.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, select, update

from idservice import audit
from idservice.db import add_if_new
from idservice.ids import secret_hash
from idservice.numbers.plain import is_plain
from idservice.oauth import scopes
from idservice.oauth.models import InitialAccessToken

if TYPE_CHECKING:
    from idservice.call import Call


@dataclass(frozen=True, slots=True)
class Permission:
    """What an initial access token allows."""

    token_hash: bytes
    name: str
    scope: str


def make(call: Call, *, name: str, scope: str, uses: int, expires_at: datetime, token: str | None = None) -> str:
    """Enter a new token and return it; only its hash is stored.

    Raises:
        ValueError: the scope holds one that does not exist, or the token would never be good.
    """
    wanted = scopes.split(scope)
    if wanted is None or not set(wanted) <= scopes.CATALOGUE.keys():
        raise ValueError("scope holds a scope that does not exist")
    if not 0 < len(name) <= 64 or not is_plain(name) or uses < 1 or expires_at <= call.now:
        raise ValueError("a token has a name of at most 64 characters, all of them seen, a use and a future")
    token = token or secrets.token_urlsafe(32)
    row = {
        "token_hash": secret_hash(token),
        "name": name,
        "scope": " ".join(wanted),
        "uses_left": uses,
        "created_at": call.now,
        "expires_at": expires_at,
    }
    if add_if_new(call.session, InitialAccessToken, row):
        audit.record(call, audit.Deed.INITIAL_TOKEN_MADE, name=name, scope=list(wanted), uses=uses)
    return token


def find(call: Call, token: str) -> Permission | None:
    """Return what a token allows, None where it is unknown, used up or over."""
    row = call.session.execute(
        select(InitialAccessToken.token_hash, InitialAccessToken.name, InitialAccessToken.scope).where(
            *_good(call, token)
        )
    ).one_or_none()
    return Permission(row.token_hash, row.name, row.scope) if row is not None else None


def spend(call: Call, token: str) -> Permission | None:
    """Use the token once; of parallel uses no more succeed than it has left."""
    row = call.session.execute(
        update(InitialAccessToken)
        .where(*_good(call, token))
        .values(uses_left=InitialAccessToken.uses_left - 1)
        .returning(InitialAccessToken.token_hash, InitialAccessToken.name, InitialAccessToken.scope)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return Permission(row.token_hash, row.name, row.scope) if row is not None else None


def _good(call: Call, token: str) -> tuple[ColumnElement[bool], ...]:
    row = InitialAccessToken
    return row.token_hash == secret_hash(token), row.uses_left > 0, row.expires_at > call.now
