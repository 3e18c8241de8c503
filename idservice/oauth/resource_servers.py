"""Resource servers (资源服务器): the APIs that tokens are made for, RFC 8707. Our own is always one of them.

Another is registered by an operator: which scopes mean something to it, whether it reads JWTs or asks about opaque
tokens, and as which client it asks. Which apps may want tokens for it stands with the apps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from sqlalchemy import bindparam, insert, select, update

from idservice import audit
from idservice.db import table_of
from idservice.models import Client
from idservice.oauth import scopes, tokens
from idservice.oauth.deeds import GrantDeed
from idservice.oauth.models import ResourceServer
from idservice.settings import is_loopback

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.settings import Settings

PARAMETER: Final = "resource"
MAX_RESOURCES: Final = 8
MAX_LENGTH: Final = 512
_URI: Final = re.compile(rf"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]{{1,{MAX_LENGTH}}}\Z")
OF_THE_PERSON: Final = frozenset({"openid", "profile", "phone", "offline_access"})  # of the login, not of an API

_server = table_of(ResourceServer).c
_SERVES = select(_server.identifier).where(
    _server.client_id == bindparam("client_id"),
    _server.disabled_at.is_(None),
    _server.identifier.in_(bindparam("named", expanding=True)),
)


class ServerRefused(ValueError):
    """The resource server cannot be registered so; the message says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A resource server in force. `scope` None: every scope means something to it."""

    identifier: str
    name: tuple[str, str]
    is_opaque: bool
    scope: frozenset[str] | None = None

    def understood(self, scope: Iterable[str]) -> tuple[str, ...]:
        """Return the part of a scope that means something to it."""
        return tuple(name for name in scope if self.scope is None or name in self.scope | OF_THE_PERSON)


def own(settings: Settings) -> Server:
    """Return our own API."""
    return Server(tokens.resource(settings), ("一号通行", "One Number Access"), settings.opaque_access_tokens)


def find(call: Call, identifier: str) -> Server | None:
    """Return the resource server of that identifier, if it is in force."""
    ours = own(call.settings)
    if identifier == ours.identifier:
        return ours
    row = call.session.get(ResourceServer, identifier) if len(identifier) <= MAX_LENGTH else None
    if row is None or row.disabled_at is not None:
        return None
    return Server(row.identifier, (row.name, row.name_en), row.is_opaque, frozenset(row.scope.split()))


def find_for(call: Call, app: App, identifier: str) -> Server | None:
    """Return the resource server if the client may want tokens for it: our own API, or one it is registered for."""
    is_allowed = identifier == tokens.resource(call.settings) or identifier in app.resources
    return find(call, identifier) if is_allowed else None


def is_registered(call: Call, identifier: str) -> bool:
    """Return whether there is such a resource server, in force or not."""
    return call.session.get(ResourceServer, identifier[: MAX_LENGTH + 1]) is not None


def is_served_by(call: Call, app: App, audience: Iterable[str]) -> bool:
    """Return whether the client is the voice of one of these resource servers (RFC 7662 section 4)."""
    named = [name for name in audience if ":" in name and name != tokens.resource(call.settings)]
    asked = {"client_id": app.client_id, "named": named}
    return bool(named) and call.connection.execute(_SERVES, asked).first() is not None


def register(
    call: Call, identifier: str, *, name: str, name_en: str, scope: str, is_opaque: bool, client_id: str | None
) -> None:
    """Enter a resource server.

    Raises:
        ServerRefused: it has no name that can be its own, a scope that does not exist, or nobody to ask about tokens.
    """
    _check_identifier(call.settings, identifier)
    if not all(0 < len(text) <= 128 and text.isprintable() for text in (name, name_en)):
        raise ServerRefused("name and name_en are 1 to 128 printable characters: people read them at consent")
    wanted = scopes.split(scope) if scope else ()
    if wanted is None or not set(wanted) <= scopes.CATALOGUE.keys():
        raise ServerRefused("scope holds a scope that does not exist")
    if client_id is not None and call.session.get(Client, client_id) is None:
        raise ServerRefused("client_id is not that of a client")
    if is_opaque and client_id is None:
        raise ServerRefused("opaque tokens need a client that asks about them")
    if call.session.get(ResourceServer, identifier) is not None:
        raise ServerRefused("this identifier is taken")
    row = {
        "identifier": identifier,
        "name": name,
        "name_en": name_en,
        "client_id": client_id,
        "scope": " ".join(wanted),
        "is_opaque": is_opaque,
        "created_at": call.now,
        "disabled_at": None,
    }
    call.session.execute(insert(ResourceServer), row)
    audit.record(call, GrantDeed.RESOURCE_REGISTERED, resource=identifier, client=client_id)


def disable(call: Call, identifier: str) -> bool:
    """Make no more tokens for it; return whether it was in force."""
    query = update(ResourceServer).where(ResourceServer.identifier == identifier, ResourceServer.disabled_at.is_(None))
    ended = call.session.execute(query.values(disabled_at=call.now).returning(ResourceServer.identifier)).first()
    if ended is not None:
        audit.record(call, GrantDeed.RESOURCE_DISABLED, resource=identifier)
    return ended is not None


def listed(call: Call) -> list[ResourceServer]:
    """Return all of them, those no longer in force too."""
    return list(call.session.scalars(select(ResourceServer).order_by(ResourceServer.identifier)))


def named(sent: Mapping[str, str]) -> tuple[str, ...]:
    """Return the resources of a request whose parameters were folded."""
    return tuple(dict.fromkeys(sent.get(PARAMETER, "").split(" "))) if PARAMETER in sent else ()


def folded(sent: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the parameters with all `resource` in one, divided by spaces: it alone may stand more than once.

    Raises:
        ValueError: one of them holds a space, which no URI has.
    """
    kept = [(name, value) for name, value in sent if name != PARAMETER]
    wanted = [value for name, value in sent if name == PARAMETER and value]
    if any(" " in value for value in wanted):
        raise ValueError("a resource is a URI")
    return [*kept, (PARAMETER, " ".join(wanted))] if wanted else kept


def asked(settings: Settings, sent: Mapping[str, str]) -> tuple[str, ...]:
    """Return the resources of a request as they are registered: the issuer's own name stands for our own API.

    A wallet names the credential issuer, which is the issuer (OpenID4VCI 1.0 section 5.1.2).
    """
    ours = own(settings).identifier
    return tuple(dict.fromkeys(ours if name == settings.issuer else name for name in named(sent)))


def unfolded(sent: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the parameters as they were before `folded`."""
    kept = [(name, value) for name, value in sent.items() if name != PARAMETER]
    return [*kept, *((PARAMETER, value) for value in named(sent))]


def _check_identifier(settings: Settings, identifier: str) -> None:
    """Refuse what is no identifier; whether its host can be reached does not matter: nothing is ever fetched there."""
    try:
        parts = urlsplit(identifier if _URI.match(identifier) else "")
        is_local = settings.insecure_loopback and parts.scheme == "http" and is_loopback(parts.hostname)
        is_sound = (parts.scheme == "https" or is_local) and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        is_sound = False
    if not is_sound:
        raise ServerRefused("the identifier is an https URI without a fragment")
    if f"{parts.scheme}://{parts.netloc}" == settings.origin:
        raise ServerRefused("the identifier must not look like our own API")
