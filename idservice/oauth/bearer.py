"""Bearer tokens at our own API: RFC 6750 for the header and the refusals, RFC 9068 section 4 for the token.

In two steps. `read` needs nothing but the keys: is this our token, for this API, in time, with the scope? `caller` asks
the database, inside the operation's own transaction: is it still good, and who is calling?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, select

from idservice.call import Caller
from idservice.db import table_of
from idservice.errors import Problem
from idservice.ids import secret_hash
from idservice.models import AccessToken, RevokedToken, Staff
from idservice.oauth import (
    authorization_details,
    clients,
    exchanged,
    families,
    opaque,
    possession,
    resource_metadata,
    resource_servers,
    tokens,
)
from idservice.oauth.models import ExchangedToken
from idservice.statement import Statement
from keys import claims
from keys.jws import Decoded, JWSError, decode
from keys.ring import Purpose

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import Call, House
    from idservice.oauth.authorization_details import Details
    from idservice.oauth.clients import App
    from idservice.oauth.families import Family
    from idservice.oauth.possession import Sent
    from keys.ring import KeyRing


_revoked, _issued = table_of(RevokedToken).c, table_of(AccessToken).c
_REVOKED = Statement(select(_revoked.jti_hash).where(_revoked.jti_hash == bindparam("jti")))
_exchanged = table_of(ExchangedToken).c
_ISSUED = Statement(
    select(_issued.subject, _issued.family_id, _exchanged.client_id.label("given_to"))
    .outerjoin_from(table_of(AccessToken), table_of(ExchangedToken), _exchanged.jti_hash == _issued.jti_hash)
    .where(_issued.jti_hash == bindparam("jti"))
)
_staff = table_of(Staff).c
_POSTS = Statement(select(_staff.role, _staff.department, _staff.counter).where(_staff.subject == bindparam("subject")))


_SCHEMES = frozenset({"bearer", "dpop"})
_NOT_GOOD = "The access token is malformed, expired or revoked."
_KEPT = 4096
_decoded: WeakKeyDictionary[KeyRing, dict[bytes, Decoded]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Token:
    """An access token whose signature, issuer, audience and time hold. Whether it was revoked is not known yet."""

    client_id: str
    jti: str
    scopes: frozenset[str]
    has_person: bool
    claims: Mapping[str, Any] = field(repr=False)

    @property
    def audience(self) -> tuple[str, ...]:
        """Return for whom it is."""
        return _audience(self.claims)

    @property
    def details(self) -> Details:
        """Return what it is confined to (RFC 9396)."""
        return tuple(self.claims.get(authorization_details.PARAMETER, ()))

    @property
    def scheme(self) -> str:
        """Return the authentication scheme the token is sent by, in lower case."""
        return "dpop" if "jkt" in self.claims.get("cnf", ()) else "bearer"


@dataclass(frozen=True, slots=True)
class Standing:
    """A token that may be used now: its client, and its family where a person stands behind it."""

    app: App
    family: Family | None


def read(
    house: House, authorization_header: str | None, *, scope: str, now: datetime, came: Sent | None = None
) -> Token:
    """Return the token of an Authorization header if it holds `scope`.

    Raises:
        Problem: unauthenticated (401) without a good token, insufficient_scope (403) without the scope; both say so in
            WWW-Authenticate (RFC 6750 section 3).
    """
    token = of_header(house, authorization_header, now=now, came=came)
    demand(token, scope)
    return token


def of_header(house: House, authorization_header: str | None, *, now: datetime, came: Sent | None = None) -> Token:
    """Return the token of an Authorization header, whatever its scope; call it outside any transaction.

    A token that is bound to a key is good only with what `came` to prove that key.

    Raises:
        Problem: unauthenticated (401), as RFC 6750 section 3 words it.
    """
    if authorization_header is None:
        raise _unauthenticated(house)
    scheme, _, text = authorization_header.partition(" ")
    scheme = scheme.lower()
    if scheme not in _SCHEMES or not text or " " in text:
        raise _unauthenticated(house)
    token = verify(house, text, now=now)
    if token is None:
        raise possession.refusal("invalid_token", _NOT_GOOD, scheme)
    if scheme != "bearer" or "cnf" in token.claims:
        possession.of_token(house, text, token.claims, scheme, came, now=now)
    return token


def demand(token: Token, scope: str, detail: str | None = None) -> None:
    """Refuse a token without `scope`, and without authorization details of the type that is as good here.

    Raises:
        Problem: insufficient_scope (403), as RFC 6750 section 3 words it.
    """
    is_detailed = detail is not None and bool(authorization_details.of_type(token.details, detail))
    if scope not in token.scopes and not is_detailed:
        headers = possession.challenge(token.scheme, error="insufficient_scope", scope=scope)
        raise Problem("insufficient_scope", f"Needed: {scope}.", headers=headers)


def verify(house: House, text: str, *, now: datetime, audience: str | None = None) -> Token | None:
    """Return the token that `text` is, if it is one of ours in time for our own API, or for `audience`; else None.

    Call it outside any transaction, and `verify_within` inside one: an opaque token is looked up.
    """
    payload = _payload(house, text, None)
    return _token(house, payload, audience or tokens.resource(house.settings), now) if payload is not None else None


def verify_within(call: Call, text: str, *, audience: str | None = None) -> Token | None:
    """Return the same as `verify`, in the call's own transaction."""
    payload = _payload(call.house, text, call.session)
    meant_for = audience or tokens.resource(call.settings)
    return _token(call.house, payload, meant_for, call.now) if payload is not None else None


def verify_for(call: Call, app: App, text: str) -> Token | None:
    """Return the token that `text` is, if it is in time, and `app` has to do with it.

    So it is for our own API, for `app`, for a resource server that `app` speaks for or for whom it may exchange tokens;
    or it was issued to it.
    """
    payload = _payload(call.house, text, call.session)
    if payload is None:
        return None
    audience = _audience(payload)
    known = {tokens.resource(call.settings), app.client_id, *app.policy.audiences}
    is_near = payload.get("client_id") == app.client_id or not known.isdisjoint(audience)
    if not is_near and not resource_servers.is_served_by(call, app, audience):
        return None
    return _token(call.house, payload, audience[0], call.now)


def _payload(house: House, text: str, session: Session | None) -> Mapping[str, Any] | None:
    """Return the claims of a token that was made here, whoever it is for; None where it was not."""
    if opaque.looks_like_one(text):
        if session is not None:
            return opaque.find(house, session, text)
        return house.database.run(lambda reading: opaque.find(house, reading, text), write=False)
    try:
        return _decode(house, text).payload
    except JWSError:
        return None


def _audience(payload: Mapping[str, Any]) -> tuple[str, ...]:
    named = payload.get("aud")
    return tuple(named) if isinstance(named, list) else (str(named),)


def _token(house: House, payload: Mapping[str, Any], audience: str, now: datetime) -> Token | None:
    try:
        claims.check(payload, issuer=house.settings.issuer, audience=audience, now=now)
    except JWSError:
        return None
    match payload:
        case {"client_id": str(client_id), "jti": str(jti), "scope": str(scope), "sub": str(subject)}:
            return Token(client_id, jti, frozenset(scope.split()), subject != client_id, payload)
    return None


def standing(call: Call, token: Token) -> Standing | None:
    """Return what stands behind a token if it may be used at this instant; else None.

    A token that can do more than its client may ask for by now is not good for less: the client is to get another.
    """
    jti_hash = secret_hash(token.jti)
    app = clients.find(call, token.client_id)
    if app is None or not _may_still_ask(app, token):
        return None
    if _REVOKED.first(call.connection, {"jti": jti_hash}) is not None:
        return None
    if not token.has_person:
        return Standing(app, None)
    row = _ISSUED.first(call.connection, {"jti": jti_hash})
    family = families.find_alive(call, row.subject, row.family_id) if row is not None else None
    if family is None:
        return None
    is_of_login = row.given_to is None and family.client_id == app.client_id
    if not is_of_login and not exchanged.is_held_by(call, jti_hash, app.client_id):
        return None
    return Standing(app, family)


def _may_still_ask(app: App, token: Token) -> bool:
    """Return whether the client could get all that the token can do, by scope and by details that stand for scopes."""
    if not token.scopes.issubset(app.scope):
        return False
    details = token.details
    return not details or authorization_details.still_allowed(app, details) == details


def caller(call: Call, token: Token, *, address: str | None) -> Caller:
    """Return who calls with `token`.

    A client on its own acts for the departments it is registered for; a person for those where he holds a post, and
    for none while he acts for an organisation.

    Raises:
        Problem: unauthenticated, if the token, its family, its person or its client has ended.
    """
    found = standing(call, token)
    if found is None:
        raise possession.refusal("invalid_token", _NOT_GOOD, token.scheme)
    app, family = found.app, found.family
    if family is None:
        return Caller(
            channel="api",
            client_id=app.client_id,
            client_name=app.name,
            scopes=token.scopes,
            departments=app.departments - {"*"},
            all_departments=app.acts_for_all,
            address=address,
            details=token.details,
            scheme=token.scheme,
        )
    posts = _posts(call, family) if family.principal is None else []
    return Caller(
        channel="api",
        client_id=app.client_id,
        client_name=app.name,
        person=family.subject,
        principal=family.principal,
        mandate=family.mandate_id,
        scopes=token.scopes,
        posts=frozenset((post.role, post.department) for post in posts),
        counter=next((post.counter for post in posts if post.counter), None),
        amr=family.amr,
        auth_time=family.auth_time,
        signals=family.signals,
        level=family.level,
        session_id=family.session_hash.hex() if family.session_hash else None,
        address=address,
        details=token.details,
        scheme=token.scheme,
    )


def _posts(call: Call, family: Family) -> list[Any]:
    return list(_POSTS.rows(call.connection, {"subject": family.subject}))


def _decode(house: House, text: str) -> Decoded:
    """Decode a token whose signature holds; a token is sent many times, and its signature is verified once."""
    digest = secret_hash(text)
    kept = _decoded.setdefault(house.keys, {})
    found = kept.get(digest)
    if found is None or found.header["kid"] not in house.keys.public(Purpose.ACCESS_TOKEN):  # revoked since
        found = _verified(house, text)
        if len(kept) >= _KEPT:
            kept.clear()
        kept[digest] = found
    return found


def _verified(house: House, text: str) -> Decoded:
    try:
        return decode(text, keys=house.keys.public(Purpose.ACCESS_TOKEN), typ=tokens.ACCESS_TYPE)
    except JWSError as error:
        if error.code != "unknown_key":
            raise
    house.keys.reload_if_changed(at_once=True)  # another process may have rotated the key a moment ago
    return decode(text, keys=house.keys.public(Purpose.ACCESS_TOKEN), typ=tokens.ACCESS_TYPE)


def _unauthenticated(house: House) -> Problem:
    described = f'resource_metadata="{resource_metadata.address(house.settings)}"'  # RFC 9728 section 5.1
    challenge = f'Bearer {described}, DPoP algs="{possession.ALGORITHMS}", {described}'
    detail = "Send an access token in the Authorization header."
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": challenge})
