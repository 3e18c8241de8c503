"""What one access token is for (令牌的去向与内容): its audience, its details, its form, chosen at the token endpoint.

RFC 8707 section 2.2 and RFC 9396 section 6: a token request picks among what was granted, and never beyond. Our own API
shares a token with nobody: who could read it elsewhere could use it here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import OAuth2Error

from idservice.oauth import authorization_details, granted, resource_servers
from idservice.oauth.authorization_details import Details, DetailsRefused
from idservice.oauth.granted import NOTHING, Granted, NotGrantable

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.resource_servers import Server


@dataclass(frozen=True, slots=True)
class Target:
    """For whom a token is, and what it authorises in detail there, of all that was `asked` for in detail."""

    servers: tuple[Server, ...]
    details: Details = ()
    asked: Details = ()

    @property
    def audience(self) -> str | list[str]:
        """Return `aud`."""
        names = [server.identifier for server in self.servers]
        return names[0] if len(names) == 1 else names

    @property
    def is_opaque(self) -> bool:
        """Return whether the token shall tell nothing by itself: so if one of its readers wants it so."""
        return any(server.is_opaque for server in self.servers)

    @property
    def members(self) -> dict[str, Any]:
        """Return what details add to token, token response and introspection."""
        return {authorization_details.PARAMETER: list(self.details)} if self.details else {}

    @property
    def facts(self) -> dict[str, Any]:
        """Return what an audit row says of it."""
        types = sorted({detail["type"] for detail in self.details})
        return {"audience": [s.identifier for s in self.servers]} | ({"details": types} if types else {})

    def understood(self, scope: Iterable[str]) -> tuple[str, ...]:
        """Return the part of a scope that means something to one of the readers."""
        names = tuple(scope)
        found = {name for server in self.servers for name in server.understood(names)}
        return tuple(name for name in names if name in found)


def chosen(call: Call, app: App, held: Granted, form: Mapping[str, str]) -> Target | None:
    """Return the target of a token of what is `held`: what the form picks, or else the first that was granted.

    None stands for the ordinary one, our own API without details.

    Raises:
        OAuth2Error: invalid_target or invalid_authorization_details.
    """
    if not (held.details or held.resources) and not any(name in form for name in granted.PARAMETERS):
        return None
    ours = resource_servers.own(call.settings).identifier
    possible = held.resources or (ours,)
    picked = resource_servers.asked(call.settings, form) or possible[:1]
    if not set(picked) <= set(possible):
        raise _refused("invalid_target", "This resource was not granted.")
    return Target(_servers(call, app, picked), narrowed(call, app, held.details, form, picked))


def narrowed(call: Call, app: App, held: Details, form: Mapping[str, str], audience: Collection[str]) -> Details:
    """Return the details of a token for that audience: those that are held, or what the form picks of them.

    Raises:
        OAuth2Error: invalid_authorization_details.
    """
    ours = resource_servers.own(call.settings).identifier
    try:
        if authorization_details.PARAMETER in form:
            held = authorization_details.narrowed(held, granted.details_of(call, app, form))
        return authorization_details.for_audience(authorization_details.still_allowed(app, held), audience, ours)
    except DetailsRefused as error:
        raise _refused("invalid_authorization_details", str(error)) from None
    except NotGrantable as error:
        raise _refused(error.error, error.description) from None


def of_client(call: Call, app: App, form: Mapping[str, str]) -> Target | None:
    """Return the target of a token that a client gets on its own: what it asks for, if it is registered for it.

    None stands for the ordinary one, our own API without details.

    Raises:
        OAuth2Error: invalid_target or invalid_authorization_details.
    """
    try:
        asked = granted.asked(call, app, form, has_person=False)
    except NotGrantable as error:
        raise _refused(error.error, error.description) from None
    if asked == NOTHING:
        return None
    ours = resource_servers.own(call.settings).identifier
    audience = asked.resources or (ours,)
    details = authorization_details.for_audience(asked.details, audience, ours)
    return Target(_servers(call, app, audience), details, asked.details)


def _servers(call: Call, app: App, picked: tuple[str, ...]) -> tuple[Server, ...]:
    ours = resource_servers.own(call.settings).identifier
    if len(picked) > 1 and ours in picked:
        raise _refused("invalid_target", "Our own API shares a token with nobody: ask for one token each.")
    found = tuple(resource_servers.find_for(call, app, identifier) for identifier in picked)
    servers = tuple(server for server in found if server is not None)
    if len(servers) < len(picked):
        raise _refused("invalid_target", "A resource is not known here any more, or not one this app may use.")
    return servers


def _refused(error: str, description: str) -> OAuth2Error:
    return OAuth2Error(description, error=error, status_code=400)
