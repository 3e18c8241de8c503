"""Refresh tokens (刷新令牌): each is used once and replaced, RFC 9700 section 4.14.2. Only hashes are stored.

An answer can be lost on the way. A client that proves the key its token is bound to may ask again within seconds and
gets the same answer: a thief of the token alone never does. The answer is kept sealed for that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from idservice.ids import secret_hash
from idservice.models import RefreshToken
from idservice.oauth import authorization_details, families, resource_servers
from idservice.oauth.codes import Reused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.confirmation import Key
    from idservice.oauth.families import Family

REPEATED_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token that holds, with its family. The methods are those Authlib asks of a token.

    `answer` is what its holder got for it a moment ago, where he asks again.
    """

    family: Family
    expires_at: datetime
    bound_to: str | None = None
    answer: dict[str, Any] | None = None

    def check_client(self, app: App) -> bool:
        """Return whether the token belongs to `app`."""
        return self.family.client_id == app.client_id

    def get_scope(self) -> str:
        """Return the scope of the login, which a refresh may narrow and never widen."""
        return " ".join(sorted(self.family.scope))


_COLUMNS = (
    RefreshToken.subject,
    RefreshToken.family_id,
    RefreshToken.client_id,
    RefreshToken.bound_to,
    RefreshToken.expires_at,
)


def claim(
    call: Call, token: str, client_id: str, *, key: Key | None = None, wanted: str = ""
) -> Refresh | Reused | None:
    """Use a refresh token up, as `codes.claim` does a code.

    Args:
        call: the call.
        token: as the client sent it.
        client_id: of the client.
        key: that the client proved to hold.
        wanted: what the client asks for: something else is another request, and no repetition.

    Returns:
        None where the token does not hold, is another client's, or is bound to another key.
    """
    mine = (RefreshToken.token_hash == secret_hash(token), RefreshToken.client_id == client_id)
    used_up = (
        update(RefreshToken).where(*mine, RefreshToken.used_at.is_(None)).values(used_at=call.now).returning(*_COLUMNS)
    )
    row = call.session.execute(used_up).one_or_none()
    if row is None:
        spent = select(*_COLUMNS, RefreshToken.used_at, RefreshToken.answer_sealed).where(*mine)
        return _again(call, token, call.session.execute(spent).one_or_none(), key, wanted)
    if row.bound_to is not None and (key is None or key.text != row.bound_to):
        return None  # the transaction is rolled back, and the token stays its holder's
    return _if_alive(call, row)


def wanted(form: Mapping[str, str]) -> str:
    """Return what a refresh asks for, as one text: which scope, resources and details of those that were granted."""
    names = ("scope", resource_servers.PARAMETER, authorization_details.PARAMETER)
    return json.dumps({name: form[name] for name in names if name in form})


def remember(call: Call, token: str, answer: dict[str, Any], *, wanted: str) -> None:
    """Keep the answer to a refresh with a bound token, for a client that asks again."""
    token_hash = secret_hash(token)
    body = json.dumps({"wanted": wanted, "answer": answer}).encode()
    sealed = call.cipher.seal(body, table="refresh_token", column="answer_sealed", row=token_hash.hex())
    call.session.execute(update(RefreshToken).where(RefreshToken.token_hash == token_hash).values(answer_sealed=sealed))


def look(call: Call, token: str, client_id: str) -> Refresh | None:
    """Return an unused refresh token of the client without using it, if it holds."""
    query = select(*_COLUMNS).where(
        RefreshToken.token_hash == secret_hash(token),
        RefreshToken.client_id == client_id,
        RefreshToken.used_at.is_(None),
    )
    row = call.session.execute(query).one_or_none()
    return _if_alive(call, row) if row is not None else None


def owner(call: Call, token: str) -> tuple[str, str, str] | None:
    """Return subject, family and client of a refresh token, used or not, or None where it was never issued."""
    query = select(RefreshToken.subject, RefreshToken.family_id, RefreshToken.client_id)
    row = call.session.execute(query.where(RefreshToken.token_hash == secret_hash(token))).one_or_none()
    return None if row is None else (row.subject, row.family_id, row.client_id)


def _again(call: Call, token: str, spent: Any, key: Key | None, wanted: str) -> Refresh | Reused | None:
    """Return what a token stands for that was used before."""
    if spent is None:
        return None
    reused = Reused(spent.subject, spent.family_id)
    is_holder = key is not None and key.text == spent.bound_to
    if not is_holder or spent.answer_sealed is None or call.now - spent.used_at > REPEATED_WITHIN:
        return reused
    row = secret_hash(token).hex()
    kept = json.loads(call.cipher.open(spent.answer_sealed, table="refresh_token", column="answer_sealed", row=row))
    return _if_alive(call, spent, kept["answer"]) if kept.get("wanted") == wanted else reused


def _if_alive(call: Call, row: Any, answer: dict[str, Any] | None = None) -> Refresh | None:
    family = families.find_alive(call, row.subject, row.family_id) if call.now < row.expires_at else None
    return None if family is None else Refresh(family, row.expires_at, row.bound_to, answer)
