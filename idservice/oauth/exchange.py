"""Token exchange (令牌交换), RFC 8693: an access token for another one that can do less, for one named audience.

Every rule narrows. The new token has no scope, audience or minute that subject token, person and client do not all
have; it belongs to the family of the subject token and ends with it; whoever acts is named in `act`, and where the
subject token says who alone may act (`may_act`), nobody else gets anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, OAuth2Error
from sqlalchemy import insert

from idservice import audit
from idservice.ids import secret_hash
from idservice.models import AccessToken
from idservice.oauth import (
    authorization_details,
    bearer,
    clients,
    disclosure,
    exchanged,
    resource_servers,
    scopes,
    target,
    tokens,
)
from idservice.oauth.deeds import GrantDeed
from idservice.oauth.granted import Granted
from idservice.oauth.resource_servers import Server
from idservice.oauth.subjects import pairwise
from idservice.oauth.target import Target
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.bearer import Token
    from idservice.oauth.clients import App
    from idservice.oauth.confirmation import Key
    from idservice.oauth.families import Family

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"  # what our access tokens are as well
LONGEST_CHAIN = 3
NEVER = frozenset({"offline_access"})


@dataclass(frozen=True, slots=True)
class _Subject:
    """The token that is given in, and the family behind it."""

    token: Token
    family: Family


def exchange(call: Call, app: App, form: Mapping[str, str], key: Key | None) -> dict[str, Any]:
    """Return the response to a token exchange request (section 2.2.1).

    Raises:
        OAuth2Error: invalid_request, invalid_scope, invalid_target (section 2.2.2) or invalid_authorization_details.
    """
    _refuse_other_types(form)
    subject = _subject(call, app, form["subject_token"])
    actor = _actor(call, app, form.get("actor_token"))
    _refuse_unauthorised(call, app, subject, actor, key)
    goal = _target(call, app, subject, form)
    audience = goal.audience
    scope = _scope(app, subject, form.get("scope"), has_details=bool(goal.details))
    issued_at = int(call.now.timestamp())
    expires_at = min(issued_at + tokens.ACCESS_SECONDS, int(subject.token.claims["exp"]))
    who = _who(call, app, subject, actor, audience)
    claims = who | {"exp": expires_at, **_login(subject)}
    text, jti = tokens.with_claims(call, app, scope, claims, key, goal)
    _remember(call, app, subject, jti, datetime.fromtimestamp(expires_at, UTC))
    facts: dict[str, Any] = {"actor": actor.client_id if actor else None, "scope": list(scope), **goal.facts}
    disclosure.tell_holder(call, app, subject.family, scope=scope, purpose="exchange")
    audit.record(call, GrantDeed.TOKEN_EXCHANGED, client=app.client_id, family=subject.family.family_id, **facts)
    return {
        "access_token": text,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer" if key is None else key.token_type,
        "expires_in": expires_at - issued_at,
        "scope": " ".join(goal.understood(scope)),
        **goal.members,
    }


def _refuse_other_types(form: Mapping[str, str]) -> None:
    """Take access tokens of ours in, give access tokens out; an actor token has a type as well."""
    if "subject_token" not in form or form.get("subject_token_type") not in {ACCESS_TOKEN, JWT}:
        raise InvalidRequestError("subject_token is an access token, and subject_token_type says so.")
    if form.get("requested_token_type", ACCESS_TOKEN) not in {ACCESS_TOKEN, JWT}:
        raise InvalidRequestError("requested_token_type is that of an access token.")
    if ("actor_token" in form) is not ("actor_token_type" in form):
        raise InvalidRequestError("actor_token and actor_token_type belong together.")
    if form.get("actor_token_type", ACCESS_TOKEN) not in {ACCESS_TOKEN, JWT}:
        raise InvalidRequestError("actor_token is an access token.")


def _subject(call: Call, app: App, text: str) -> _Subject:
    """Return the subject token if it may be used now, and is for our own API, this client, or what it speaks for."""
    token = bearer.verify_for(call, app, text)
    if token is not None and not _is_here(call, app, token):
        token = None
    found = bearer.standing(call, token) if token is not None else None
    if token is None or found is None or found.family is None:
        raise InvalidRequestError("subject_token is not a person's living access token of ours.")
    return _Subject(token, found.family)


def _is_here(call: Call, app: App, token: Token) -> bool:
    here = {tokens.resource(call.settings), app.client_id}
    return not here.isdisjoint(token.audience) or resource_servers.is_served_by(call, app, token.audience)


def _actor(call: Call, app: App, text: str | None) -> Token | None:
    """Return the actor token: the client shows that it is itself who acts, by a token of its own."""
    if text is None:
        return None
    token = bearer.verify_within(call, text)
    if token is None or token.has_person or token.client_id != app.client_id or bearer.standing(call, token) is None:
        raise InvalidRequestError("actor_token is not a living access token of this client alone.")
    return token


def _refuse_unauthorised(call: Call, app: App, subject: _Subject, actor: Token | None, key: Key | None) -> None:
    """Let nobody act whom the subject token does not allow (section 4.4), and nobody take a token that is not his."""
    may_act = subject.token.claims.get("may_act")
    is_own = subject.token.client_id == app.client_id
    audience = subject.token.audience
    is_meant = app.client_id in audience or resource_servers.is_served_by(call, app, audience)
    if may_act is not None:
        if actor is None or may_act != {"sub": actor.claims["sub"]}:
            raise InvalidRequestError("The subject_token names another actor in may_act.")
    elif not (is_own or is_meant):
        raise InvalidRequestError("This client may not act with the subject_token.")
    if is_own and "cnf" in subject.token.claims and (key is None or subject.token.claims["cnf"] != key.claim):
        raise InvalidRequestError("The subject_token is bound to another key.")


def _target(call: Call, app: App, subject: _Subject, form: Mapping[str, str]) -> Target:
    """Return what the new token is for: our own API, a resource server of the client, or a client it is registered for.

    The details are those of the subject token or fewer, as far as this client may have them.
    """
    held = Granted(details=tuple(subject.token.claims.get(authorization_details.PARAMETER, ())))
    audience = form.get("audience")
    if audience is None or audience == tokens.resource(call.settings):
        possible = resource_servers.asked(call.settings, form)
        chosen = target.chosen(call, app, replace(held, resources=possible), form)
        return chosen or Target((resource_servers.own(call.settings),))
    if audience not in app.policy.audiences or resource_servers.PARAMETER in form:
        raise OAuth2Error("This client may not exchange tokens for that audience.", error="invalid_target")
    limits = target.narrowed(call, app, held.details, form, (audience,))
    return Target((Server(audience, (audience, audience), is_opaque=False),), limits)


def _scope(app: App, subject: _Subject, text: str | None, *, has_details: bool) -> tuple[str, ...]:
    """Return what is asked for, by default all there is, of what token, family and client all have."""
    allowed = (subject.token.scopes & subject.family.scope & set(app.scope)) - NEVER
    asked = tuple(sorted(allowed)) if text is None else scopes.split(text)
    if has_details and asked == ():
        return asked
    if not asked or not set(asked) <= allowed:
        raise InvalidScopeError("The new token can do nothing that the subject_token and the client cannot.")
    return asked


def _who(call: Call, app: App, subject: _Subject, actor: Token | None, audience: str | list[str]) -> dict[str, Any]:
    """Return `sub` as the audience knows it, and the chain of those who act, outermost the present one (4.1)."""
    secret, family = call.keys.secret(Purpose.SUBJECT), subject.family
    reader = clients.find(call, audience) if isinstance(audience, str) else None
    sector = (reader or app).sector
    chain = _clients_before(subject)
    if actor is not None:
        chain.insert(0, str(actor.claims["sub"]))
    if family.principal is not None:
        chain.append(pairwise(secret, sector, family.subject))
    if len(chain) > LONGEST_CHAIN:
        raise InvalidRequestError(f"More than {LONGEST_CHAIN} would act one for another.")
    act: dict[str, Any] | None = None
    for name in reversed(chain):
        act = {"sub": name} | ({"act": act} if act is not None else {})
    return {"sub": pairwise(secret, sector, family.holder)} | ({"act": act} if act is not None else {})


def _clients_before(subject: _Subject) -> list[str]:
    """Return the clients that act in the subject token, outermost first, without the person who acts for another."""
    chain, act = [], subject.token.claims.get("act")
    while act is not None:
        chain.append(str(act["sub"]))
        act = act.get("act")
    return chain[:-1] if subject.family.principal is not None else chain


def _login(subject: _Subject) -> dict[str, Any]:
    kept = ("auth_time", "acr", "amr")
    return {name: subject.token.claims[name] for name in kept if name in subject.token.claims}


def _remember(call: Call, app: App, subject: _Subject, jti: str, expires_at: datetime) -> None:
    """Keep the row by which the new token lives and dies with the family of the old one."""
    jti_hash, family = secret_hash(jti), subject.family
    row = {
        "jti_hash": jti_hash,
        "subject": family.subject,
        "family_id": family.family_id,
        "expires_at": expires_at,
    }
    call.session.execute(insert(AccessToken), row)
    exchanged.remember(
        call,
        jti_hash=jti_hash,
        client_id=app.client_id,
        parent_hash=secret_hash(subject.token.jti),
        expires_at=expires_at,
    )
