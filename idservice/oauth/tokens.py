"""Tokens (令牌): access tokens (RFC 9068, or opaque), ID tokens (OpenID Connect Core 1.0 section 2), refresh tokens.

An access token of a person leaves a row by the hash of its `jti`, so that it can be traced to its family; a client's
own leaves none. Secrets are stored as hashes only.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from idservice import audit
from idservice.db import table_of
from idservice.ids import secret_hash
from idservice.login import levels
from idservice.login.levels import acr_of as acr
from idservice.models import AccessToken, RefreshToken
from idservice.oauth import authorization_details, holder_claims, logout_tokens, once_a_minute, opaque
from idservice.oauth.claims_request import ID_TOKEN
from idservice.oauth.subjects import pairwise
from idservice.statement import Statement
from keys.base64url import b64u
from keys.jws import encode
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.confirmation import Key
    from idservice.oauth.families import Family
    from idservice.oauth.target import Target
    from idservice.settings import Settings

ACCESS_SECONDS = 600
ID_SECONDS = 3600
OFFLINE = "offline_access"
REFRESH_LIFE = timedelta(days=30)  # from the login on: rotation does not lengthen it
ACCESS_TYPE = "at+jwt"
ID_TYPE = "JWT"
_INSERT_ACCESS, _INSERT_REFRESH = Statement(insert(table_of(AccessToken))), Statement(insert(table_of(RefreshToken)))


def resource(settings: Settings) -> str:
    """Return the resource indicator (RFC 8707) of the service's own API, for which tokens are unless asked for."""
    return f"{settings.issuer}/v1"


def for_client(
    call: Call, app: App, scope: tuple[str, ...], *, key: Key | None = None, target: Target | None = None
) -> dict[str, Any]:
    """Issue an access token to a client on its own (RFC 6749 section 4.4) and return the token response.

    Such a token touches nobody's data; what is done with it is audited deed by deed. So the first one of a client and
    scope in a minute leaves an audit row, and the others of that minute ride on it without a transaction.
    """
    token, _ = _access_token(call, app, scope, {"sub": app.client_id}, key, target)
    response = _response(token, scope, key, target)
    facts = _facts(target)
    if once_a_minute.is_due(call, app.client_id, response["scope"], *map(str, facts.values())):
        audit.record(call, audit.Deed.TOKEN_ISSUED, client=app.client_id, scope=list(scope), **facts)
    return response


def for_person(
    call: Call,
    app: App,
    family: Family,
    *,
    deed: audit.Deed,
    scope: tuple[str, ...],
    nonce: str | None = None,
    refresh_until: datetime | None = None,
    key: Key | None = None,
    target: Target | None = None,
) -> dict[str, Any]:
    """Issue an access token of `family`, with an ID token and a refresh token where they are due.

    Args:
        call: the call.
        app: the client of the family.
        family: alive.
        deed: what is audited: issued or refreshed.
        scope: at most the family's; what has been taken from the app since is left out.
        nonce: of the authorization request.
        refresh_until: until when a refresh token would hold; None gives 30 days from the start of the family.
        key: to which access token and refresh token are bound.
        target: what the access token is for; None gives our own API.
    """
    scope = tuple(name for name in scope if name in app.scope)
    who = subject_claims(call, app, family)
    login = {"auth_time": _seconds(family.auth_time), "acr": acr(family.amr), "amr": list(family.amr)}
    if app.policy.actor is not None:
        login["may_act"] = {"sub": app.policy.actor}  # RFC 8693 section 4.4
    token, jti = _access_token(call, app, scope, who | login, key, target)
    _INSERT_ACCESS.run(
        call.connection,
        {
            "jti_hash": secret_hash(jti),
            "subject": family.subject,
            "family_id": family.family_id,
            "expires_at": call.now + timedelta(seconds=ACCESS_SECONDS),
        },
    )
    response = _response(token, scope, key, target)
    if target is not None and target.details:
        response[authorization_details.PARAMETER] = authorization_details.told(call, family.holder, target.details)
    if OFFLINE in family.scope and OFFLINE in app.scope and app.check_grant_type("refresh_token"):
        response["refresh_token"] = _refresh_token(call, family, refresh_until or family.created_at + REFRESH_LIFE, key)
    if "openid" in scope:
        response["id_token"] = _id_token(call, app, family, who, nonce=nonce, access_token=token)
    facts = {"token": _trace(jti), "scope": list(scope), **_facts(target)}
    audit.record(call, deed, client=app.client_id, family=family.family_id, **facts)
    return response


def subject_claims(call: Call, app: App, family: Family) -> dict[str, Any]:
    """Return `sub`, and where the person acts for an organisation `act` (RFC 8693 section 4.1), as `app` knows them."""
    secret = call.keys.secret(Purpose.SUBJECT)
    person = pairwise(secret, app.sector, family.subject)
    if family.principal is None:
        return {"sub": person}
    return {"sub": pairwise(secret, app.sector, family.principal), "act": {"sub": person}}


def with_claims(
    call: Call, app: App, scope: tuple[str, ...], claims: dict[str, Any], key: Key | None, target: Target | None = None
) -> tuple[str, str]:
    """Return an access token with `claims` in place of the usual ones, and its `jti`; whoever asks keeps its row."""
    return _access_token(call, app, scope, claims, key, target)


def _access_token(
    call: Call,
    app: App,
    scope: tuple[str, ...],
    subject: dict[str, Any],
    key: Key | None,
    target: Target | None,
) -> tuple[str, str]:
    if key is None and app.must_bind:
        raise RuntimeError("a token of this client must be bound to a key")
    jti = secrets.token_urlsafe(16)
    issued = _seconds(call.now)
    payload = {
        "iss": call.settings.issuer,
        "aud": resource(call.settings) if target is None else target.audience,
        "client_id": app.client_id,
        "jti": jti,
        "iat": issued,
        "exp": issued + ACCESS_SECONDS,
        "scope": " ".join(scope if target is None else target.understood(scope)),
        **({} if target is None else target.members),
        **subject,
    }
    if key is not None:
        payload["cnf"] = key.claim
    if call.settings.opaque_access_tokens if target is None else target.is_opaque:
        return opaque.keep(call, payload, expires_at=datetime.fromtimestamp(payload["exp"], UTC)), jti
    return encode(payload, signer=call.keys.signer(Purpose.ACCESS_TOKEN), typ=ACCESS_TYPE), jti


def acr_for(family: Family) -> str:
    """Return the class of the family's login as the ID token claims it.

    Where the app named classes (OpenID Connect Core 1.0 section 5.5.1.1), it is the best one of these that the login
    is as good as: a login with a passkey is a login with two factors as well.
    """
    reached, wanted = acr(family.amr), family.granted.claims.acr
    named = [name for name in levels.LADDER if wanted is not None and name in wanted.values]
    return next((name for name in reversed(named) if levels.reaches(reached, name)), reached)


def _id_token(
    call: Call, app: App, family: Family, who: dict[str, Any], *, nonce: str | None, access_token: str
) -> str:
    issued = _seconds(call.now)
    payload = {
        "iss": call.settings.issuer,
        "aud": app.client_id,
        "iat": issued,
        "exp": issued + ID_SECONDS,
        "auth_time": _seconds(family.auth_time),
        "acr": acr_for(family),
        "amr": list(family.amr),
        "at_hash": b64u(hashlib.sha256(access_token.encode()).digest()[:16]),
        **holder_claims.released(call, app, family, ID_TOKEN),
        **who,
    }
    if nonce is not None:
        payload["nonce"] = nonce
    if family.session_hash is not None:
        secret = call.keys.secret(Purpose.SUBJECT)
        payload["sid"] = logout_tokens.session_name(secret, app.client_id, family.session_hash)
    return encode(payload, signer=call.keys.signer(Purpose.ID_TOKEN), typ=ID_TYPE)


def _refresh_token(call: Call, family: Family, until: datetime, key: Key | None) -> str:
    token = secrets.token_urlsafe(32)
    _INSERT_REFRESH.run(
        call.connection,
        {
            "token_hash": secret_hash(token),
            "subject": family.subject,
            "family_id": family.family_id,
            "client_id": family.client_id,
            "bound_to": key.text if key is not None else None,
            "expires_at": until,
            "used_at": None,
        },
    )
    return token


def _response(access_token: str, scope: tuple[str, ...], key: Key | None, target: Target | None) -> dict[str, Any]:
    return {
        "access_token": access_token,
        "token_type": "Bearer" if key is None else key.token_type,
        "expires_in": ACCESS_SECONDS,
        "scope": " ".join(scope if target is None else target.understood(scope)),
        **({} if target is None else target.members),
    }


def _facts(target: Target | None) -> dict[str, Any]:
    """Return what an audit row says of a target beyond the ordinary: for whom, and which types of details."""
    return {} if target is None else target.facts


def _trace(jti: str) -> str:
    """Return what the audit row keeps of a token: enough to recognise it, not enough to use it."""
    return secret_hash(jti).hex()[:16]


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
