"""Clients (接入应用): the apps and systems that are registered here, RFC 6749 section 2 and RFC 7591 section 2.

A client's row is read on every request, so it is parsed once and kept for two seconds: a client that is disabled stops
within that time in every process.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import insert

from idservice.ids import secret_hash
from idservice.models import Client
from idservice.numbers.plain import is_plain
from idservice.oauth import detail_types, grant_policy, mtls, redirects, resource_servers, scopes
from idservice.oauth.grant_policy import (
    CIBA_GRANT,
    DEVICE_GRANT,
    EXCHANGE_GRANT,
    FOR_CONFIDENTIAL,
    PRE_AUTHORIZED_GRANT,
    GrantPolicy,
)
from idservice.oauth.profiles import HAIP, STANDARD, STRICT, TLS_METHODS, Demand, fault
from keys.jwk import JWKError, parse_set

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import Call, House
    from idservice.db import Database

AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", *TLS_METHODS, "none")
GRANT_TYPES = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    DEVICE_GRANT,
    CIBA_GRANT,
    EXCHANGE_GRANT,
    PRE_AUTHORIZED_GRANT,
)
LOGOUT_URIS = ("backchannel_logout_uri", "frontchannel_logout_uri")

_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,39}\Z")  # shorter than any subject, so never mistaken for one
_SECRET = re.compile(
    r"[A-Za-z0-9._~-]{32,256}\Z"
)  # random, so one fast hash protects it; reads alike in every encoding
_FRESH = timedelta(seconds=2)
_KEPT = 1024

_caches: WeakKeyDictionary[Database, dict[str, tuple[datetime, App]]] = WeakKeyDictionary()


class RegistrationRefused(ValueError):
    """The client's metadata is not acceptable; the message says which and why."""


@dataclass(frozen=True, slots=True)
class App:
    """A registered, enabled client. The methods are those Authlib asks of a client."""

    client_id: str
    name: str
    unit: str
    auth_method: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: frozenset[str]
    scope: tuple[str, ...]
    sector: str
    departments: frozenset[str]
    secret_hash: bytes | None = field(repr=False)
    jwks: Mapping[str, Any] | None = field(repr=False)
    profile: str = STANDARD
    demands: frozenset[str] = frozenset()
    certificate: Mapping[str, Any] | None = field(default=None, repr=False)
    policy: GrantPolicy = grant_policy.ORDINARY
    jwks_uri: str | None = None
    jwks_read_at: datetime | None = None
    logout: Mapping[str, Any] = field(default_factory=dict)
    previous_secret_hash: bytes | None = field(default=None, repr=False)
    authorization_details_types: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()

    @property
    def is_public(self) -> bool:
        """Return whether the client cannot keep a secret (RFC 6749 section 2.1)."""
        return self.auth_method == "none"

    @property
    def must_push(self) -> bool:
        """Return whether the client's authorization requests must be pushed (RFC 9126)."""
        return self.profile in STRICT or Demand.PUSHED in self.demands

    @property
    def must_bind(self) -> bool:
        """Return whether the client's tokens must be bound to a key."""
        return self.profile in STRICT or not self.demands.isdisjoint({Demand.DPOP, Demand.TLS})

    @property
    def binds_by_dpop_alone(self) -> bool:
        """Return whether the client's tokens are bound by DPoP and nothing else."""
        return self.profile == HAIP or Demand.DPOP in self.demands

    @property
    def acts_for_all(self) -> bool:
        """Return whether the client may act for every department; so in the demonstration only."""
        return "*" in self.departments

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether the client is registered for the grant."""
        return grant_type in self.grant_types

    def check_redirect_uri(self, uri: str) -> bool:
        """Return whether `uri` is one of the client's redirect URIs."""
        return redirects.matches(self.redirect_uris, uri, native=self.is_public)

    def check_secret(self, secret: str) -> bool:
        """Compare a client secret in constant time."""
        known = [held for held in (self.secret_hash, self.previous_secret_hash) if held is not None]
        return any(hmac.compare_digest(held, secret_hash(secret)) for held in known)


def register(call: Call, *, client_id: str, registration_hash: bytes | None = None, **stated: Any) -> None:
    """Enter a new client: `client_id` is 1 to 40 characters of `A-Za-z0-9._~-`, all else is stated as for `checked`.

    Raises:
        RegistrationRefused: something of it is unsafe or contradictory, or the identifier is taken.
    """
    if not is_identifier(client_id) or call.session.get(Client, client_id) is not None:
        raise RegistrationRefused("client_id is malformed or taken")
    row = checked(call, **stated) | {
        "client_id": client_id,
        "previous_secret_hash": None,
        "previous_secret_until": None,
        "registration_hash": registration_hash,
        "created_at": call.now,
        "disabled_at": None,
    }
    call.session.execute(insert(Client), row)
    grant_policy.add(call.session, client_id, stated.get("policy", grant_policy.ORDINARY))


def checked(
    call: Call,
    *,
    name: str,
    unit: str,
    auth_method: str,
    grant_types: Sequence[str],
    scope: str,
    secret: str | None = None,
    jwks: Mapping[str, Any] | None = None,
    redirect_uris: Sequence[str] = (),
    post_logout_redirect_uris: Sequence[str] = (),
    profile: str = STANDARD,
    demands: Sequence[str] = (),
    certificate: Mapping[str, Any] | None = None,
    sector: str | None = None,
    departments: Sequence[str] = (),
    policy: GrantPolicy = grant_policy.ORDINARY,
    about: Mapping[str, Any] | None = None,
    logout: Mapping[str, Any] | None = None,
    jwks_uri: str | None = None,
    authorization_details_types: Sequence[str] = (),
    resources: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the columns of a client of whom this is stated: one set of rules, whoever registers or changes it.

    Args:
        call: the call.
        name: shown at consent.
        unit: the organisation answerable for it, shown at consent.
        auth_method: one of `AUTH_METHODS`.
        grant_types: of `GRANT_TYPES`.
        scope: all the client may ask for, separated by spaces.
        secret: for `client_secret_*`: 32 to 256 random characters of `A-Za-z0-9._~-`; stored as a hash only.
        jwks: its public keys, for `private_key_jwt`, `self_signed_tls_client_auth` and signed requests.
        redirect_uris: see `redirects`; needed for `authorization_code`.
        post_logout_redirect_uris: the same, for after logout.
        profile: of `PROFILES`.
        demands: of `Demand`, beyond those of the profile.
        certificate: for `tls_client_auth` and `self_signed_tls_client_auth`: see `mtls.registered`.
        sector: joins clients that shall see the same subject (OpenID Connect Core 1.0 section 8.1).
        departments: credit codes the client acts for on its own; `*` is every one.
        policy: what it needs for CIBA and token exchange.
        about: further metadata of RFC 7591 section 2, told again and not acted on.
        logout: `backchannel_logout_uri`, `frontchannel_logout_uri`, and their `..._session_required`.
        jwks_uri: where `jwks` came from, to be asked again from time to time: see `client_keys`.
        authorization_details_types: those it may ask for; each needs the scope whose authority it carries.
        resources: the resource servers it may ask tokens for, beside our own API.

    Raises:
        RegistrationRefused: something of it is unsafe or contradictory.
    """
    public = auth_method == "none"
    if not (name.strip() and unit.strip() and is_plain(name + unit)):
        raise RegistrationRefused("name and unit are what people read: neither empty nor with invisible marks")
    if auth_method not in AUTH_METHODS:
        raise RegistrationRefused("auth_method is not one of ours")
    if (contradiction := fault(profile, auth_method, demands)) is not None:
        raise RegistrationRefused(contradiction)
    if not grant_types or not set(grant_types) <= set(GRANT_TYPES) or (public and FOR_CONFIDENTIAL & set(grant_types)):
        raise RegistrationRefused("grant_types are not allowed for this client")
    wanted = _checked_scope(scope, public=public)
    if ("authorization_code" in grant_types) is not bool(redirect_uris):
        raise RegistrationRefused("authorization_code and redirect_uris need each other")
    refuse_beyond(call, wanted, authorization_details_types, resources)
    signs = Demand.SIGNED in demands or (jwks_uri is not None and not public)  # who publishes keys may sign requests
    _check_credentials(auth_method, secret, jwks, signs=signs)
    try:
        known = mtls.registered(auth_method, certificate, jwks)
    except ValueError as error:
        raise RegistrationRefused(str(error)) from None
    loopback = call.settings.insecure_loopback
    try:
        for uri in (*redirect_uris, *post_logout_redirect_uris):
            redirects.check(uri, native=public, loopback=loopback)
        for uri in filter(None, map((logout or {}).get, LOGOUT_URIS)):
            redirects.check(uri, native=False, loopback=loopback)
        grant_policy.check(policy, grant_types, loopback=loopback)
    except (redirects.UnsafeRedirect, grant_policy.PolicyRefused) as error:
        raise RegistrationRefused(str(error)) from None
    return {
        "name": name,
        "unit": unit,
        "auth_method": auth_method,
        "secret_hash": secret_hash(secret) if secret else None,
        "jwks": dict(jwks) if jwks else None,
        "jwks_uri": jwks_uri,
        "jwks_fetched_at": call.now if jwks_uri else None,
        "jwks_read_at": call.now if jwks_uri else None,
        "redirect_uris": list(redirect_uris),
        "post_logout_redirect_uris": list(post_logout_redirect_uris),
        "grant_types": list(grant_types),
        "scope": " ".join(wanted),
        "profile": profile,
        "sector": sector,
        "departments": list(departments),
        "demands": list(demands),
        "certificate": known,
        "about": dict(about) if about else None,
        "logout": dict(logout) if logout else None,
        "authorization_details_types": list(authorization_details_types) or None,
        "resources": list(resources) or None,
    }


def refuse_beyond(call: Call, scope: Sequence[str], types: Sequence[str], resources: Sequence[str]) -> None:
    """Refuse types of authorization details and resource servers that do not exist, or need more than the scope.

    Raises:
        RegistrationRefused: see the message.
    """
    for name in types:
        kind = detail_types.find(name)
        if kind is None or (kind.scope is not None and kind.scope not in scope):
            raise RegistrationRefused("authorization_details_types holds a type that does not exist, or needs a scope")
    if not all(resource_servers.is_registered(call, identifier) for identifier in resources):
        raise RegistrationRefused("resources holds a resource server that is not registered")


def _checked_scope(scope: str, *, public: bool) -> tuple[str, ...]:
    """Refuse a scope that does not exist, or is not for a client that keeps no secret."""
    wanted = scopes.split(scope)
    if not wanted or not set(wanted) <= scopes.CATALOGUE.keys():
        raise RegistrationRefused("scope holds a scope that does not exist")
    if public and any(scopes.CATALOGUE[name].secret for name in wanted):
        raise RegistrationRefused("scope holds a scope for which a client must be able to keep a secret")
    return wanted


def _check_credentials(auth_method: str, secret: str | None, jwks: Mapping[str, Any] | None, *, signs: bool) -> None:
    """Refuse a client with less, more or weaker credentials than its method needs."""
    if auth_method.startswith("client_secret"):
        if secret is None or not _SECRET.match(secret):
            raise RegistrationRefused("this method needs a random secret of 32 to 256 characters of A-Za-z0-9._~-")
    elif secret is not None:
        raise RegistrationRefused("this method takes no secret")
    if auth_method == "private_key_jwt" or signs:
        try:
            usable = parse_set(jwks or {})
        except JWKError as error:
            raise RegistrationRefused(f"jwks: {error}") from None
        if not usable:
            raise RegistrationRefused("jwks holds no key for ES256, EdDSA or PS256")
    elif jwks is not None and auth_method not in TLS_METHODS:
        raise RegistrationRefused("this method takes no jwks")


def is_identifier(text: str) -> bool:
    """Return whether `text` has the form of a client identifier."""
    return _CLIENT_ID.match(text) is not None


def find(call: Call, client_id: str) -> App | None:
    """Return the enabled client of that identifier, at most two seconds old, or None."""
    cache = _cache(call.house.database)
    return _kept(cache, client_id, call.now) or _keep(cache, _read(call.session, client_id), call.now)


def find_outside(house: House, client_id: str, now: datetime) -> App | None:
    """Return the same as `find`, where no transaction is open: a kept row costs none."""
    cache = _cache(house.database)
    if (app := _kept(cache, client_id, now)) is not None:
        return app
    return _keep(cache, house.database.run(lambda session: _read(session, client_id), write=False), now)


def forget(house: House, client_id: str) -> None:
    """Let the client be read anew in this process; the others do so within two seconds."""
    _cache(house.database).pop(client_id, None)


def _cache(database: Database) -> dict[str, tuple[datetime, App]]:
    cache = _caches.get(database)
    return cache if cache is not None else _caches.setdefault(database, {})


def _kept(cache: dict[str, tuple[datetime, App]], client_id: str, now: datetime) -> App | None:
    kept = cache.get(client_id)
    return kept[1] if kept is not None and abs(now - kept[0]) < _FRESH else None


def _keep(cache: dict[str, tuple[datetime, App]], app: App | None, now: datetime) -> App | None:
    if app is not None:  # what does not exist is not kept: strangers could fill the memory with names
        if len(cache) >= _KEPT:
            cache.clear()
        cache[app.client_id] = (now, app)
    return app


def _read(session: Session, client_id: str) -> App | None:
    if not is_identifier(client_id):
        return None
    row = session.get(Client, client_id)
    if row is None or row.disabled_at is not None:
        return None
    return App(
        client_id=row.client_id,
        name=row.name,
        unit=row.unit,
        auth_method=row.auth_method,
        redirect_uris=tuple(row.redirect_uris),
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        grant_types=frozenset(row.grant_types),
        scope=tuple(row.scope.split()),
        sector=sector_of(row),
        departments=frozenset(row.departments),
        secret_hash=row.secret_hash,
        jwks=row.jwks,
        jwks_uri=row.jwks_uri,
        jwks_read_at=row.jwks_read_at,
        logout=row.logout or {},
        profile=row.profile,
        demands=frozenset(row.demands or ()),
        certificate=row.certificate,
        policy=grant_policy.find(session, client_id),
        previous_secret_hash=_previous_secret(row),
        authorization_details_types=frozenset(row.authorization_details_types or ()),
        resources=frozenset(row.resources or ()),
    )


def sector_of(row: Any) -> str:
    """Return who knows a person by one pairwise subject: the clients of a sector, or one client alone."""
    return f"sector:{row.sector}" if row.sector else f"client:{row.client_id}"


def _previous_secret(row: Client) -> bytes | None:
    """Return the secret before a rotation while the overlap lasts."""
    until = row.previous_secret_until
    return row.previous_secret_hash if until is not None and until > datetime.now(UTC) else None
